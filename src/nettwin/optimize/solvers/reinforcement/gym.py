"""Gym: the environments for Gymnasium (https://gymnasium.farama.org), for others' agents.

`info["action_mask"]` tells what may be done; what may not changes nothing.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from nettwin.errors import InputError
from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.reinforcement.link_graph import FEATURES
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment, Order
from nettwin.optimize.solvers.reinforcement.midpoint_policy import EXTRAS, MidpointView
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment
from nettwin.optimize.solvers.reinforcement.weight_policy import WeightView

Observation = dict[str, Any]


class _NetworkEnv(gymnasium.Env[Any, Any]):
    """Begins with what the network does today."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (as Gymnasium declares it)

    _environment: MidpointEnvironment | WeightEnvironment

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        self._environment.reset()
        return self._seen()

    def _seen(self) -> tuple[Observation, dict[str, Any]]:
        raise NotImplementedError


class MidpointEnv(_NetworkEnv):
    """Choose a midpoint for one critical demand after another.

    Observation: `links` [states * links, FEATURES] and `candidates` [nodes, EXTRAS], see
    `link_graph.features` and `MidpointView.extras`, and `mask` [nodes]. Action: a node; the source
    of the demand stands for no midpoint. Reward: what the highest utilization falls by, as a
    difference of logarithms. The episode ends where a pass that reaches farthest has not helped.
    """

    def __init__(self, segment_problem: SegmentRoutingProblem, order: Order | None = None) -> None:
        self._environment: MidpointEnvironment = MidpointEnvironment(segment_problem, order)
        self._view = MidpointView(self._environment)
        nodes, links = segment_problem.segments.nodes, len(segment_problem.capacity_bps)
        self.action_space = spaces.Discrete(nodes)
        self.observation_space = spaces.Dict(
            {
                "links": spaces.Box(-4.0, 4.0, (links, len(FEATURES)), np.float32),
                "candidates": spaces.Box(-1.0, 2.0, (nodes, EXTRAS), np.float32),
                "mask": spaces.MultiBinary(nodes),
            }
        )

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        environment = self._environment
        reward = 0.0
        if not environment.over:
            node = _within(action, len(environment.mask()))
            reward = environment.take(node if environment.mask()[node] else environment.ends[2])
        observation, info = self._seen()
        return observation, reward, environment.over, False, info

    def _seen(self) -> tuple[Observation, dict[str, Any]]:
        environment, view = self._environment, self._view
        nodes = environment.segment_problem.segments.nodes
        mask, extras = np.zeros(nodes, np.bool_), np.zeros((nodes, EXTRAS), np.float32)
        if not environment.over:
            mask = environment.mask()
            extras = view.extras(mask, view.candidates(mask))
        seen = {"links": view.links(), "candidates": extras, "mask": mask.astype(np.int8)}
        return seen, {"action_mask": mask, "utilization": environment.utilization}


class WeightEnv(_NetworkEnv):
    """Raise the weight of one link after another, `horizon` times.

    Observation: `links` [links, FEATURES], see `link_graph.features`, and `mask` [links]. Action: a
    link. Reward: what the highest utilization falls by, as a difference of logarithms.
    """

    def __init__(self, weight_problem: LinkWeightProblem, horizon: int = 100) -> None:
        self._environment: WeightEnvironment = WeightEnvironment(weight_problem, horizon)
        self._view = WeightView(self._environment)
        links = len(weight_problem.start)
        self.action_space = spaces.Discrete(links)
        self.observation_space = spaces.Dict(
            {
                "links": spaces.Box(-4.0, 4.0, (links, len(FEATURES)), np.float32),
                "mask": spaces.MultiBinary(links),
            }
        )

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        environment = self._environment
        mask = environment.mask()
        link = _within(action, len(mask))
        reward = 0.0
        if mask[link]:
            reward = environment.take(link)
        else:
            environment.wait()
        observation, info = self._seen()
        return observation, reward, not environment.mask().any(), environment.spent, info

    def _seen(self) -> tuple[Observation, dict[str, Any]]:
        environment = self._environment
        mask = environment.mask()
        seen = {"links": self._view.links(), "mask": mask.astype(np.int8)}
        return seen, {"action_mask": mask, "utilization": environment.utilization}


def _within(action: Any, count: int) -> int:
    if not 0 <= int(action) < count:
        raise InputError(f"the action is {action}: must be 0 to {count - 1}. Choose another.")
    return int(action)
