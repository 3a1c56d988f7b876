"""WeightEnvironment: IGP weights raised one link at a time, ECMP computed anew after each.

Many agents decide together, one on every link and all with the same network: the link whose agent
asks for it most raises its weight (as in MAGNNETO, Bernárdez et al., 2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.optimize.problems.link_weights import LinkWeightProblem

NOTCHES = 2  # raises that double a weight of the usual size


class WeightEnvironment:
    """A choice of weights as decisions, arrays alone.

    A link that is raised gets the first of the weights allowed that is a notch higher. The episode
    is over after `horizon` raises.
    """

    def __init__(self, weight_problem: LinkWeightProblem, horizon: int = 100) -> None:
        if horizon < 1:
            raise InputError(f"horizon is {horizon}: must be from 1. Correct it.")
        self.weight_problem, self.horizon = weight_problem, horizon
        self.notch = (
            float(np.median(weight_problem.start)) / NOTCHES if len(weight_problem.start) else 1.0
        )
        self._start_load = weight_problem.loads(weight_problem.start)
        self.episode = 0
        self.reset()

    def reset(self, weights: NDArray[np.float64] | None = None) -> None:
        """Begin an episode: from the weights of today, or from others. [links]"""
        weight_problem = self.weight_problem
        self.weight = np.array(weight_problem.start if weights is None else weights)
        self.steps = 0
        self._loaded(
            np.array(self._start_load) if weights is None else weight_problem.loads(self.weight)
        )
        self.episode += 1

    @property
    def over(self) -> bool:
        """Whether the episode is over."""
        return self.spent or not self.mask().any()

    @property
    def spent(self) -> bool:
        """Whether all raises are spent."""
        return self.steps >= self.horizon

    def mask(self) -> NDArray[np.bool_]:
        """Links that may be raised: they carry something that could leave them. [links]"""
        weight_problem = self.weight_problem
        states = len(weight_problem.topologies)
        leaving = (self.load > weight_problem.fixed_bps).reshape(states, -1).any(axis=0)
        raisable = self._raised(self.weight) < len(weight_problem.choices)
        if weight_problem.most_changes >= 0:
            differs = self.weight != weight_problem.start
            raisable &= differs | (differs.sum() < weight_problem.most_changes)
        return np.asarray(leaving & raisable & weight_problem.movable)

    def take(self, link: int) -> float:
        """Raise the weight of a link; what the highest utilization falls by, as a difference of
        logarithms."""
        before = self.utilization
        self.weight[link] = self.weight_problem.choices[self._raised(self.weight[link])]
        self.steps += 1
        self._loaded(self.weight_problem.loads(self.weight))
        if before <= 0 or self.utilization <= 0:
            return 0.0
        return float(np.log(before) - np.log(self.utilization))

    def wait(self) -> None:
        """Spend a raise on nothing."""
        self.steps += 1

    def _raised(self, weight: NDArray[np.float64]) -> NDArray[np.int64]:
        """The number of the choice that is next; that of none beyond the last."""
        return np.asarray(np.searchsorted(self.weight_problem.choices, weight + self.notch))

    def _loaded(self, load: NDArray[np.float64]) -> None:
        self.load = load  # [states * links]
        states = len(self.weight_problem.topologies)
        # of each link, in the state where it is busiest
        self.used = (load / self.weight_problem.capacity_bps).reshape(states, -1).max(axis=0)
        self.utilization = float(self.used.max(initial=0.0))
