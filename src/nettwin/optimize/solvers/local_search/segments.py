"""Segments: local search over SR midpoints, led by prices of links.

In rounds: prices by the loads, the cheapest moves of some flows at these prices, and these moves
one after another where they truly help (see `kernels`); then prices anew for the next flows, until
all that pay much had their turn, in an order of chance. Prices begin gentle, where they spread
traffic all over the network, and get steeper as moves run out, until only the busiest links count:
a climb. Then a few flows, large ones above all, are kicked onto other paths and held there while a
new climb fits all others around them. The search goes on from where that ends if it is not much
worse.

Gentle to steep prices are those of multiplicative-weight methods for flow problems (Garg and
Könemann, 1998); kicks and the return to the best are those of iterated local search, as in SRLS
(Gay, Hartert and Vissicchio, 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.local_search.fewest import fewest
from nettwin.optimize.solvers.local_search.moves import Moves


def segments(
    segment_problem: SegmentRoutingProblem,
    search: Search[NDArray[np.int32]],
    seed: int = 0,
    begin: NDArray[np.int32] | None = None,
) -> None:
    """Search midpoints of the lowest highest utilization, and offer what is found.

    The first offer is the start, or midpoints to begin from [flows, most_midpoints] where another
    method has found some. A start that breaks limits is mended before, as far as single midpoints
    can. What is offered moves no flow that need not have moved from the start (see `fewest`).
    """
    random, params = np.random.default_rng(seed), search.params.local_search
    moves = Moves(segment_problem, search.step, random, params)
    if begin is not None:
        _move_to(moves, begin)
    climbs = _Climbs(segment_problem, search, moves)
    if not moves.flows.size or search.over:
        return
    if begin is None:
        climbs.climb(params.gentle)
    else:
        for steepness in (params.refining, params.gentle):
            climbs.climb(steepness)
            climbs.settle()
    while not search.over:
        held = moves.kick(int(random.geometric(0.4)))
        noise = random.lognormal(0.0, 1.0, segment_problem.capacity_bps.size)
        climbs.climb(params.gentle * 10.0 ** random.uniform(0.0, 1.5), noise, held)
        climbs.settle()


def _move_to(moves: Moves, begin: NDArray[np.int32]) -> None:
    """Move flows as `begin` does, others as they are mended; not where that are too many."""
    start, most = moves.segment_problem.start, moves.segment_problem.most_changes
    differs = (begin != start).any(axis=1, keepdims=True)
    midpoints = np.where(differs, begin, moves.midpoints)
    if most < 0 or (midpoints != start).any(axis=1).sum() <= most:
        moves.restore(midpoints)


class _Climbs:
    """The best midpoints so far, and those that the next climb starts from."""

    def __init__(
        self,
        segment_problem: SegmentRoutingProblem,
        search: Search[NDArray[np.int32]],
        moves: Moves,
    ) -> None:
        self.segment_problem, self.search, self.moves = segment_problem, search, moves
        self.params = search.params.local_search
        self.value, self._climbs = np.inf, 0
        self._take()
        self._base = self._best
        self._base_value = self.value
        self._worse = 0.003  # than the base, relatively, that is still taken as the next base

    def climb(
        self,
        steepness: float,
        noise: NDArray[np.float64] | float = 1.0,
        held: NDArray[Any] | None = None,
    ) -> None:
        """Rounds at prices that get steeper when moves run out; noise only in the first ones."""
        while not self.search.over:
            suggested, made = self.moves.round(steepness, noise, held)
            self._take()
            if made >= max(self.params.few_moves_share * suggested, 1):
                continue
            if steepness >= self.params.steep:
                break
            steepness *= self.params.steeper
            noise = 1.0
            held = held if steepness < self.params.holding else None

    def settle(self) -> None:
        """Choose what the next climb starts from: here, the last base or the best.

        How much worse is taken adapts, so that it happens neither always nor never.
        """
        top = self.moves.top
        self._climbs += 1
        if self._climbs > self.params.patience:
            self._climbs = 0
            self._base, self._base_value = self._best, self.value
        elif top <= self._base_value * (1.0 + self._worse):
            self._base, self._base_value = self.moves.midpoints, top
            self._worse = max(self._worse / 1.2, 1e-4)
            return
        self._worse = min(self._worse * 1.05, 0.1)
        self.moves.restore(self._base)

    def _take(self) -> None:
        """Keep and offer the midpoints of now if they are the best."""
        top = self.moves.top
        if top < self.value:
            self.value, self._best, self._climbs = top, self.moves.midpoints, 0
            best = self._best
            self.search.offer(top, lambda: fewest(self.segment_problem, best))
