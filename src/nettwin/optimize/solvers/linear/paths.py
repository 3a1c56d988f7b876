"""linear_paths: an ExplicitPathProblem by linear programming; see `solving` for how."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Paths, fewest_paths
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.explicit_columns import ExplicitColumns
from nettwin.optimize.solvers.linear.master import Master
from nettwin.optimize.solvers.linear.solving import Solving


def linear_paths(path_problem: ExplicitPathProblem, search: Search[Paths], seed: int = 0) -> None:
    """Offer explicit paths (flow -> links) until the search is over or the bound is met.

    Flows that are not in an answer go where the common routing leads, or over their midpoints. A
    step is a round or a drawn answer. Flows that break limits at the start are mended first, by
    the shortest of the paths that keep them.
    """
    candidates = _begun(path_problem)
    begin = candidates.begin
    value = float((candidates.base_bps / candidates.capacity_bps).max(initial=0.0))
    search.offer(value, begin)
    if not len(candidates.rate_bps) or not candidates.most_moves:
        return

    def offer(value: float, column: NDArray[np.int64], master: Master) -> None:
        paths = dict(begin)
        moved = column >= 0
        rows = master.path[column[moved]]
        for f, candidate in zip(candidates.flow[moved].tolist(), rows, strict=True):
            paths[f] = candidates.path(candidate)
        search.offer(value, lambda: fewest_paths(path_problem, paths))

    def few(_: Master) -> bool:
        return False

    small = len(candidates.rate_bps) <= search.params.linear.small_paths
    Solving(candidates, [candidates.problem], search, seed, offer, few if small else None).run()


def _begun(path_problem: ExplicitPathProblem) -> ExplicitColumns:
    """Columns that start where flows are, or on a path that keeps limits where that does not."""
    begin = dict(path_problem.start)
    flows = np.flatnonzero(path_problem.movable)
    breaking = [f for f in flows.tolist() if not path_problem.keeps(f, begin.get(f))]
    candidates = ExplicitColumns(path_problem, begin)
    if not breaking:
        return candidates
    candidate = candidates.cheapest(1.0 / candidates.capacity_bps).path
    most = path_problem.most_changes
    for f in breaking if most < 0 else breaking[:most]:
        path = candidates.path(candidate[candidates.demand[np.searchsorted(candidates.flow, f)]])
        if path:
            begin[f] = path
    return ExplicitColumns(path_problem, begin)
