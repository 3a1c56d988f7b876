"""Solved: teachers by the answers of a solver, which looks at each instance once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.constraint import constraint
from nettwin.optimize.linear.linear import linear
from nettwin.optimize.local_search import fewest
from nettwin.optimize.reinforcement.midpoint_environment import MidpointEnvironment
from nettwin.optimize.reinforcement.teachers import Answer
from nettwin.optimize.search import Search
from nettwin.optimize.steering import Steering
from nettwin.optimize.stop import Gap, Steps, Stop

Solver = Callable[[Steering, Search[NDArray[np.int32]], int], None]
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
            steering = environment.steering
            search: Search[NDArray[np.int32]] = Search(self._stop)
            self._solve(steering, search, self._seed)
            found = steering.start if search.answer is None else search.answer
            self._known[environment] = Answer(fewest(steering, found))
        return self._known[environment]
