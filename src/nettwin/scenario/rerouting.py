"""Rerouting: the paths after a failure, from those of before; only flows that it touches are routed
anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.paths import Paths, Status

if TYPE_CHECKING:
    from nettwin.scenario.routing import Routing
    from nettwin.scenario.topology import Topology
    from nettwin.scenario.traffic import Traffic

MAX_TOUCHED = 0.5  # of the flows, from which on all are routed anew
_GRAPH = ("link_source", "link_target", "link_weight")


class Routed(Protocol):
    """What of a scenario decides about paths; and the paths."""

    @property
    def topology(self) -> Topology: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def routing(self) -> Routing: ...
    @property
    def paths(self) -> Paths: ...


def rerouted(before: Routed, after: Routed) -> Paths | None:
    """The paths of `after`, where it differs from `before` in links and nodes that failed; None
    where it differs in more, or most flows are touched.

    A failure makes no path shorter, so a flow keeps its paths unless one of their links fails.
    """
    touched = _touched(before, after)
    if touched is None or np.count_nonzero(touched) > MAX_TOUCHED * touched.size:
        return None
    old = before.paths
    chosen = np.flatnonzero(touched)
    if not len(chosen):
        return old
    new = resolve(after.routing.keep(chosen), after.topology, after.traffic.keep(chosen))
    status, fallback = old.status.copy(), old.fallback.copy()
    status[chosen], fallback[chosen] = new.status, new.fallback
    flow_offset, share, link_offset, links = _joined(
        touched,
        *(old.flow_offset, old.share, old.link_offset, old.links),
        *(new.flow_offset, new.share, new.link_offset, new.links),
    )
    return Paths(flow_offset, share, link_offset, links, status, fallback)


def _touched(before: Routed, after: Routed) -> NDArray[np.bool_] | None:
    """Flows that have to be routed anew [flows]; None where more than elements failed."""
    old, new = before.topology, after.topology
    if after.routing is not before.routing or not all(
        np.array_equal(getattr(x, name), getattr(y, name))
        for x, y, names in (
            (old, new, _GRAPH),
            (before.traffic, after.traffic, ("flow_source", "flow_target")),
        )
        for name in names
    ):
        return None
    if (new.link_live & ~old.link_live).any() or (new.node_up & ~old.node_up).any():
        return None
    paths, traffic = before.paths, after.traffic
    gone = old.node_up & ~new.node_up
    touched = gone[traffic.flow_source] | gone[traffic.flow_target]
    # where next hops lead nowhere or in a circle, a failure may change which of them it is
    touched |= (paths.status == Status.BLACKHOLE) | (paths.status == Status.LOOP)
    dead = old.link_live & ~new.link_live
    _mark(dead, paths.flow_offset, paths.link_offset, paths.links, touched)
    return np.asarray(touched)


@compiled
def _mark(dead: Any, flow_offset: Any, link_offset: Any, links: Any, touched: Any) -> None:
    """Mark the flows that have a path over a dead link."""
    for f in range(touched.size):
        for h in range(link_offset[flow_offset[f]], link_offset[flow_offset[f + 1]]):
            if dead[links[h]]:
                touched[f] = True
                break


@compiled
def _joined(
    touched: Any,
    flow_offset: Any,
    share: Any,
    link_offset: Any,
    links: Any,
    new_flow_offset: Any,
    new_share: Any,
    new_link_offset: Any,
    new_links: Any,
) -> Any:
    """The arrays of Paths with the paths of touched flows replaced by the new ones, in order."""
    flows, place = touched.size, 0
    paths, hops = 0, 0
    for f in range(flows):
        a, b = flow_offset[f], flow_offset[f + 1]
        if touched[f]:
            a, b = new_flow_offset[place], new_flow_offset[place + 1]
            hops += new_link_offset[b] - new_link_offset[a]
            place += 1
        else:
            hops += link_offset[b] - link_offset[a]
        paths += b - a
    out_flow = np.zeros(flows + 1, np.int64)
    out_share, out_offset = np.empty(paths), np.zeros(paths + 1, np.int64)
    out_links = np.empty(hops, np.int32)
    paths, hops, place = 0, 0, 0
    for f in range(flows):
        if touched[f]:
            a, b = new_flow_offset[place], new_flow_offset[place + 1]
            from_share, from_offset, from_links = new_share, new_link_offset, new_links
            place += 1
        else:
            a, b = flow_offset[f], flow_offset[f + 1]
            from_share, from_offset, from_links = share, link_offset, links
        for p in range(a, b):
            out_share[paths] = from_share[p]
            for h in range(from_offset[p], from_offset[p + 1]):
                out_links[hops] = from_links[h]
                hops += 1
            paths += 1
            out_offset[paths] = hops
        out_flow[f + 1] = paths
    return out_flow, out_share, out_offset, out_links
