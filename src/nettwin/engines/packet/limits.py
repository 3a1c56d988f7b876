"""What the simulator cannot answer truthfully."""

from __future__ import annotations

import numpy as np

from nettwin.model import beyond_every_model
from nettwin.scenario.arrivals import OnOff, Trace
from nettwin.scenario.scenario import Scenario

RATE_TOLERANCE = 0.01
SMALLEST_QUANTUM = 1e-3  # of the largest packet: smaller ones make the port turn for ever


def unsupported(scenario: Scenario) -> list[str]:
    """Why a simulation would not tell the truth about a scenario; empty where it would."""
    return [*beyond_every_model(scenario), *_small_quanta(scenario), *_arrivals(scenario)]


def _small_quanta(scenario: Scenario) -> list[str]:
    largest = max((s.mean_bits for s in scenario.traffic.sizes), default=0.0)
    topology = scenario.topology
    bad = [
        k
        for k, s in enumerate(topology.schedulers)
        if s.policy == "drr" and min(q.quantum_bits for q in s.queues) < SMALLEST_QUANTUM * largest
    ]
    return [
        f"link {topology.link_name[k]} has a DRR quantum below a thousandth of a packet"
        for k in np.flatnonzero(np.isin(topology.link_scheduler, bad)).tolist()
    ]


def _arrivals(scenario: Scenario) -> list[str]:
    traffic, names, found = scenario.traffic, scenario.flow_names, []
    for k, process in enumerate(traffic.arrivals):
        flows = np.flatnonzero((traffic.flow_arrival == k) & (traffic.flow_rate_bps > 0))
        if isinstance(process, Trace) and not process.stretch:
            own = np.array([process.rate_bps(b) for b in traffic.flow_mean_size_bits[flows]])
            off = np.abs(own / traffic.flow_rate_bps[flows] - 1) > RATE_TOLERANCE
            found += [
                f"flow {names[f]} has another rate than its trace, which is played as recorded"
                for f in flows[off].tolist()
            ]
        if isinstance(process, OnOff) and process.starts_with_packet:
            cycle = process.on_s + process.off_s
            few = traffic.flow_packet_rate_pps[flows] * cycle <= 1.0
            found += [
                f"flow {names[f]} sends less than a packet an on period: its pauses are made "
                "longer to keep its rate"
                for f in flows[few].tolist()
            ]
    return found
