"""SegmentFlows: where a unit of traffic goes between any two nodes, in one or several states.

A segment is the path that the common routing (IGP weights with ECMP) takes from one node to
another. A flow steered over midpoints follows one segment after another, so that its load is a sum
of segments (but where one is broken: see `failover`), and a search can try a midpoint by adding two
sparse vectors instead of routing anew.

A state is the network as it is, or after a failure that the IGP has rerouted. The links of all
states stand side by side (link e of state s has the number s * links + e): what must hold in every
state is then one search over more links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.problems.failover import Failover
from nettwin.quantity import ReadOnly
from nettwin.scenario.routing import Routing
from nettwin.scenario.shortest import adjacency, next_hop, shortest_path_distances
from nettwin.scenario.topology import Topology


@dataclass(frozen=True)
class SegmentFlows(ReadOnly):
    """The unit flow of every segment, sparse.

    What the segment from a to b puts on links is `link[offset[a * nodes + b]: offset[a * nodes +
    b + 1]]` with the shares beside it. A segment that has no path in a state puts nothing there
    and is marked in `broken`.
    """

    nodes: int
    links: int  # of one state
    offset: NDArray[np.int64]  # [nodes * nodes + 1]
    link: NDArray[np.int32]  # [entries] in 0 .. states * links
    share: NDArray[np.float32]  # [entries]
    broken: NDArray[np.bool_]  # [states, nodes, nodes]
    link_source: NDArray[np.int32]  # [links]
    link_target: NDArray[np.int32]  # [links]

    @property
    def states(self) -> int:
        """How many states of the network."""
        return len(self.broken)

    @property
    def unreachable(self) -> NDArray[np.bool_]:
        """Segments that no flow may be steered over: those that are broken in the first state.
        What is steered over another that a failure breaks goes the plain path meanwhile. [nodes,
        nodes]"""
        return np.asarray(self.broken[0])

    @cached_property
    def failover(self) -> Failover:
        """The arrays of segments and of where they are broken, as kernels take them."""
        return Failover.of(self.links, self.offset, self.link, self.share, self.broken)

    @classmethod
    def of(cls, topologies: Sequence[Topology], routing: Routing | None = None) -> SegmentFlows:
        """The segments of a topology in its states: the same nodes and links, other weights or
        other elements up. The common rule is that of `routing`; ECMP if none is given."""
        rule = routing or Routing()
        parts = [_unit_flows_of(topology, rule) for topology in topologies]
        nodes, links = topologies[0].node_count, topologies[0].link_count
        ends = topologies[0].link_source, topologies[0].link_target
        broken = np.stack([part[3] for part in parts])
        if len(parts) == 1:
            offset, link, share, _ = parts[0]
            return cls(nodes, links, offset, link, share, broken, *ends)
        counts = sum(np.diff(part[0]) for part in parts)
        offset = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        link = np.empty(offset[-1], np.int32)
        share = np.empty(offset[-1], np.float32)
        begin = offset[:-1].copy()
        for state, (part_offset, part_link, part_share, _) in enumerate(parts):
            _place(begin, part_offset, part_link + np.int32(state * links), part_share, link, share)
        return cls(nodes, links, offset, link, share, broken, *ends)

    def cost(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a unit pays on each segment when links have prices. [nodes, nodes]

        `price` [states * links].
        """
        paid = _cost(self.offset, self.link, self.share, np.ascontiguousarray(price, np.float64))
        return np.asarray(paid).reshape(self.nodes, self.nodes)

    def longest(self, delay_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The longest of the paths that each segment takes in the first state; where traffic is
        split, its packets do not all take the mean. [nodes, nodes]

        `delay_s` [links].
        """
        pair = np.repeat(np.arange(self.nodes**2), np.diff(self.offset))
        first = self.link < self.links
        first[first] = self.link_source[self.link[first]] == pair[first] // self.nodes
        pair, link = pair[first], self.link[first]
        rest = self.link_target[link] * np.int64(self.nodes) + pair % self.nodes
        longest = np.zeros(self.nodes**2)
        for _ in range(self.nodes):  # one hop more, until no path grows
            grown = np.zeros(self.nodes**2)
            np.maximum.at(grown, pair, delay_s[link] + longest[rest])
            if np.array_equal(grown, longest):
                break
            longest = grown
        return longest.reshape(self.nodes, self.nodes)

    def loads(
        self, source: NDArray[Any], target: NDArray[Any], rate: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The load of every link when `rate` [k] goes over segments source -> target [k].
        [states * links]"""
        segment = np.asarray(source, np.int64) * self.nodes + np.asarray(target, np.int64)
        rates = np.ascontiguousarray(rate, np.float64)
        total = self.states * self.links
        return np.asarray(_loads(self.offset, self.link, self.share, segment, rates, total))


def _unit_flows_of(
    topology: Topology, rule: Routing
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]:
    if rule.next_link is not None:
        live = np.append(topology.link_live, False)  # entry -1, no next hop, is not live
        table = np.where(live[rule.next_link], rule.next_link, -1).astype(np.int32)
        made = _walks(table, topology.link_target)
        return made[0], made[1], np.ones(len(made[1]), np.float32), made[2]
    offset, out = adjacency(topology)
    near = shortest_path_distances(topology, np.arange(topology.node_count))
    flow_offset, link, share = _unit_flows(
        near.distance, near.rank, offset, out, topology.link_target, topology.link_weight, rule.ecmp
    )
    broken = np.isinf(near.distance).T | ~topology.node_up[:, None] | ~topology.node_up[None, :]
    return flow_offset, link, share, broken


@compiled
def _unit_flows(
    distance: Any, rank: Any, offset: Any, out: Any, link_target: Any, link_weight: Any, ecmp: bool
) -> Any:
    """See `SegmentFlows`; `distance` and `rank` are of ShortestPathDistances, [target, node]."""
    nodes = distance.shape[0]
    flow_offset = np.zeros(nodes * nodes + 1, np.int64)
    size, room = 0, max(16 * nodes * nodes, 64)
    link = np.empty(room, np.int32)
    share = np.empty(room, np.float32)
    through = np.zeros(nodes)
    hop_offset = np.zeros(nodes + 1, np.int64)
    hop = np.empty(out.size, np.int32)
    begin = np.zeros((nodes, nodes), np.int64)  # of what a target's rows have, in `link`
    count = np.zeros((nodes, nodes), np.int64)
    by_rank = np.zeros(nodes, np.int64)
    for t in range(nodes):
        near, turn = distance[t], rank[t]
        k = 0
        for u in range(nodes):
            hop_offset[u] = k
            if turn[u] < nodes:
                by_rank[turn[u]] = u
                for i in range(offset[u], offset[u + 1]):
                    if u != t and next_hop(out[i], u, link_weight, link_target, near, turn):
                        hop[k] = out[i]
                        k += 1
                        if not ecmp:  # the link with the lowest index
                            break
        hop_offset[nodes] = k
        for s in range(nodes):
            begin[s, t] = size
            if s == t or turn[s] == nodes:
                continue
            if size + out.size > room:
                room *= 2
                grown, grown_share = np.empty(room, np.int32), np.empty(room, np.float32)
                grown[:size], grown_share[:size] = link[:size], share[:size]
                link, share = grown, grown_share
            through[s] = 1.0
            for r in range(turn[s], 0, -1):
                u = by_rank[r]
                if through[u] == 0.0:
                    continue
                part = through[u] / (hop_offset[u + 1] - hop_offset[u])
                through[u] = 0.0
                for i in range(hop_offset[u], hop_offset[u + 1]):
                    link[size], share[size] = hop[i], part
                    through[link_target[hop[i]]] += part
                    size += 1
            through[t] = 0.0
            count[s, t] = size - begin[s, t]
    # in the order of sources
    made, made_share = np.empty(size, np.int32), np.empty(size, np.float32)
    at = 0
    for s in range(nodes):
        for t in range(nodes):
            for i in range(begin[s, t], begin[s, t] + count[s, t]):
                made[at], made_share[at] = link[i], share[i]
                at += 1
            flow_offset[s * nodes + t + 1] = at
    return flow_offset, made, made_share


@compiled
def _walks(table: Any, link_target: Any) -> Any:
    """The links from each node to each along a next-hop table; what ends or circles is broken."""
    nodes = table.shape[0]
    flow_offset = np.zeros(nodes * nodes + 1, np.int64)
    broken = np.zeros((nodes, nodes), np.bool_)
    for s in range(nodes):
        for t in range(nodes):
            u, hops = s, 0
            while u != t and hops < nodes and table[u, t] >= 0:
                u, hops = link_target[table[u, t]], hops + 1
            broken[s, t] = u != t
            flow_offset[s * nodes + t + 1] = flow_offset[s * nodes + t] + (hops if u == t else 0)
    link = np.empty(flow_offset[-1], np.int32)
    for s in range(nodes):
        for t in range(nodes):
            u = s
            for i in range(flow_offset[s * nodes + t], flow_offset[s * nodes + t + 1]):
                link[i] = table[u, t]
                u = link_target[link[i]]
    return flow_offset, link, broken


@compiled
def _place(
    begin: Any, part_offset: Any, part_link: Any, part_share: Any, link: Any, share: Any
) -> None:
    """Put the entries of one state behind those already there; `begin` moves on."""
    for segment in range(begin.size):
        at = begin[segment]
        for i in range(part_offset[segment], part_offset[segment + 1]):
            link[at], share[at] = part_link[i], part_share[i]
            at += 1
        begin[segment] = at


@compiled
def _cost(offset: Any, link: Any, share: Any, price: Any) -> Any:
    paid = np.zeros(offset.size - 1)
    for segment in range(offset.size - 1):
        total = 0.0
        for i in range(offset[segment], offset[segment + 1]):
            total += share[i] * price[link[i]]
        paid[segment] = total
    return paid


@compiled
def _loads(offset: Any, link: Any, share: Any, segment: Any, rate: Any, links: int) -> Any:
    load = np.zeros(links)
    for k in range(segment.size):
        for i in range(offset[segment[k]], offset[segment[k] + 1]):
            load[link[i]] += rate[k] * share[i]
    return load
