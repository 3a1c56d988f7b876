"""PathWays: explicit paths of a Pathing as ways of demands, each path from the shortest tree."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.compiled import compiled
from nettwin.optimize.linear.flow_problem import FlowProblem, shortest_tree
from nettwin.optimize.linear.ways import Cheapest, alike, gain
from nettwin.optimize.pathing import Path, Pathing, Paths

_DELAYS = (0.1, 0.3, 1.0, 3.0, 10.0, 1e9)  # the weights of delay beside price, where it is limited


class PathWays:
    """All paths that keep the limits of a demand, as ways: links padded with -1.

    A demand starts on the way of now: its path in `begin`, where it has one. Those flows of which
    `begin` says otherwise than the start of the pathing count as moved already.
    """

    def __init__(self, pathing: Pathing, begin: Paths) -> None:
        self.pathing, self.begin = pathing, begin
        self.problem = problem_of(pathing)
        flows = np.flatnonzero(pathing.movable)
        group = pathing.group[flows] if pathing.group.size else np.full(len(flows), -1)
        number: dict[Path, int] = {}
        path = [number.setdefault(begin.get(f), len(number)) for f in flows.tolist()]
        kinds = [pathing.source[flows], pathing.target[flows], group, pathing.limit_s[flows]]
        kinds += [np.array(path, np.int64), *pathing.legs[1][flows].T]
        spent = sum(begin.get(f) != pathing.start.get(f) for f in begin.keys() | pathing.start)
        most = pathing.most_changes
        self.most_moves = most if most < 0 else max(most - spent, 0)
        if most >= 0:  # flows are counted, so each is a demand
            kinds.append(flows)
        first, demand = alike(kinds)
        by_source = np.argsort(pathing.source[flows[first]], kind="stable")
        place = np.empty(len(first), np.int64)
        place[by_source] = np.arange(len(first))
        first = first[by_source]
        self.flow, self.demand = flows, place[demand]
        self.flow_rate_bps = pathing.rate_bps[flows]
        self.source = pathing.source[flows[first]].astype(np.int64)
        self.target = pathing.target[flows[first]].astype(np.int64)
        self.group, self.limit_s = group[first], pathing.limit_s[flows[first]]
        self.rate_bps = np.zeros(len(first))
        np.add.at(self.rate_bps, self.demand, self.flow_rate_bps)
        self.capacity_bps = np.array(pathing.capacity_bps)
        every = np.arange(len(pathing.source))
        self.base_bps = pathing.fixed_bps + pathing.loads(begin, every)
        ways = [pathing.way(f, begin.get(f)) for f in flows[first].tolist()]
        self.start = _columns(ways, len(self.capacity_bps))

    def cheapest(self, price: NDArray[np.float64]) -> Cheapest:
        paid = np.asarray(price @ self.start)
        within = np.full(len(paid), np.inf)
        way = np.full((len(paid), max(self.problem.nodes - 1, 1)), -1, np.int32)
        least = np.full(len(paid), np.inf)
        delay = self.pathing.topology.link_delay_s
        for group in np.unique(self.group).tolist():
            here = np.flatnonzero(self.group == group)
            length = price
            if group >= 0:
                length = np.where(self.pathing.barred[group], np.inf, price)
            least[here], found = self._shortest(here, length)
            self._keep(here, found, price, within, way)
            limited = here[np.isfinite(self.limit_s[here])]
            weight = float(price.mean()) / max(float(delay.mean()), 1e-12)
            for factor in _DELAYS if len(limited) else ():
                _, found = self._shortest(limited, length + factor * weight * delay)
                self._keep(limited, found, price, within, way)
        return Cheapest(gain(paid, within), np.maximum(paid - least, 0.0), way)

    def shift(self, demand: NDArray[np.int64], way: NDArray[np.int32]) -> sparse.csc_array:
        shift: sparse.csc_array = self._unit(way) - self.start[:, demand]
        return shift

    def path(self, way: NDArray[np.int32]) -> tuple[int, ...]:
        """The links of a way."""
        return tuple(way[way >= 0].tolist())

    def _keep(
        self,
        here: NDArray[np.intp],
        found: NDArray[np.int32],
        price: NDArray[np.float64],
        within: NDArray[np.float64],
        way: NDArray[np.int32],
    ) -> None:
        """Take what was found for some demands where it keeps their limit and pays less."""
        there = (found >= 0).any(axis=1)
        late = _sums(found, self.pathing.topology.link_delay_s) > self.limit_s[here]
        paid = np.where(there & ~late, _sums(found, price), np.inf)
        better = paid < within[here]
        within[here[better]] = paid[better]
        way[here[better]] = found[better]

    def _shortest(
        self, here: NDArray[np.intp], length: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        p = self.problem
        ends = self.source[here], self.target[here]
        least, way = _shortest(p.offset, p.out, p.link_source, p.link_target, length, *ends)
        return least, way

    def _unit(self, way: NDArray[np.int32]) -> sparse.csc_array:
        there = way >= 0
        offset = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        links = way[there]
        shape = (len(self.capacity_bps), len(way))
        return sparse.csc_array((np.ones(len(links)), links, offset), shape=shape)


def problem_of(pathing: Pathing) -> FlowProblem:
    """The demand that may be moved, when it may be split over any ways: whose bound holds here."""
    topology, some = pathing.topology, np.flatnonzero(pathing.movable)
    demand = np.zeros((topology.node_count, topology.node_count))
    np.add.at(demand, (pathing.source[some], pathing.target[some]), pathing.rate_bps[some])
    rest = np.flatnonzero(~pathing.movable)
    fixed = pathing.fixed_bps + pathing.loads(pathing.start, rest)
    return FlowProblem.of(topology, demand, pathing.capacity_bps, fixed, drop_unreachable=True)


def _columns(
    ways: list[tuple[NDArray[np.int64], NDArray[np.float64]]], links: int
) -> sparse.csc_array:
    """What a unit on each way puts on links. [links, ways]"""
    offset = np.cumsum([0, *(len(link) for link, _ in ways)])
    link = np.concatenate([link for link, _ in ways] or [np.zeros(0, np.int64)])
    share = np.concatenate([share for _, share in ways] or [np.zeros(0)])
    made = sparse.csc_array((share, link, offset), shape=(links, len(ways)))
    made.sum_duplicates()
    return made


def _sums(way: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of what links are worth, along each way. [ways]"""
    return np.asarray(np.append(value, 0.0)[way].sum(axis=1))


@compiled
def _shortest(
    offset: Any,
    out: Any,
    link_source: Any,
    link_target: Any,
    length: Any,
    source: Any,
    target: Any,
) -> Any:
    """The shortest path of each demand, inf and none where there is none; demands stand by
    source."""
    nodes = offset.size - 1
    least = np.full(source.size, np.inf)
    way = np.full((source.size, max(nodes - 1, 1)), -1, np.int32)
    best, into, order = np.empty(nodes), np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    heap_length, heap_node = np.empty(out.size + 2), np.empty(out.size + 2, np.int32)
    root = -1
    for i in range(source.size):
        if source[i] != root:
            root = source[i]
            shortest_tree(
                root,
                offset,
                out,
                link_target,
                length,
                best,
                into,
                order,
                heap_length,
                heap_node,
            )
        if into[target[i]] < 0:
            continue
        least[i] = best[target[i]]
        hops, at = 0, target[i]
        while at != root:
            at = link_source[into[at]]
            hops += 1
        at = target[i]
        while at != root:
            hops -= 1
            way[i, hops] = into[at]
            at = link_source[into[at]]
    return least, way
