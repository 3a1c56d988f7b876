"""Finding paths: ECMP splits, next-hop tables, SR midpoints, explicit paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.paths import Paths, Status
from nettwin.scenario.shortest import adjacency, shortest_path_distances
from nettwin.scenario.splits import spread
from nettwin.scenario.walks import enumerate_paths, next_hops

if TYPE_CHECKING:
    from nettwin.scenario.routing import Routing
    from nettwin.scenario.topology import Topology
    from nettwin.scenario.traffic import Traffic


def resolve(routing: Routing, topology: Topology, traffic: Traffic) -> Paths:
    """Find every flow's paths on the elements that are up.

    A flow that splits over many paths gets fewer, which load every link alike (see `splits`).
    """
    flows = traffic.flow_count
    offset, out = adjacency(topology)
    walk_flow, midpoint_offset, midpoints = _walks(routing, flows)
    near = shortest_path_distances(topology, np.concatenate([traffic.flow_target, midpoints]))
    distance = np.ascontiguousarray(near.distance.T)  # flows from one node follow each other
    rank = np.ascontiguousarray(near.rank.T)
    path, fan, leads = next_hops(
        distance, rank, offset, out, topology.link_target, topology.link_weight
    )
    number, order = spread(*near, offset, out, topology.link_target, topology.link_weight)
    table = np.zeros((0, 0), np.int32)
    if routing.next_link is not None:
        live = np.concatenate([topology.link_live, [False]])  # entry -1, no next hop, is not live
        table = np.where(live[routing.next_link], routing.next_link, -1).astype(np.int32)
    elif not routing.ecmp:
        table = np.where(fan > 0, np.append(out, -1)[path], -1).astype(np.int32)
    path_walk, share, link_offset, links, status, broken = enumerate_paths(
        traffic.flow_source[walk_flow],
        traffic.flow_target[walk_flow],
        midpoint_offset,
        midpoints,
        offset,
        out,
        topology.link_target,
        distance,
        rank,
        path,
        fan,
        leads,
        np.ascontiguousarray(number.T),
        order,
        topology.node_up,
        routing.ecmp,
        table,
    )
    if not routing.steer:
        counts = np.bincount(path_walk, minlength=flows)
        return Paths(
            np.concatenate([[0], np.cumsum(counts)]),
            share,
            link_offset,
            links,
            status,
            broken,
        )
    walked = Paths(
        np.searchsorted(path_walk, np.arange(len(walk_flow) + 1)),
        share,
        link_offset,
        links,
        status,
        broken,
    )
    return _steered(walked, walk_flow, routing, topology, flows)


def _walks(
    routing: Routing, flows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """One walk a flow, or one for each of its SR paths: its flow, and the midpoints flat."""
    repeat = np.ones(flows, np.int64)
    lists: dict[int, list[tuple[int, ...]]] = {}
    for flow, paths in routing.steer.items():
        lists[flow] = [w.midpoints for w in paths if not w.links] or [()]
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
    """Put the walks and explicit paths of steered flows together; broken paths are left out."""
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
    for flow, candidates in routing.steer.items():
        if status[flow] == Status.DOWN:
            continue
        walk = int(first[flow])
        sr = [w for w in candidates if not w.links]
        good_sr = np.flatnonzero(whole[walk : walk + len(sr)]).tolist()
        good_links = [w for w in candidates if w.links and live[list(w.links)].all()]
        total = sum(sr[i].share for i in good_sr) + sum(w.share for w in good_links)
        walks = max(len(sr), 1)
        keep_walk[walk : walk + walks] = False
        if total == 0:  # every path is broken: the first walk went the common path
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
    return Paths(
        flow_offset=np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=flows))]),
        share=share[order],
        link_offset=np.concatenate([[0], end]),
        links=hops[gather],
        status=status,
        fallback=fallback,
    )
