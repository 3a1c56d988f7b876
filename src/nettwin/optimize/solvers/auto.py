"""Auto: local search, which has a good answer first; given time, linear programming ends nearer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.bounds.proving import bound_by_flow
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.linear import linear
from nettwin.optimize.solvers.local_search import fewest, segments
from nettwin.optimize.stop import Gap, NoProgress

NEAR = 1e-4  # gap to the bound at which either ends


def steer(
    segment_problem: SegmentRoutingProblem, search: Search[NDArray[np.int32]], seed: int
) -> None:
    """Midpoints by local search, then by linear where the bound is not met yet; the better one."""
    params, budget = search.params.auto, search.params.budget
    pairs = segment_problem.flow_count * segment_problem.segments.nodes
    least_s = max(params.linear_s, params.linear_pair_s * pairs)
    if (1 - budget.local_search_share) * search.seconds_left < least_s:
        segments(segment_problem, search, seed)
        return
    tired = Gap(NEAR) | NoProgress(params.patience)
    first = search.part(search.stage, tired, share=budget.local_search_share)
    first.bounded(search.bound)
    segments(segment_problem, first, seed)
    search.offer(first.value, _found(segment_problem, first))
    proof_s = budget.proof_share * search.seconds_left
    bound_by_flow(segment_problem, search, first.answer, proof_s)
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
