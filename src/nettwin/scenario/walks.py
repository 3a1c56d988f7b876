"""Walks: the compiled loops that follow every flow from hop to hop."""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled
from nettwin.scenario.shortest import TIE
from nettwin.scenario.splits import LISTED, decomposed, grown


@compiled
def next_hops(
    distance: Any, rank: Any, offset: Any, out: Any, link_target: Any, link_weight: Any
) -> Any:
    """The place in `out` of the first link on a shortest path, behind those of the node if there is
    none, and how many there are [node, target]; and whether each place in `out` is such a link
    [place, target]."""
    leads = np.zeros((out.size, distance.shape[1]), np.bool_)
    path = np.empty(distance.shape, np.int32)
    fan = np.zeros(distance.shape, np.int32)
    for u in range(distance.shape[0]):
        path[u] = offset[u + 1]
        for k in range(offset[u], offset[u + 1]):
            for t in range(distance.shape[1]):
                if _leads(out[k], u, t, link_weight, link_target, distance, rank):
                    if fan[u, t] == 0:
                        path[u, t] = k
                    fan[u, t] += 1
                    leads[k, t] = True
    return path, fan, leads


@compiled
def _leads(
    e: int, u: int, t: int, link_weight: Any, link_target: Any, distance: Any, rank: Any
) -> Any:
    """What `next_hop` says of target t, from arrays [node, target]."""
    v = link_target[e]
    gap = abs(link_weight[e] + distance[v, t] - distance[u, t])
    return rank[v, t] < rank[u, t] and gap <= TIE * distance[u, t]


@compiled
def enumerate_paths(
    flow_source: Any,
    flow_target: Any,
    midpoint_offset: Any,
    midpoints: Any,
    offset: Any,
    out: Any,
    link_target: Any,
    distance: Any,
    rank: Any,
    candidate: Any,
    fan: Any,
    leads: Any,
    number: Any,
    order: Any,
    node_up: Any,
    ecmp: bool,
    table: Any,
) -> Any:
    """Walk along the next-hop edges of each flow, depth first.

    `distance[u, t]` is that from u to t, and `rank`, `path`, `fan` and `number` alike. A walk aims
    at each midpoint in turn, then at the target; at each node it branches over the next-hop edges,
    its share divided evenly. A flow of more than LISTED paths gets those of `decomposed`.
    """
    flows = flow_source.size
    use_table = table.shape[0] > 0
    path_flow = np.empty(flows + 16, np.int64)
    share = np.empty(flows + 16, np.float64)
    link_offset = np.zeros(flows + 17, np.int64)
    links = np.empty(4 * flows + 64, np.int32)
    status = np.zeros(flows, np.int8)
    fallback = np.zeros(flows, np.bool_)
    paths, hops = 0, 0
    nodes = node_up.size
    most = 1  # aims of a walk; each leg visits a node once at most
    for f in range(flows):
        most = max(most, midpoint_offset[f + 1] - midpoint_offset[f] + 1)
    aims = np.empty(most, np.int32)
    edge = np.empty(nodes * most, np.int32)
    cursor = np.empty(edge.size + 1, np.int64)
    at = np.empty(edge.size + 1, np.int32)
    aim_at = np.empty(edge.size + 1, np.int32)
    part = np.empty(edge.size + 1, np.float64)
    left = np.empty((most, out.size))
    visits = np.zeros(nodes)
    for f in range(flows):
        s, t = flow_source[f], flow_target[f]
        if not node_up[s] or not node_up[t]:
            status[f] = 4
            continue
        n_aims = 0
        broken = False
        u = s
        for k in range(midpoint_offset[f], midpoint_offset[f + 1]):
            m = midpoints[k]
            if distance[u, m] == np.inf:
                broken = True
            if m != u:
                aims[n_aims] = m
                n_aims += 1
            u = m
        if distance[u, t] == np.inf:
            broken = True
        if broken:
            fallback[f] = midpoint_offset[f + 1] > midpoint_offset[f]
            n_aims = 0
        if n_aims == 0 or aims[n_aims - 1] != t:
            aims[n_aims] = t
            n_aims += 1
        if distance[s, t] == np.inf:
            status[f] = 1
            continue
        if use_table and n_aims == 1:
            u = s
            k = 0
            start = hops
            while u != t:
                e = table[u, t]
                if e < 0:
                    status[f] = 2
                    break
                if k >= nodes:
                    status[f] = 3
                    break
                if hops >= links.size:
                    links = grown(links, hops + 1)
                links[hops] = e
                hops += 1
                k += 1
                u = link_target[e]
            if status[f] != 0:
                hops = start
                continue
            if paths >= share.size:
                share = grown(share, paths + 1)
                path_flow = grown(path_flow, paths + 1)
            if paths + 1 >= link_offset.size:
                link_offset = grown(link_offset, paths + 2)
            path_flow[paths] = f
            share[paths] = 1.0
            paths += 1
            link_offset[paths] = hops
            continue
        candidates = 1.0
        if ecmp:
            u = s
            for a in range(n_aims):
                candidates *= number[u, aims[a]]
                u = aims[a]
        if candidates > LISTED:
            shares, begins, found = decomposed(
                s, aims[:n_aims], offset, out, link_target, rank, candidate, fan, leads, order,
                left, visits,
            )  # fmt: skip
            extra, length = shares.size, begins[-1]
            if paths + extra > share.size:
                share = grown(share, paths + extra)
                path_flow = grown(path_flow, paths + extra)
            if paths + extra + 1 > link_offset.size:
                link_offset = grown(link_offset, paths + extra + 1)
            if hops + length > links.size:
                links = grown(links, hops + length)
            for k in range(extra):
                path_flow[paths + k], share[paths + k] = f, shares[k]
                link_offset[paths + k + 1] = hops + begins[k + 1]
            for k in range(length):
                links[hops + k] = found[k]
            paths += extra
            hops += length
            continue
        depth = 0
        at[0], aim_at[0], part[0], cursor[0] = s, 0, 1.0, -1
        while depth >= 0:
            u = at[depth]
            a = aim_at[depth]
            if u == aims[a]:
                a += 1
                if a == n_aims:
                    if paths >= share.size:
                        share = grown(share, paths + 1)
                        path_flow = grown(path_flow, paths + 1)
                    if paths + 1 >= link_offset.size:
                        link_offset = grown(link_offset, paths + 2)
                    if hops + depth > links.size:
                        links = grown(links, hops + depth)
                    for k in range(depth):
                        links[hops + k] = edge[k]
                    hops += depth
                    path_flow[paths] = f
                    share[paths] = part[depth]
                    paths += 1
                    link_offset[paths] = hops
                    depth -= 1
                    continue
                aim_at[depth] = a
            aim = aims[a]
            k = cursor[depth]
            if k < 0:
                k = candidate[u, aim]
                part[depth] /= max(fan[u, aim], 1) if ecmp else 1
            while k < offset[u + 1] and not leads[k, aim]:
                k += 1
            if k == offset[u + 1]:
                depth -= 1
                continue
            found = out[k]
            cursor[depth] = k + 1 if ecmp and fan[u, aim] > 1 else offset[u + 1]
            edge[depth] = found
            at[depth + 1] = link_target[found]
            aim_at[depth + 1] = a
            part[depth + 1] = part[depth]
            cursor[depth + 1] = -1
            depth += 1
    return (
        path_flow[:paths].copy(),
        share[:paths].copy(),
        link_offset[: paths + 1].copy(),
        links[:hops].copy(),
        status,
        fallback,
    )


@compiled
def queues_of_hops(table: Any, links: Any, link_offset: Any, path_class: Any) -> Any:
    """The flat queue of each hop, from a table [links, classes]. [hops]"""
    out = np.empty(links.size, np.int32)
    for p in range(path_class.size):
        for h in range(link_offset[p], link_offset[p + 1]):
            out[h] = table[links[h], path_class[p]]
    return out


@compiled
def loads_of_paths(
    flow_offset: Any, share: Any, link_offset: Any, links: Any, rate: Any, link_count: int
) -> Any:
    """The sum over flows of `rate` times the share that crosses each link. [links]"""
    out = np.zeros(link_count)
    for f in range(rate.size):
        for p in range(flow_offset[f], flow_offset[f + 1]):
            part = rate[f] * share[p]
            for h in range(link_offset[p], link_offset[p + 1]):
                out[links[h]] += part
    return out
