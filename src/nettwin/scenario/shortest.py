"""Shortest distances toward targets, and the order in which a shortest path comes nearer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled

if TYPE_CHECKING:
    from nettwin.scenario.topology import Topology

TIE = 1e-9  # paths whose lengths differ by less than this, relatively, are equal


class ShortestPathDistances(NamedTuple):
    """How near each node is to each target that was asked for; rows of others say "never".

    `rank` counts nodes from the target outward. A shortest path only ever goes to a lower rank, so
    that no tolerance and no weight too small to change a sum can lead in a circle.
    """

    distance: NDArray[np.float64]  # [target, node], inf: no path
    rank: NDArray[np.int32]  # [target, node]


def adjacency(
    topology: Topology, *, into: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Live links by source: those of node u are `links[offset[u]:offset[u + 1]]`, lowest first.

    With `into` by target instead.
    """
    end = topology.link_target if into else topology.link_source
    live = np.flatnonzero(topology.link_live)
    order = live[np.argsort(end[live], kind="stable")].astype(np.int32)
    counts = np.bincount(end[live], minlength=topology.node_count)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), order


def shortest_path_distances(topology: Topology, targets: NDArray[Any]) -> ShortestPathDistances:
    """Distances over live links to each of `targets` (node indices), by Dijkstra's algorithm."""
    offset, links = adjacency(topology, into=True)
    return ShortestPathDistances(
        *_nearness(
            np.unique(targets).astype(np.int64),
            offset,
            links,
            topology.link_source,
            topology.link_weight,
        )
    )


@compiled
def next_hop(e: int, u: int, link_weight: Any, link_target: Any, distance: Any, rank: Any) -> Any:
    """Whether link e is on a shortest path from node u, by a target's row of
    ShortestPathDistances."""
    v = link_target[e]
    gap = abs(link_weight[e] + distance[v] - distance[u])
    return rank[v] < rank[u] and gap <= TIE * distance[u]


@compiled
def _nearness(targets: Any, offset: Any, links: Any, link_source: Any, link_weight: Any) -> Any:
    nodes = offset.size - 1
    distance = np.full((nodes, nodes), np.inf)
    rank = np.full((nodes, nodes), nodes, np.int32)
    lengths = np.empty(links.size + 2)
    places = np.empty(links.size + 2, np.int32)
    for t in targets:
        distances_to(
            t, offset, links, link_source, link_weight, distance[t], rank[t], lengths, places
        )
    return distance, rank


@compiled
def distances_to(
    t: int,
    offset: Any,
    links: Any,
    link_source: Any,
    link_weight: Any,
    best: Any,
    turn: Any,
    lengths: Any,
    places: Any,
) -> None:
    """Fill in one target's row of ShortestPathDistances: `best` (inf before) and `turn` (nodes
    before).

    `lengths` and `places` are room for the heap, two more than there are links.
    """
    nodes = offset.size - 1
    best[t] = 0.0
    lengths[0], places[0] = 0.0, t
    size, settled = 1, 0
    while size > 0:
        length, v = lengths[0], places[0]
        size -= 1
        sink(lengths, places, size)
        if turn[v] < nodes:
            continue
        turn[v] = settled
        settled += 1
        for k in range(offset[v], offset[v + 1]):
            e = links[k]
            u = link_source[e]
            further = length + link_weight[e]
            if further < best[u]:
                best[u] = further
                rise(lengths, places, size, further, u)
                size += 1


@compiled
def rise(lengths: Any, places: Any, size: int, length: float, place: int) -> None:
    """Add to a binary heap of `size` entries."""
    i = size
    while i > 0 and lengths[(i - 1) // 2] > length:
        lengths[i], places[i] = lengths[(i - 1) // 2], places[(i - 1) // 2]
        i = (i - 1) // 2
    lengths[i], places[i] = length, place


@compiled
def sink(lengths: Any, places: Any, size: int) -> None:
    """Replace the least of a binary heap by the entry after its last one, at `size`."""
    length, place, i = lengths[size], places[size], 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and lengths[child + 1] < lengths[child]:
            child += 1
        if lengths[child] >= length:
            break
        lengths[i], places[i] = lengths[child], places[child]
        i = child
    lengths[i], places[i] = length, place
