"""Finding paths: ECMP splits, next-hop tables, SR midpoints, explicit paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.scenario.routing import Paths, Routing, Status
from nettwin.scenario.shortest import Nearness, adjacency, nearness, next_hop
from nettwin.scenario.walks import next_hops, walk_all

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
    way, fan = next_hops(distance, rank, offset, out, topology.link_target, topology.link_weight)
    table = np.zeros((0, 0), np.int32)
    if routing.next_link is not None:
        live = np.concatenate([topology.link_live, [False]])  # entry -1, no next hop, is not live
        table = np.where(live[routing.next_link], routing.next_link, -1).astype(np.int32)
    elif routing.ecmp:
        max_paths = _affordable(topology, traffic, near, max_paths)
    else:
        table = np.where(fan > 0, np.append(out, -1)[way], -1).astype(np.int32)
    path_walk, share, link_offset, links, status, truncated, broken = walk_all(
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
