"""WeightTask: IGP weights on synthetic networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.solvers.reinforcement.link_graph import LinkGraph, Weights
from nettwin.optimize.solvers.reinforcement.training.instances import Instance
from nettwin.optimize.solvers.reinforcement.training.networks import LinkNetwork, WeightNetwork
from nettwin.optimize.solvers.reinforcement.training.play import (
    chosen,
    log_probability,
    side_by_side,
    smooth_maximum,
)
from nettwin.optimize.solvers.reinforcement.training.recipe import AgentRecipe
from nettwin.optimize.solvers.reinforcement.training.steps import CUT, Step
from nettwin.optimize.solvers.reinforcement.training.synthetic import WORTH, SyntheticTask
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment
from nettwin.optimize.solvers.reinforcement.weight_policy import WeightPolicy, WeightView


class Seen(NamedTuple):
    """An observation."""

    graph: LinkGraph
    links: NDArray[np.float32]
    mask: NDArray[np.bool_]


@dataclass
class WeightTask(SyntheticTask[WeightEnvironment]):
    """See `steps.Task`. The teacher raises the links of the highest utilization, the more
    surely the sharper it is."""

    recipe: AgentRecipe

    def __post_init__(self) -> None:
        self.draw()

    def environment(self, instance: Instance) -> WeightEnvironment:
        problem = LinkWeightProblem.of([instance.topology], instance.demand_bps)
        return WeightEnvironment(problem, self.recipe.horizon)

    def reference(self, environment: WeightEnvironment) -> float | None:
        begin = environment.utilization
        best = _best(environment, self._wish)
        return best if best < begin * (1 - WORTH) else None

    def network(self) -> LinkNetwork:
        return WeightNetwork(**self.recipe.network, seed=self.recipe.seed)

    def episode(
        self,
        environment: WeightEnvironment,
        weights: Weights,
        teach: float | None,
        random: np.random.Generator,
    ) -> list[Step]:
        acts = teach is not None and random.random() < teach
        view = WeightView(environment)
        policy = WeightPolicy(weights, view)
        steps: list[Step] = []
        while not environment.over:
            mask = environment.mask()
            seen = Seen(view.graph, view.links(), mask)
            logits = policy.logits(mask)
            wish = self._wish(environment) if teach is not None else None
            action = chosen(np.log(wish + 1e-9) if acts and wish is not None else logits, random)
            soft = smooth_maximum(environment.used)
            gain = environment.take(action)
            soft -= smooth_maximum(environment.used)
            reward = self.reward(gain, soft)
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

    def greedy(self, environment: WeightEnvironment, weights: Weights) -> float:
        policy = WeightPolicy(weights, WeightView(environment))
        return _best(environment, lambda played: policy.logits(played.mask()))


def _best(
    environment: WeightEnvironment,
    likely: Callable[[WeightEnvironment], NDArray[np.float32]],
) -> float:
    """Take what is most likely; the lowest of the highest utilizations on the path."""
    best = environment.utilization
    while not environment.over:
        environment.take(int(likely(environment).argmax()))
        best = min(best, environment.utilization)
    return best
