"""linear: SR midpoints of a Steering by linear programming; see `solving` for how."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.linear.flow_problem import problems_of
from nettwin.optimize.linear.master import Master
from nettwin.optimize.linear.segment_milp import know_all
from nettwin.optimize.linear.solving import Solving
from nettwin.optimize.linear.ways import SegmentWays
from nettwin.optimize.search import Search
from nettwin.optimize.steering import Steering

Midpoints = NDArray[np.int32]

_SMALL = 3000  # ways over one midpoint up to which the whole program is solved exactly


def linear(
    steering: Steering,
    search: Search[Midpoints],
    seed: int = 0,
    *,
    live: NDArray[np.bool_] | None = None,
) -> None:
    """Offer midpoints [flows, most_midpoints] until the search is over or the bound is met.

    A step of the search is a round or a drawn answer. `live` [states, links] makes the first bound
    tighter where links have failed.
    """
    start = np.array(steering.start)
    search.offer(steering.utilization(start), start)
    ways = SegmentWays(steering)
    if not len(ways.rate_bps) or not steering.most_midpoints or not ways.most_moves:
        search.bounded(search.value)
        return

    def offer(value: float, column: NDArray[np.int64], master: Master) -> None:
        midpoints = np.array(start)
        moved = column >= 0
        chosen = master.way[column[moved]]
        midpoints[ways.flow[moved]] = chosen[:, : midpoints.shape[1]]
        search.offer(steering.utilization(midpoints), midpoints)

    def know(master: Master) -> bool:
        know_all(master, ways)
        return ways.width == 1

    few = len(ways.rate_bps) * steering.segments.nodes <= _SMALL
    problems = problems_of(steering, live)
    Solving(ways, problems, search, seed, offer, know if few else None).run()
