"""ExplicitCandidates: explicit paths of demands, from shortest path trees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.compiled import compiled
from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Path, Paths
from nettwin.optimize.solvers.linear.candidate_paths import Cheapest, alike, gain
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem, shortest_tree

_DELAYS = (0.1, 0.3, 1.0, 3.0, 10.0, 1e9)  # the weights of delay beside price, where it is limited


class ExplicitCandidates:
    """All paths that keep the limits of a demand, as paths: links padded with -1.

    A demand starts on the path of now: its path in `begin`, where it has one. Those flows of which
    `begin` says otherwise than the start of the pathing count as moved already.
    """

    def __init__(self, path_problem: ExplicitPathProblem, begin: Paths) -> None:
        self.path_problem, self.begin = path_problem, begin
        self.problem = problem_of(path_problem)
        flows = np.flatnonzero(path_problem.movable)
        group = path_problem.group[flows] if path_problem.group.size else np.full(len(flows), -1)
        number: dict[Path, int] = {}
        path = [number.setdefault(begin.get(f), len(number)) for f in flows.tolist()]
        kinds = [
            path_problem.source[flows],
            path_problem.target[flows],
            group,
            path_problem.limit_s[flows],
        ]
        kinds += [np.array(path, np.int64), *path_problem.legs[1][flows].T]
        spent = sum(
            begin.get(f) != path_problem.start.get(f) for f in begin.keys() | path_problem.start
        )
        most = path_problem.most_changes
        self.most_moves = most if most < 0 else max(most - spent, 0)
        if most >= 0:  # flows are counted, so each is a demand
            kinds.append(flows)
        first, demand = alike(kinds)
        by_source = np.argsort(path_problem.source[flows[first]], kind="stable")
        place = np.empty(len(first), np.int64)
        place[by_source] = np.arange(len(first))
        first = first[by_source]
        self.flow, self.demand = flows, place[demand]
        self.flow_rate_bps = path_problem.rate_bps[flows]
        self.source = path_problem.source[flows[first]].astype(np.int64)
        self.target = path_problem.target[flows[first]].astype(np.int64)
        self.group, self.limit_s = group[first], path_problem.limit_s[flows[first]]
        self.rate_bps = np.zeros(len(first))
        np.add.at(self.rate_bps, self.demand, self.flow_rate_bps)
        self.capacity_bps = np.array(path_problem.capacity_bps)
        every = np.arange(len(path_problem.source))
        self.base_bps = path_problem.fixed_bps + path_problem.loads(begin, every)
        candidates = [path_problem.candidate(f, begin.get(f)) for f in flows[first].tolist()]
        self.start = _columns(candidates, len(self.capacity_bps))

    def cheapest(self, price: NDArray[np.float64]) -> Cheapest:
        paid = np.asarray(price @ self.start)
        within = np.full(len(paid), np.inf)
        path = np.full((len(paid), max(self.problem.nodes - 1, 1)), -1, np.int32)
        least = np.full(len(paid), np.inf)
        delay = self.path_problem.topology.link_delay_s
        for group in np.unique(self.group).tolist():
            here = np.flatnonzero(self.group == group)
            length = price
            if group >= 0:
                length = np.where(self.path_problem.unreachable[group], np.inf, price)
            least[here], found = self._shortest(here, length)
            self._keep(here, found, price, within, path)
            limited = here[np.isfinite(self.limit_s[here])]
            weight = float(price.mean()) / max(float(delay.mean()), 1e-12)
            for factor in _DELAYS if len(limited) else ():
                _, found = self._shortest(limited, length + factor * weight * delay)
                self._keep(limited, found, price, within, path)
        return Cheapest(gain(paid, within), np.maximum(paid - least, 0.0), path)

    def shift(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        shift: sparse.csc_array = self._unit(path) - self.start[:, demand]
        return shift

    def path(self, candidate: NDArray[np.int32]) -> tuple[int, ...]:
        """The links of a path."""
        return tuple(candidate[candidate >= 0].tolist())

    def _keep(
        self,
        here: NDArray[np.intp],
        found: NDArray[np.int32],
        price: NDArray[np.float64],
        within: NDArray[np.float64],
        path: NDArray[np.int32],
    ) -> None:
        """Take what was found for some demands where it keeps their limit and pays less."""
        there = (found >= 0).any(axis=1)
        late = _sums(found, self.path_problem.topology.link_delay_s) > self.limit_s[here]
        paid = np.where(there & ~late, _sums(found, price), np.inf)
        better = paid < within[here]
        within[here[better]] = paid[better]
        path[here[better]] = found[better]

    def _shortest(
        self, here: NDArray[np.intp], length: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        p = self.problem
        ends = self.source[here], self.target[here]
        least, path = _shortest(p.offset, p.out, p.link_source, p.link_target, length, *ends)
        return least, path

    def _unit(self, path: NDArray[np.int32]) -> sparse.csc_array:
        there = path >= 0
        offset = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        links = path[there]
        shape = (len(self.capacity_bps), len(path))
        return sparse.csc_array((np.ones(len(links)), links, offset), shape=shape)


def problem_of(path_problem: ExplicitPathProblem) -> FlowProblem:
    """The demand that may be moved, when it may be split over any ways: whose bound holds here."""
    topology, some = path_problem.topology, np.flatnonzero(path_problem.movable)
    demand = np.zeros((topology.node_count, topology.node_count))
    np.add.at(
        demand, (path_problem.source[some], path_problem.target[some]), path_problem.rate_bps[some]
    )
    rest = np.flatnonzero(~path_problem.movable)
    fixed = path_problem.fixed_bps + path_problem.loads(path_problem.start, rest)
    return FlowProblem.of(topology, demand, path_problem.capacity_bps, fixed, drop_unreachable=True)


def _columns(
    paths: list[tuple[NDArray[np.int64], NDArray[np.float64]]], links: int
) -> sparse.csc_array:
    """What a unit on each path puts on links. [links, ways]"""
    offset = np.cumsum([0, *(len(link) for link, _ in paths)])
    link = np.concatenate([link for link, _ in paths] or [np.zeros(0, np.int64)])
    share = np.concatenate([share for _, share in paths] or [np.zeros(0)])
    made = sparse.csc_array((share, link, offset), shape=(links, len(paths)))
    made.sum_duplicates()
    return made


def _sums(path: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of what links are worth, along each path. [ways]"""
    return np.asarray(np.append(value, 0.0)[path].sum(axis=1))


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
    path = np.full((source.size, max(nodes - 1, 1)), -1, np.int32)
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
            path[i, hops] = into[at]
            at = link_source[into[at]]
    return least, path
