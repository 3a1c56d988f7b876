"""Candidates: what each midpoint of a demand would put on links, and what that costs.

The flow is taken off its links first, so that staying is one candidate among the others. A price of
channel d on link e grows with what the link would then carry:

    cost[c, d] = sum over links e of part[c, e] * price[e, d] * exp(steep[d] * over[c, e])

where `over` is the utilization of e with the flow on it over the highest one today, less 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.problems.failover import Failover, add_over_midpoint

NOTHING = 1e-9  # a share that is only rounding
MAX_OVER = 1.0  # where `over` is cut off: what is as bad as that is chosen by nobody


class Candidates(NamedTuple):
    """The links of every candidate: those of midpoint c are at `offset[c]:offset[c + 1]`."""

    offset: NDArray[np.int64]  # [nodes + 1]
    link: NDArray[np.int32]  # [entries]
    part: NDArray[np.float32]  # [entries], share of the flow, times unit over capacity
    over: NDArray[np.float32]  # [entries]
    peak: NDArray[np.float32]  # [nodes], the highest `over`
    hops: NDArray[np.float32]  # [nodes]


@compiled
def gathered(
    rate: float,
    s: int,
    t: int,
    m: int,
    mask: Any,
    load: Any,
    capacity: Any,
    highest: float,
    unit_bps: float,
    failover: Failover,
    own: Any,
    added: Any,
) -> Any:
    """The fields of Candidates for a flow s -> t over m, at midpoints of the mask; `s` is none.

    `own` and `added` [states * links] are scratch, zero before and after.
    """
    nodes, plain = failover.nodes, s * failover.nodes + t
    activates = failover.state.size > 0
    room = 0
    for c in range(nodes):
        if mask[c]:
            room += _length(failover, s * nodes + c) + _length(failover, c * nodes + t)
            room += _length(failover, plain) if activates else 0
    begin = np.zeros(nodes + 1, np.int64)
    links = np.empty(room, np.int32)
    parts, overs = np.empty(room, np.float32), np.empty(room, np.float32)
    peak, hops = np.zeros(nodes, np.float32), np.zeros(nodes, np.float32)
    add_over_midpoint(own, 1.0, s, m, t, failover)
    size = 0
    for c in range(nodes):
        begin[c] = size
        if not mask[c]:
            continue
        add_over_midpoint(added, 1.0, s, c, t, failover)
        peak[c] = -1.0
        for k in range(3 if activates else 2):  # the plain path too, where some states take it
            segment = s * nodes + c if k == 0 else c * nodes + t if k == 1 else plain
            for i in range(failover.offset[segment], failover.offset[segment + 1]):
                e = failover.link[i]
                part = added[e]
                added[e] = 0.0
                if part < NOTHING:
                    continue  # it was on the other segment too, or is given up after a failure
                carried = max(load[e] - rate * own[e], 0.0) + rate * part
                over = min(carried / capacity[e] / highest - 1.0, MAX_OVER)
                links[size] = e
                parts[size], overs[size] = part * unit_bps / capacity[e], over
                peak[c] = max(peak[c], np.float32(over))
                hops[c] += part
                size += 1
    begin[nodes] = size
    for segment in (s * nodes + m, m * nodes + t, plain):
        for i in range(failover.offset[segment], failover.offset[segment + 1]):
            own[failover.link[i]] = 0.0
    return begin, links[:size], parts[:size], overs[:size], peak, hops


@compiled
def _length(failover: Failover, segment: int) -> Any:
    return failover.offset[segment + 1] - failover.offset[segment]


@compiled
def costs(offset: Any, link: Any, part: Any, over: Any, price: Any, steep: Any) -> Any:
    """What each candidate costs at prices [links, channels]. [nodes, channels]"""
    cost = np.zeros((offset.size - 1, steep.size), np.float32)
    for c in range(offset.size - 1):
        for i in range(offset[c], offset[c + 1]):
            for d in range(steep.size):
                cost[c, d] += part[i] * price[link[i], d] * np.exp(steep[d] * over[i])
    return cost
