"""Shortest distances toward targets, and the order in which a shortest path comes nearer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled, kernel

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
    """Distances over live links to each of `targets` (node indices)."""
    offset, links = adjacency(topology, into=True)
    return ShortestPathDistances(
        *_distances(
            np.unique(targets).astype(np.int64),
            offset,
            links,
            topology.link_source,
            topology.link_weight,
        )
    )


@kernel
def next_hop(e: int, u: int, link_weight: Any, link_target: Any, distance: Any, rank: Any) -> Any:
    """Whether link e is on a shortest path from node u, by a target's row of
    ShortestPathDistances."""
    v = link_target[e]
    gap = abs(link_weight[e] + distance[v] - distance[u])
    return rank[v] < rank[u] and gap <= TIE * distance[u]


@compiled
def _distances(targets: Any, offset: Any, links: Any, link_source: Any, link_weight: Any) -> Any:
    nodes = offset.size - 1
    distance = np.full((nodes, nodes), np.inf)
    rank = np.full((nodes, nodes), nodes, np.int32)
    tree = tree_of(nodes, links.size)
    for t in targets:
        grow(tree, t, offset, links, link_source, link_weight)
        distance[t], rank[t] = tree.distance, tree.rank
    return distance, rank


class Tree(NamedTuple):
    """The shortest paths between one node, the root, and all others; filled in by `grow`."""

    distance: Any  # [nodes], inf: no path
    rank: Any  # [nodes] from the root outward; as many as there are nodes: no path
    order: Any  # [nodes], those that are reached, by rank
    link: Any  # [nodes], the link at each node that leads toward the root; -1: none
    heap_length: Any  # room: two more than there are links
    heap_node: Any


@compiled
def tree_of(nodes: int, links: int) -> Any:
    """An empty Tree."""
    return Tree(
        np.empty(nodes),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(links + 2),
        np.empty(links + 2, np.int32),
    )


@kernel
def grow(tree: Tree, root: int, offset: Any, links: Any, end: Any, length: Any) -> Any:
    """Find the shortest paths between a root and all nodes; how many are reached.

    The links at node u are `links[offset[u]:offset[u + 1]]`, each leads to node `end[link]`: with
    links by source and their targets, paths from the root; with links by target and their sources,
    paths to it. Dijkstra's algorithm with a binary heap.
    """
    best, rank = tree.distance, tree.rank
    nodes = best.size
    best[:] = np.inf
    rank[:] = nodes
    tree.link[:] = -1
    best[root] = 0.0
    tree.heap_length[0], tree.heap_node[0] = 0.0, root
    size, settled = 1, 0
    while size > 0:
        least, u = tree.heap_length[0], tree.heap_node[0]
        size -= 1
        sink(tree.heap_length, tree.heap_node, size)
        if rank[u] < nodes:
            continue
        rank[u] = settled
        tree.order[settled] = u
        settled += 1
        for k in range(offset[u], offset[u + 1]):
            e = links[k]
            v = end[e]
            further = least + length[e]
            if further < best[v]:
                best[v], tree.link[v] = further, e
                rise(tree.heap_length, tree.heap_node, size, further, v)
                size += 1
    return settled


@kernel
def rise(lengths: Any, places: Any, size: int, length: float, place: int) -> None:
    """Add to a binary heap of `size` entries."""
    i = size
    while i > 0 and lengths[(i - 1) // 2] > length:
        lengths[i], places[i] = lengths[(i - 1) // 2], places[(i - 1) // 2]
        i = (i - 1) // 2
    lengths[i], places[i] = length, place


@kernel
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
