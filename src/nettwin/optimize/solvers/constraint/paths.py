"""constraint_paths: explicit paths of an ExplicitPathProblem by constraint programming."""

from __future__ import annotations

from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Paths, fewest_paths
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.constraint.assignment import top_of
from nettwin.optimize.solvers.constraint.explicit_assignment import ExplicitAssignment
from nettwin.optimize.solvers.constraint.whole import solve


def constraint_paths(
    path_problem: ExplicitPathProblem, search: Search[Paths], seed: int = 0
) -> None:
    """Offer explicit paths (flow -> links) until the search is over or they are proven best.

    Flows that are not in an answer go where the common routing leads. A step is a choice of some
    flows. A start that breaks limits is mended first. Raises MissingExtraError where OR-tools is
    not installed.
    """
    candidates = ExplicitAssignment(path_problem)

    def offer() -> None:
        paths = candidates.paths()
        search.offer(top_of(candidates), lambda: fewest_paths(path_problem, paths))

    def settle() -> None:
        search.settle((0.0, top_of(candidates)), candidates.paths())

    solve(candidates, search, offer, settle, seed)
