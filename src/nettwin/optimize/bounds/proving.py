"""Proving: what no midpoints can undercut, in the little time that a search leaves for it.

The bound of a multicommodity flow lets flows take any path, and be split; midpoints may be unable
to come near it. Here flows may be split, too, but over paths of as many midpoints as the search may
use (see `linear.segment_flow`), or may not be split, but are alone in the network.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.segment_flow import (
    SegmentFlow,
    operations,
    suits,
    widest_bound,
)

NEAR = 1e-5  # gap that counts as none
MIN_SWEEPS = 3  # that fit into the time, or nothing is begun
SWEEP_S = 1e-9  # for each elementary operation, rather more than it takes
UNTIMED, MAX_SWEEPS = 300_000_000, 20  # operations and sweeps where nothing ends a search by time


def share(segment_problem: SegmentRoutingProblem, search: Search[Any]) -> float:
    """The share of the time of a search that is kept to prove a bound at its end."""
    if not suits(segment_problem):
        return 0.0
    budget, left = search.params.budget, search.seconds_left
    each_s = SWEEP_S * operations(segment_problem, segment_problem.most_midpoints)
    least_s = max(budget.least_proof_s, MIN_SWEEPS * each_s)
    enough = search.timed and budget.last_proof_share * left >= least_s
    return budget.last_proof_share if enough else 0.0


def bound_at_once(segment_problem: SegmentRoutingProblem, search: Search[Any]) -> None:
    """Tell a search what single flows prove, which takes no time."""
    if suits(segment_problem) and segment_problem.most_midpoints:
        search.bounded(widest_bound(segment_problem, segment_problem.most_midpoints))


def bound_by_flow(
    segment_problem: SegmentRoutingProblem,
    search: Search[Any],
    begin: NDArray[np.int32] | None,
    seconds: float = math.inf,
) -> None:
    """Tell a search what split flows prove, from an answer of it on, for some of the time that is
    left; as many sweeps as take a moment where nothing ends it by time."""
    if not suits(segment_problem) or search.cancelled or search.standing.gap <= NEAR:
        return
    most = segment_problem.most_midpoints
    each = operations(segment_problem, most)
    left, until = search.seconds_left, search.clock.seconds + seconds
    timed = math.isfinite(min(left, seconds))
    sweeps = 10**6 if timed else min(UNTIMED // each, MAX_SWEEPS)
    if timed and min(left, seconds) < MIN_SWEEPS * SWEEP_S * each:
        return

    def go_on() -> float:
        if not timed:
            return math.inf
        return max(min(search.seconds_left, until - search.clock.seconds), 0.0)

    flow = SegmentFlow(segment_problem, most, begin)
    search.bounded(flow.bound)
    for _ in range(sweeps):
        if search.standing.gap <= NEAR or flow.gap <= NEAR or not flow.sweep(go_on):
            return
        search.bounded(flow.bound)
