"""How long to simulate: the warm-up that is left out, and the rule that ends a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nettwin.engines.packet.statistics import Batches
from nettwin.scenario.arrivals import MMPP, OnOff
from nettwin.scenario.scenario import Scenario

FEWEST_BATCHES = 16
FEWEST_PACKETS = 2_000_000
PACKETS_A_FLOW = 200
STRETCHES = 512  # a run to its budget is looked at this often
FLOWS_WITHIN = 0.95  # share of flows that must be as precise as asked


@dataclass(frozen=True)
class StopRule:
    """Ends a run at a relative precision or a packet budget, whichever is first."""

    precision: float
    max_packets: int
    max_time_s: float
    confidence: float
    memory_s: float = 0.0  # batches that are shorter depend on each other and seem too precise

    def reason(self, packets: int, time_s: float, batches: Batches, mean_s: object) -> str:
        """Why to stop now, or an empty text."""
        settled = len(batches) >= FEWEST_BATCHES and batches.batch_s >= self.memory_s
        if settled and batches.complete and self.precision > 0:
            reached = relative_precision(batches, mean_s, self.confidence)
            if reached <= self.precision:
                return f"precision: {reached:.2%} reached, {self.precision:.2%} asked"
        if packets >= self.max_packets:
            return f"packet budget: {self.max_packets} packets sent"
        if time_s >= self.max_time_s:
            return f"time limit: {self.max_time_s:g} s simulated"
        return ""


def relative_precision(batches: Batches, mean_s: object, confidence: float) -> float:
    """Half the confidence interval over the mean delay, of the flow at the 95th percentile."""
    mean = np.asarray(mean_s)
    seen = mean > 0
    if not seen.any():
        return float("inf")
    relative = batches.delay_half_width(confidence)[seen] / mean[seen]
    relative[np.isnan(relative)] = np.inf  # too few packets to tell
    return float(np.quantile(relative, FLOWS_WITHIN, method="higher"))


def default_packets(scenario: Scenario) -> int:
    """Packets that make a fair picture: 200 a flow that sends, and at least 2 million."""
    senders = int(np.count_nonzero(scenario.traffic.flow_rate_bps))
    return max(FEWEST_PACKETS, PACKETS_A_FLOW * senders)


def default_warmup_s(scenario: Scenario, horizon_s: float) -> float:
    """Time until an empty network has filled: long enough for the slowest queue to settle, but at
    most a tenth of the horizon."""
    paths = scenario.paths
    propagation = np.bincount(
        paths.hop_path, scenario.topology.link_delay_s[paths.links], paths.path_count
    )
    settle = 5.0 * relaxation_s(scenario) + 2.0 * float(propagation.max(initial=0.0))
    return min(settle, horizon_s / 10)


def memory_s(scenario: Scenario) -> float:
    """For how long what happens depends on what happened: the slowest queue or the longest burst
    cycle."""
    traffic = scenario.traffic
    cycles = np.zeros(len(traffic.arrivals))
    for k, process in enumerate(traffic.arrivals):
        if isinstance(process, OnOff):
            cycles[k] = process.on_s + process.off_s
        elif isinstance(process, MMPP):
            cycles[k] = process.high_s + process.low_s
    active = traffic.flow_arrival[traffic.flow_rate_bps > 0]
    return max(relaxation_s(scenario), float(cycles[active].max(initial=0.0)))


def relaxation_s(scenario: Scenario) -> float:
    """How long the slowest queue remembers.

    The relaxation time of a queue at utilization u is of the order of the service time over
    (1 - sqrt u)^2 (Cohen, 1982), and never above the service time times its places squared.
    """
    topology, traffic = scenario.topology, scenario.traffic
    pps = float(traffic.flow_packet_rate_pps.sum())
    if pps == 0.0:
        return 0.0
    mean_bits = float(traffic.flow_rate_bps.sum()) / pps
    service = mean_bits / topology.link_capacity_bps
    queues = topology.queues
    places = np.minimum(queues.buffer_packets, queues.buffer_bits / mean_bits) + 1.0
    places = np.bincount(queues.link, places, topology.link_count).astype(np.float64)
    load = np.minimum(scenario.link_offered_load, 0.999)
    used = scenario.link_offered_load > 0
    relaxation = service * np.minimum(places**2, 1.0 / (1.0 - np.sqrt(load)) ** 2)
    return float(relaxation[used].max(initial=0.0))
