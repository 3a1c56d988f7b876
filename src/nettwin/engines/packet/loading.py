"""From a Scenario to the simulator's arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet import layout
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
UNBOUNDED_QUEUE_PACKETS = 1e4  # what the histogram reckons with where a queue has no limit
SUB_BIN_BITS = 5  # bins an octave of delay, as a power of 2


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
    bins, shift = _histogram([scenario, *later], flows)
    sources = load_sources(scenario, np.random.default_rng(abs(seed)))
    leaves = tree_size(len(links) + scenario.topology.node_count)
    counters = np.zeros(4, np.uint64)
    counters[layout.FREE] = 1
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
        histogram=np.zeros(len(flows) * bins, np.uint32),
        bin_shift=np.array([shift, bins], np.int64),
        counters=counters,
        clock=np.zeros(1),
        rng=seeded(seed),
    )


def with_traffic(state: State, scenario: Scenario, seed: int) -> State:
    """The same network with the sources and packet sizes of another scenario, not yet started."""
    flows, size_tables = _flows(scenario)
    for name in ("size_kind", "size_count", "size_a", "size_b", "size_p"):
        state.flows[name] = flows[name]
    sources = load_sources(scenario, np.random.default_rng(abs(seed)))
    return state._replace(**_source_arrays(sources), **size_tables)


def with_paths(state: State, scenario: Scenario) -> State:
    """The same network with the paths of another scenario; packets on their way keep theirs."""
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


def _histogram(scenarios: Sequence[Scenario], flows: NDArray[Any]) -> tuple[int, int]:
    """Sets each flow's base delay and the range of its histogram; bins a flow, shift of the bits.

    Bins are logarithmic and fine enough for 3 % of the delay above the base. There are as many
    octaves as the buffers need, so that 89,700 flows need about 200 MB.
    """
    count = len(flows)
    base, top, finest = np.full(count, np.inf), np.zeros(count), np.full(count, np.inf)
    for scenario in scenarios:
        _widen(scenario, base, top, finest)
    way = np.isfinite(base)
    flows["base_s"] = np.where(way, base, 0.0)
    flows["min"], flows["max"] = np.inf, -np.inf
    power = np.ceil(np.log2(np.maximum(top - flows["base_s"], 1e-9))).astype(np.int64)
    needed = power[way] - np.floor(np.log2(finest[way]))
    octaves = int(np.clip(needed.max(initial=0.0), 8, 28))
    bins, shift = octaves << SUB_BIN_BITS, 52 - SUB_BIN_BITS
    flows["bin_low"] = ((power + 1023) << SUB_BIN_BITS) - bins
    return bins, shift


def _widen(
    scenario: Scenario,
    base: NDArray[np.float64],
    top: NDArray[np.float64],
    finest: NDArray[np.float64],
) -> None:
    """Take a scenario into each flow's least and largest delay, and into the smallest delay above
    the least that is worth telling: an eighth of its shortest transmission. All [flows]."""
    topology, found, queues = scenario.topology, scenario.paths, scenario.topology.queues
    if not found.path_count:
        return
    low, high = size_ranges(scenario)
    largest = float(high.max())
    second = 1.0 / topology.link_capacity_bps
    endless = np.isinf(queues.buffer_packets)
    packets = np.where(endless, UNBOUNDED_QUEUE_PACKETS, queues.buffer_packets)
    wait_bits = np.minimum(packets * largest, queues.buffer_bits) + largest
    wait_s = np.bincount(queues.link, wait_bits, topology.link_count) * second
    plain = np.array([s.burst_bits is None for s in topology.schedulers])[topology.link_scheduler]

    def along(per_link: NDArray[np.float64]) -> NDArray[np.float64]:
        hops = per_link[found.links]
        return np.bincount(found.hop_path, hops, found.path_count).astype(np.float64)

    flow = found.path_flow
    fixed, sending = along(topology.link_delay_s), along(np.where(plain, second, 0.0))
    shortest = high[flow] * np.minimum.reduceat(second[found.links], found.link_offset[:-1])
    np.minimum.at(base, flow, fixed + low[flow] * sending)
    np.maximum.at(top, flow, fixed + high[flow] * sending + along(wait_s))
    np.minimum.at(finest, flow, shortest / 8)
