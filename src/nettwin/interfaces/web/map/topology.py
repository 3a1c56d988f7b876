"""Topology: the nodes and links of a network as the map fetches them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.interfaces.plots.placing import projected
from nettwin.interfaces.plots.weathermap import lanes
from nettwin.scenario.topology import Topology

WIDTHS = 4  # steps by capacity


def document(topology: Topology) -> dict[str, Any]:
    """The map of a topology: places of `nodes`, their `names`; of each link its ends, its lane
    beside parallel ones, its width in steps, and its name; how longitude and latitude are
    projected, where it is geographic."""
    points, projection = projected(topology)
    capacity = topology.link_capacity_bps
    ratio = np.log10(capacity / capacity.min(initial=np.inf)) if len(capacity) else capacity
    width = np.clip(np.rint(1 + ratio), 1, WIDTHS).astype(int)
    made = None
    if projection is not None:
        made = {
            "edge": projection.edge_deg,
            "squeeze": projection.squeeze,
            "low": list(projection.low),
            "span": projection.span,
        }
    return {
        "nodes": np.round(points, 5).tolist(),
        "names": list(topology.node_name),
        "links": [
            list(row)
            for row in zip(
                topology.link_source.tolist(),
                topology.link_target.tolist(),
                lanes(topology).tolist(),
                width.tolist(),
                topology.link_name,
                strict=True,
            )
        ],
        "projection": made,
    }
