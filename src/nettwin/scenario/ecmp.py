"""Link loads under ECMP, exact and without paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.scenario.shortest import adjacency, nearness, next_hop

if TYPE_CHECKING:
    from nettwin.scenario.topology import Topology


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
