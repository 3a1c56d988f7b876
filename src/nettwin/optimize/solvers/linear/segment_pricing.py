"""Pricing of paths over midpoints, in machine code: the cheapest, what they pay, their links."""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled
from nettwin.optimize.problems.failover import (
    NONE,
    Failover,
    activation,
    activation_cost,
    activation_cost_over,
)
from nettwin.optimize.problems.feasibility import Limits, keeps_limits, keeps_over


@compiled
def min_plus(a: Any, b_turned: Any, out: Any, last: Any) -> None:
    """The least a[s, m] + b[m, t] over m, and that m; what was there before wins ties (m = t)."""
    nodes = a.shape[0]
    for s in range(nodes):
        for t in range(nodes):
            least, at = a[s, t], t
            for m in range(nodes):
                paid = a[s, m] + b_turned[t, m]
                if paid < least:
                    least, at = paid, m
            out[s, t], last[s, t] = least, at


@compiled
def trace(here: Any, source: Any, target: Any, last: Any, path: Any) -> None:
    """The midpoints of the cheapest paths, from the last steps."""
    most = last.shape[0] - 1
    found = np.empty(most + 1, np.int32)
    for i in here:
        count, at = 0, target[i]
        for k in range(most, 0, -1):
            m = last[k, source[i], at]
            if m != at and m != source[i]:
                found[count] = m
                count += 1
            at = m
            if at == source[i]:
                break
        path[i, :] = NONE
        for k in range(count):
            path[i, k] = found[count - 1 - k]


@compiled
def over_one(
    here: Any,
    source: Any,
    target: Any,
    table: Any,
    turned: Any,
    limits: Limits,
    failover: Failover,
    by_state: Any,
    within: Any,
    path: Any,
) -> None:
    """The cheapest path over at most one midpoint that keeps the limits of each demand; with what
    failover adds to it where prices are known by state."""
    activates = by_state.shape[0] > 0
    for n in range(here.size):
        i = here[n]
        s, t = source[i], target[i]
        least, at = np.inf, NONE
        if keeps_over(limits, i, s, s, t):
            least = table[s, t]
        for m in range(table.shape[0]):
            paid = table[s, m] + turned[t, m]
            if activates and paid < np.inf:
                paid += activation_cost_over(failover, by_state, s, m, t)
            if paid < least and keeps_over(limits, i, s, m, t):
                least, at = paid, m
        if at in (s, t):
            at = NONE
        within[i] = least
        path[i, :] = NONE
        path[i, 0] = at


@compiled
def over_two(
    here: Any,
    source: Any,
    target: Any,
    table: Any,
    turned: Any,
    limits: Limits,
    within: Any,
    path: Any,
) -> None:
    """The cheapest path over at most two midpoints that keeps the limits of each demand."""
    nodes = table.shape[0]
    row = np.empty(2, np.int32)
    for n in range(here.size):
        i = here[n]
        s, t = source[i], target[i]
        least, first, second = np.inf, s, t
        for a in range(nodes):
            for b in range(nodes):
                paid = table[s, a] + table[a, b] + turned[t, b]
                if paid < least:
                    row[0], row[1] = a, b
                    if keeps_limits(limits, i, s, row, t):
                        least, first, second = paid, a, b
        within[i] = least
        path[i, :] = NONE
        count = 0
        if first not in (s, t):
            path[i, count] = first
            count += 1
        if second not in (first, s, t):
            path[i, count] = second


@compiled
def paid(table: Any, source: Any, target: Any, path: Any) -> Any:
    """What a unit pays on each demand's path."""
    total = np.zeros(source.size)
    for i in range(source.size):
        at = source[i]
        for k in range(path.shape[1]):
            if path[i, k] != NONE:
                total[i] += table[at, path[i, k]]
                at = path[i, k]
        total[i] += table[at, target[i]]
    return total


@compiled
def entries(
    source: Any, target: Any, path: Any, nodes: int, offset: Any, link: Any, share: Any
) -> Any:
    """The segments of each path, one after another, as the columns of a sparse matrix."""
    count = source.size
    begin = np.zeros(count + 1, np.int32)
    for write in range(2):
        if write:
            made_link = np.empty(begin[count], np.int32)
            made_share = np.empty(begin[count])
        size = 0
        for i in range(count):
            at = source[i]
            for k in range(path.shape[1] + 1):
                there = target[i] if k == path.shape[1] else path[i, k]
                if there == NONE:
                    continue
                segment = at * nodes + there
                for j in range(offset[segment], offset[segment + 1]):
                    if write:
                        made_link[size], made_share[size] = link[j], share[j]
                    size += 1
                at = there
            begin[i + 1] = size
    return begin, made_link, made_share


@compiled
def activation_costs_of(
    failover: Failover, by_state: Any, source: Any, target: Any, path: Any
) -> Any:
    """`activation_cost` of each demand's path. [demands]"""
    paid = np.zeros(source.size)
    for i in range(source.size):
        paid[i] = activation_cost(failover, by_state, source[i], path[i], target[i])
    return paid


@compiled
def activation_entries(failover: Failover, source: Any, target: Any, path: Any) -> Any:
    """What activation adds to the segments of each path, as the columns of a sparse matrix."""
    begin = np.zeros(source.size + 1, np.int32)
    for i in range(source.size):
        size = 0
        for low, high, _ in activation(failover, source[i], path[i], target[i]):
            size += high - low
        begin[i + 1] = begin[i] + size
    link, share = np.empty(begin[-1], np.int32), np.empty(begin[-1])
    at = 0
    for i in range(source.size):
        for low, high, sign in activation(failover, source[i], path[i], target[i]):
            for k in range(low, high):
                link[at], share[at] = failover.link[k], sign * failover.share[k]
                at += 1
    return begin, link, share
