"""Kernels of weights: what a change of weights does to loads, in machine code.

A change matters only to targets whose shortest ways it touches: one that raises a weight where the
link is on a shortest way, one that lowers it where the link then is. Only these are routed anew.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nettwin.compiled import compiled
from nettwin.scenario.shortest import next_hop, toward


class Map(NamedTuple):
    """What does not change in a search; see `Weighing`. Live links are listed by their ends, one
    row a state."""

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


class Ways(NamedTuple):
    """Weights and the ways that follow from them; changed in place.

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
    heap_length: Any  # [links + 2]
    heap_place: Any  # [links + 2]
    by_rank: Any  # [nodes]
    through_bps: Any  # [nodes]


@compiled
def route(net: Map, ways: Ways, row: int, half: int) -> None:
    """Ways and loads of one row by the weights of now, into a half."""
    nodes = net.demand_bps.shape[0]
    state, t = row // nodes, row % nodes
    near, turn = ways.distance[half, row], ways.rank[half, row]
    near[:] = np.inf
    turn[:] = nodes
    toward(
        t,
        net.into_offset[state],
        net.into[state],
        net.source,
        ways.weight,
        near,
        turn,
        ways.heap_length,
        ways.heap_place,
    )
    part, through = ways.part_bps[half, row], ways.through_bps
    part[:] = 0.0
    reached = 0
    for u in range(nodes):
        through[u] = net.demand_bps[t, u]
        if turn[u] < nodes:
            ways.by_rank[turn[u]] = u
            reached += 1
    offset, out = net.out_offset[state], net.out[state]
    for r in range(reached - 1, 0, -1):  # farthest first: all that passes u has arrived
        u = ways.by_rank[r]
        if through[u] == 0.0:
            continue
        fan = 0
        for k in range(offset[u], offset[u + 1]):
            if next_hop(out[k], u, ways.weight, net.target, near, turn):
                fan += 1
        for k in range(offset[u], offset[u + 1]):
            e = out[k]
            if next_hop(e, u, ways.weight, net.target, near, turn):
                part[e] = through[u] / fan
                through[net.target[e]] += through[u] / fan


@compiled
def route_all(net: Map, ways: Ways) -> None:
    """Ways and loads of all rows; adds to `load_bps`."""
    nodes = net.demand_bps.shape[0]
    for row in range(ways.anew.size):
        route(net, ways, row, 0)
        ways.load_bps[0, row // nodes] += ways.part_bps[0, row]


@compiled
def touches(net: Map, ways: Ways, row: int, count: int) -> Any:
    """Whether the change at hand touches the ways of a row."""
    state = row // net.demand_bps.shape[0]
    near = ways.distance[0, row]
    for k in range(count):
        e = ways.link[k]
        if not net.live[state, e]:
            continue
        u, v = net.source[e], net.target[e]
        new, old = ways.weight[e], ways.old[k]
        if new < old and new + near[v] <= near[u] * (1.0 + 1e-8):
            return True
        if new > old and old + near[v] <= near[u] * (1.0 + 1e-8):
            return True
    return False


@compiled
def weigh(net: Map, ways: Ways, count: int) -> Any:
    """Route anew what the change at hand touches, into the second half; returns how many rows."""
    nodes = net.demand_bps.shape[0]
    ways.load_bps[1] = ways.load_bps[0]
    rows = 0
    for row in range(ways.anew.size):
        if touches(net, ways, row, count):
            ways.anew[rows] = row
            rows += 1
            route(net, ways, row, 1)
            load, old, new = ways.load_bps[1, row // nodes], ways.part_bps[0], ways.part_bps[1]
            for e in range(load.size):
                load[e] += new[row, e] - old[row, e]
    return rows


@compiled
def settle(ways: Ways, rows: int) -> None:
    """Make the change at hand: the second half becomes the first."""
    for n in range(rows):
        row = ways.anew[n]
        ways.distance[0, row] = ways.distance[1, row]
        ways.rank[0, row] = ways.rank[1, row]
        ways.part_bps[0, row] = ways.part_bps[1, row]
    ways.load_bps[0] = ways.load_bps[1]


@compiled
def judge(net: Map, ways: Ways, half: int, scale: float, squarings: int) -> Any:
    """The highest utilization and the sum of utilizations / scale, each to the power of 2 **
    squarings."""
    top, total = 0.0, 0.0
    for state in range(net.live.shape[0]):
        for e in range(net.live.shape[1]):
            u = ways.load_bps[half, state, e] / net.capacity_bps[state, e]
            top = max(top, u)
            x = u / scale
            for _ in range(squarings):
                x *= x
            total += x
    return top, total
