"""Link loads under ECMP, exact and without paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.scenario.shortest import adjacency, next_hop, shortest_path_distances

if TYPE_CHECKING:
    from nettwin.scenario.routing import Routing, Steer
    from nettwin.scenario.topology import Topology
    from nettwin.scenario.traffic import Traffic


def ecmp_loads(topology: Topology, demand_bps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact load of each link in bit/s when a matrix [source, target] follows ECMP.

    Works per target on the shortest-path graph, so it needs no paths and no limit on their number.
    Demands without a path are left out.
    """
    offset, out = adjacency(topology)
    near = shortest_path_distances(topology, np.flatnonzero(demand_bps.any(axis=0)))
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


_SOURCE, _TARGET = -1, -2  # stand for the ends of a flow


def steered_loads(topology: Topology, traffic: Traffic, routing: Routing) -> NDArray[np.float64]:
    """Exact load of each link in bit/s when flows follow ECMP, some over midpoints. [links]"""
    return ecmp_loads(topology, leg_demand(topology, traffic, routing))


def leg_demand(topology: Topology, traffic: Traffic, routing: Routing) -> NDArray[np.float64]:
    """The demand that follows the common rule when a path over midpoints is a demand for each of
    its legs. [source, target] in bit/s

    Paths with a leg that has no path are left out, their share taken over by the flow's others; a
    flow without any left goes as if it were not steered.
    """
    nodes, flows = topology.node_count, traffic.flow_count
    free = np.ones(flows, np.bool_)
    free[list(routing.steer)] = False
    demand = traffic.keep(free).matrix(nodes)
    ends = traffic.flow_source, traffic.flow_target
    flow, path, share, source, target = legs_of(*ends, routing.steer)
    if not len(flow):
        return demand
    distance = shortest_path_distances(topology, target).distance
    up = topology.node_up[source] & topology.node_up[target]
    broken = np.bincount(path, ~(up & np.isfinite(distance[target, source]))) > 0  # [paths]
    whole = ~broken[path]
    first = np.append(True, path[1:] != path[:-1])
    total = np.bincount(flow, share * (whole & first), flows)  # [flows]
    rate = traffic.flow_rate_bps
    at, part = flow[whole], share[whole] / total[flow[whole]]
    np.add.at(demand, (source[whole], target[whole]), rate[at] * part)
    lost = np.setdiff1d(list(routing.steer), np.flatnonzero(total))
    np.add.at(demand, (traffic.flow_source[lost], traffic.flow_target[lost]), rate[lost])
    return demand


def legs_of(
    source: NDArray[Any], target: NDArray[Any], steer: Mapping[int, tuple[Steer, ...]]
) -> tuple[NDArray[Any], ...]:
    """The legs of paths over midpoints, explicit paths left out: the flow, the number of the path,
    the path's share, and the nodes that the leg joins. [legs] each

    `steer` maps flows to their paths; flow f goes from source[f] to target[f].
    """
    kinds: dict[int, int] = {}  # by the paths, which many flows may share
    shares: list[float] = []
    stops: list[int] = []
    path_in: list[int] = []  # of each stop, the number of its path among those of its kind
    size, paths_of, kind = [0], [0], []
    for paths in steer.values():
        if (known := kinds.get(id(paths))) is None:
            known = kinds[id(paths)] = len(kinds)
            over = [path for path in paths if not path.links]
            for k, path in enumerate(over):
                count = 2 + len(path.midpoints)
                stops += (_SOURCE, *path.midpoints, _TARGET)
                shares += [path.share] * count
                path_in += [k] * count
            size.append(len(stops))
            paths_of.append(len(over))
        kind.append(known)
    which = np.array(kind, np.int64)
    flows = np.fromiter(steer, np.int64, len(steer))
    begin, length = np.array(size, np.int64)[which], np.diff(size)[which]
    owner = np.repeat(np.arange(len(flows)), length)
    first = np.concatenate([[0], np.cumsum(length)])[:-1]
    at = np.arange(len(owner)) + np.repeat(begin - first, length)  # in the stops of kinds
    place, flow = np.array(stops, np.int64)[at], flows[owner]
    place = np.where(place == _SOURCE, source[flow], place)
    place = np.where(place == _TARGET, target[flow], place)
    before = np.cumsum(np.array(paths_of, np.int64)[which + 1]) - np.array(paths_of)[which + 1]
    number = before[owner] + np.array(path_in, np.int64)[at]
    joined = np.flatnonzero((number[1:] == number[:-1]) & (place[1:] != place[:-1]))
    share = np.array(shares, np.float64)[at][joined]
    return flow[joined], number[joined], share, place[joined], place[joined + 1]


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
    by_rank = np.empty(nodes, np.int64)
    for t in range(nodes):
        near, rank = dist_to[t], rank_to[t]
        through = demand[:, t].copy()
        reached = 0
        for u in range(nodes):
            if rank[u] < nodes:
                by_rank[rank[u]] = u
                reached += 1
        for r in range(reached - 1, 0, -1):  # farthest first: all that passes u has arrived
            u = by_rank[r]
            if through[u] == 0.0:
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
