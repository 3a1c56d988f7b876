"""Steps: what was seen, done and gained while playing, and the advantages of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nettwin.optimize.solvers.reinforcement.link_graph import Weights
from nettwin.optimize.solvers.reinforcement.training.networks import LinkNetwork

END, CUT = 1, 2  # how an episode came to its end: by itself, or at the horizon


@dataclass
class Step:
    """One decision. What follows a CUT is valued as the last decision itself is, which is not
    learned from."""

    observation: Any
    action: int
    log_probability: float
    reward: float = 0.0
    ended: int = 0
    wish: NDArray[np.float32] | None = None  # what a teacher would do, probabilities [actions]


class Task(Protocol):
    """What an agent learns: playing with weights, and putting steps in batches for its network."""

    def network(self) -> LinkNetwork:
        """A network with random weights."""

    def play(self, weights: Weights, seed: int, teach: float | None) -> list[Step]:
        """Episodes with these weights; with `teach` a teacher says what it would do, and acts
        itself in this share of the episodes."""

    def forward(self, network: LinkNetwork, steps: list[Step]) -> tuple[Tensor, Tensor]:
        """Logits [steps, actions] and values [steps]."""

    def validate(self, weights: Weights) -> float:
        """How far the agent ends from the reference on networks kept apart: the mean of the
        logarithm of its highest utilization over the reference's."""

    def test(self, weights: Weights) -> float:
        """How far the agent ends from the reference (see `validate`) on networks of another seed,
        which nothing was chosen by."""


def advantages(
    steps: list[Step], values: NDArray[np.float32], discount: float, trace: float
) -> NDArray[np.float32]:
    """Generalized advantage estimates (Schulman et al., 2016). [steps]"""
    found = np.zeros(len(steps), np.float32)
    following, next_value = 0.0, 0.0
    for k in range(len(steps) - 1, -1, -1):
        step = steps[k]
        if step.ended == CUT:
            following, next_value = 0.0, float(values[k])
            continue
        if step.ended == END:
            following, next_value = 0.0, 0.0
        surprise = step.reward + discount * next_value - float(values[k])
        following = surprise + discount * trace * following
        found[k] = following
        next_value = float(values[k])
    return found
