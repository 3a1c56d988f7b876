"""constraint_paths: explicit paths of a Pathing by constraint programming."""

from __future__ import annotations

import numpy as np

from nettwin.optimize.constraint.path_ways import PathWays
from nettwin.optimize.constraint.pathing import Pathing, Paths
from nettwin.optimize.constraint.ways import shifted, top_of
from nettwin.optimize.constraint.whole import solve
from nettwin.optimize.search import Search


def constraint_paths(pathing: Pathing, search: Search[Paths], seed: int = 0) -> None:
    """Offer explicit paths (flow -> links) until the search is over or they are proven best.

    Flows that are not in an answer go where the common routing leads. A step is a choice of some
    flows. A start that breaks limits is mended first. Raises MissingExtraError where OR-tools is
    not installed.
    """
    ways = PathWays(pathing)

    def offer() -> None:
        paths = ways.paths()
        search.offer(top_of(ways), lambda: fewest_paths(pathing, paths))

    def settle() -> None:
        search.settle((0.0, top_of(ways)), ways.paths())

    solve(ways, search, offer, settle, seed)


def fewest_paths(pathing: Pathing, paths: Paths) -> Paths:
    """Paths in which flows that need not have moved go as at the start again.

    No link gets busier than the busiest of `paths`. Small flows first, as most of them fit.
    """
    ways = PathWays(pathing, paths)
    top = top_of(ways)
    for f in sorted(ways.moved(), key=lambda f: (pathing.rate_bps[f], f)):
        start = ways.start(f)
        if start is None:
            continue
        load = np.maximum(shifted(shifted(ways.load_bps, [ways.now(f)], -1.0), [start], 1.0), 0.0)
        if (load <= top * pathing.capacity_bps).all():
            ways.take(f, start)
    return ways.paths()
