"""Kernels of weights: what a change of weights does to loads, in machine code.

A change matters only to targets whose shortest paths it touches: one that raises a weight where the
link is on a shortest path, one that lowers it where the link then is. Only these are routed anew.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nettwin.compiled import kernel
from nettwin.scenario.shortest import Tree, grow, next_hop


class Graph(NamedTuple):
    """What does not change in a search; see `LinkWeightProblem`. Live links are listed by their
    ends, one row a state."""

    source: Any  # [links]
    target: Any  # [links]
    into_offset: Any  # [states, nodes + 1]
    into: Any  # [states, links]
    out_offset: Any  # [states, nodes + 1]
    out: Any  # [states, links]
    live: Any  # [states, links]
    demand_bps: Any  # [target, source]
    capacity_bps: Any  # [states, links]
    choices: Any  # [choices]
    movable: Any  # [movable links]
    start: Any  # [links]


class RoutedWeights(NamedTuple):
    """Weights and the paths that follow from them; changed in place.

    Row k stands for state k // nodes and target k % nodes. What a change at hand would bring is in
    the second half of the arrays, in the rows listed in `anew`.
    """

    weight: Any  # [links]
    distance: Any  # [2, rows, nodes]
    rank: Any  # [2, rows, nodes]
    part_bps: Any  # [2, rows, links], load by traffic toward the target
    load_bps: Any  # [2, states, links]
    anew: Any  # [rows]
    link: Any  # [links], of the change at hand
    old: Any  # [links], their weights before it
    tree: Tree
    through_bps: Any  # [nodes]


@kernel
def route(net: Graph, paths: RoutedWeights, row: int, half: int) -> None:
    """Paths and loads of one row by the weights of now, into a half."""
    nodes = net.demand_bps.shape[0]
    state, t = row // nodes, row % nodes
    tree = paths.tree
    reached = grow(tree, t, net.into_offset[state], net.into[state], net.source, paths.weight)
    near, turn = tree.distance, tree.rank
    for u in range(nodes):
        paths.distance[half, row, u], paths.rank[half, row, u] = near[u], turn[u]
    part, through = paths.part_bps[half, row], paths.through_bps
    part[:] = 0.0
    for u in range(nodes):
        through[u] = net.demand_bps[t, u]
    offset, out = net.out_offset[state], net.out[state]
    for r in range(reached - 1, 0, -1):  # farthest first: all that passes u has arrived
        u = tree.order[r]
        if through[u] == 0.0:
            continue
        fan = 0
        for k in range(offset[u], offset[u + 1]):
            if next_hop(out[k], u, paths.weight, net.target, near, turn):
                fan += 1
        for k in range(offset[u], offset[u + 1]):
            e = out[k]
            if next_hop(e, u, paths.weight, net.target, near, turn):
                part[e] = through[u] / fan
                through[net.target[e]] += through[u] / fan


@kernel
def route_all(net: Graph, paths: RoutedWeights) -> None:
    """Paths and loads of all rows; adds to `load_bps`."""
    nodes = net.demand_bps.shape[0]
    for row in range(paths.anew.size):
        route(net, paths, row, 0)
        for e in range(paths.weight.size):
            paths.load_bps[0, row // nodes, e] += paths.part_bps[0, row, e]


@kernel
def touches(net: Graph, paths: RoutedWeights, row: int, count: int) -> Any:
    """Whether the change at hand touches the paths of a row."""
    state = row // net.demand_bps.shape[0]
    near = paths.distance[0, row]
    for k in range(count):
        e = paths.link[k]
        if not net.live[state, e]:
            continue
        u, v = net.source[e], net.target[e]
        new, old = paths.weight[e], paths.old[k]
        if new < old and new + near[v] <= near[u] * (1.0 + 1e-8):
            return True
        if new > old and old + near[v] <= near[u] * (1.0 + 1e-8):
            return True
    return False


@kernel
def weigh(net: Graph, paths: RoutedWeights, count: int) -> Any:
    """Route anew what the change at hand touches, into the second half; returns how many rows."""
    nodes = net.demand_bps.shape[0]
    for state in range(net.live.shape[0]):
        for e in range(net.live.shape[1]):
            paths.load_bps[1, state, e] = paths.load_bps[0, state, e]
    rows = 0
    for row in range(paths.anew.size):
        if touches(net, paths, row, count):
            paths.anew[rows] = row
            rows += 1
            route(net, paths, row, 1)
            load, old, new = paths.load_bps[1, row // nodes], paths.part_bps[0], paths.part_bps[1]
            for e in range(load.size):
                load[e] += new[row, e] - old[row, e]
    return rows


@kernel
def settle(paths: RoutedWeights, rows: int) -> None:
    """Make the change at hand: the second half becomes the first."""
    for n in range(rows):
        row = paths.anew[n]
        for u in range(paths.distance.shape[2]):
            paths.distance[0, row, u] = paths.distance[1, row, u]
            paths.rank[0, row, u] = paths.rank[1, row, u]
        for e in range(paths.weight.size):
            paths.part_bps[0, row, e] = paths.part_bps[1, row, e]
    for state in range(paths.load_bps.shape[1]):
        for e in range(paths.weight.size):
            paths.load_bps[0, state, e] = paths.load_bps[1, state, e]


@kernel
def judge(net: Graph, paths: RoutedWeights, half: int, scale: float, squarings: int) -> Any:
    """The highest utilization and the sum of utilizations / scale, each to the power of 2 **
    squarings."""
    top, total = 0.0, 0.0
    for state in range(net.live.shape[0]):
        for e in range(net.live.shape[1]):
            u = paths.load_bps[half, state, e] / net.capacity_bps[state, e]
            top = max(top, u)
            x = u / scale
            for _ in range(squarings):
                x *= x
            total += x
    return top, total
