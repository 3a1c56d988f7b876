"""How long to simulate: the warm-up that is left out, and the rule that ends a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nettwin.engines.packet.statistics import Batches
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

    def reason(self, packets: int, time_s: float, batches: Batches, mean_s: object) -> str:
        """Why to stop now, or an empty text."""
        if len(batches) >= FEWEST_BATCHES:
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
    with np.errstate(invalid="ignore"):
        relative = batches.delay_half_width(confidence) / np.asarray(mean_s)
    known = relative[np.isfinite(relative)]
    return float(np.quantile(known, FLOWS_WITHIN)) if len(known) else float("inf")


def default_packets(scenario: Scenario) -> int:
    """Packets that make a fair picture: 200 a flow that sends, and at least 2 million."""
    senders = int(np.count_nonzero(scenario.traffic.flow_rate_bps))
    return max(FEWEST_PACKETS, PACKETS_A_FLOW * senders)


def default_warmup_s(scenario: Scenario, horizon_s: float) -> float:
    """Time until an empty network has filled: long enough for the slowest queue to settle.

    The relaxation time of a queue at utilization u is of the order of the service time over
    (1 - sqrt u)^2 (Cohen, 1982), and never above the service time times its places squared. At most
    a tenth of the horizon.
    """
    topology, traffic, paths = scenario.topology, scenario.traffic, scenario.paths
    if not paths.path_count:
        return 0.0
    mean_bits = float(traffic.flow_rate_bps.sum() / max(traffic.flow_packet_rate_pps.sum(), 1e-300))
    service = mean_bits / topology.link_capacity_bps
    queues = topology.queues
    places = np.minimum(queues.buffer_packets, queues.buffer_bits / mean_bits) + 1.0
    places = np.bincount(queues.link, places, topology.link_count).astype(np.float64)
    load = np.minimum(scenario.link_utilization, 0.999)
    used = scenario.link_utilization > 0
    relaxation = service * np.minimum(places**2, 1.0 / (1.0 - np.sqrt(load)) ** 2)
    propagation = np.bincount(paths.hop_path, topology.link_delay_s[paths.links], paths.path_count)
    settle = 5.0 * float(relaxation[used].max(initial=0.0)) + 2.0 * float(
        propagation.max(initial=0.0)
    )
    return min(settle, horizon_s / 10)
