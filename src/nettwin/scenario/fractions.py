"""Fractions: which part of the traffic of each pair of nodes crosses each link, as a sparse matrix.

Row by link, column by pair: the routing matrix of traffic matrix estimation. ECMP makes fractions
of it; a pair whose flows are steered has the mean of its flows' fractions, by their rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.paths import Status
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.traffic import Traffic, concatenate

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Fractions(NamedTuple):
    """The routing matrix `link` [links, pairs], and the pairs of its columns."""

    link: csr_array
    source: NDArray[np.int32]  # [pairs] node
    target: NDArray[np.int32]  # [pairs] node


def routing_fractions(scenario: Scenario) -> Fractions:
    """The part of each pair's traffic on each link; pairs without a path are left out."""
    nodes = scenario.topology.node_count
    everyone = Traffic.from_matrix(np.ones((nodes, nodes)))
    steered = np.array(sorted(scenario.routing.steer), np.intp)
    steered = steered[scenario.traffic.flow_rate_bps[steered] > 0] if len(steered) else steered
    traffic, routing = everyone, Routing(scenario.routing.ecmp, scenario.routing.next_link)
    weight = np.ones(everyone.flow_count)
    if len(steered):
        own = scenario.traffic.keep(steered)
        demand = scenario.traffic.matrix(nodes)
        alone = demand.copy()  # what follows the common rule
        np.add.at(alone, (own.flow_source, own.flow_target), -own.flow_rate_bps)
        common = np.divide(alone, demand, out=np.ones_like(demand), where=demand > 0)
        weight = np.append(
            np.maximum(common, 0.0)[everyone.flow_source, everyone.flow_target],
            own.flow_rate_bps / demand[own.flow_source, own.flow_target],
        )
        steer = {everyone.flow_count + i: scenario.routing.steer[f] for i, f in enumerate(steered)}
        traffic = concatenate(everyone, own)
        routing = Routing(routing.ecmp, routing.next_link, steer)
    paths = resolve(routing, scenario.topology, traffic)
    found = np.flatnonzero(paths.status[: everyone.flow_count] == Status.OK)
    column = np.full(nodes * nodes, -1)
    column[everyone.flow_source[found] * nodes + everyone.flow_target[found]] = np.arange(
        len(found)
    )
    pair = traffic.flow_source.astype(np.int64) * nodes + traffic.flow_target
    flow = paths.hop_flow
    return Fractions(
        _matrix(
            paths.links,
            column[pair[flow]],
            (paths.share * weight[paths.path_flow])[paths.hop_path],
            (scenario.topology.link_count, len(found)),
        ),
        everyone.flow_source[found],
        everyone.flow_target[found],
    )


def _matrix(row: Any, column: Any, value: Any, shape: tuple[int, int]) -> csr_array:
    from scipy.sparse import coo_array

    kept = column >= 0
    return coo_array((value[kept], (row[kept], column[kept])), shape=shape).tocsr()
