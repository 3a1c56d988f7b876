"""constraint: midpoints of a Steering by constraint programming."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.constraint.midpoint_ways import MidpointWays
from nettwin.optimize.constraint.ways import top_of
from nettwin.optimize.constraint.whole import solve
from nettwin.optimize.local_search import fewest
from nettwin.optimize.search import Search
from nettwin.optimize.steering import Steering


def constraint(steering: Steering, search: Search[NDArray[np.int32]], seed: int = 0) -> None:
    """Offer midpoints [flows, most_midpoints] until the search is over or they are proven best.

    A step is a choice of some flows. A start that breaks limits is mended first, as far as
    `most_changes` and single further midpoints can. Raises MissingExtraError where OR-tools is not
    installed.
    """
    ways = MidpointWays(steering)

    def offer() -> None:
        midpoints = ways.midpoints.copy()
        search.offer(top_of(ways), lambda: fewest(steering, midpoints))

    def settle() -> None:
        search.settle((0.0, top_of(ways)), ways.midpoints.copy())

    solve(ways, search, offer, settle, seed)
