"""Finding paths: ECMP splits, next-hop tables, SR midpoints, explicit paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.scenario.routing import Paths, Routing, Status
from nettwin.scenario.shortest import TIE, Nearness, adjacency, nearness, next_hop

if TYPE_CHECKING:
    from nettwin.scenario.topology import Topology
    from nettwin.scenario.traffic import Traffic

MOST_HOPS = 16_000_000  # of all paths together


def resolve(routing: Routing, topology: Topology, traffic: Traffic, max_paths: int) -> Paths:
    """See `Routing.resolve`."""
    flows = traffic.flow_count
    offset, out = adjacency(topology)
    walk_flow, midpoint_offset, midpoints = _walks(routing, flows)
    near = nearness(topology, np.concatenate([traffic.flow_target, midpoints]))
    distance = np.ascontiguousarray(near.distance.T)  # flows from one node follow each other
    rank = np.ascontiguousarray(near.rank.T)
    way, fan = _next_hops(distance, rank, offset, out, topology.link_target, topology.link_weight)
    table = np.zeros((0, 0), np.int32)
    if routing.next_link is not None:
        live = np.concatenate([topology.link_live, [False]])  # entry -1, no next hop, is not live
        table = np.where(live[routing.next_link], routing.next_link, -1).astype(np.int32)
    elif routing.ecmp:
        max_paths = _affordable(topology, traffic, near, max_paths)
    else:
        table = np.where(fan > 0, np.append(out, -1)[way], -1).astype(np.int32)
    path_walk, share, link_offset, links, status, truncated, broken = _enumerate(
        traffic.flow_source[walk_flow],
        traffic.flow_target[walk_flow],
        midpoint_offset,
        midpoints,
        offset,
        out,
        topology.link_target,
        topology.link_weight,
        distance,
        rank,
        way,
        fan,
        topology.node_up,
        routing.ecmp,
        table,
        max_paths,
    )
    if not routing.steer:
        counts = np.bincount(path_walk, minlength=flows)
        return Paths(
            np.concatenate([[0], np.cumsum(counts)]),
            share,
            link_offset,
            links,
            status,
            truncated,
            broken,
        )
    walked = Paths(
        np.searchsorted(path_walk, np.arange(len(walk_flow) + 1)),
        share,
        link_offset,
        links,
        status,
        truncated,
        broken,
    )
    return _steered(walked, walk_flow, routing, topology, flows)


def _affordable(topology: Topology, traffic: Traffic, near: Nearness, wanted: int) -> int:
    """How many paths a flow may have, of those `wanted`, so that all together have at most
    MOST_HOPS hops, or 1."""
    ends = traffic.flow_target, traffic.flow_source
    offset, out = adjacency(topology)
    number, hops = _spread(*near, offset, out, topology.link_target, topology.link_weight)
    number, hops = number[ends], hops[ends]
    low, high = 1, wanted
    middle = wanted  # nearly always fits
    while low < high:
        fits = float((np.minimum(number, middle) * hops).sum()) <= MOST_HOPS
        low, high = (middle, high) if fits else (low, middle - 1)
        middle = (low + high + 1) // 2
    return low


@compiled
def _spread(
    dist_to: Any, rank_to: Any, offset: Any, out: Any, link_target: Any, link_weight: Any
) -> Any:
    """How many shortest paths lead from a node to a target, and the most hops. [target, node]"""
    number = np.zeros(dist_to.shape)
    hops = np.zeros(dist_to.shape, np.int32)
    nodes = dist_to.shape[0]
    order = np.empty(nodes, np.int32)
    for t in range(nodes):
        near, rank = dist_to[t], rank_to[t]
        reached = 0
        for u in range(nodes):
            if rank[u] < nodes:
                order[rank[u]] = u
                reached += 1
        if reached == 0:
            continue
        number[t, t] = 1.0
        for u in order[:reached]:
            for k in range(offset[u], offset[u + 1]):
                if next_hop(out[k], u, link_weight, link_target, near, rank):
                    v = link_target[out[k]]
                    number[t, u] += number[t, v]
                    hops[t, u] = max(hops[t, u], hops[t, v] + 1)
    return number, hops


def _walks(
    routing: Routing, flows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """One walk a flow, or one for each of its SR ways: its flow, and the midpoints flat."""
    repeat = np.ones(flows, np.int64)
    lists: dict[int, list[tuple[int, ...]]] = {}
    for flow, ways in routing.steer.items():
        lists[flow] = [w.midpoints for w in ways if not w.links] or [()]
        repeat[flow] = len(lists[flow])
    walk_flow = np.repeat(np.arange(flows), repeat)
    counts = np.zeros(len(walk_flow), np.int64)
    first = np.cumsum(repeat) - repeat
    midpoints: list[int] = []
    for flow in sorted(lists):
        for k, stops in enumerate(lists[flow]):
            counts[first[flow] + k] = len(stops)
            midpoints += stops
    offset = np.concatenate([[0], np.cumsum(counts)])
    return walk_flow, offset, np.array(midpoints, np.int32)


def _steered(
    walked: Paths, walk_flow: NDArray[np.int64], routing: Routing, topology: Topology, flows: int
) -> Paths:
    """Put the walks and explicit paths of steered flows together; broken ways are left out."""
    live = topology.link_live
    first = np.searchsorted(walk_flow, np.arange(flows))
    status = walked.status[first].copy()
    whole = (walked.status == Status.OK) & ~walked.fallback
    fallback = np.zeros(flows, np.bool_)
    keep_walk = np.ones(len(walk_flow), np.bool_)
    walk_share = np.ones(len(walk_flow))
    extra_flow: list[int] = []
    extra_share: list[float] = []
    extra_links: list[tuple[int, ...]] = []
    for flow, ways in routing.steer.items():
        if status[flow] == Status.DOWN:
            continue
        walk = int(first[flow])
        sr = [w for w in ways if not w.links]
        good_sr = np.flatnonzero(whole[walk : walk + len(sr)]).tolist()
        good_links = [w for w in ways if w.links and live[list(w.links)].all()]
        total = sum(sr[i].share for i in good_sr) + sum(w.share for w in good_links)
        walks = max(len(sr), 1)
        keep_walk[walk : walk + walks] = False
        if total == 0:  # every way is broken: the first walk went the common way
            keep_walk[walk] = True
            fallback[flow] = True
            continue
        for i in good_sr:
            keep_walk[walk + i], walk_share[walk + i] = True, sr[i].share / total
        for w in good_links:
            extra_flow.append(flow)
            extra_share.append(w.share / total)
            extra_links.append(w.links)
        status[flow] = Status.OK
    keep = keep_walk[walked.path_flow]
    lengths = np.concatenate(
        [
            np.diff(walked.link_offset)[keep],
            np.array([len(k) for k in extra_links], np.int64),
        ]
    )
    hops = np.concatenate(
        [
            walked.links[np.repeat(keep, np.diff(walked.link_offset))],
            np.array([k for path in extra_links for k in path], np.int32),
        ]
    )
    owner = np.concatenate([walk_flow[walked.path_flow[keep]], np.array(extra_flow, np.int64)])
    share = np.concatenate(
        [
            (walked.share * walk_share[walked.path_flow])[keep],
            np.array(extra_share, np.float64),
        ]
    )
    order = np.argsort(owner, kind="stable")
    begin = (np.cumsum(lengths) - lengths)[order]
    lengths = lengths[order]
    end = np.cumsum(lengths)
    gather = np.arange(int(lengths.sum())) + np.repeat(begin - (end - lengths), lengths)
    truncated = np.zeros(flows, np.bool_)
    np.logical_or.at(truncated, walk_flow, walked.truncated & keep_walk)
    return Paths(
        flow_offset=np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=flows))]),
        share=share[order],
        link_offset=np.concatenate([[0], end]),
        links=hops[gather],
        status=status,
        truncated=truncated,
        fallback=fallback,
    )


@compiled
def _grown_f(a: Any, n: int) -> Any:
    out = np.empty(max(n, a.size + a.size // 2), a.dtype)
    out[: a.size] = a
    return out


@compiled
def _next_hops(
    distance: Any, rank: Any, offset: Any, out: Any, link_target: Any, link_weight: Any
) -> Any:
    """The place in `out` of the first link on a shortest way, behind those of the node if there is
    none, and how many there are. [node, target]"""
    way = np.empty(distance.shape, np.int32)
    fan = np.zeros(distance.shape, np.int32)
    for u in range(distance.shape[0]):
        way[u] = offset[u + 1]
        for k in range(offset[u], offset[u + 1]):
            for t in range(distance.shape[1]):
                if _leads(out[k], u, t, link_weight, link_target, distance, rank):
                    if fan[u, t] == 0:
                        way[u, t] = k
                    fan[u, t] += 1
    return way, fan


@compiled
def _leads(
    e: int, u: int, t: int, link_weight: Any, link_target: Any, distance: Any, rank: Any
) -> Any:
    """What `next_hop` says of target t, from arrays [node, target]."""
    v = link_target[e]
    gap = abs(link_weight[e] + distance[v, t] - distance[u, t])
    return rank[v, t] < rank[u, t] and gap <= TIE * distance[u, t]


@compiled
def _enumerate(
    flow_source: Any,
    flow_target: Any,
    midpoint_offset: Any,
    midpoints: Any,
    offset: Any,
    out: Any,
    link_target: Any,
    link_weight: Any,
    distance: Any,
    rank: Any,
    way: Any,
    fan: Any,
    node_up: Any,
    ecmp: bool,
    table: Any,
    max_paths: int,
) -> Any:
    """Depth-first walk along the next-hop edges of each flow.

    `distance[u, t]` is that from u to t, and `rank`, `way` and `fan` alike. A walk aims at each
    midpoint in turn, then at the target; at each node it branches over the next-hop edges, its
    share divided evenly.
    """
    flows = flow_source.size
    use_table = table.shape[0] > 0
    path_flow = np.empty(flows + 16, np.int64)
    share = np.empty(flows + 16, np.float64)
    link_offset = np.zeros(flows + 17, np.int64)
    links = np.empty(4 * flows + 64, np.int32)
    status = np.zeros(flows, np.int8)
    truncated = np.zeros(flows, np.bool_)
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
                    links = _grown_f(links, hops + 1)
                links[hops] = e
                hops += 1
                k += 1
                u = link_target[e]
            if status[f] != 0:
                hops = start
                continue
            if paths >= share.size:
                share = _grown_f(share, paths + 1)
                path_flow = _grown_f(path_flow, paths + 1)
            if paths + 1 >= link_offset.size:
                link_offset = _grown_f(link_offset, paths + 2)
            path_flow[paths] = f
            share[paths] = 1.0
            paths += 1
            link_offset[paths] = hops
            continue
        first = paths
        depth = 0
        at[0], aim_at[0], part[0], cursor[0] = s, 0, 1.0, -1
        while depth >= 0:
            u = at[depth]
            a = aim_at[depth]
            if u == aims[a]:
                a += 1
                if a == n_aims:
                    if paths - first >= max_paths:
                        truncated[f] = True
                        break
                    if paths >= share.size:
                        share = _grown_f(share, paths + 1)
                        path_flow = _grown_f(path_flow, paths + 1)
                    if paths + 1 >= link_offset.size:
                        link_offset = _grown_f(link_offset, paths + 2)
                    if hops + depth > links.size:
                        links = _grown_f(links, hops + depth)
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
                k = way[u, aim]
                part[depth] /= max(fan[u, aim], 1) if ecmp else 1
            while k < offset[u + 1] and not _leads(
                out[k], u, aim, link_weight, link_target, distance, rank
            ):
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
        if truncated[f]:
            total = 0.0
            for p in range(first, paths):
                total += share[p]
            for p in range(first, paths):
                share[p] /= total
    return (
        path_flow[:paths].copy(),
        share[:paths].copy(),
        link_offset[: paths + 1].copy(),
        links[:hops].copy(),
        status,
        truncated,
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
