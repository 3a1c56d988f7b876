"""ExplicitColumns: the explicit paths of an ExplicitPathProblem as columns of a program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Path, Paths, moved_flows
from nettwin.optimize.problems.explicit_pricing import Demands, priced_paths
from nettwin.optimize.solvers.linear.columns import Cheapest, Grouped, gain
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem


class ExplicitColumns(Grouped):
    """All paths that keep the limits of a demand, as paths: links padded with -1.

    A demand starts on the path of now: its path in `begin`, where it has one. Those flows of which
    `begin` says otherwise than the start of the problem count as moved already.
    """

    def __init__(self, path_problem: ExplicitPathProblem, begin: Paths) -> None:
        self.path_problem, self.begin = path_problem, begin
        self.problem = problem_of(path_problem)
        flows = np.flatnonzero(path_problem.movable)
        each = Demands.of(path_problem, flows)
        number: dict[Path, int] = {}
        path = [number.setdefault(begin.get(f), len(number)) for f in flows.tolist()]
        kinds = [*each, np.array(path, np.int64), *path_problem.legs[1][flows].T]
        most = path_problem.most_changes
        spent = len(moved_flows(path_problem, begin))
        self.most_moves = most if most < 0 else max(most - spent, 0)
        super().__init__(flows, path_problem.rate_bps, kinds, counted=most >= 0)
        self.demands = Demands.of(path_problem, self.first)
        self.capacity_bps = np.array(path_problem.capacity_bps)
        every = np.arange(len(path_problem.source))
        self.base_bps = path_problem.fixed_bps + path_problem.loads(begin, every)
        starts = [path_problem.candidate(f, begin.get(f)) for f in self.first.tolist()]
        self.start = _columns(starts, len(self.capacity_bps))

    def cheapest(self, price: NDArray[np.float64]) -> Cheapest:
        """The best path of each demand at a price of each link [links]."""
        paid = np.asarray(price @ self.start)
        least, within = np.full(len(paid), np.inf), np.full(len(paid), np.inf)
        path = np.full((len(paid), max(self.problem.nodes - 1, 1)), -1, np.int32)
        delay_s = self.path_problem.topology.link_delay_s
        for found in priced_paths(self.path_problem, self.demands, price):
            here = found.demand
            if found.cheapest:
                least[here] = found.length
            there = (found.path >= 0).any(axis=1)
            late = _sums(found.path, delay_s) > self.demands.limit_s[here]
            new = np.where(there & ~late, _sums(found.path, price), np.inf)
            better = new < within[here]
            within[here[better]] = new[better]
            path[here[better]] = found.path[better]
        return Cheapest(gain(paid, within), np.maximum(paid - least, 0.0), path)

    def shift(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        """What a unit on each path changes on links, compared to the start. [links, paths]"""
        shift: sparse.csc_array = self._unit(path) - self.start[:, demand]
        return shift

    def path(self, column: NDArray[np.int32]) -> tuple[int, ...]:
        """The links of a column."""
        return tuple(column[column >= 0].tolist())

    def _unit(self, path: NDArray[np.int32]) -> sparse.csc_array:
        there = path >= 0
        offset = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        links = path[there]
        shape = (len(self.capacity_bps), len(path))
        return sparse.csc_array((np.ones(len(links)), links, offset), shape=shape)


def problem_of(path_problem: ExplicitPathProblem) -> FlowProblem:
    """The demand that may be moved, when it may be split over any paths: whose bound holds here."""
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
    """What a unit on each path puts on links. [links, paths]"""
    offset = np.cumsum([0, *(len(link) for link, _ in paths)])
    link = np.concatenate([link for link, _ in paths] or [np.zeros(0, np.int64)])
    share = np.concatenate([share for _, share in paths] or [np.zeros(0)])
    made = sparse.csc_array((share, link, offset), shape=(links, len(paths)))
    made.sum_duplicates()
    return made


def _sums(path: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of what links are worth, along each path. [paths]"""
    return np.asarray(np.append(value, 0.0)[path].sum(axis=1))
