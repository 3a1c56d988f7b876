"""constraint: midpoints of a SegmentRoutingProblem by constraint programming."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.constraint.assignment import top_of
from nettwin.optimize.solvers.constraint.segment_assignment import SegmentAssignment
from nettwin.optimize.solvers.constraint.whole import solve
from nettwin.optimize.solvers.local_search import fewest


def constraint(
    segment_problem: SegmentRoutingProblem, search: Search[NDArray[np.int32]], seed: int = 0
) -> None:
    """Offer midpoints [flows, most_midpoints] until the search is over or they are proven best.

    A step is a choice of some flows. A start that breaks limits is mended first, as far as
    `most_changes` and single further midpoints can. Raises MissingExtraError where OR-tools is not
    installed.
    """
    paths = SegmentAssignment(segment_problem)

    def offer() -> None:
        midpoints = paths.midpoints.copy()
        search.offer(top_of(paths), lambda: fewest(segment_problem, midpoints))

    def settle() -> None:
        search.settle((0.0, top_of(paths)), paths.midpoints.copy())

    solve(paths, search, offer, settle, seed)
