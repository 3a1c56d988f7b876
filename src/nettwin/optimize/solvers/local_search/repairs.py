"""Repairs: moves not made for pressures: limits kept, flows sent back, paths drawn anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled
from nettwin.optimize.problems.failover import NONE, bent_over
from nettwin.optimize.solvers.local_search.kernels import (
    Network,
    State,
    drop,
    fits,
    follow,
    lay,
    length,
    make,
    place,
    put_all,
    same,
)

FEW = 6  # midpoints that a kick draws from
TINY = 1e-9  # of a flow's rate: what is left of parts of two paths that cancel


@compiled
def mend(network: Network, state: State, cost: Any, back: Any, by_state: Any, flows: Any) -> Any:
    """Give flows that break limits the cheapest midpoint that keeps them; returns whether each of
    `flows` keeps them now."""
    good = np.ones(flows.size, np.bool_)
    for n in range(flows.size):
        f = flows[n]
        many = length(state, f)
        unreachable = False
        for k in range(many + 1):
            a, b = place(network, state, f, k, many), place(network, state, f, k + 1, many)
            unreachable |= network.unreachable[a, b]
        last = network.target[f] if many == 0 else state.midpoints[f, many - 1]
        if not unreachable and (
            not network.limited[f] or fits(network, state, f, many, many, many, last)
        ):
            continue
        s, t = network.source[f], network.target[f]
        best, least = NONE, np.inf
        for m in range(network.nodes):
            paid = cost[s, m] + back[t, m]
            if network.bends and paid < np.inf:
                paid += bent_over(network.failover, by_state, s, m, t)
            if paid < least and fits(network, state, f, 0, many, many, m):
                best, least = m, paid
        good[n] = best != NONE
        if best != NONE:
            count = lay(network, state, f, 0, many, many, best)
            make(network, state, count)
            follow(network, state, f, 0, many, many, best)
    return good


@compiled
def keeps(network: Network, row: Any, f: int) -> Any:
    """Whether a flow with the midpoints of `row` keeps its limits."""
    total = 0.0
    here = network.source[f]
    for k in range(row.size + 1):
        there = network.target[f]
        if k < row.size and row[k] != NONE:
            there = row[k]
        if network.unreachable[here, there]:
            return False
        if network.group[f] >= 0 and network.excluded[network.group[f], here, there]:
            return False
        total += network.segment_delay_s[here, there]
        here = there
    return total <= network.limit_s[f]


@compiled
def undo(network: Network, state: State, flows: Any, ceiling: float) -> Any:
    """Send flows that differ from the start as at the start where no link gets busier than a
    ceiling, unless it was before; returns how many."""
    made = 0
    for f in flows:
        rate, row = network.rate_bps[f], network.start[f]
        if not keeps(network, row, f):
            continue
        count = put_all(network, state, state.midpoints[f], f, -rate, 0)
        count = put_all(network, state, row, f, rate, count)
        good = True
        for k in range(count):
            e = state.touched[k]
            load_bps = state.load_bps[e] + state.added_bps[e]
            good &= (
                state.added_bps[e] <= TINY * rate or load_bps <= ceiling * network.capacity_bps[e]
            )
        if good:
            make(network, state, count)
            state.midpoints[f] = row
            state.changed[0] -= 1
            made += 1
        else:
            drop(state, count)
    return made


@compiled
def kick(
    network: Network,
    state: State,
    cost: Any,
    back: Any,
    by_state: Any,
    flows: Any,
    most: int,
    random: Any,
) -> None:
    """Give each of `flows` another midpoint, drawn from the few cheapest others that are allowed,
    or none."""
    few = np.empty(FEW, np.int64)
    paid = np.empty(FEW)
    for f in flows:
        if most >= 0 and state.changed[0] >= most and same(state, network.start, f):
            continue
        s, t, many = network.source[f], network.target[f], length(state, f)
        count = 0
        for m in range(network.nodes):
            if m == s or (many == 0 and m == t) or (many == 1 and m == state.midpoints[f, 0]):
                continue
            x = cost[s, m] + back[t, m]
            if network.bends and x < np.inf:
                x += bent_over(network.failover, by_state, s, m, t)
            if x == np.inf or (
                network.limited[f] and not fits(network, state, f, 0, many, many, m)
            ):
                continue
            k = count if count < FEW else FEW - 1
            if count == FEW and x >= paid[k]:
                continue
            while k > 0 and paid[k - 1] > x:
                few[k], paid[k] = few[k - 1], paid[k - 1]
                k -= 1
            few[k], paid[k] = m, x
            count = min(count + 1, FEW)
        if count > 0:
            m = few[random.integers(0, count)]
            make(network, state, lay(network, state, f, 0, many, many, m))
            follow(network, state, f, 0, many, many, m)
