"""bent_ways: what ways over midpoints pay and put on links where failures break segments.

A flow takes the plain way in those states; see `fallback`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled
from nettwin.optimize.fallback import NONE, Fallback, bent, bent_cost, bent_over


@compiled
def one_bent(
    here: Any,
    source: Any,
    target: Any,
    table: Any,
    fallback: Fallback,
    by_state: Any,
    delay: Any,
    limit: Any,
    within: Any,
    way: Any,
) -> None:
    """The cheapest way over at most one midpoint that keeps the limit."""
    for i in here:
        s, t = source[i], target[i]
        least, at = np.inf, NONE
        if delay[s, t] <= limit[i]:
            least = table[s, t]
        for m in range(table.shape[0]):
            paid = table[s, m] + table[m, t]
            if m in (s, t) or paid == np.inf or delay[s, m] + delay[m, t] > limit[i]:
                continue
            paid += bent_over(fallback, by_state, s, m, t)
            if paid < least:
                least, at = paid, m
        within[i] = least
        way[i, :] = NONE
        way[i, 0] = at


@compiled
def bent_paid(fallback: Fallback, by_state: Any, source: Any, target: Any, way: Any) -> Any:
    """What a unit pays on each demand's way beside what its segments cost. [demands]"""
    paid = np.zeros(source.size)
    for i in range(source.size):
        paid[i] = bent_cost(fallback, by_state, source[i], way[i], target[i])
    return paid


@compiled
def bends(fallback: Fallback, source: Any, target: Any, way: Any) -> Any:
    """What is to be added to the segments of each way, as the columns of a sparse matrix."""
    begin = np.zeros(source.size + 1, np.int32)
    for i in range(source.size):
        size = 0
        for low, high, _ in bent(fallback, source[i], way[i], target[i]):
            size += high - low
        begin[i + 1] = begin[i] + size
    link, share = np.empty(begin[-1], np.int32), np.empty(begin[-1])
    at = 0
    for i in range(source.size):
        for low, high, sign in bent(fallback, source[i], way[i], target[i]):
            for k in range(low, high):
                link[at], share[at] = fallback.link[k], sign * fallback.share[k]
                at += 1
    return begin, link, share
