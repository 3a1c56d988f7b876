"""Load deltas: what each change of a path takes from links and puts on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.scenario.ecmp import legs_of
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario

MAX_TRIALS = 40_000_000  # entries tried without success before the rest comes as it stands


class LoadDeltas(NamedTuple):
    """The loads that changes move, sparse: those of change k are `offset[k]:offset[k + 1]`."""

    offset: NDArray[np.int64]  # [changes + 1]
    link: NDArray[np.int32]  # [entries]
    delta_bps: NDArray[np.float64]  # [entries], none of them 0


class ChangeSchedule(NamedTuple):
    """Changes one after another, with the highest utilization of the links that each loads."""

    order: NDArray[np.int64]  # [changes]
    peak: NDArray[np.float64]  # [changes]
    at: NDArray[np.int32]  # [changes], the link of the peak; -1 where nothing is loaded


def load_deltas(
    scenario: Scenario,
    after: Scenario,
    flows: NDArray[np.int64],
    segments: SegmentFlows | None = None,
) -> LoadDeltas:
    """What moving each of some flows to its paths in `after` changes on links."""
    states = scenario, after
    source, target = scenario.traffic.flow_source[flows], scenario.traffic.flow_target[flows]
    rate = scenario.traffic.flow_rate_bps[flows]
    segments = segments or SegmentFlows.of([scenario.topology], scenario.routing)
    whole, plain = True, (Steer(),)
    parts: list[tuple[NDArray[Any], ...]] = []  # the change, what moves, and how much of it
    for sign, state in zip((-1.0, 1.0), states, strict=True):
        steer = {k: state.routing.steer.get(f, plain) for k, f in enumerate(flows.tolist())}
        change, _, share, here, there = legs_of(source, target, steer)
        whole = whole and not segments.broken[0, here, there].any()
        parts.append((change, here * segments.nodes + there, sign * share * rate[change]))
        own = [(k, w.share, e) for k, paths in steer.items() for w in paths for e in w.links]
        if own:
            change, share, link = (np.array(column) for column in zip(*own, strict=True))
            parts.append((change, -1 - link, sign * share * rate[change]))
    if scenario.routing.next_link is not None or not whole:
        return _from_paths(states, flows)
    whose, segment, moved = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(whose, kind="stable")
    bps = moved[order]
    first = np.searchsorted(whose[order], np.arange(len(flows) + 1))
    arrays = segments.offset, segments.link, segments.share, segments.links
    return LoadDeltas(*_summed(first, segment[order], bps, *arrays))


def _from_paths(states: Sequence[Scenario], flows: NDArray[np.int64]) -> LoadDeltas:
    """Load deltas by the paths that flows find, where these are broken or follow tables."""
    change, link, bps = [], [], []
    for sign, state in zip((-1.0, 1.0), states, strict=True):
        paths = resolve(state.routing.keep(flows), state.topology, state.traffic.keep(flows))
        rate = state.traffic.flow_rate_bps[flows]
        change.append(paths.hop_flow)
        link.append(-1 - paths.links.astype(np.int64))
        bps.append(sign * paths.share[paths.hop_path] * rate[paths.hop_flow])
    whose = np.concatenate(change)
    order = np.argsort(whose, kind="stable")
    first = np.searchsorted(whose[order], np.arange(len(flows) + 1))
    none = np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32)
    count = states[0].topology.link_count
    loads = np.concatenate(bps)[order]
    return LoadDeltas(*_summed(first, np.concatenate(link)[order], loads, *none, count))


@compiled
def _summed(
    first: Any, segment: Any, bps: Any, offset: Any, link: Any, share: Any, links: int
) -> Any:
    """Sum what each change has: whole segments, or single links as -1 - link."""
    added, marked = np.zeros(links), np.zeros(links, np.bool_)
    touched = np.empty(links, np.int32)
    begin = np.zeros(first.size, np.int64)
    room = 16 * first.size
    out_link, out_bps = np.empty(room, np.int32), np.empty(room)
    size = 0
    for k in range(first.size - 1):
        count, most = 0, 0.0
        for i in range(first[k], first[k + 1]):
            alone = segment[i] < 0
            low = 0 if alone else offset[segment[i]]
            high = 1 if alone else offset[segment[i] + 1]
            for j in range(low, high):
                e = -1 - segment[i] if alone else link[j]
                if not marked[e]:
                    marked[e] = True
                    touched[count] = e
                    count += 1
                added[e] += bps[i] if alone else bps[i] * share[j]
            most = max(most, abs(bps[i]))
        if size + count > room:
            room = 2 * room + count
            grown_link, grown_bps = np.empty(room, np.int32), np.empty(room)
            grown_link[:size], grown_bps[:size] = out_link[:size], out_bps[:size]
            out_link, out_bps = grown_link, grown_bps
        for n in range(count):
            e = touched[n]
            if abs(added[e]) > 1e-9 * most:  # the rest is rounding
                out_link[size], out_bps[size] = e, added[e]
                size += 1
            added[e], marked[e] = 0.0, False
        begin[k + 1] = size
    return begin, out_link[:size], out_bps[:size]


def in_turn(
    moved: LoadDeltas,
    load_bps: NDArray[np.float64],
    capacity_bps: NDArray[np.float64],
    ceiling: float,
) -> ChangeSchedule:
    """An order in which each change keeps the links that it loads under a ceiling, as long as any
    does; else the least bad comes next."""
    load = np.array(load_bps, np.float64)
    capacity = np.array(capacity_bps, np.float64)
    return ChangeSchedule(*_in_turn(*moved, load, capacity, ceiling, MAX_TRIALS))


@compiled
def _in_turn(
    offset: Any, link: Any, delta: Any, load: Any, capacity: Any, ceiling: float, looks: int
) -> Any:
    count = offset.size - 1
    order, peaks = np.empty(count, np.int64), np.empty(count)
    at = np.empty(count, np.int32)
    left = np.arange(count)
    size, done, looked = count, 0, 0
    while size > 0:
        kept, least, best = 0, np.inf, 0
        for n in range(size):
            k = left[n]
            peak, where = 0.0, -1
            for i in range(offset[k], offset[k + 1]):
                used = (load[link[i]] + delta[i]) / capacity[link[i]]
                if delta[i] > 0.0 and used > peak:
                    peak, where = used, link[i]
            looked += offset[k + 1] - offset[k]
            if peak <= ceiling or looked > looks:
                order[done], peaks[done], at[done] = k, peak, where
                done += 1
                for i in range(offset[k], offset[k + 1]):
                    load[link[i]] += delta[i]
            else:
                if peak < least:
                    least, best = peak, kept
                left[kept] = k
                kept += 1
        if kept == size:  # none was possible: the least bad, whose turn may open others'
            k = left[best]
            peak, where = 0.0, -1
            for i in range(offset[k], offset[k + 1]):
                load[link[i]] += delta[i]
                if delta[i] > 0.0 and load[link[i]] / capacity[link[i]] > peak:
                    peak, where = load[link[i]] / capacity[link[i]], link[i]
            order[done], peaks[done], at[done] = k, peak, where
            done += 1
            for n in range(best, kept - 1):
                left[n] = left[n + 1]
            kept -= 1
        size = kept
    return order, peaks, at
