"""MidpointTask: midpoints for critical demands on synthetic networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nettwin.optimize.solvers.reinforcement.candidates import Candidates
from nettwin.optimize.solvers.reinforcement.link_graph import LinkGraph, Weights
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment, Order
from nettwin.optimize.solvers.reinforcement.midpoint_policy import MidpointPolicy, MidpointView
from nettwin.optimize.solvers.reinforcement.teachers import Prices, Teacher
from nettwin.optimize.solvers.reinforcement.training.instances import (
    Instance,
    segment_routing_problem,
)
from nettwin.optimize.solvers.reinforcement.training.networks import (
    LinkNetwork,
    MidpointNetwork,
    Options,
)
from nettwin.optimize.solvers.reinforcement.training.play import (
    chosen,
    log_probability,
    side_by_side,
    smooth_maximum,
)
from nettwin.optimize.solvers.reinforcement.training.recipe import PRICES, AgentRecipe
from nettwin.optimize.solvers.reinforcement.training.solved import Solved
from nettwin.optimize.solvers.reinforcement.training.steps import CUT, END, Step
from nettwin.optimize.solvers.reinforcement.training.synthetic import WORTH, SyntheticTask

APART = 0.002  # and how far they must end from one another
JUDGES = (16.0, 32.0, 64.0)  # how steep the prices of these teachers are
MAX_DECISIONS = 3000  # where agents are compared


class Seen(NamedTuple):
    """An observation."""

    graph: LinkGraph
    links: NDArray[np.float32]
    mask: NDArray[np.bool_]
    extras: NDArray[np.float32]
    candidates: Candidates


Teach = Callable[[MidpointEnvironment], Teacher]


@dataclass
class MidpointTask(SyntheticTask[MidpointEnvironment]):
    """See `steps.Task`. `teach` makes the teacher of an environment; else the recipe says."""

    recipe: AgentRecipe
    teach: Teach | None = None

    def __post_init__(self) -> None:
        self._teach = self.teach or _teach_of(self.recipe)
        self.draw()

    def environment(self, instance: Instance) -> MidpointEnvironment:
        problem = segment_routing_problem(instance)
        return MidpointEnvironment(problem, Order(**self.recipe.environment))

    def reference(self, environment: MidpointEnvironment) -> float | None:
        begin = environment.utilization
        ends = [_best_of(environment, Prices(steep)) for steep in JUDGES]
        best = min(ends)
        worth = best < begin * (1 - WORTH) and max(ends) > best * (1 + APART)
        return best if worth else None

    def network(self) -> LinkNetwork:
        return MidpointNetwork(**self.recipe.network, seed=self.recipe.seed)

    def episode(
        self,
        environment: MidpointEnvironment,
        weights: Weights,
        teach: float | None,
        random: np.random.Generator,
    ) -> list[Step]:
        view = MidpointView(environment)
        policy = MidpointPolicy(weights, view)
        if random.random() < 0.5:
            _go(environment, policy, int(random.integers(self.recipe.ahead + 1)))
            if environment.over:
                environment.reset()
        acts = teach is not None and random.random() < teach
        teacher = self._teach(environment) if teach is not None else None
        steps: list[Step] = []
        links, version = view.links(), environment.version
        for _ in range(self.recipe.horizon + 1):
            if environment.over:
                break
            mask = environment.mask()
            if environment.version != version:
                links, version = view.links(), environment.version
            found = view.candidates(mask)
            seen = Seen(view.graph, links, mask, view.extras(mask, found), found)
            logits = policy.logits(mask)
            wish = teacher.wish(view, mask) if teacher else None
            action = chosen(np.log(wish + 1e-9) if acts and wish is not None else logits, random)
            soft = smooth_maximum(environment.load / environment.segment_problem.capacity_bps)
            gain = environment.take(action)
            soft -= smooth_maximum(environment.load / environment.segment_problem.capacity_bps)
            reward = self.reward(gain, soft)
            likely = log_probability(logits, action)
            steps.append(Step(seen, action, likely, reward, 0, wish))
        if steps:
            steps[-1].ended = END if environment.over else CUT
        return steps

    def forward(self, network: LinkNetwork, steps: list[Step]) -> tuple[Tensor, Tensor]:
        seen = [step.observation for step in steps]
        links, graph, first = side_by_side([(one.graph, one.links) for one in seen])
        most = max(len(one.mask) for one in seen)
        mask = np.zeros((len(seen), most), np.bool_)
        extras = np.zeros((len(seen), most, seen[0].extras.shape[1]), np.float32)
        candidate, link = [], []
        for b, one in enumerate(seen):
            nodes = len(one.mask)
            mask[b, :nodes], extras[b, :nodes] = one.mask, one.extras
            candidate.append(b * most + np.repeat(np.arange(nodes), np.diff(one.candidates.offset)))
            link.append(one.candidates.link.astype(np.int64) + first[graph[b]])
        options = Options(
            torch.from_numpy(mask),
            torch.from_numpy(extras),
            torch.from_numpy(np.concatenate(candidate)),
            torch.from_numpy(np.concatenate(link)),
            torch.from_numpy(np.concatenate([one.candidates.part for one in seen])),
            torch.from_numpy(np.concatenate([one.candidates.over for one in seen])),
        )
        logits, values = network(links, options)
        return logits, values[torch.from_numpy(graph)]

    def greedy(self, environment: MidpointEnvironment, weights: Weights) -> float:
        return _go(environment, MidpointPolicy(weights, MidpointView(environment)))


def _teach_of(recipe: AgentRecipe) -> Teach:
    imitation = recipe.imitation
    if imitation.teacher != PRICES:
        return Solved(imitation.teacher, recipe.seed)
    usual = Prices(imitation.steep, imitation.sharp)
    return lambda _: usual


def _go(
    environment: MidpointEnvironment, policy: MidpointPolicy, decisions: int = MAX_DECISIONS
) -> float:
    """Decide by the highest logit; the lowest of the highest utilizations on the path."""
    best = environment.utilization
    for _ in range(decisions):
        if environment.over:
            break
        environment.take(int(policy.logits(environment.mask()).argmax()))
        best = min(best, environment.utilization)
    return best


def _best_of(environment: MidpointEnvironment, teacher: Teacher) -> float:
    view = MidpointView(environment)
    environment.reset()
    best = environment.utilization
    for _ in range(MAX_DECISIONS):
        if environment.over:
            break
        environment.take(int(teacher.wish(view, environment.mask()).argmax()))
        best = min(best, environment.utilization)
    return best
