"""Conservation: at each node, what comes in goes out: links in and what enters from outside equal
links out and what leaves. It fills in what one counter of a node misses, and tells how noisy the
counters are and which contradict one another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nettwin import units
from nettwin.apps.demands.equations import Equations, Floats

MIN_NOISE = 1e-4  # of a counter
TOLERANCE = 0.05  # of a node's traffic, from which an imbalance is told
MAX_LINES = 20


class Balanced(NamedTuple):
    """Counters with what balances fill in, how noisy they are, and what contradicts itself."""

    measured_bps: Floats
    noise: float  # standard deviation over value
    filled: list[str]  # names of counters
    findings: list[str]


def balanced(equations: Equations) -> Balanced:
    """Look at the balance of each node."""
    topology = equations.scenario.topology
    values = equations.measured_bps.copy()
    links, nodes = topology.link_count, topology.node_count
    sign = np.zeros((nodes, values.shape[1]))
    sign[topology.link_target, np.arange(links)] = 1.0
    sign[topology.link_source, np.arange(links)] = -1.0
    sign[np.arange(nodes), links + np.arange(nodes)] = 1.0
    sign[np.arange(nodes), links + nodes + np.arange(nodes)] = -1.0
    noise, findings = _noise(equations, sign)
    findings += _above_capacity(equations)
    missing = np.isnan(values)
    open_ = missing.copy()
    for _ in range(nodes):  # what is filled in at a node may be the last one of its neighbor
        unknown = open_.astype(np.int64) @ (sign != 0).T  # [times, nodes]
        times, node = np.nonzero(unknown == 1)
        if not len(times):
            break
        gap = np.nan_to_num(values) @ sign.T
        column = np.argmax(open_[times] & (sign[node] != 0), axis=1)
        values[times, column] = np.maximum(-gap[times, node] * sign[node, column], 0.0)
        open_[times, column] = False
    names = equations.names
    filled = [names[k] for k in np.flatnonzero((missing & ~open_).any(axis=0))]
    return Balanced(values, noise, filled, findings)


def _noise(equations: Equations, sign: Floats) -> tuple[float, list[str]]:
    """The noise of counters, from the balances of nodes whose counters are all there."""
    values = equations.measured_bps
    known = ~(np.isnan(values) @ (sign != 0).T)  # [times, nodes]
    have = np.nan_to_num(values)
    gap = have @ sign.T
    size = np.sqrt(have**2 @ (sign != 0).T)
    through = have @ (sign > 0).T
    used = known & (size > 0)
    if not used.any():
        return 0.01, []
    ratio = np.abs(gap[used] / size[used])
    noise = max(float(np.median(ratio)) / 0.6745, MIN_NOISE)
    findings = []
    part = np.where(known & (through > 0), np.abs(gap) / np.maximum(through, 1e-300), 0.0)
    worst = part.mean(axis=0)
    limit = max(TOLERANCE, 4 * noise)
    for node in np.argsort(-worst)[:MAX_LINES]:
        if worst[node] <= limit:
            break
        time = int(np.argmax(part[:, node]))
        comes = through[time, node]
        findings.append(
            f"node {equations.scenario.topology.node_name[node]}: {units.rate(comes)} comes in and"
            f" {units.rate(comes - gap[time, node])} goes out in interval {time + 1}, off by"
            f" {units.percent(float(worst[node]))} on average. Check its counters, or give those"
            " that are missing."
        )
    return noise, findings


def _above_capacity(equations: Equations) -> list[str]:
    """Links that carry more than they can."""
    topology = equations.scenario.topology
    link_bps, _, _ = equations.parts(equations.measured_bps)
    most = np.where(np.isnan(link_bps), 0.0, link_bps).max(axis=0, initial=0.0)
    over = most > topology.link_capacity_bps * 1.02
    return [
        f"link {topology.link_name[k]}: {units.rate(most[k])} was counted where the capacity is"
        f" {units.rate(topology.link_capacity_bps[k])}. Correct the network file or the counter."
        for k in np.flatnonzero(over)[:MAX_LINES]
    ]
