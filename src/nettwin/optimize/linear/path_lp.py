"""path_lp: explicit paths by column generation, where every path is allowed.

The multicommodity flow again, but with an answer that a network can take: for each demand its paths
and their shares, or one path each. Few demands are split, at most as many as links are full.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.compiled import compiled
from nettwin.optimize.linear.flow_bound import FlowSearch
from nettwin.optimize.linear.flow_problem import FlowProblem, shortest_tree
from nettwin.optimize.linear.generate import Generation, generate
from nettwin.optimize.linear.rounding import FAR, START, Rounding
from nettwin.optimize.linear.ways import Cheapest, gain

_SWEEPS, _EVERY = 200, 25  # towards the first prices, and how often paths are taken from them
_DRAWS = 20  # answers of whole demands that are drawn
_LEAST = 1e-9  # a share below this is none


class PathAnswer(NamedTuple):
    """Paths with shares for each demand, the highest utilization, and what none is below.

    Row r says that demand `source[r]` -> `target[r]` sends `share[r]` over the links
    `links[offset[r]:offset[r + 1]]`. Rows of a demand stand together.
    """

    source: NDArray[np.int64]  # [rows]
    target: NDArray[np.int64]  # [rows]
    share: NDArray[np.float64]  # [rows]
    offset: NDArray[np.int64]  # [rows + 1]
    links: NDArray[np.int32]
    value: float
    bound: float


class PathWays:
    """All paths, as ways: links padded with -1. A demand starts on the shortest one where a link is
    as long as the inverse of its capacity."""

    most_moves = -1

    def __init__(self, problem: FlowProblem) -> None:
        self.problem = problem
        self.source, self.target = (end.astype(np.int64) for end in np.nonzero(problem.demand_bps))
        self.rate_bps = problem.demand_bps[self.source, self.target]
        self.capacity_bps = np.array(problem.capacity_bps)
        self.start = self._shortest(1.0 / self.capacity_bps)[1]
        on = self._unit(self.start)
        self.base_bps = np.asarray(problem.fixed_bps + on @ self.rate_bps)

    def cheapest(self, price: NDArray[np.float64]) -> Cheapest:
        paid = np.asarray(price @ self._unit(self.start))
        least, way = self._shortest(price)
        return Cheapest(gain(paid, least), np.maximum(paid - least, 0.0), way)

    def shift(self, demand: NDArray[np.int64], way: NDArray[np.int32]) -> sparse.csc_array:
        shift: sparse.csc_array = self._unit(way) - self._unit(self.start[demand])
        return shift

    def _shortest(
        self, length: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        p = self.problem
        least, way = _shortest(
            p.offset, p.out, p.link_source, p.link_target, length, self.source, self.target
        )
        return least, way

    def _unit(self, way: NDArray[np.int32]) -> sparse.csc_array:
        there = way >= 0
        offset = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        links = way[there]
        shape = (self.problem.links, len(way))
        return sparse.csc_array((np.ones(len(links)), links, offset), shape=shape)


def path_lp(
    problem: FlowProblem,
    seconds: float = math.inf,
    *,
    whole: bool = False,
    seed: int = 0,
    tell: Callable[[Generation], None] | None = None,
) -> PathAnswer:
    """The best paths that are found in the time; with `whole` one path for each demand.

    `tell` hears of every round of column generation.
    """
    until = time.perf_counter() + seconds

    def left() -> float:
        return until - time.perf_counter()

    ways = PathWays(problem)
    generation = Generation(ways)
    search = FlowSearch(problem)
    for sweep in range(_SWEEPS):
        if left() <= 0 or search.gap <= 0:
            break
        if sweep % _EVERY == 0:
            generation.learn(search.now)
        search.sweep()
    generation.learn(search.lengths)
    solved = generate(generation, left, tell)
    bound = max(generation.bound, search.value)
    master = generation.master
    found = _answer(ways, master.demand, master.way, master.weight, generation.value, bound)
    if whole or not solved:  # without a solved program, its shares are worth little
        single = _whole(ways, generation, left, bound, seed)
        if whole or single.value < found.value:
            return single
    return found


def _whole(
    ways: PathWays, generation: Generation, left: Callable[[], float], bound: float, seed: int
) -> PathAnswer:
    """One path for each demand: from the starts, then drawn by the shares."""
    master = generation.master
    demands = np.arange(len(ways.rate_bps))
    rounding, random = Rounding(master, demands, ways.rate_bps), np.random.default_rng(seed)
    best, kept = rounding.improve(np.full(len(demands), START), left, FAR)
    for _ in range(_DRAWS):
        if left() <= 0 or not master.weight.any():
            break
        value, choice = rounding.improve(rounding.draw(random), left)
        if value < best:
            best, kept = value, choice
    column = rounding.columns(kept)
    moved = column[column >= 0]
    return _answer(ways, master.demand[moved], master.way[moved], np.ones(len(moved)), best, bound)


def _answer(
    ways: PathWays,
    demand: NDArray[np.int64],
    way: NDArray[np.int32],
    weight: NDArray[np.float64],
    value: float,
    bound: float,
) -> PathAnswer:
    """Rows by demand: those that are used, and what is left of each demand on its start."""
    demands = len(ways.rate_bps)
    used = np.flatnonzero(weight > _LEAST)
    rest = 1.0 - np.bincount(demand[used], weight[used], minlength=demands)
    stay = np.flatnonzero(rest > _LEAST)
    row = np.concatenate([demand[used], stay])
    order = np.argsort(row, kind="stable")
    row = row[order]
    paths = np.concatenate([way.reshape(-1, ways.start.shape[1])[used], ways.start[stay]])[order]
    share = np.concatenate([weight[used], rest[stay]])[order]
    share /= np.bincount(row, share, minlength=demands)[row]
    there = paths >= 0
    offset = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64)
    return PathAnswer(ways.source[row], ways.target[row], share, offset, paths[there], value, bound)


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
    """The shortest path of each demand; demands stand by source."""
    nodes = offset.size - 1
    least = np.empty(source.size)
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
