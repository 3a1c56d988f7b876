"""linear: SR midpoints of a SegmentRoutingProblem by linear programming; see `solving` for how."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.flow_problem import problems_of
from nettwin.optimize.solvers.linear.master import Master
from nettwin.optimize.solvers.linear.segment_columns import SegmentColumns
from nettwin.optimize.solvers.linear.segment_milp import know_all
from nettwin.optimize.solvers.linear.solving import Solving

Midpoints = NDArray[np.int32]

_SMALL = 3000  # paths over one midpoint up to which the whole program is solved exactly


def linear(
    segment_problem: SegmentRoutingProblem,
    search: Search[Midpoints],
    seed: int = 0,
    *,
    live: NDArray[np.bool_] | None = None,
) -> None:
    """Offer midpoints [flows, most_midpoints] until the search is over or the bound is met.

    A step of the search is a round or a drawn answer. `live` [states, links] makes the first bound
    tighter where links have failed.
    """
    start = np.array(segment_problem.start)
    search.offer(segment_problem.utilization(start), start)
    paths = SegmentColumns(segment_problem)
    if not len(paths.rate_bps) or not segment_problem.most_midpoints or not paths.most_moves:
        search.bounded(search.value)
        return

    def offer(value: float, column: NDArray[np.int64], master: Master) -> None:
        midpoints = np.array(start)
        moved = column >= 0
        chosen = master.path[column[moved]]
        midpoints[paths.flow[moved]] = chosen[:, : midpoints.shape[1]]
        search.offer(segment_problem.utilization(midpoints), midpoints)

    def know(master: Master) -> bool:
        know_all(master, paths)
        return paths.width == 1

    few = len(paths.rate_bps) * segment_problem.segments.nodes <= _SMALL
    problems = problems_of(segment_problem, live)
    Solving(paths, problems, search, seed, offer, know if few else None).run()
