"""linear: SR midpoints of a SegmentRoutingProblem by linear programming; see `solving` for how."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.flow_problem import problems_of
from nettwin.optimize.solvers.linear.master import Master
from nettwin.optimize.solvers.linear.segment_columns import SegmentColumns
from nettwin.optimize.solvers.linear.segment_milp import know_all
from nettwin.optimize.solvers.linear.solving import Solving
from nettwin.optimize.solvers.local_search import repaired

Midpoints = NDArray[np.int32]


def linear(
    segment_problem: SegmentRoutingProblem,
    search: Search[Midpoints],
    seed: int = 0,
    *,
    live: NDArray[np.bool_] | None = None,
) -> None:
    """Offer midpoints [flows, most_midpoints] until the search is over or the bound is met.

    Flows that break limits at the start are given midpoints that keep them first. A step of the
    search is a round or a drawn answer. `live` [states, links] makes the first bound
    tighter where links have failed.
    """
    start = repaired(segment_problem)
    search.offer(segment_problem.utilization(start), start)
    paths = SegmentColumns(_from(segment_problem, start))
    if not len(paths.rate_bps) or not segment_problem.most_midpoints or not paths.most_moves:
        if (start == segment_problem.start).all():
            search.bounded(search.value)
        return

    def offer(_: float, column: NDArray[np.int64], master: Master) -> None:
        midpoints = np.array(start)
        moved = column >= 0
        chosen = master.path[column[moved]]
        midpoints[paths.flow[moved]] = chosen[:, : midpoints.shape[1]]
        value = segment_problem.utilization(midpoints)
        search.offer(value, midpoints)
        if proving is not search:
            proving.offer(value, midpoints)

    def know(master: Master) -> bool:
        know_all(master, paths)
        return paths.width == 1

    few = (
        len(paths.rate_bps) * segment_problem.segments.nodes <= search.params.linear.small_midpoints
    )
    problems = problems_of(segment_problem, live)
    # where changes are limited, repaired flows stay where they are: what is proven of the others
    # alone is no bound of the whole
    held = segment_problem.most_changes >= 0 and bool((start != segment_problem.start).any())
    proving = search.part(search.stage) if held else search
    if held:
        proving.offer(search.value, start)
    Solving(paths, problems, proving, seed, offer, know if few else None).run()


def _from(segment_problem: SegmentRoutingProblem, start: Midpoints) -> SegmentRoutingProblem:
    """The problem from other midpoints on; flows that have changed for them have no further
    change where the number is limited."""
    changed, most = (start != segment_problem.start).any(axis=1), segment_problem.most_changes
    if not changed.any():
        return segment_problem
    if most < 0:
        return replace(segment_problem, start=start)
    free = segment_problem.movable & ~changed
    left = max(most - int(changed.sum()), 0)
    return replace(segment_problem, start=start, most_changes=left, movable=free)
