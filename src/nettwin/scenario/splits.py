"""Splits: a flow that spreads over many equal paths, as few paths that load every link alike.

Where each node divides what comes evenly over its next hops, a flow runs over a directed acyclic
graph toward its target. What part of it passes each link needs no paths to be known; and any such
flow is a sum of paths, no more than the graph has links less nodes plus 2 (flow decomposition:
Ahuja, Magnanti and Orlin, Network Flows, 1993, theorem 3.5). Loads and mean delays along these
paths are those of the flow, however many paths it really has.

Paths are drawn at random, in proportion to what is left on the links, and carry at most 1/PORTIONS
of the flow each: so the choices at different nodes go together about as rarely as if they were
independent, as they are in a network.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled
from nettwin.scenario.shortest import next_hop

PORTIONS = 8  # a path that is drawn carries at most this part of a flow
LISTED = 2 * PORTIONS  # so many paths are all kept: drawing would save little
DUST = 1e-13  # of a flow: what rounding may leave on a link
STEP = np.uint64(0x9E3779B97F4A7C15)  # of the random numbers


@compiled
def spread(
    dist_to: Any, rank_to: Any, offset: Any, out: Any, link_target: Any, link_weight: Any
) -> Any:
    """How many shortest paths lead to a target from a node [target, node], and the nodes in the
    order in which they are near to a target, -1 behind those that reach it [target, nodes]."""
    nodes = dist_to.shape[0]
    number = np.zeros(dist_to.shape)
    order = np.full(dist_to.shape, -1, np.int32)
    for t in range(nodes):
        near, rank = dist_to[t], rank_to[t]
        for u in range(nodes):
            if rank[u] < nodes:
                order[t, rank[u]] = u
        if order[t, 0] >= 0:
            number[t, t] = 1.0
        for u in order[t]:
            if u < 0:
                break
            for k in range(offset[u], offset[u + 1]):
                if next_hop(out[k], u, link_weight, link_target, near, rank):
                    number[t, u] += number[t, link_target[out[k]]]
    return number, order


@compiled
def decomposed(
    source: int,
    aims: Any,
    offset: Any,
    out: Any,
    link_target: Any,
    rank: Any,
    path: Any,
    fan: Any,
    leads: Any,
    order: Any,
    left: Any,
    visits: Any,
) -> Any:
    """Paths of a flow that goes from `source` to each of `aims` in turn: their shares, where each
    begins in the links (and the last one ends), and the links.

    `left` [aims, places in `out`] is room, and so is `visits` [nodes], zero before and after.
    """
    begin, used = source, 0
    for a in range(aims.size):
        used += _split(
            begin, aims[a], offset, out, link_target, rank, path, fan, leads, order, left[a], visits
        )
        begin = aims[a]
    most = PORTIONS + used + 1
    share, offsets = np.empty(most), np.zeros(most + 1, np.int64)
    links = np.empty(64, np.int32)
    places, legs = links.copy(), links.copy()
    dice = np.uint64(source * order.shape[0] + aims[-1])
    count, remaining = 0, 1.0
    while remaining > DUST and count < most:
        part = min(remaining, 1.0 / PORTIONS)
        first = end = offsets[count]
        u = source
        for a in range(aims.size):
            while u != aims[a]:
                dice += STEP
                k = _drawn(path[u, aims[a]], offset[u + 1], left[a], dice)
                if left[a, k] > 0.0:  # else rounding left nothing on any link
                    part = min(part, left[a, k])
                if end == links.size:
                    links, places, legs = grown(links, end), grown(places, end), grown(legs, end)
                links[end], places[end], legs[end] = out[k], k, a
                end += 1
                u = link_target[out[k]]
        for i in range(first, end):
            rest = left[legs[i], places[i]] - part
            left[legs[i], places[i]] = rest if rest > DUST else 0.0
        share[count] = part
        remaining -= part
        count += 1
        offsets[count] = end
    return share[:count] / (1.0 - remaining), offsets[: count + 1], links


@compiled
def _split(
    source: int,
    aim: int,
    offset: Any,
    out: Any,
    link_target: Any,
    rank: Any,
    path: Any,
    fan: Any,
    leads: Any,
    order: Any,
    left: Any,
    visits: Any,
) -> Any:
    """Fill in what part of a flow from `source` to `aim` passes each place in `out`; how many
    places it passes."""
    left[:] = 0.0
    used = 0
    visits[source] = 1.0
    for r in range(rank[source, aim], 0, -1):  # farthest first: all that passes u has arrived
        u = order[aim, r]
        if visits[u] > 0.0:
            for k in range(path[u, aim], offset[u + 1]):
                if leads[k, aim]:
                    left[k] = visits[u] / fan[u, aim]
                    visits[link_target[out[k]]] += left[k]
                    used += 1
            visits[u] = 0.0
    visits[aim] = 0.0
    return used


@compiled
def _drawn(begin: int, end: int, left: Any, dice: Any) -> Any:
    """One of the places `begin` to `end`, in proportion to what is left there."""
    z = dice  # SplitMix64: Steele, Lea and Flood, Fast splittable random numbers, OOPSLA 2014
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    total = 0.0
    for k in range(begin, end):
        total += left[k]
    rest = total * float(z >> np.uint64(11)) * 2.0**-53
    found = begin
    for k in range(begin, end):
        if left[k] > 0.0:
            found = k
            rest -= left[k]
            if rest < 0.0:
                break
    return found


@compiled
def grown(a: Any, n: int) -> Any:
    """A copy with room for more than `n` entries, half as many more at least."""
    out = np.empty(max(n + 1, a.size + a.size // 2), a.dtype)
    for k in range(a.size):  # a slice assigned to takes seconds to compile
        out[k] = a[k]
    return out
