"""LinkWeightProblem: the choice of IGP weights as arrays; and its answers.

Minimize the highest utilization over the links of all states, where all traffic follows shortest
paths with ECMP. States are the network as it is or after failures: weights are the same in all of
them, links may be down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.quantity import ReadOnly
from nettwin.scenario.ecmp import ecmp_loads
from nettwin.scenario.topology import Topology


@dataclass(frozen=True)
class LinkWeightProblem(ReadOnly):
    """Links in their states, traffic, and which weights may be chosen.

    `capacity_bps` is what a link may carry and `fixed_bps` what does not follow weights; the links
    of all states stand side by side, as in `SegmentFlows`. The weights of today are those of the
    topologies; a link that is given another one gets one of `choices` (rising, above 0).
    """

    topologies: tuple[Topology, ...]  # one a state, the same links in all
    demand_bps: NDArray[np.float64]  # [source, target]
    capacity_bps: NDArray[np.float64]  # [states * links]
    fixed_bps: NDArray[np.float64]  # [states * links]
    choices: NDArray[np.float64]  # [choices]
    movable: NDArray[np.bool_]  # [links]
    most_changes: int = -1  # links whose weight may differ from today's; -1: any number

    @classmethod
    def of(
        cls, topologies: Sequence[Topology], demand_bps: NDArray[np.float64], most_changes: int = -1
    ) -> LinkWeightProblem:
        """All weights of a network in its states free, on the scale of `whole_weights`."""
        first, states = topologies[0], len(topologies)
        return cls(
            tuple(topologies),
            demand_bps,
            np.tile(first.link_capacity_bps, states),
            np.zeros(first.link_count * states),
            whole_weights(first.link_weight),
            np.ones(first.link_count, np.bool_),
            most_changes,
        )

    @property
    def start(self) -> NDArray[np.float64]:
        """The weights of today. [links]"""
        return np.asarray(self.topologies[0].link_weight)

    def loads(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The load of every link at these weights [links]. [states * links]"""
        states = [topology.with_arrays(link_weight=weights) for topology in self.topologies]
        loads = [ecmp_loads(topology, self.demand_bps) for topology in states]
        return np.asarray(self.fixed_bps + np.concatenate(loads))

    def utilization(self, weights: NDArray[np.float64]) -> float:
        """The highest utilization over all links and states at these weights [links]."""
        return float((self.loads(weights) / self.capacity_bps).max(initial=0.0))


def whole_weights(present: NDArray[np.float64], most: int = 200) -> NDArray[np.float64]:
    """Weights 1 to `most` times a unit, on the scale of those present: the unit is the smallest of
    them, or larger where so many units would not reach the largest. [most]"""
    unit = max(float(present.min(initial=1.0)), float(present.max(initial=1.0)) / most)
    return unit * np.arange(1.0, most + 1)
