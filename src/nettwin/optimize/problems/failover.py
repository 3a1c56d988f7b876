"""Failover: the path of an SR flow while a segment of its own path is broken.

As the headend of a real network does, it activates the plain path: the segment from source to
target, or none where that is broken too. The load of a path is then the sum of its
segments, and in those states the plain segment in their place. After the failure of a node that is
so for all flows over it as a midpoint, and for all that begin or end there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled, kernel

NONE = -1  # no midpoint


class Failover(NamedTuple):
    """Segments as kernels take them: those of a SegmentFlows, and where they are broken.

    The states in which the segment from a to b is broken are `state[begin[a * nodes + b]: begin[a *
    nodes + b + 1]]`.
    """

    nodes: int
    links: int  # of one state
    offset: Any  # [nodes * nodes + 1]
    link: Any  # [entries]
    share: Any  # [entries]
    broken: Any  # [states, nodes, nodes]
    begin: Any  # [nodes * nodes + 1]
    state: Any  # [broken segments]

    @property
    def needed(self) -> bool:
        """Whether any segment is broken in any state."""
        return bool(self.state.size)

    @classmethod
    def of(
        cls,
        links: int,
        offset: NDArray[np.int64],
        link: NDArray[np.int32],
        share: NDArray[np.float32],
        broken: NDArray[np.bool_],
    ) -> Failover:
        """The arrays of segments; see SegmentFlows."""
        nodes = broken.shape[1]
        segment, state = np.nonzero(broken.reshape(len(broken), -1).T)
        counts = np.bincount(segment, minlength=nodes * nodes)
        begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(nodes, links, offset, link, share, broken, begin, state.astype(np.int32))


@compiled
def activation(failover: Failover, s: int, row: Any, t: int) -> Any:
    """What the plain path, activated where a segment is broken, adds to the sum of a path's
    segments and takes from it, as parts of the entries of segments: begin, end and sign. [parts, 3]

    `row` are the midpoints of a flow s -> t, padded with NONE at the end.
    """
    many = 0
    while many < row.size and row[many] != NONE:
        many += 1
    if many == 0:
        return np.empty((0, 3), np.int64)
    room = 0
    here = s
    for k in range(many + 1):
        there = t if k == many else row[k]
        segment = here * failover.nodes + there
        room += failover.begin[segment + 1] - failover.begin[segment]
        here = there
    if room == 0:
        return np.empty((0, 3), np.int64)
    found, states = np.empty(room, np.int32), 0
    parts, count = np.empty((room * (many + 2), 3), np.int64), 0
    here = s
    for k in range(many + 1):
        there = t if k == many else row[k]
        segment = here * failover.nodes + there
        for i in range(failover.begin[segment], failover.begin[segment + 1]):
            x = failover.state[i]
            if not _among(found, states, x):
                found[states] = x
                states += 1
                count = _activated_in(failover, s, row, t, many, x, parts, count)
        here = there
    return parts[:count]


@kernel
def _among(found: Any, count: int, x: int) -> Any:
    for k in range(count):  # noqa: SIM110 as machine code
        if found[k] == x:
            return True
    return False


@compiled
def _activated_in(
    failover: Failover, s: int, row: Any, t: int, many: int, x: int, parts: Any, count: int
) -> Any:
    """The parts of one state: what its segments put there goes, the plain one comes."""
    here = s
    for k in range(many + 2):
        there = t if k >= many else row[k]
        if k == many + 1:
            here = s
        low, high = _part(failover, here * failover.nodes + there, x)
        if high > low:
            parts[count, 0], parts[count, 1] = low, high
            parts[count, 2] = 1 if k == many + 1 else -1
            count += 1
        here = there
    return count


@kernel
def _part(failover: Failover, segment: int, x: int) -> Any:
    """Where the entries of a segment in a state begin and end: they stand state after state."""
    begin, end = failover.offset[segment], failover.offset[segment + 1]
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if failover.link[middle] < x * failover.links:
            low = middle + 1
        else:
            high = middle
    high = low
    while high < end and failover.link[high] < (x + 1) * failover.links:
        high += 1
    return low, high


@compiled
def add_activations(
    failover: Failover, source: Any, midpoints: Any, target: Any, rate: Any, load: Any
) -> None:
    """Add to `load` [states * links] what the activation of plain paths changes in it."""
    for f in range(source.size):
        if midpoints[f, 0] != NONE:
            for low, high, sign in activation(failover, source[f], midpoints[f], target[f]):
                _add(failover, low, high, sign * rate[f], load)


@kernel
def _add(failover: Failover, low: int, high: int, rate: float, load: Any) -> None:
    """Add a rate over some entries of segments to `load` [states * links]."""
    for i in range(low, high):
        load[failover.link[i]] += rate * failover.share[i]


@compiled
def add_over_midpoint(load: Any, rate: float, s: int, m: int, t: int, failover: Failover) -> None:
    """Add a rate over one midpoint, or over none by the source, to `load` [states * links]."""
    for segment in (s * failover.nodes + m, m * failover.nodes + t):
        _add(failover, failover.offset[segment], failover.offset[segment + 1], rate, load)
    if failover.state.size and m not in (s, t):
        row = np.empty(1, np.int32)
        row[0] = m
        for low, high, sign in activation(failover, s, row, t):
            _add(failover, low, high, sign * rate, load)


@compiled
def costs_by_state(failover: Failover, price: Any) -> Any:
    """What a unit pays on each segment in each state, at prices of links [states * links].
    [states, nodes * nodes]"""
    cost = np.zeros((failover.broken.shape[0], failover.offset.size - 1))
    _add_costs(failover, price, cost)
    return cost


@kernel
def _add_costs(failover: Failover, price: Any, cost: Any) -> None:
    for segment in range(failover.offset.size - 1):
        for i in range(failover.offset[segment], failover.offset[segment + 1]):
            e = failover.link[i]
            cost[e // failover.links, segment] += failover.share[i] * price[e]


@kernel
def activation_cost(failover: Failover, cost: Any, s: int, row: Any, t: int) -> Any:
    """What the activation of the plain path adds to what a unit pays on a path; `cost` is by
    state."""
    total = 0.0
    many = 0
    while many < row.size and row[many] != NONE:
        many += 1
    here = s
    for k in range(many + 1 if many else 0):
        there = t if k == many else row[k]
        segment = here * failover.nodes + there
        for i in range(failover.begin[segment], failover.begin[segment + 1]):
            x = failover.state[i]
            a, new, paid = s, True, 0.0
            for j in range(many + 1):
                b = t if j == many else row[j]
                new &= j >= k or not failover.broken[x, a, b]
                paid += cost[x, a * failover.nodes + b]
                a = b
            if new:
                total += cost[x, s * failover.nodes + t] - paid
        here = there
    return total


@kernel
def activation_cost_over(failover: Failover, cost: Any, s: int, m: int, t: int) -> Any:
    """`activation_cost` of a path over one midpoint."""
    if m in (s, t):
        return 0.0
    total = 0.0
    first, last = s * failover.nodes + m, m * failover.nodes + t
    plain = s * failover.nodes + t
    for i in range(failover.begin[first], failover.begin[first + 1]):
        x = failover.state[i]
        total += cost[x, plain] - cost[x, last]
    for i in range(failover.begin[last], failover.begin[last + 1]):
        x = failover.state[i]
        if not failover.broken[x, s, m]:
            total += cost[x, plain] - cost[x, first]
    return total


@compiled
def activation_costs(failover: Failover, cost: Any, s: int, t: int) -> Any:
    """`activation_cost_over` of each midpoint. [nodes]"""
    row = np.zeros(failover.nodes)
    for m in range(failover.nodes):
        row[m] = activation_cost_over(failover, cost, s, m, t)
    return row


@compiled
def path_entries(failover: Failover, s: int, row: Any, t: int) -> Any:
    """The links of a path and the shares on them in all states: entries of its segments, then those
    of its activation, of which some are negative. [entries] each"""
    size = 0
    parts = activation(failover, s, row, t)
    for low, high, _ in parts:
        size += high - low
    here = s
    for k in range(row.size + 1):
        there = t if k == row.size else row[k]
        if there != NONE:
            segment = here * failover.nodes + there
            size += failover.offset[segment + 1] - failover.offset[segment]
            here = there
    link, share = np.empty(size, np.int32), np.empty(size)
    at = 0
    here = s
    for k in range(row.size + 1):
        there = t if k == row.size else row[k]
        if there != NONE:
            segment = here * failover.nodes + there
            for i in range(failover.offset[segment], failover.offset[segment + 1]):
                link[at], share[at] = failover.link[i], failover.share[i]
                at += 1
            here = there
    for low, high, sign in parts:
        for i in range(low, high):
            link[at], share[at] = failover.link[i], sign * failover.share[i]
            at += 1
    return link, share
