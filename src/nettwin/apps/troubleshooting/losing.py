"""Losing: traffic that does not reach its target, as flows that end where it is lost.

Part of a Poisson flow, drawn packet by packet, is a Poisson flow: what is lost after a hop loads
the links up to there like a flow that ends there, and what survives loads all links like a flow of
a lower rate. So a network that loses packets is a Scenario like any other, for any NetworkModel.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nettwin.quantity import frozen
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.traffic import Traffic, concatenate

Floats = NDArray[np.float64]
LEAST_SHARE = 1e-9


def losing(scenario: Scenario, lost: Floats, *, sent: bool, flows: int) -> Scenario:
    """The scenario in which each hop of its paths loses the part `lost` [hops] of what reaches it:
    once it is `sent` on the link, or before. Only the first `flows` of its flows lose packets; what
    they lose are new flows behind all others."""
    paths, traffic = scenario.paths, scenario.traffic
    hit = np.unique(paths.hop_path[(lost > 0) & (paths.hop_flow < flows)])
    if not len(hit):
        return scenario
    rate = traffic.flow_rate_bps.copy()
    survives = np.ones(paths.path_count)
    ghosts: dict[tuple[tuple[int, ...], int, int, int], float] = defaultdict(float)
    for p in hit.tolist():
        flow = int(paths.path_flow[p])
        first, last = int(paths.link_offset[p]), int(paths.link_offset[p + 1])
        left = 1.0
        for hop in np.flatnonzero(lost[first:last] > 0).tolist():
            gone = left * float(lost[first + hop])
            left -= gone
            prefix = tuple(paths.links[first : first + hop + sent].tolist())
            if prefix and gone > LEAST_SHARE:
                key = (
                    prefix,
                    int(traffic.flow_class[flow]),
                    int(traffic.flow_size[flow]),
                    int(traffic.flow_arrival[flow]),
                )
                ghosts[key] += gone * float(paths.share[p]) * float(rate[flow])
        survives[p] = left
    return _with_ghosts(scenario, hit, survives, ghosts)


def _with_ghosts(
    scenario: Scenario,
    hit: NDArray[np.int32],
    survives: Floats,
    ghosts: dict[tuple[tuple[int, ...], int, int, int], float],
) -> Scenario:
    paths, traffic, topology = scenario.paths, scenario.traffic, scenario.topology
    rate, steer = traffic.flow_rate_bps.copy(), dict(scenario.routing.steer)
    for flow in np.unique(paths.path_flow[hit]).tolist():
        span = slice(int(paths.flow_offset[flow]), int(paths.flow_offset[flow + 1]))
        kept = paths.share[span] * survives[span]
        total = float(kept.sum())
        rate[flow] *= total
        if total > LEAST_SHARE and len(kept) > 1 and np.ptp(survives[span]) > LEAST_SHARE:
            steer[flow] = _steers(scenario, span.start, kept / total)
    count = traffic.flow_count
    traffic = traffic.with_arrays(flow_rate_bps=rate)
    keys = [(key, bps) for key, bps in ghosts.items() if bps > 0]
    if keys:
        ends = [(key[0][0], key[0][-1]) for key, _ in keys]
        more = Traffic(
            class_name=traffic.class_name,
            flow_source=frozen([topology.link_source[a] for a, _ in ends], np.int32),
            flow_target=frozen([topology.link_target[b] for _, b in ends], np.int32),
            flow_class=frozen([key[1] for key, _ in keys], np.int32),
            flow_rate_bps=frozen([bps for _, bps in keys], np.float64),
            sizes=traffic.sizes,
            flow_size=frozen([key[2] for key, _ in keys], np.int32),
            arrivals=traffic.arrivals,
            flow_arrival=frozen([key[3] for key, _ in keys], np.int32),
        )
        steer |= {count + i: (Steer(links=key[0]),) for i, (key, _) in enumerate(keys)}
        traffic = concatenate(traffic, more)
    routing = replace(scenario.routing, steer=steer)
    return scenario.with_(traffic=traffic, routing=routing)


def _steers(scenario: Scenario, first: int, share: Floats) -> tuple[Steer, ...]:
    """Paths from one on, with shares of their own."""
    paths = scenario.paths
    return tuple(
        Steer(
            links=tuple(paths.links[paths.link_offset[p] : paths.link_offset[p + 1]].tolist()),
            share=float(part),
        )
        for p, part in enumerate(share, start=first)
        if part > LEAST_SHARE
    )


def resplit(scenario: Scenario, share: Floats) -> Scenario:
    """The scenario whose flows take their paths with other shares [paths], 1 together a flow."""
    paths = scenario.paths
    moved = np.unique(paths.path_flow[np.abs(share - paths.share) > LEAST_SHARE])
    steer = dict(scenario.routing.steer)
    for flow in moved.tolist():
        span = slice(int(paths.flow_offset[flow]), int(paths.flow_offset[flow + 1]))
        steer[flow] = _steers(scenario, span.start, share[span] / share[span].sum())
    return scenario.with_(routing=replace(scenario.routing, steer=steer))
