"""Equations: what was counted is the routing matrix times the demands.

A counter is a link's, or one of a node: what enters the network there, what leaves it. Of a pair's
demand a link counts the part that is routed over it, the nodes' counters all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nettwin.formats.counters import Counters
from nettwin.scenario.fractions import routing_fractions
from nettwin.scenario.scenario import Scenario

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Equations:
    """`measured_bps` [times, counters], NaN where missing, is `matrix` [counters, pairs] times the
    demands, and noise. Counters are links, then nodes entering, then nodes leaving."""

    scenario: Scenario
    times_s: Floats
    measured_bps: Floats
    matrix: csr_array
    source: NDArray[np.int32]  # [pairs]
    target: NDArray[np.int32]

    @property
    def pair_count(self) -> int:
        """How many pairs of nodes have a path."""
        return len(self.source)

    @property
    def names(self) -> list[str]:
        """The name of each counter."""
        topology = self.scenario.topology
        entering = [f"->{name}" for name in topology.node_name]
        leaving = [f"{name}->" for name in topology.node_name]
        return [*topology.link_name, *entering, *leaving]

    def parts(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Columns of counters as those of links, of nodes entering and of nodes leaving."""
        links = self.scenario.topology.link_count
        nodes = self.scenario.topology.node_count
        return values[:, :links], values[:, links : links + nodes], values[:, links + nodes :]

    def of_pairs(self, matrices_bps: Floats) -> Floats:
        """Demands [times, nodes, nodes] as columns of pairs. [times, pairs]"""
        return np.asarray(matrices_bps[:, self.source, self.target])

    def of_nodes(self, demand_bps: Floats) -> Floats:
        """The other way: columns of pairs as [times, nodes, nodes]."""
        nodes = self.scenario.topology.node_count
        made = np.zeros((len(demand_bps), nodes, nodes))
        made[:, self.source, self.target] = demand_bps
        return made

    def counted(self, demand_bps: Floats) -> Floats:
        """What demands [times, pairs] make the counters count. [times, counters]"""
        return np.asarray((self.matrix @ demand_bps.T).T)

    def with_measured(self, measured_bps: Floats) -> Equations:
        """The same with other counters."""
        return replace(self, measured_bps=measured_bps)

    def only(self, pairs: NDArray[np.bool_]) -> Equations:
        """The same for some of the pairs."""
        return replace(
            self,
            matrix=self.matrix[:, np.flatnonzero(pairs)],
            source=self.source[pairs],
            target=self.target[pairs],
        )


def equations_of(scenario: Scenario, counters: Counters) -> Equations:
    """The equations of a network and its counters."""
    from scipy.sparse import coo_array, csr_array, vstack

    fractions = routing_fractions(scenario)
    pairs, nodes = len(fractions.source), scenario.topology.node_count
    one, pair = np.ones(pairs), np.arange(pairs)
    rows = [
        coo_array((one, (end, pair)), shape=(nodes, pairs))
        for end in (fractions.source, fractions.target)
    ]
    return Equations(
        scenario,
        counters.times_s,
        np.concatenate([counters.link_bps, counters.entering_bps, counters.leaving_bps], axis=1),
        csr_array(vstack([fractions.link, *rows])),
        fractions.source,
        fractions.target,
    )
