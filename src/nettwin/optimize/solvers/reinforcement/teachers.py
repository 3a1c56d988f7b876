"""Teachers: who says what to do where an agent still has to learn it.

A teacher is asked for probabilities of actions. `Prices` goes by costs that grow exponentially with
utilization, as in the fractional packing algorithms of Young (1995) and Garg and Könemann (1998);
`Answer` by what another optimizer found, such as a linear program or a constraint solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import NONE
from nettwin.optimize.solvers.reinforcement.candidates import costs
from nettwin.optimize.solvers.reinforcement.midpoint_policy import MidpointView


class Teacher(Protocol):
    """Asked about the demand that waits."""

    def wish(self, view: MidpointView, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """How probable each midpoint should be. [nodes]"""


@dataclass(frozen=True)
class Prices:
    """Prices that all links have alike, `exp(steep * over)`; `sharp` is how decided it is."""

    steep: float = 32.0
    sharp: float = 20.0

    def wish(self, view: MidpointView, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        found = view.candidates(mask)
        price = np.ones((len(view.graph.source), 1), np.float32)
        steep = np.array([self.steep], np.float32)
        cost = costs(found.offset, found.link, found.part, found.over, price, steep)[:, 0]
        power = np.where(mask, -self.sharp * np.log(cost + np.float32(1e-30)), -np.inf)
        likely = np.exp(power - power.max())
        return np.asarray(likely / likely.sum(), np.float32)


@dataclass(frozen=True)
class Answer:
    """Midpoints of another optimizer [flows, most_midpoints]; of several the first counts."""

    midpoints: NDArray[np.int32]

    def wish(self, view: MidpointView, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        environment = view.environment
        source, _, today = environment.ends
        node = int(self.midpoints[environment.flow, 0])
        node = source if node == NONE else node
        likely = np.zeros(len(mask), np.float32)
        likely[node if mask[node] else today] = 1.0
        return likely
