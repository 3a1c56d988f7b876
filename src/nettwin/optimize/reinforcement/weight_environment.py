"""WeightEnvironment: IGP weights raised one link at a time, ECMP computed anew after each.

Many agents decide together, one on every link and all with the same network: the link whose agent
asks for it most raises its weight (as in MAGNNETO, Bernárdez et al., 2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.scenario.ecmp import ecmp_loads
from nettwin.scenario.topology import Topology

NOTCHES = 2  # raises that double a weight of the usual size
MOST_RAISES = 64  # of one link


class WeightEnvironment:
    """A network, its demands [source, target] and the weights of its links, arrays alone.

    `fixed_bps` [links] is load that does not follow the weights. The episode is over after
    `horizon` raises.
    """

    def __init__(
        self,
        topology: Topology,
        demand_bps: NDArray[np.float64],
        fixed_bps: NDArray[np.float64] | None = None,
        horizon: int = 100,
    ) -> None:
        if horizon < 1:
            raise InputError(f"horizon is {horizon}: must be from 1. Correct it.")
        self.topology, self.demand_bps, self.horizon = topology, demand_bps, horizon
        self.fixed_bps = np.zeros(topology.link_count) if fixed_bps is None else fixed_bps
        usual = float(np.median(topology.link_weight)) if topology.link_count else 1.0
        self.notch = max(float(np.round(usual / NOTCHES)), 1.0) if usual >= 1 else usual / NOTCHES
        self._start_load = self.loads(topology.link_weight)
        self.episode = 0
        self.reset()

    def reset(self, weights: NDArray[np.float64] | None = None) -> None:
        """Begin an episode: from the weights of the topology, or from others. [links]"""
        self.weight = np.array(self.topology.link_weight if weights is None else weights)
        self.raised = np.zeros(len(self.weight), np.int64)
        self.steps = 0
        self.load = np.array(self._start_load) if weights is None else self.loads(self.weight)
        self.utilization = self._highest()
        self.episode += 1

    @property
    def over(self) -> bool:
        """Whether the episode is over."""
        return self.steps >= self.horizon or not self.mask().any()

    def mask(self) -> NDArray[np.bool_]:
        """Links that may be raised: they carry traffic that could leave them. [links]"""
        return np.asarray((self.load > self.fixed_bps) & (self.raised < MOST_RAISES))

    def loads(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """The load of links at these weights. [links]"""
        return self.fixed_bps + ecmp_loads(
            self.topology.with_arrays(link_weight=weight), self.demand_bps
        )

    def take(self, link: int) -> float:
        """Raise the weight of a link; what the highest utilization falls by, as a difference of
        logarithms."""
        before = self.utilization
        self.weight[link] += self.notch
        self.raised[link] += 1
        self.steps += 1
        self.load = self.loads(self.weight)
        self.utilization = self._highest()
        if before <= 0 or self.utilization <= 0:
            return 0.0
        return float(np.log(before) - np.log(self.utilization))

    def _highest(self) -> float:
        return float((self.load / self.topology.link_capacity_bps).max(initial=0.0))
