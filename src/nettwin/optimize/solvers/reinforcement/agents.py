"""Agents: trained policies as optimizers; they decide alone, without local search.

The first episode takes the most probable actions. Where time is left, others follow that begin at
the best answer so far and draw their actions, so that they end elsewhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.change_plan import PolicyConfidence
from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.local_search import repaired
from nettwin.optimize.solvers.reinforcement.agent_file import Agent, used_agent
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment, Order
from nettwin.optimize.solvers.reinforcement.midpoint_policy import MidpointPolicy, MidpointView
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment
from nettwin.optimize.solvers.reinforcement.weight_policy import WeightPolicy, WeightView

MIDPOINTS, WEIGHTS = "midpoints", "weights"
PATIENCE = 60  # raises of weights without anything better that end an episode
WARMTH = 0.5  # logits are divided by it where actions are drawn


def agent(
    segment_problem: SegmentRoutingProblem,
    search: Search[NDArray[np.int32]],
    seed: int = 0,
    trained: Agent | None = None,
    episodes: int = 0,
) -> None:
    """Choose midpoints for critical demands, one after another.

    Offers midpoints [flows, most_midpoints], first those of today, with others for flows that break
    their limits. Ends with the search, or after
    so many episodes where they are given.
    """
    trained = trained or used_agent(MIDPOINTS)
    environment = MidpointEnvironment(
        segment_problem, Order(**trained.card["recipe"]["environment"])
    )
    environment.reset(repaired(segment_problem))
    search.offer(environment.utilization, environment.midpoints.copy())
    policy = MidpointPolicy(trained.weights, MidpointView(environment))
    random = np.random.default_rng(seed)
    episode, record = 0, _Record()
    while not environment.over and not search.over:
        best = environment.utilization
        while not environment.over and search.step():
            logits = policy.logits(environment.mask())
            action = _action(logits, random if episode else None)
            record.chose(logits, action, drawn=episode > 0)
            environment.take(action)
            best = min(best, environment.utilization)
            if environment.utilization < search.value:
                search.offer(environment.utilization, environment.midpoints.copy())
        record.ended(best, search)
        episode += 1
        if episode == episodes:
            return
        environment.reset(search.answer)


def weight_agent(
    weight_problem: LinkWeightProblem,
    search: Search[NDArray[np.float64]],
    seed: int = 0,
    trained: Agent | None = None,
    episodes: int = 0,
) -> None:
    """Raise IGP weights, one link after another.

    Offers weights [links], those of today first. Ends with the search, or after so many episodes
    where they are given.
    """
    trained = trained or used_agent(WEIGHTS)
    environment = WeightEnvironment(weight_problem, horizon=2**31)
    search.offer(environment.utilization, environment.weight.copy())
    policy = WeightPolicy(trained.weights, WeightView(environment))
    random = np.random.default_rng(seed)
    episode, record = 0, _Record()
    while not environment.over and not search.over:
        waited, best = 0, environment.utilization
        while not environment.over and waited < PATIENCE and search.step():
            logits = policy.logits(environment.mask())
            action = _action(logits, random if episode else None)
            record.chose(logits, action, drawn=episode > 0)
            environment.take(action)
            best = min(best, environment.utilization)
            waited += 1
            if environment.utilization < search.value:
                search.offer(environment.utilization, environment.weight.copy())
                waited = 0
        record.ended(best, search)
        episode += 1
        if episode == episodes:
            return
        environment.reset(search.answer)


class _Record:
    """What shows how sure a policy is: the probabilities of its choices, where its episodes end."""

    def __init__(self) -> None:
        self._ln_probability: list[float] = []
        self._best: list[float] = []

    def chose(self, logits: NDArray[np.float32], action: int, *, drawn: bool) -> None:
        """An action was taken; those that are drawn say nothing."""
        if not drawn:
            apart = logits.astype(np.float64) - float(logits[action])
            self._ln_probability.append(-float(np.logaddexp.reduce(apart)))

    def ended(self, best: float, search: Search[Any]) -> None:
        """An episode is over; its best utilization. The search is told how sure the policy is."""
        self._best.append(best)
        known = self._ln_probability
        if known:
            mean, least = math.exp(sum(known) / len(known)), math.exp(min(known))
            spread = max(self._best) / max(min(self._best), 1e-12) - 1.0
            search.chosen_by(PolicyConfidence(len(known), mean, least, len(self._best), spread))


def _action(logits: NDArray[np.float32], random: np.random.Generator | None) -> int:
    """The most probable action, or one that is drawn (by Gumbel's trick)."""
    if random is None:
        return int(logits.argmax())
    return int((logits / WARMTH + random.gumbel(size=len(logits))).argmax())
