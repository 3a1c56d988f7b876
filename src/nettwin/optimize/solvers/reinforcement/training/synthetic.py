"""SyntheticTask: what tasks share that are learned on synthetic networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

import numpy as np

from nettwin.optimize.solvers.reinforcement.link_graph import Weights
from nettwin.optimize.solvers.reinforcement.training.instances import Instance, made
from nettwin.optimize.solvers.reinforcement.training.recipe import AgentRecipe
from nettwin.optimize.solvers.reinforcement.training.steps import Step

WORTH = 0.05  # what teachers must gain on a network for it to be learned from


class Environment(Protocol):
    """What is played in; `utilization` is the highest of all links."""

    utilization: float

    def reset(self) -> None: ...


E = TypeVar("E", bound=Environment)


class SyntheticTask(ABC, Generic[E]):
    """Networks that something can be learned from, each with the best that teachers reach there."""

    recipe: AgentRecipe

    def draw(self) -> None:
        """Draw the networks to learn on, and those kept apart for validation."""
        data = self.recipe.data
        found = self._drawn(data.sizes(), np.random.default_rng(data.seed))
        self._train = [environment for environment, _ in found[-data.instances :]]
        self._validation = found[: -data.instances]

    def _drawn(
        self, sizes: list[tuple[int, int]], random: np.random.Generator
    ) -> list[tuple[E, float]]:
        found: list[tuple[E, float]] = []
        while len(found) < len(sizes):
            environment = self.environment(made(*sizes[len(found)], random))
            best = self.reference(environment)
            if best is not None:
                found.append((environment, best))
        return found

    def play(self, weights: Weights, seed: int, teach: float | None) -> list[Step]:
        random = np.random.default_rng(seed)
        steps: list[Step] = []
        for _ in range(self.recipe.episodes):
            environment = self._train[random.integers(len(self._train))]
            environment.reset()
            steps += self.episode(environment, weights, teach, random)
        return steps

    def validate(self, weights: Weights) -> float:
        return self._apart(self._validation, weights)

    def test(self, weights: Weights) -> float:
        data = self.recipe.data
        return self._apart(self._drawn(data.test_sizes(), data.test_random()), weights)

    def _apart(self, networks: list[tuple[E, float]], weights: Weights) -> float:
        apart = []
        for environment, reference in networks:
            environment.reset()
            apart.append(np.log(self.greedy(environment, weights) / reference))
        return float(np.mean(apart))

    def reward(self, gain: float, smooth_gain: float) -> float:
        """What a decision is worth that lowers the highest utilization, and its smooth maximum, by
        so much (differences of logarithms)."""
        practice = self.recipe.practice
        return practice.scale * ((1 - practice.smooth) * gain + practice.smooth * smooth_gain)

    @abstractmethod
    def environment(self, instance: Instance) -> E:
        """The environment of a network with its demand."""

    @abstractmethod
    def reference(self, environment: E) -> float | None:
        """The best that teachers reach; None where little can be learned."""

    @abstractmethod
    def episode(
        self, environment: E, weights: Weights, teach: float | None, random: np.random.Generator
    ) -> list[Step]:
        """One episode, see `steps.Task.play`."""

    @abstractmethod
    def greedy(self, environment: E, weights: Weights) -> float:
        """The lowest of the highest utilizations that the agent comes to by its best actions."""
