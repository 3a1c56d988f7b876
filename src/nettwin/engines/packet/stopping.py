"""How long to simulate: the warm-up that is left out, and the rule that ends a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.batches import Batches
from nettwin.engines.packet.precision import Known
from nettwin.errors import InputError
from nettwin.scenario.arrivals import MMPP, Autocorrelated, OnOff, Trace
from nettwin.scenario.scenario import Scenario

FEWEST_BATCHES = 16
FEWEST_PACKETS = 2_000_000
PACKETS_A_FLOW = 200
STRETCHES = 512  # a run to its budget is looked at this often
CYCLES_A_BATCH = 3.0  # of the longest bursts
MAX_UNDER_WAY = 20_000_000  # packets on wires at once, of 64 bytes of memory each
MAX_WARMUP = 10.0  # budgets that a warm-up may send


@dataclass(frozen=True)
class StopRule:
    """Ends a run when all that is watched is as precise as asked, or at a budget, whichever is
    first."""

    precision: float
    max_packets: int
    max_time_s: float

    def reason(
        self,
        packets: int,
        time_s: float,
        batches: Batches | None,
        known: Callable[[], Sequence[Known]],
    ) -> str:
        """Why to stop now, or an empty text; `batches` are the youngest, None before they begin."""
        settled = batches is not None and batches.complete and len(batches) >= FEWEST_BATCHES
        if settled and self.precision > 0:
            reached = max(quantity.relative for quantity in known())
            if reached <= self.precision:
                return f"precision: {reached:.2%} reached, {self.precision:.2%} asked"
        if packets >= self.max_packets:
            return f"packet budget: {self.max_packets} packets sent"
        if time_s >= self.max_time_s:
            return f"time limit: {self.max_time_s:g} s simulated"
        return ""


def default_packets(scenario: Scenario) -> int:
    """Packets that make a fair picture: 200 a flow that sends, at least 2 million, and not far
    fewer than the warm-up needs."""
    traffic = scenario.traffic
    senders = int(np.count_nonzero(traffic.flow_rate_bps))
    warmup = float(traffic.flow_packet_rate_pps.sum()) * longest_path_s(scenario)
    return max(FEWEST_PACKETS, PACKETS_A_FLOW * senders, int(warmup / MAX_WARMUP) + 1)


def default_warmup_s(scenario: Scenario, horizon_s: float) -> float:
    """Time until an empty network has filled: until packets have come over the longest path, and
    the slowest queue has settled, for which it is given at most a tenth of the horizon."""
    settle = max(5.0 * relaxation_s(scenario), longest_cycle_s(scenario))
    return longest_path_s(scenario) + min(settle, horizon_s / 10)


def check_size(scenario: Scenario, warmup_s: float, packets: int | None) -> None:
    """Raise InputError where more packets are on wires than fit into memory, or where the warm-up
    alone sends many times the packets that are asked for."""
    pps, travel = scenario.traffic.flow_packet_rate_pps, _travel_s(scenario)
    paths = scenario.paths
    under_way = float((pps[paths.path_flow] * paths.share * travel).sum())
    if under_way > MAX_UNDER_WAY:
        raise InputError(
            f"{under_way:,.0f} packets are on wires at once, more than the {MAX_UNDER_WAY:,} that "
            "can be simulated: links are too fast for their length. Use theory or the twin, or "
            "scale capacities and rates down together."
        )
    warmup = float(pps.sum()) * warmup_s
    if packets is not None and warmup > MAX_WARMUP * max(packets, FEWEST_PACKETS):
        raise InputError(
            f"max_packets is {packets}: too few for this network, in which {warmup:,.0f} packets "
            f"are sent before the first have come over the longest path and queues have settled "
            f"({warmup_s:.3g} s). Give at least {int(warmup / MAX_WARMUP) + 1}."
        )


def longest_path_s(scenario: Scenario) -> float:
    """How long a packet takes on the longest path where nothing waits."""
    return float(_travel_s(scenario).max(initial=0.0))


def _travel_s(scenario: Scenario) -> NDArray[np.float64]:
    """Propagation and transmission of a mean packet of its flow, of each path. [paths]"""
    paths, topology = scenario.paths, scenario.topology
    propagation = np.bincount(paths.hop_path, topology.link_delay_s[paths.links], paths.path_count)
    per_bit = np.bincount(
        paths.hop_path, 1.0 / topology.link_capacity_bps[paths.links], paths.path_count
    )
    bits = scenario.traffic.flow_mean_size_bits[paths.path_flow]
    sends = scenario.traffic.flow_rate_bps[paths.path_flow] > 0
    return np.where(sends, propagation + bits * per_bit, 0.0)


def memory_s(scenario: Scenario) -> float:
    """How long a batch must be so that it tells nothing about the next: longer than the slowest
    queue remembers, and than a few of the longest bursts."""
    return max(relaxation_s(scenario), CYCLES_A_BATCH * longest_cycle_s(scenario))


def longest_cycle_s(scenario: Scenario) -> float:
    """The longest burst cycle of the flows that send."""
    traffic = scenario.traffic
    sends = traffic.flow_rate_bps > 0
    longest = 0.0
    for k, process in enumerate(traffic.arrivals):
        mine = sends & (traffic.flow_arrival == k)
        if not mine.any():
            continue
        gap = 1.0 / float(traffic.flow_packet_rate_pps[mine].min())
        if isinstance(process, OnOff):
            # a period with less than a packet is as long as the gap
            longest = max(longest, process.on_s + process.off_s)
        elif isinstance(process, MMPP):
            longest = max(longest, process.high_s + process.low_s)
        elif isinstance(process, Autocorrelated):
            longest = max(longest, 2.0 * gap / (1.0 - process.correlation))
        elif isinstance(process, Trace):
            own = process.period_s if not process.stretch else gap * len(process.times_s)
            longest = max(longest, own / CYCLES_A_BATCH)  # it is the same in every period
    return longest


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
