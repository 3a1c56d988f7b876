"""Repairs: moves not made for pressures: limits kept, flows sent back, paths drawn anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled, kernel
from nettwin.optimize.problems.failover import NONE, activation_cost_over
from nettwin.optimize.problems.feasibility import keeps_limits, keeps_over
from nettwin.optimize.solvers.local_search.kernels import (
    Network,
    State,
    drop,
    follow,
    lay,
    length,
    make,
    put_all,
    same,
)

FEW = 6  # midpoints that a kick draws from
TINY = 1e-9  # of a flow's rate: what is left of parts of two paths that cancel


@kernel
def mend(
    network: Network, state: State, cost: Any, back: Any, by_state: Any, flows: Any, good: Any
) -> None:
    """Give flows that break limits the cheapest midpoint that keeps them; writes into `good`
    whether each of `flows` keeps them then."""
    for n in range(flows.size):
        f = flows[n]
        s, t, many = network.source[f], network.target[f], length(state, f)
        if keeps_limits(network.limits, f, s, state.midpoints[f], t):
            continue
        best, least = NONE, np.inf
        for m in range(network.nodes):
            paid = cost[s, m] + back[t, m]
            if network.activates and paid < np.inf:
                paid += activation_cost_over(network.failover, by_state, s, m, t)
            if paid < least and keeps_over(network.limits, f, s, m, t):
                best, least = m, paid
        good[n] = best != NONE
        if best != NONE:
            count = lay(network, state, f, 0, many, many, best)
            make(network, state, count)
            follow(network, state, f, 0, many, many, best)


@kernel
def undo(network: Network, state: State, flows: Any, ceiling: float) -> Any:
    """Send flows that differ from the start as at the start where no link gets busier than a
    ceiling, unless it was before; returns how many."""
    made = 0
    for n in range(flows.size):
        f = flows[n]
        rate, row = network.rate_bps[f], network.start[f]
        if not keeps_limits(network.limits, f, network.source[f], row, network.target[f]):
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
            for k in range(row.size):
                state.midpoints[f, k] = row[k]
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
            if network.activates and x < np.inf:
                x += activation_cost_over(network.failover, by_state, s, m, t)
            if x == np.inf or (
                network.limits.limited[f] and not keeps_over(network.limits, f, s, m, t)
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
