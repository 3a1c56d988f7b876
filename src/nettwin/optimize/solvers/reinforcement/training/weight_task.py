"""WeightTask: IGP weights on synthetic networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.solvers.reinforcement.link_graph import LinkGraph, Weights
from nettwin.optimize.solvers.reinforcement.training.instances import made
from nettwin.optimize.solvers.reinforcement.training.networks import LinkNetwork, WeightNetwork
from nettwin.optimize.solvers.reinforcement.training.play import (
    chosen,
    log_probability,
    side_by_side,
    smooth_maximum,
)
from nettwin.optimize.solvers.reinforcement.training.recipe import AgentRecipe
from nettwin.optimize.solvers.reinforcement.training.steps import CUT, Step
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment
from nettwin.optimize.solvers.reinforcement.weight_policy import WeightPolicy, WeightView

WORTH = 0.05  # what the teacher must gain on a network for it to be learned from


class Seen(NamedTuple):
    """An observation."""

    graph: LinkGraph
    links: NDArray[np.float32]
    mask: NDArray[np.bool_]


@dataclass
class WeightTask:
    """See `steps.Task`. The teacher raises the links of the highest utilization, the more
    surely the sharper it is."""

    recipe: AgentRecipe

    def __post_init__(self) -> None:
        data = self.recipe.data
        found = self._drawn(data.sizes(), np.random.default_rng(data.seed))
        self._train = [environment for environment, _ in found[-data.instances :]]
        self._validation = found[: -data.instances]

    def _drawn(
        self, sizes: list[tuple[int, int]], random: np.random.Generator
    ) -> list[tuple[WeightEnvironment, float]]:
        """Networks that something can be learned from, and the best that the teacher reaches."""
        found: list[tuple[WeightEnvironment, float]] = []
        while len(found) < len(sizes):
            topology, demand = made(*sizes[len(found)], random)
            environment = WeightEnvironment(
                LinkWeightProblem.of([topology], demand), self.recipe.horizon
            )
            begin = best = environment.utilization
            while not environment.over:
                environment.take(int(self._wish(environment).argmax()))
                best = min(best, environment.utilization)
            if best < begin * (1 - WORTH):
                found.append((environment, best))
        return found

    def network(self) -> LinkNetwork:
        return WeightNetwork(**self.recipe.network, seed=self.recipe.seed)

    def play(self, weights: Weights, seed: int, teach: float | None) -> list[Step]:
        random = np.random.default_rng(seed)
        steps: list[Step] = []
        for _ in range(self.recipe.episodes):
            environment = self._train[random.integers(len(self._train))]
            environment.reset()
            acts = teach is not None and random.random() < teach
            steps += self._episode(environment, weights, teach is not None, acts, random)
        return steps

    def _episode(
        self,
        environment: WeightEnvironment,
        weights: Weights,
        taught: bool,
        acts: bool,
        random: np.random.Generator,
    ) -> list[Step]:
        how, view = self.recipe.practice, WeightView(environment)
        policy = WeightPolicy(weights, view)
        steps: list[Step] = []
        while not environment.over:
            mask = environment.mask()
            seen = Seen(view.graph, view.links(), mask)
            logits = policy.logits(mask)
            wish = self._wish(environment) if taught else None
            action = chosen(np.log(wish + 1e-9) if acts and wish is not None else logits, random)
            soft = smooth_maximum(environment.used)
            gain = environment.take(action)
            soft -= smooth_maximum(environment.used)
            reward = how.scale * ((1 - how.smooth) * gain + how.smooth * soft)
            steps.append(Step(seen, action, log_probability(logits, action), reward, 0, wish))
        if steps:
            steps[-1].ended = CUT
        return steps

    def _wish(self, environment: WeightEnvironment) -> NDArray[np.float32]:
        over = environment.used / max(environment.utilization, 1e-30) - 1
        likely = np.where(environment.mask(), np.exp(self.recipe.imitation.sharp * over), 0.0)
        return np.asarray(likely / likely.sum(), np.float32)

    def forward(self, network: LinkNetwork, steps: list[Step]) -> tuple[Tensor, Tensor]:
        seen = [step.observation for step in steps]
        links, graph, _ = side_by_side([(one.graph, one.links) for one in seen])
        most = max(len(one.mask) for one in seen)
        mask = np.zeros((len(seen), most), np.bool_)
        place = []
        for b, one in enumerate(seen):
            mask[b, : len(one.mask)] = one.mask
            place.append(b * most + np.arange(len(one.mask)))
        del graph  # every step changes the loads, so that each has a graph of its own
        logits, values = network(
            links, torch.from_numpy(mask), torch.from_numpy(np.concatenate(place))
        )
        return logits, values

    def validate(self, weights: Weights) -> float:
        return _apart(self._validation, weights)

    def test(self, weights: Weights) -> float:
        data = self.recipe.data
        return _apart(self._drawn(data.test_sizes(), data.test_random()), weights)


def _apart(networks: list[tuple[WeightEnvironment, float]], weights: Weights) -> float:
    apart = []
    for environment, reference in networks:
        environment.reset()
        policy = WeightPolicy(weights, WeightView(environment))
        best = environment.utilization
        while not environment.over:
            environment.take(int(policy.logits(environment.mask()).argmax()))
            best = min(best, environment.utilization)
        apart.append(np.log(best / reference))
    return float(np.mean(apart))
