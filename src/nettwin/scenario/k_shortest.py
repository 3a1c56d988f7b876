"""The k shortest paths between two nodes, and explicit paths made of them."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.routing import Steer
from nettwin.scenario.shortest import adjacency

if TYPE_CHECKING:
    from nettwin.scenario.topology import Topology


def k_shortest(topology: Topology, source: int, target: int, k: int) -> list[list[int]]:
    """Up to k loop-free paths (lists of live links) by increasing weight (Yen, 1971).

    Ties come in order of hops, then of link indices; parallel links make different paths. Lengths
    are compared to 9 digits, like those of other shortest paths.
    """
    offset, out = adjacency(topology)
    best = _shortest(topology, offset, out, source, target, set(), set())
    found: list[list[int]] = []
    spare: list[tuple[float, int, list[int], int]] = []
    order = count()
    if best is not None:
        heapq.heappush(spare, (_length(topology, best), len(best), best, next(order)))
    while spare and len(found) < k:
        path = heapq.heappop(spare)[2]
        if path in found:
            continue
        found.append(path)
        banned_nodes: set[int] = set()
        for i in range(len(path)):
            spur = int(topology.link_source[path[i]])
            banned_links = {p[i] for p in found if p[:i] == path[:i] and len(p) > i}
            tail = _shortest(topology, offset, out, spur, target, banned_links, banned_nodes)
            if tail is not None:
                new = path[:i] + tail
                heapq.heappush(spare, (_length(topology, new), len(new), new, next(order)))
            banned_nodes.add(spur)
    return found


def _length(topology: Topology, path: list[int]) -> float:
    return _rounded(float(topology.link_weight[path].sum()))


def _rounded(length: float) -> float:
    return float(f"{length:.9g}")


def _shortest(
    topology: Topology,
    offset: NDArray[np.int64],
    out: NDArray[np.int32],
    source: int,
    target: int,
    banned_links: set[int],
    banned_nodes: set[int],
) -> list[int] | None:
    """The lightest path without the banned elements; ties by hops, then by link indices."""
    heap: list[tuple[float, int, list[int], int, float]] = [(0.0, 0, [], source, 0.0)]
    done: set[int] = set(banned_nodes)
    while heap:
        _, hops, path, u, length = heapq.heappop(heap)
        if u in done:
            continue
        if u == target:
            return path
        done.add(u)
        for e in out[offset[u] : offset[u + 1]].tolist():
            v = int(topology.link_target[e])
            if e not in banned_links and v not in done:
                far = length + float(topology.link_weight[e])
                heapq.heappush(heap, (_rounded(far), hops + 1, [*path, e], v, far))
    return None


def explicit(paths: list[list[int]]) -> tuple[Steer, ...]:
    """Explicit paths with equal shares from lists of links."""
    return tuple(Steer(links=tuple(path), share=1 / len(paths)) for path in paths)
