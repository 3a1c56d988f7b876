"""Probes: what was measured between two nodes, as delays of paths on a regular grid of time.

A one-way delay is the mean of the probes of an interval, as sure as its standard error. Of a round
trip alone each direction has at least what its path takes without any queue, by the network's
links, and of the rest half; its bounds are that it has none of the rest, or all.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.scenario.fractions import routing_fractions
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.counters import in_order
from nettwin.telemetry.findings import Findings
from nettwin.telemetry.ports import Names, NodeNames
from nettwin.telemetry.series import Series

Floats = NDArray[np.float64]
Pair = tuple[int, int]
QUANTITIES = ("owd_mean_s", "rtt_s", "loss_ratio")
TWO_SIDED = 1.96
INTERVAL_S = 60.0
MAX_INTERVALS = 2_000_000
MIN_ERROR = 1e-3  # of a delay: no mean of probes is surer


@dataclass(frozen=True)
class PathDelays:
    """What probes measured between pairs of nodes, in intervals that end at `time_s`; NaN where
    there were none. [intervals, pairs]"""

    time_s: Floats
    interval_s: float
    pair: tuple[Pair, ...]
    owd_mean_s: Floats
    low_s: Floats
    high_s: Floats
    loss_ratio: Floats
    findings: Findings


def path_delays(
    series: Iterable[Series],
    scenario: Scenario,
    names: Names,
    *,
    interval_s: float = 0.0,
    since_s: float = -np.inf,
    until_s: float = np.inf,
) -> PathDelays:
    """The delays between nodes that probes tell. Raises InputError where none is between two nodes
    of the network."""
    found = Findings()
    samples = _samples(series, scenario, names, found)
    times = [at for at, _ in samples.values() if len(at)]
    step = interval_s or INTERVAL_S
    begin = max(min(float(at[0]) for at in times), since_s)
    end = min(max(float(at[-1]) for at in times), until_s)
    first, last = int(np.floor(begin / step)), int(np.floor(end / step)) + 1
    if not 0 < last - first <= MAX_INTERVALS:
        raise InputError(
            f"that would be {last - first:,} intervals of {step:g} s: must be 1 to"
            f" {MAX_INTERVALS:,}. Give another interval, or another time."
        )
    edges: Floats = np.arange(first, last + 1, dtype=np.float64) * step
    floor = _floors(scenario)
    owd: dict[Pair, tuple[Floats, Floats, Floats]] = {}
    for (pair, quantity), (at, value) in samples.items():
        back = pair[::-1]
        if quantity == "rtt_s":
            mean, half = _means(at, value, edges)
            for one, other in ((pair, back), (back, pair)):
                if (one, "owd_mean_s") not in samples:
                    least = float(floor[one]), float(floor[other])
                    owd[one] = _of_round_trip(mean, half, *least)
        elif quantity == "owd_mean_s":
            mean, half = _means(at, value, edges)
            owd[pair] = (mean, np.maximum(mean - half, 0.0), mean + half)
    none = np.full(len(edges) - 1, np.nan)
    pairs = tuple(sorted({*owd, *(pair for pair, quantity in samples if quantity[0] == "l")}))
    loss = {
        pair: _means(*one, edges)[0]
        for (pair, quantity), one in samples.items()
        if quantity == "loss_ratio"
    }
    mean, low, high = (
        np.stack([owd.get(p, (none,) * 3)[k] for p in pairs], axis=1) for k in range(3)
    )
    lost = np.stack([np.clip(loss.get(p, none), 0, 1) for p in pairs], axis=1)
    return PathDelays(edges[1:], step, pairs, mean, low, high, lost, found)


def _samples(
    series: Iterable[Series], scenario: Scenario, names: Names, found: Findings
) -> dict[tuple[Pair, str], tuple[Floats, Floats]]:
    """Samples in order by the pair of nodes, without those that cannot be."""
    topology = scenario.topology
    nodes = NodeNames(topology, names.devices)
    parts: dict[tuple[Pair, str], list[Series]] = {}
    strangers: set[str] = set()
    for one in series:
        if one.quantity not in QUANTITIES:
            continue
        ends = [nodes.find(name) for name in one.port]
        for name, node in zip(one.port, ends, strict=True):
            if node is None and name not in strangers:
                strangers.add(name)
                near = difflib.get_close_matches(name, topology.node_name, 3, 0.5)
                words = f"{name} is no node" + (f"; near: {', '.join(near)}" if near else "")
                found.add("probe_unmatched", one.port, 1, words)
        if None not in ends and ends[0] != ends[1]:
            pair = (int(ends[0] or 0), int(ends[1] or 0))
            parts.setdefault((pair, one.quantity), []).append(one)
    samples = {}
    for (pair, quantity), mine in parts.items():
        at, value, counts = in_order(
            np.concatenate([one.time_s for one in mine]),
            np.concatenate([one.value for one in mine]),
        )
        where = f"{topology.node_name[pair[0]]}->{topology.node_name[pair[1]]} {quantity}"
        counts.pop("conflict")  # two probes of one time are two probes
        found.counts(where, counts)
        negative = value < 0
        found.add("probe_negative", where, int(np.count_nonzero(negative)))
        if not negative.all():
            samples[pair, quantity] = at[~negative], value[~negative]
    if not samples:
        first = found.found[0].detail if found.found else "the source has no samples of that time"
        raise InputError(
            f"no probe is between two nodes of the network: {first}. Name its hosts under devices."
        )
    return samples


def _means(time_s: Floats, value: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """The mean of each interval, and half its 95 % interval. NaN where there are no samples, or one
    alone of all. [intervals] each"""
    count = len(edges) - 1
    place = np.searchsorted(edges, time_s, side="right") - 1
    inside = (place >= 0) & (place < count)
    place, value = place[inside], value[inside]
    number = np.bincount(place, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(place, value, count) / number
        # what is usual for the pair stands for the spread of an interval, which may have one probe
        spare = len(value) - int(np.count_nonzero(number))
        if spare:
            spread = float(np.sqrt(((value - mean[place]) ** 2).sum() / spare))
        else:
            spread = float(np.std(value, ddof=1)) if len(value) > 1 else np.nan
        half = TWO_SIDED * np.sqrt(spread**2 / number + (MIN_ERROR * mean) ** 2)
    return mean, np.where(number > 0, half, np.nan)


def _of_round_trip(
    mean: Floats, half: Floats, floor: float, back: float
) -> tuple[Floats, Floats, Floats]:
    """A direction's delay, and its bounds, by the round trip and what both directions take at
    least."""
    both = floor + back
    share = floor / both if both > 0 else 0.5
    waits = np.maximum(mean - both, 0.0)
    least = np.minimum(floor, mean * share)  # where it is faster than the network's links say
    wide = np.nan_to_num(half, nan=0.0)
    return least + waits / 2, np.maximum(least - wide, 0.0), least + waits + wide


def _floors(scenario: Scenario) -> Floats:
    """What the path of each pair takes without any queue: propagation. [nodes, nodes]"""
    nodes = scenario.topology.node_count
    fractions = routing_fractions(scenario)
    floor = np.zeros((nodes, nodes))
    floor[fractions.source, fractions.target] = fractions.link.T @ scenario.topology.link_delay_s
    return floor
