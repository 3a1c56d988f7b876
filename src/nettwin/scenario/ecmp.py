"""Link loads under ECMP, exact and without paths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.scenario.shortest import adjacency, nearness, next_hop

if TYPE_CHECKING:
    from nettwin.scenario.routing import Routing
    from nettwin.scenario.topology import Topology
    from nettwin.scenario.traffic import Traffic


def ecmp_loads(topology: Topology, demand_bps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact load of each link in bit/s when a matrix [source, target] follows ECMP.

    Works per target on the shortest-path graph, so it needs no paths and no limit on their number.
    Demands without a way are left out.
    """
    offset, out = adjacency(topology)
    near = nearness(topology, np.flatnonzero(demand_bps.any(axis=0)))
    return np.asarray(
        _ecmp_loads(
            np.ascontiguousarray(demand_bps, np.float64),
            near.distance,
            near.rank,
            offset,
            out,
            topology.link_target,
            topology.link_weight,
            topology.link_count,
        )
    )


def steered_loads(topology: Topology, traffic: Traffic, routing: Routing) -> NDArray[np.float64]:
    """Exact load of each link in bit/s when flows follow ECMP, some over midpoints. [links]"""
    return ecmp_loads(topology, leg_demand(topology, traffic, routing))


def leg_demand(topology: Topology, traffic: Traffic, routing: Routing) -> NDArray[np.float64]:
    """The demand that follows the common rule when a way over midpoints is a demand for each of its
    legs. [source, target] in bit/s

    Ways with a leg that has no way are left out, their share taken over by the flow's others; a
    flow without any left goes as if it were not steered.
    """
    nodes, flows = topology.node_count, traffic.flow_count
    free = np.ones(flows, np.bool_)
    free[list(routing.steer)] = False
    demand = traffic.keep(free).matrix(nodes)
    legs = [
        (flow, way, share, a, b)
        for way, (flow, share, stops) in enumerate(_ways(traffic, routing))
        for a, b in pairwise(stops)
        if a != b
    ]
    if not legs:
        return demand
    flow, way, share, source, target = (np.array(column) for column in zip(*legs, strict=True))
    distance = nearness(topology, target).distance
    up = topology.node_up[source] & topology.node_up[target]
    broken = np.bincount(way, ~(up & np.isfinite(distance[target, source]))) > 0  # [ways]
    whole = ~broken[way]
    first = np.append(True, way[1:] != way[:-1])
    total = np.bincount(flow, share * (whole & first), flows)  # [flows]
    rate = traffic.flow_rate_bps
    at, part = flow[whole], share[whole] / total[flow[whole]]
    np.add.at(demand, (source[whole], target[whole]), rate[at] * part)
    lost = np.setdiff1d(list(routing.steer), np.flatnonzero(total))
    np.add.at(demand, (traffic.flow_source[lost], traffic.flow_target[lost]), rate[lost])
    return demand


def _ways(traffic: Traffic, routing: Routing) -> Iterator[tuple[int, float, list[int]]]:
    """Every way of the steered flows: the flow, the share, and the nodes its legs join."""
    source, target = traffic.flow_source.tolist(), traffic.flow_target.tolist()
    for flow, ways in routing.steer.items():
        for way in ways:
            yield flow, way.share, [source[flow], *way.midpoints, target[flow]]


@compiled
def _ecmp_loads(
    demand: Any,
    dist_to: Any,
    rank_to: Any,
    offset: Any,
    out: Any,
    link_target: Any,
    link_weight: Any,
    link_count: int,
) -> Any:
    load = np.zeros(link_count)
    nodes = demand.shape[0]
    for t in range(nodes):
        near, rank = dist_to[t], rank_to[t]
        through = demand[:, t].copy()
        for u in np.argsort(rank)[::-1]:  # farthest first: all that passes u has arrived
            if rank[u] == nodes or u == t or through[u] == 0.0:
                continue
            fan = 0
            for k in range(offset[u], offset[u + 1]):
                if next_hop(out[k], u, link_weight, link_target, near, rank):
                    fan += 1
            for k in range(offset[u], offset[u + 1]):
                e = out[k]
                if next_hop(e, u, link_weight, link_target, near, rank):
                    load[e] += through[u] / fan
                    through[link_target[e]] += through[u] / fan
    return load
