"""constraint_paths: explicit paths of a Pathing by constraint programming."""

from __future__ import annotations

from nettwin.optimize.constraint.path_ways import PathWays
from nettwin.optimize.constraint.ways import top_of
from nettwin.optimize.constraint.whole import solve
from nettwin.optimize.pathing import Pathing, Paths, fewest_paths
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
