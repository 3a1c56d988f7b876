"""Kernels: moves of flows with exact incremental loads, in machine code.

The pressure of a link is `exp(steepness * (utilization / reference - 1))`: about how far it is from
being the busiest. The sum of all pressures is a smooth stand-in for the highest utilization, the
closer the steeper (the potential of multiplicative-weight methods). Its derivative is the price of
a link; segments that are cheap at these prices are good paths, and a move is made only where the
sum, calculated exactly, falls.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nettwin.compiled import compiled, kernel
from nettwin.optimize.problems.failover import (
    NONE,
    activation,
    activation_cost,
    activation_cost_over,
    add_activations,
)
from nettwin.optimize.problems.feasibility import Limits, keeps_replaced


class Network(NamedTuple):
    """What does not change in a search; see `SegmentRoutingProblem`."""

    nodes: int
    offset: Any  # [nodes * nodes + 1]
    link: Any  # [entries]
    share: Any  # [entries]
    capacity_bps: Any  # [links]
    source: Any  # [flows]
    target: Any  # [flows]
    rate_bps: Any  # [flows]
    start: Any  # [flows, most_midpoints]
    activates: bool  # whether failures break segments, so that flows go the plain path meanwhile
    failover: Any  # see `problems.failover`
    limits: Limits


class State(NamedTuple):
    """Where a search stands; changed in place."""

    midpoints: Any  # [flows, most_midpoints]
    load_bps: Any  # [links]
    pressure: Any  # [links]
    gauge: Any  # [steepness, reference utilization]
    changed: Any  # [1], flows that differ from the start
    # room for a move: what it adds to each link, and which links it touches
    added_bps: Any  # [links], zero between moves
    marked: Any  # [links], 0 between moves
    touched: Any  # [links]
    row: Any  # [most_midpoints], the midpoints that a flow would have


@kernel
def load(network: Network, state: State) -> None:
    """Add the load of all flows from scratch to `load_bps`."""
    for f in range(network.source.size):
        here = network.source[f]
        for k in range(state.midpoints.shape[1] + 1):
            there = network.target[f]
            if k < state.midpoints.shape[1]:
                if state.midpoints[f, k] == NONE:
                    continue
                there = state.midpoints[f, k]
            segment = here * network.nodes + there
            for i in range(network.offset[segment], network.offset[segment + 1]):
                state.load_bps[network.link[i]] += network.rate_bps[f] * network.share[i]
            here = there
    if network.activates:
        add_activations(
            network.failover,
            network.source,
            state.midpoints,
            network.target,
            network.rate_bps,
            state.load_bps,
        )


@kernel
def gauge(network: Network, state: State, steepness: float) -> Any:
    """Set the pressures by the loads; returns the highest utilization."""
    top = 1e-300
    for e in range(state.load_bps.size):
        top = max(top, state.load_bps[e] / network.capacity_bps[e])
    state.gauge[0], state.gauge[1] = steepness, top
    for e in range(state.load_bps.size):
        x = steepness * (state.load_bps[e] / (network.capacity_bps[e] * top) - 1.0)
        state.pressure[e] = np.exp(x)
    return top


@kernel
def length(state: State, f: int) -> Any:
    """How many midpoints a flow has."""
    k = 0
    while k < state.midpoints.shape[1] and state.midpoints[f, k] != NONE:
        k += 1
    return k


@kernel
def place(network: Network, state: State, f: int, k: int, many: int) -> Any:
    """The k-th stop of a flow with `many` midpoints: its source is stop 0."""
    if k == 0:
        return network.source[f]
    if k > many:
        return network.target[f]
    return state.midpoints[f, k - 1]


@kernel
def put(network: Network, state: State, a: int, b: int, rate: float, count: int) -> Any:
    """Add a rate over a segment to the move at hand, which touches `count` links so far."""
    segment = a * network.nodes + b
    for i in range(network.offset[segment], network.offset[segment + 1]):
        e = network.link[i]
        if state.marked[e] == 0:
            state.marked[e] = 1
            state.touched[count] = e
            count += 1
        state.added_bps[e] += rate * network.share[i]
    return count


@compiled
def put_all(network: Network, state: State, row: Any, f: int, rate: float, count: int) -> Any:
    """Add a rate over the path of a flow, with the midpoints of `row`, to the move at hand."""
    here = network.source[f]
    for k in range(row.size):
        if row[k] == NONE:
            break
        count = put(network, state, here, row[k], rate, count)
        here = row[k]
    count = put(network, state, here, network.target[f], rate, count)
    if network.activates:
        for low, high, sign in activation(
            network.failover, network.source[f], row, network.target[f]
        ):
            for i in range(low, high):
                e = network.link[i]
                if state.marked[e] == 0:
                    state.marked[e] = 1
                    state.touched[count] = e
                    count += 1
                state.added_bps[e] += sign * rate * network.share[i]
    return count


@kernel
def rise(network: Network, state: State, count: int) -> Any:
    """By how much the move at hand raises the sum of pressures."""
    steepness, top = state.gauge[0], state.gauge[1]
    total = 0.0
    for k in range(count):
        e = state.touched[k]
        x = (state.load_bps[e] + state.added_bps[e]) / (network.capacity_bps[e] * top) - 1.0
        x *= steepness
        if x > -40.0:
            total += np.exp(x)
        total -= state.pressure[e]
    return total


@kernel
def drop(state: State, count: int) -> None:
    """Forget the move at hand."""
    for k in range(count):
        e = state.touched[k]
        state.added_bps[e] = 0.0
        state.marked[e] = 0


@kernel
def make(network: Network, state: State, count: int) -> None:
    """Make the move at hand, as far as loads go."""
    steepness, top = state.gauge[0], state.gauge[1]
    for k in range(count):
        e = state.touched[k]
        state.load_bps[e] += state.added_bps[e]
        x = state.load_bps[e] / (network.capacity_bps[e] * top) - 1.0
        state.pressure[e] = np.exp(steepness * x)
    drop(state, count)


@kernel
def same(state: State, start: Any, f: int) -> Any:
    """Whether a flow goes as at the start."""
    for k in range(start.shape[1]):  # noqa: SIM110 as machine code
        if start[f, k] != state.midpoints[f, k]:
            return False
    return True


@kernel
def follow(network: Network, state: State, f: int, i: int, j: int, many: int, m: int) -> None:
    """Write into a flow's midpoints: those before stop i, m (unless it is an end), those from stop
    j + 1 on."""
    was = not same(state, network.start, f)
    replaced(network, state, f, i, j, many, m)
    for k in range(state.row.size):
        state.midpoints[f, k] = state.row[k]
    state.changed[0] += int(not same(state, network.start, f)) - int(was)


@kernel
def replaced(network: Network, state: State, f: int, i: int, j: int, many: int, m: int) -> None:
    """Write into `row` what `follow` writes into a flow's midpoints."""
    row = state.row
    for k in range(i):
        row[k] = state.midpoints[f, k]
    new = i
    if m != place(network, state, f, i, many) and m != place(network, state, f, j + 1, many):
        row[new] = m
        new += 1
    for k in range(j, many):
        row[new] = state.midpoints[f, k]
        new += 1
    for k in range(new, row.size):
        row[k] = NONE


@kernel
def fits(network: Network, state: State, f: int, i: int, j: int, many: int, m: int) -> Any:
    """Whether the limits of a flow allow m between its stops i and j + 1."""
    s, t, row = network.source[f], network.target[f], state.midpoints[f]
    return keeps_replaced(network.limits, f, s, row, t, many, i, j, m)


@kernel
def pays(
    network: Network,
    state: State,
    cost: Any,
    by_state: Any,
    flows: Any,
    paid: Any,
    activation_price: Any,
) -> None:
    """What each of `flows` pays at the prices `cost` [from, to], into `paid`, and what failover
    adds to what a unit pays, into `activation_price`."""
    for n in range(flows.size):
        f = flows[n]
        many = length(state, f)
        total = 0.0
        for k in range(many + 1):
            a, b = place(network, state, f, k, many), place(network, state, f, k + 1, many)
            total += cost[a, b]
        activation_price[n] = 0.0
        if network.activates:
            s, t = network.source[f], network.target[f]
            activation_price[n] = activation_cost(
                network.failover, by_state, s, state.midpoints[f], t
            )
        paid[n] = (total + activation_price[n]) * network.rate_bps[f]


@kernel
def sweep(
    network: Network,
    state: State,
    cost: Any,
    back: Any,
    by_state: Any,
    flows: Any,
    activation_price: Any,
    gain: Any,
    slot: Any,
) -> None:
    """What each of `flows` would gain at the prices `cost` [from, to] (`back` is its transpose) by
    its best move, into `gain`, and the move (i, j, midpoint) into `slot`.

    What failures change (see `pays`) is in it where it is known by state; but for the parts of
    paths over more than one midpoint, which are taken for whole.
    """
    room = state.midpoints.shape[1]
    for n in range(flows.size):
        f = flows[n]
        gain[n] = 0.0
        many = length(state, f)
        s, t = network.source[f], network.target[f]
        for i in range(many + 1):
            part = 0.0
            p = place(network, state, f, i, many)
            for j in range(i, many + 1):
                a, q = place(network, state, f, j, many), place(network, state, f, j + 1, many)
                part += cost[a, q]
                if i + 1 + many - j > room:
                    continue
                out, into = cost[p], back[q]
                whole = network.activates and i == 0 and j == many
                if whole:
                    part += activation_price[n]
                least = part - gain[n] / network.rate_bps[f]
                for m in range(network.nodes):
                    paid = out[m] + into[m]
                    if whole and paid < np.inf:
                        paid += activation_cost_over(network.failover, by_state, s, m, t)
                    if paid < least and (
                        not network.limits.limited[f] or fits(network, state, f, i, j, many, m)
                    ):
                        least = paid
                        gain[n] = (part - paid) * network.rate_bps[f]
                        slot[n, 0], slot[n, 1], slot[n, 2] = i, j, m


@kernel
def lay(network: Network, state: State, f: int, i: int, j: int, many: int, m: int) -> Any:
    """Lay out the move of a flow; returns how many links it touches."""
    rate = network.rate_bps[f]
    count = 0
    if network.activates:
        replaced(network, state, f, i, j, many, m)
        count = put_all(network, state, state.midpoints[f], f, -rate, count)
        return put_all(network, state, state.row, f, rate, count)
    for k in range(i, j + 1):
        a, b = place(network, state, f, k, many), place(network, state, f, k + 1, many)
        count = put(network, state, a, b, -rate, count)
    p, q = place(network, state, f, i, many), place(network, state, f, j + 1, many)
    count = put(network, state, p, m, rate, count)
    return put(network, state, m, q, rate, count)


@kernel
def attempt(network: Network, state: State, f: int, i: int, j: int, m: int, most: int) -> Any:
    """Make a move if it lowers the sum of pressures; at most `most` flows may differ from the
    start (-1: all)."""
    if most >= 0 and state.changed[0] >= most and same(state, network.start, f):
        return False
    many = length(state, f)
    count = lay(network, state, f, i, j, many, m)
    if rise(network, state, count) < 0.0:
        make(network, state, count)
        follow(network, state, f, i, j, many, m)
        return True
    drop(state, count)
    return False


@kernel
def attempts(
    network: Network, state: State, flows: Any, gain: Any, slot: Any, order: Any, most: int
) -> Any:
    """Try moves in an order; returns how many were made."""
    made = 0
    for k in range(order.size):
        n = order[k]
        if gain[n] > 0.0 and attempt(
            network, state, flows[n], slot[n, 0], slot[n, 1], slot[n, 2], most
        ):
            made += 1
    return made


@kernel
def best_attempts(
    network: Network, state: State, flows: Any, slot: Any, order: Any, most: int, batch: int
) -> Any:
    """Make the moves of an order that lower the sum of pressures most, one after another, up to
    `batch`; returns how many were made."""
    for made in range(batch):
        least, best = 0.0, -1
        for k in range(order.size):
            n = order[k]
            f = flows[n]
            if state.changed[0] >= most and same(state, network.start, f):
                continue
            i, j, m = slot[n, 0], slot[n, 1], slot[n, 2]
            many = length(state, f)
            if i > many or j > many:  # it was another move that this flow made
                continue
            count = lay(network, state, f, i, j, many, m)
            change = rise(network, state, count)
            drop(state, count)
            if change < least:
                least, best = change, n
        if best < 0:
            return made
        attempt(network, state, flows[best], slot[best, 0], slot[best, 1], slot[best, 2], most)
    return batch
