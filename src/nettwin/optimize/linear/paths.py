"""linear_paths: explicit paths of a Pathing by linear programming; see `solving` for how."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.linear.master import Master
from nettwin.optimize.linear.path_ways import PathWays
from nettwin.optimize.linear.solving import Solving
from nettwin.optimize.pathing import Pathing, Paths, fewest_paths
from nettwin.optimize.search import Search

_SMALL = 300  # demands up to which all choose at once among the paths that became known


def linear_paths(pathing: Pathing, search: Search[Paths], seed: int = 0) -> None:
    """Offer explicit paths (flow -> links) until the search is over or the bound is met.

    Flows that are not in an answer go where the common routing leads, or over their midpoints. A
    step is a round or a drawn answer. Flows that break limits at the start are mended first, by
    the shortest of the paths that keep them.
    """
    ways = _begun(pathing)
    begin = ways.begin
    value = float((ways.base_bps / ways.capacity_bps).max(initial=0.0))
    search.offer(value, begin)
    if not len(ways.rate_bps) or not ways.most_moves:
        return

    def offer(value: float, column: NDArray[np.int64], master: Master) -> None:
        paths = dict(begin)
        moved = column >= 0
        rows = master.way[column[moved]]
        for f, way in zip(ways.flow[moved].tolist(), rows, strict=True):
            paths[f] = ways.path(way)
        search.offer(value, lambda: fewest_paths(pathing, paths))

    def few(_: Master) -> bool:
        return False

    small = len(ways.rate_bps) <= _SMALL
    Solving(ways, [ways.problem], search, seed, offer, few if small else None).run()


def _begun(pathing: Pathing) -> PathWays:
    """Ways that start where flows are, and on a path that keeps limits where the start does not."""
    begin = dict(pathing.start)
    flows = np.flatnonzero(pathing.movable)
    breaking = [f for f in flows.tolist() if not pathing.keeps(f, begin.get(f))]
    ways = PathWays(pathing, begin)
    if not breaking:
        return ways
    way = ways.cheapest(1.0 / ways.capacity_bps).way
    most = pathing.most_changes
    for f in breaking if most < 0 else breaking[:most]:
        path = ways.path(way[ways.demand[np.searchsorted(ways.flow, f)]])
        if path:
            begin[f] = path
    return PathWays(pathing, begin)
