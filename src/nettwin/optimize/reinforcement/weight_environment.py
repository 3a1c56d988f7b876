"""WeightEnvironment: IGP weights raised one link at a time, ECMP computed anew after each.

Many agents decide together, one on every link and all with the same network: the link whose agent
asks for it most raises its weight (as in MAGNNETO, Bernárdez et al., 2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.optimize.weighing import Weighing

NOTCHES = 2  # raises that double a weight of the usual size


class WeightEnvironment:
    """A choice of weights as decisions, arrays alone.

    A link that is raised gets the first of the weights allowed that is a notch higher. The episode
    is over after `horizon` raises.
    """

    def __init__(self, weighing: Weighing, horizon: int = 100) -> None:
        if horizon < 1:
            raise InputError(f"horizon is {horizon}: must be from 1. Correct it.")
        self.weighing, self.horizon = weighing, horizon
        self.notch = float(np.median(weighing.start)) / NOTCHES if len(weighing.start) else 1.0
        self._start_load = weighing.loads(weighing.start)
        self.episode = 0
        self.reset()

    def reset(self, weights: NDArray[np.float64] | None = None) -> None:
        """Begin an episode: from the weights of today, or from others. [links]"""
        weighing = self.weighing
        self.weight = np.array(weighing.start if weights is None else weights)
        self.steps = 0
        self._loaded(np.array(self._start_load) if weights is None else weighing.loads(self.weight))
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
        weighing = self.weighing
        states = len(weighing.topologies)
        leaving = (self.load > weighing.fixed_bps).reshape(states, -1).any(axis=0)
        raisable = self._raised(self.weight) < len(weighing.choices)
        if weighing.most_changes >= 0:
            differs = self.weight != weighing.start
            raisable &= differs | (differs.sum() < weighing.most_changes)
        return np.asarray(leaving & raisable & weighing.movable)

    def take(self, link: int) -> float:
        """Raise the weight of a link; what the highest utilization falls by, as a difference of
        logarithms."""
        before = self.utilization
        self.weight[link] = self.weighing.choices[self._raised(self.weight[link])]
        self.steps += 1
        self._loaded(self.weighing.loads(self.weight))
        if before <= 0 or self.utilization <= 0:
            return 0.0
        return float(np.log(before) - np.log(self.utilization))

    def wait(self) -> None:
        """Spend a raise on nothing."""
        self.steps += 1

    def _raised(self, weight: NDArray[np.float64]) -> NDArray[np.int64]:
        """The number of the choice that is next; that of none beyond the last."""
        return np.asarray(np.searchsorted(self.weighing.choices, weight + self.notch))

    def _loaded(self, load: NDArray[np.float64]) -> None:
        self.load = load  # [states * links]
        states = len(self.weighing.topologies)
        # of each link, in the state where it is busiest
        self.used = (load / self.weighing.capacity_bps).reshape(states, -1).max(axis=0)
        self.utilization = float(self.used.max(initial=0.0))
