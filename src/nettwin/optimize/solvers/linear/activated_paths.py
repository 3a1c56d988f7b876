"""bent_ways: what paths over midpoints pay and put on links where failures break segments.

A flow takes the plain path in those states; see `fallback`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled
from nettwin.optimize.problems.failover import NONE, Failover, bent, bent_cost, bent_over


@compiled
def one_bent(
    here: Any,
    source: Any,
    target: Any,
    table: Any,
    failover: Failover,
    by_state: Any,
    delay: Any,
    limit: Any,
    within: Any,
    path: Any,
) -> None:
    """The cheapest path over at most one midpoint that keeps the limit."""
    for i in here:
        s, t = source[i], target[i]
        least, at = np.inf, NONE
        if delay[s, t] <= limit[i]:
            least = table[s, t]
        for m in range(table.shape[0]):
            paid = table[s, m] + table[m, t]
            if m in (s, t) or paid == np.inf or delay[s, m] + delay[m, t] > limit[i]:
                continue
            paid += bent_over(failover, by_state, s, m, t)
            if paid < least:
                least, at = paid, m
        within[i] = least
        path[i, :] = NONE
        path[i, 0] = at


@compiled
def bent_paid(failover: Failover, by_state: Any, source: Any, target: Any, path: Any) -> Any:
    """What a unit pays on each demand's path beside what its segments cost. [demands]"""
    paid = np.zeros(source.size)
    for i in range(source.size):
        paid[i] = bent_cost(failover, by_state, source[i], path[i], target[i])
    return paid


@compiled
def bends(failover: Failover, source: Any, target: Any, path: Any) -> Any:
    """What is to be added to the segments of each path, as the columns of a sparse matrix."""
    begin = np.zeros(source.size + 1, np.int32)
    for i in range(source.size):
        size = 0
        for low, high, _ in bent(failover, source[i], path[i], target[i]):
            size += high - low
        begin[i + 1] = begin[i] + size
    link, share = np.empty(begin[-1], np.int32), np.empty(begin[-1])
    at = 0
    for i in range(source.size):
        for low, high, sign in bent(failover, source[i], path[i], target[i]):
            for k in range(low, high):
                link[at], share[at] = failover.link[k], sign * failover.share[k]
                at += 1
    return begin, link, share
