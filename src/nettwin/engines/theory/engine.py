"""Theory: the engine `theory`, queueing theory solved as a fixed point over all queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from nettwin.engines.theory.flows import FlowSums, QueueSums, flow_sums, hop_delays, queue_sums
from nettwin.engines.theory.hops import hop_split
from nettwin.engines.theory.limits import unsupported
from nettwin.engines.theory.network import solve
from nettwin.engines.theory.parallel import predictions
from nettwin.engines.theory.quantiles import percentiles
from nettwin.engines.theory.solution import QueueSolution
from nettwin.metrics import Metrics, Table
from nettwin.model import HopSplit
from nettwin.scenario.scenario import Scenario


@dataclass(frozen=True)
class Theory:
    """Predicts by queueing theory: no randomness, well under a second for 300 nodes.

    Every queue is a finite one whose arrivals and sizes have two moments; every port is solved by
    its policy; losses thin the flows until nothing changes. `docs/theory.md` has the formulas.

    Assumptions: flows are independent of each other, and hops of each other; what a queue sends is
    as irregular as what came to it, though less in number; packets are of as many sizes behind
    each hop as before; sources do not react to loss; a trace is Poisson.

    Range: loads up to 3 (`unsupported` names what is outside). Best where many flows share a port;
    a few periodic or bursty flows, ports within a few percent of saturation, and long visits of
    deficit round robin have the largest errors.

    Measured against recorded OMNeT++ simulations, mean absolute percentage error of the flows' mean
    delay (`python -m benchmarks gnnet --data FOLDER`; what was looked at while the theory was made
    is told in docs/theory.md):

    =====================  ===========  ============  ===========
    .                      gnnet2022    gnnet2020     gnnet2021
    =====================  ===========  ============  ===========
    simulations, nodes     64, 50-300   400, 14-24    100, 30
    mean of simulations    2.0 to 4.1   4.1           1.1 to 1.2
    median                 1.8 to 3.6   3.2           1.1
    worst simulation       9.6          18.1          2.0
    R2, pooled             0.97-0.99    0.994         0.9995
    FIFO at every port       1.3 to 2.6                 1.1 to 1.2
    strict priority        1.1 to 2.6   2.3
    least served first     1.4 to 3.5   3.8
    deficit round robin    4.4 to 6.9   5.8
    load under 0.5         1.5 to 1.9   1.4           1.0
    load 0.5 to 0.7        2.2 to 3.5   3.4           1.3
    load 0.7 to 0.85       3.4 to 6.1   4.9           1.9 to 2.0
    load 0.85 to 1         5.0 to 8.4   7.0           1.4 to 1.9
    load over 1            6.2 to 10.5  8.7           0.8 to 1.0
    loss, points           0.01-0.13    0.14          0.00-0.01
    90th percentile        4.1 to 6.7   9.3           7.2 to 8.3
    variance of delay      11 to 25     18            8 to 9
    =====================  ===========  ============  ===========

    (gnnet2022: from 300 nodes, lightly loaded, to 50 to 130. Loads are the highest on the path.)
    The table was measured at commit 522276c, with the formulas before those for long bursts and
    smoothing (`Formulas(smoothing=False, bursts=False, bounded=False)`).
    """

    tolerance: float = 1e-5  # change of a loss at which the fixed point is reached
    rounds: int = 30  # of it at most
    name: str = field(default="theory", init=False)

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario, in their order."""
        like = self._solved(scenarios[0]) if len(scenarios) > 1 else None
        return predictions(partial(self._predict, like=like), scenarios)

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why theory should not be trusted with a scenario; empty where it may be."""
        return unsupported(scenario)

    def hops(self, scenario: Scenario) -> HopSplit:
        """What makes up the flows' mean delays, hop by hop."""
        state = self._solved(scenario)
        return hop_split(scenario, state, hop_delays(scenario, state))

    def _solved(self, scenario: Scenario, like: QueueSolution | None = None) -> QueueSolution:
        return solve(scenario, rounds=self.rounds, tolerance=self.tolerance, like=like)

    def _predict(self, scenario: Scenario, like: QueueSolution | None) -> Metrics:
        state = self._solved(scenario, like)
        each = hop_delays(scenario, state)
        queues = queue_sums(scenario, each)
        return Metrics(
            flow=_flow_table(scenario, flow_sums(scenario, state, each)),
            link=_link_table(scenario, queues),
            queue=_queue_table(scenario, state, queues),
            method="predicted",
            engine=self.name,
            provenance={
                "engine": self.name,
                "scenario": scenario.fingerprint(),
                "rounds": state.rounds,
                "largest_change_of_loss": state.change,
            },
        )


def _flow_table(scenario: Scenario, sums: FlowSums) -> Table:
    p50, p90, p99 = percentiles((0.5, 0.9, 0.99), sums.paths, scenario.paths.flow_offset)
    starved = np.isnan(sums.mean_s)
    return Table(
        {
            "owd_mean_s": sums.mean_s,
            "owd_p50_s": np.where(starved, np.nan, p50),
            "owd_p90_s": np.where(starved, np.nan, p90),
            "owd_p99_s": np.where(starved, np.nan, p99),
            "pdv_s2": sums.variance_s2,
            "loss_ratio": np.clip(sums.loss, 0.0, 1.0),
            "throughput_bps": scenario.traffic.flow_rate_bps * np.clip(1.0 - sums.loss, 0.0, 1.0),
        }
    )


def _link_table(scenario: Scenario, sums: QueueSums) -> Table:
    topology = scenario.topology
    port, links = topology.queues.link, topology.link_count
    carried = np.bincount(port, sums.carried_bps, links).astype(np.float64)
    offered = np.bincount(port, sums.offered_pps, links)
    lost = np.bincount(port, sums.lost_pps, links)
    loss = np.divide(lost, offered, out=np.zeros(links), where=offered > 0)
    return Table(
        {
            "utilization": carried / topology.link_capacity_bps,
            "loss_ratio": np.clip(loss, 0.0, 1.0),
            "throughput_bps": carried,
        }
    )


def _queue_table(scenario: Scenario, state: QueueSolution, sums: QueueSums) -> Table:
    topology = scenario.topology
    shaped = np.array([s.burst_bits is not None for s in topology.schedulers], np.bool_)
    own = np.where(shaped[topology.link_scheduler][topology.queues.link], 0.0, state.service_s)
    offered, lost = sums.offered_pps, sums.lost_pps
    accepted = np.maximum(offered - lost, 0.0)
    waiting = accepted * sums.waiting_s
    loss = np.divide(lost, offered, out=np.zeros(len(offered)), where=offered > 0)
    capacity = topology.link_capacity_bps[topology.queues.link]
    return Table(
        {
            "utilization": sums.carried_bps / capacity,
            "occupancy_mean_bits": waiting * state.packet_bits,
            "occupancy_mean_packets": waiting,
            "loss_ratio": np.clip(loss, 0.0, 1.0),
            "delay_mean_s": np.where(accepted > 0, sums.waiting_s + own, np.nan),
        }
    )
