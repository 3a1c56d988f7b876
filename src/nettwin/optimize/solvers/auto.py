"""Auto: local search, which has a good answer first; given time, linear programming ends nearer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.bounds.proving import bound_by_flow
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.linear import linear
from nettwin.optimize.solvers.local_search import fewest, segments
from nettwin.optimize.stop import AnyOf, Gap, NoProgress, Seconds, Stop

FIRST_SHARE = 0.5  # of the time, for local search
# What linear programming needs to be worth it, and the same for each pair of a flow and a node;
# with less, all is for local search
LEAST_S, LEAST_PAIR_S = 1.0, 7e-7
TIRED = 2000  # steps of local search without anything better
PROVING_SHARE = 0.2  # of the time left, to prove what midpoints can reach
NEAR = 1e-4  # gap to the bound at which either ends


def steer(
    segment_problem: SegmentRoutingProblem, search: Search[NDArray[np.int32]], seed: int
) -> None:
    """Midpoints by local search, then by linear where the bound is not met yet; the better one."""
    pairs = segment_problem.flow_count * segment_problem.segments.nodes
    if (1 - FIRST_SHARE) * search.seconds_left < max(LEAST_S, LEAST_PAIR_S * pairs):
        segments(segment_problem, search, seed)
        return
    rules: list[Stop] = [Gap(NEAR), NoProgress(TIRED)]
    if math.isfinite(search.seconds_left):
        rules.append(Seconds(search.clock.seconds + FIRST_SHARE * search.seconds_left))
    first = search.part(search.stage, AnyOf(tuple(rules)))
    first.bounded(search.bound)
    segments(segment_problem, first, seed)
    search.offer(first.value, _found(segment_problem, first))
    bound_by_flow(segment_problem, search, first.answer, PROVING_SHARE * search.seconds_left)
    if search.over or search.standing.gap <= NEAR:
        return
    second = search.part(search.stage, Gap(NEAR))
    second.bounded(search.bound)
    linear(segment_problem, second, seed)
    search.bounded(second.bound)
    search.offer(second.value, lambda: fewest(segment_problem, _found(segment_problem, second)))


def _found(
    segment_problem: SegmentRoutingProblem, part: Search[NDArray[np.int32]]
) -> NDArray[np.int32]:
    return segment_problem.start if part.answer is None else part.answer
