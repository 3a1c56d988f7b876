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

MOST_OVER = 1.0  # where `over` is cut off: what is as bad as that is chosen by nobody


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
    nodes: int,
    offset: Any,
    link: Any,
    share: Any,
    own: Any,
    added: Any,
) -> Any:
    """The fields of Candidates for a flow s -> t over m, at midpoints of the mask; `s` is none.

    `own` and `added` [states * links] are scratch, zero before and after.
    """
    room = 0
    for c in range(nodes):
        if mask[c]:
            room += _length(offset, s, c, nodes) + _length(offset, c, t, nodes)
    begin = np.zeros(nodes + 1, np.int64)
    links = np.empty(room, np.int32)
    parts, overs = np.empty(room, np.float32), np.empty(room, np.float32)
    peak, hops = np.zeros(nodes, np.float32), np.zeros(nodes, np.float32)
    _put(own, offset, link, share, s, m, nodes)
    _put(own, offset, link, share, m, t, nodes)
    size = 0
    for c in range(nodes):
        begin[c] = size
        if not mask[c]:
            continue
        _put(added, offset, link, share, s, c, nodes)
        _put(added, offset, link, share, c, t, nodes)
        peak[c] = -1.0
        for k in range(2):
            segment = s * nodes + c if k == 0 else c * nodes + t
            for i in range(offset[segment], offset[segment + 1]):
                e = link[i]
                part = added[e]
                if part == 0.0:
                    continue  # it was on the other segment too
                added[e] = 0.0
                carried = max(load[e] - rate * own[e], 0.0) + rate * part
                over = min(carried / capacity[e] / highest - 1.0, MOST_OVER)
                links[size] = e
                parts[size], overs[size] = part * unit_bps / capacity[e], over
                peak[c] = max(peak[c], np.float32(over))
                hops[c] += part
                size += 1
    begin[nodes] = size
    _put(own, offset, link, share, s, m, nodes, True)
    _put(own, offset, link, share, m, t, nodes, True)
    return begin, links[:size], parts[:size], overs[:size], peak, hops


@compiled
def _length(offset: Any, a: int, b: int, nodes: int) -> Any:
    return offset[a * nodes + b + 1] - offset[a * nodes + b]


@compiled
def _put(
    on: Any, offset: Any, link: Any, share: Any, a: int, b: int, nodes: int, clear: bool = False
) -> None:
    """Add the shares of a segment to links, or clear them; nothing from a node to itself."""
    for i in range(offset[a * nodes + b], offset[a * nodes + b + 1]):
        on[link[i]] = 0.0 if clear else on[link[i]] + share[i]


@compiled
def costs(offset: Any, link: Any, part: Any, over: Any, price: Any, steep: Any) -> Any:
    """What each candidate costs at prices [links, channels]. [nodes, channels]"""
    cost = np.zeros((offset.size - 1, steep.size), np.float32)
    for c in range(offset.size - 1):
        for i in range(offset[c], offset[c + 1]):
            for d in range(steep.size):
                cost[c, d] += part[i] * price[link[i], d] * np.exp(steep[d] * over[i])
    return cost
