"""Solved: teachers by the answers of a solver, which looks at each instance once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.constraint import constraint
from nettwin.optimize.solvers.linear.linear import linear
from nettwin.optimize.solvers.local_search import fewest
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment
from nettwin.optimize.solvers.reinforcement.teachers import Answer
from nettwin.optimize.stop import Gap, Steps, Stop

Solver = Callable[[SegmentRoutingProblem, Search[NDArray[np.int32]], int], None]
# with the steps that each may take, fractions of a second to seconds for networks of 40 nodes
SOLVERS: dict[str, tuple[Solver, int]] = {"linear": (linear, 30), "constraint": (constraint, 20)}
NEAR = 1e-3  # gap to the bound at which an answer is good enough to learn from


class Solved:
    """Makes the teacher of an environment; an instance is solved when it is first asked about.

    Only flows that must move move in the answer, so that what is learned is what matters. The
    solver ends by steps, so that it finds the same again in a training that goes on.
    """

    def __init__(self, solver: str, seed: int) -> None:
        self._solve, steps = SOLVERS[solver]
        self._stop: Stop = Steps(steps) | Gap(NEAR)
        self._seed = seed
        self._known: dict[MidpointEnvironment, Answer] = {}

    def __call__(self, environment: MidpointEnvironment) -> Answer:
        """The answer to its instance. Raises MissingExtraError where the solver is not there."""
        if environment not in self._known:
            segment_problem = environment.segment_problem
            search: Search[NDArray[np.int32]] = Search(self._stop)
            self._solve(segment_problem, search, self._seed)
            found = segment_problem.start if search.answer is None else search.answer
            self._known[environment] = Answer(fewest(segment_problem, found))
        return self._known[environment]
