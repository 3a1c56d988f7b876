"""From a Scenario to the simulator's arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet import layout
from nettwin.engines.packet.histogram import FIRST_PAGES, PAGE, PAGES_A_FLOW, ROW
from nettwin.engines.packet.layout import State, packet_pool, records
from nettwin.engines.packet.random_numbers import alias_table, seeded
from nettwin.engines.packet.tournament import empty_tree, tree_size
from nettwin.engines.packet.traffic import Sources, load_sources
from nettwin.scenario.arrivals import Trace
from nettwin.scenario.packet_sizes import Binomial, Discrete, Exponential, Fixed, Uniform
from nettwin.scenario.scenario import Scenario

POLICY = {
    "fifo": layout.FIFO,
    "sp": layout.SP,
    "wfq": layout.WFQ,
    "drr": layout.DRR,
    "lsf": layout.LSF,
}
FIRST_POOL = 4096
UNIT_PACKETS = 4.0  # transmissions, over which the bins of a histogram are narrowest


def load(
    scenario: Scenario,
    seed: int,
    *,
    later: Sequence[Scenario] = (),
) -> State:
    """A network at time 0, empty, with its sources about to send; `later` is what it becomes."""
    links, queues = _ports(scenario)
    flows, size_tables = _flows(scenario)
    hops, path_hop, path_share = paths(scenario, flows)
    _set_base([scenario, *later], flows)
    sources = load_sources(scenario, np.random.default_rng(abs(seed)))
    leaves = tree_size(len(links) + scenario.topology.node_count)
    counters = np.zeros(5, np.uint64)
    counters[layout.FREE] = counters[layout.PAGES] = 1
    return State(
        links=links,
        queues=queues,
        packets=packet_pool(FIRST_POOL),
        flows=flows,
        **_source_arrays(sources),
        event_keys=empty_tree(leaves),
        hops=hops,
        path_hop=path_hop,
        path_share=path_share,
        **size_tables,
        histogram=np.zeros(len(flows) * ROW, np.uint32),
        pages=np.zeros(FIRST_PAGES * PAGE, np.uint32),
        page_of=np.zeros(len(flows) * PAGES_A_FLOW, np.uint32),
        counters=counters,
        clock=np.zeros(1),
        rng=seeded(seed),
    )


def with_traffic(state: State, scenario: Scenario, seed: int) -> State:
    """A loaded network with the sources and packet sizes of another scenario, not yet started."""
    flows, size_tables = _flows(scenario)
    for name in ("size_kind", "size_count", "size_a", "size_b", "size_p"):
        state.flows[name] = flows[name]
    sources = load_sources(scenario, np.random.default_rng(abs(seed)))
    return state._replace(**_source_arrays(sources), **size_tables)


def with_paths(state: State, scenario: Scenario) -> State:
    """A loaded network with the paths of another scenario; packets under way keep theirs."""
    hops, path_hop, path_share = paths(scenario, state.flows, shift=len(state.hops))
    return state._replace(
        hops=np.concatenate([state.hops, hops]), path_hop=path_hop, path_share=path_share
    )


def paths(
    scenario: Scenario, flows: NDArray[Any], shift: int = 0
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float64]]:
    """Queues along every path, each ended by 0; where each begins; shares summed up in a flow.

    Writes each flow's first path and number of paths into `flows`.
    """
    found = scenario.paths
    hops = np.insert(scenario.hop_queue + 1, found.link_offset[1:], 0).astype(np.uint32)
    begin = found.link_offset[:-1] + np.arange(found.path_count) + shift
    share = np.zeros(found.path_count)
    for f in np.flatnonzero(np.diff(found.flow_offset) > 1).tolist():
        span = slice(int(found.flow_offset[f]), int(found.flow_offset[f + 1]))
        share[span] = np.cumsum(found.share[span]) / found.share[span].sum()
    flows["path_first"] = found.flow_offset[:-1]
    flows["path_count"] = np.diff(found.flow_offset)
    if found.path_count:
        first = np.minimum(found.flow_offset[:-1], found.path_count - 1)
        flows["first_hop"] = begin[first]
    if not len(hops):
        hops = np.zeros(1, np.uint32)
    return hops, begin.astype(np.uint32), share


def _source_arrays(sources: Sources) -> dict[str, NDArray[Any]]:
    return sources._asdict()


def _ports(scenario: Scenario) -> tuple[NDArray[Any], NDArray[Any]]:
    topology = scenario.topology
    flat = topology.queues
    links = records(layout.LINK, topology.link_count)
    links["seconds_per_bit"] = 1.0 / topology.link_capacity_bps
    links["delay_s"] = topology.link_delay_s
    links["first_queue"] = flat.offset[:-1] + 1
    links["queue_count"] = np.diff(flat.offset)
    policy = np.array([POLICY[s.policy] for s in topology.schedulers], np.int32)
    links["policy"] = policy[topology.link_scheduler] if len(policy) else 0
    links["policy"][links["queue_count"] == 1] = layout.FIFO
    burst = np.array([s.burst_bits or 0.0 for s in topology.schedulers], np.float64)
    links["burst_bits"] = burst[topology.link_scheduler] if len(burst) else 0.0
    links["mode"] = np.where(links["burst_bits"] > 0, layout.SHAPED, 0)
    links["mode"] |= np.where(topology.link_live, 0, layout.DOWN).astype(np.uint32)
    counts = np.array([s.buffer_counts_service for s in topology.schedulers], np.bool_)
    if len(counts):
        links["mode"] |= np.where(counts[topology.link_scheduler], layout.COUNTS_SERVICE, 0).astype(
            np.uint32
        )
    all_queues = records(layout.QUEUE, 1 + len(flat.link))
    queues = all_queues[1:]
    queues["link"] = flat.link
    limit = np.minimum(flat.buffer_packets, float(layout.UNLIMITED_PACKETS))
    queues["limit_packets"] = np.floor(limit).astype(np.int64)
    queues["limit_bits"] = flat.buffer_bits
    drr = links["policy"][flat.link] == layout.DRR
    queues["share"] = np.where(drr, flat.quantum_bits, flat.weight)
    return links, all_queues


def _flows(scenario: Scenario) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Flow records with their size distributions, and the tables of the discrete ones."""
    traffic = scenario.traffic
    kinds = records(layout.FLOW, len(traffic.sizes))
    bits: list[NDArray[np.float64]] = [np.zeros(1)]
    chance: list[NDArray[np.float64]] = [np.zeros(1)]
    other: list[NDArray[np.uint64]] = [np.zeros(1, np.uint64)]
    for row, size in zip(kinds, traffic.sizes, strict=True):
        if isinstance(size, Fixed):
            row["size_kind"], row["size_a"] = layout.FIXED, size.bits
        elif isinstance(size, Uniform):
            row["size_kind"] = layout.UNIFORM
            row["size_a"], row["size_b"] = size.low_bits, size.high_bits
        elif isinstance(size, Binomial):
            row["size_kind"] = layout.TWO_POINT
            row["size_a"], row["size_b"] = size.small_bits, size.large_bits
            row["size_p"] = size.small_probability
        elif isinstance(size, Exponential):
            row["size_kind"], row["size_a"] = layout.EXPONENTIAL, size.average_bits
        elif isinstance(size, Discrete):
            table = alias_table(np.array(size.probabilities))
            row["size_kind"], row["size_count"] = layout.DISCRETE, len(size.sizes_bits)
            row["size_p"] = sum(map(len, bits))
            bits.append(np.array(size.sizes_bits))
            chance.append(table[0])
            other.append(table[1])
        else:
            raise TypeError(f"no rule to draw packet sizes of {size}")
    flows = records(layout.FLOW, traffic.flow_count)
    for name in ("size_kind", "size_count", "size_a", "size_b", "size_p"):
        flows[name] = kinds[name][traffic.flow_size]
    for k, arrival in enumerate(traffic.arrivals):
        if isinstance(arrival, Trace) and arrival.sizes_bits.size:
            flows["size_kind"][traffic.flow_arrival == k] = layout.RECORDED
    tables = {
        "sizes_bits": np.concatenate(bits),
        "sizes_chance": np.concatenate(chance),
        "sizes_other": np.concatenate(other),
    }
    return flows, tables


def size_ranges(scenario: Scenario) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest packet of each flow; of exponential sizes a large one. [flows]"""
    traffic = scenario.traffic
    low = np.array([s.min_bits for s in traffic.sizes])[traffic.flow_size]
    high = np.array(
        [s.max_bits if math.isfinite(s.max_bits) else 10 * s.mean_bits for s in traffic.sizes]
    )[traffic.flow_size]
    for k, arrival in enumerate(traffic.arrivals):
        if isinstance(arrival, Trace) and arrival.sizes_bits.size:
            mine = traffic.flow_arrival == k
            low[mine], high[mine] = arrival.sizes_bits.min(), arrival.sizes_bits.max()
    return low, high


def _set_base(scenarios: Sequence[Scenario], flows: NDArray[Any]) -> None:
    """Set each flow's base delay, that of its smallest packet in an empty network, and its
    histogram's unit, so that bins are narrow beside the delay and beside its packets."""
    base, packet = np.full(len(flows), np.inf), np.full(len(flows), np.inf)
    for scenario in scenarios:
        _lower_to(scenario, base, packet)
    known = np.isfinite(base)
    flows["base_s"] = np.where(known, base, 0.0)
    unit = UNIT_PACKETS * np.where(known, packet, 1.0)
    half = np.where(flows["base_s"] > 0, flows["base_s"] / 2, np.inf)
    flows["units_per_s"] = 1.0 / np.minimum(half, unit)
    flows["min"], flows["max"] = np.inf, -np.inf


def _lower_to(scenario: Scenario, base: NDArray[np.float64], packet: NDArray[np.float64]) -> None:
    """Take a scenario into each flow's least delay, and its shortest transmission of its largest
    packet. [flows]"""
    topology, found = scenario.topology, scenario.paths
    if not found.path_count:
        return
    low, high = size_ranges(scenario)
    second = 1.0 / topology.link_capacity_bps
    plain = np.array([s.burst_bits is None for s in topology.schedulers])[topology.link_scheduler]

    def along(per_link: NDArray[np.float64]) -> NDArray[np.float64]:
        hops = per_link[found.links]
        return np.bincount(found.hop_path, hops, found.path_count).astype(np.float64)

    flow = found.path_flow
    fixed, sending = along(topology.link_delay_s), along(np.where(plain, second, 0.0))
    shortest = np.minimum.reduceat(second[found.links], found.link_offset[:-1])
    np.minimum.at(base, flow, fixed + low[flow] * sending)
    np.minimum.at(packet, flow, high[flow] * shortest)
