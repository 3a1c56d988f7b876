"""Changes of weights that are worth trying, drawn at random, and the steps of a search by them.

After Fortz and Thorup (2000): single weights, and all weights at a node so that traffic toward a
target is balanced over its links. A single weight is mostly drawn so that a path over the link is
as long as the best other one, or just longer or shorter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled, kernel
from nettwin.optimize.solvers.local_search.weight_kernels import (
    Graph,
    RoutedWeights,
    judge,
    settle,
    weigh,
)
from nettwin.scenario.shortest import next_hop

SAMPLE = 5  # links of which the busiest or idlest is taken


@compiled
def steps(
    net: Graph,
    paths: RoutedWeights,
    count: int,
    most: int,
    squarings: int,
    scale: float,
    history: Any,
    standing: Any,
    best: Any,
    random: Any,
) -> None:
    """So many steps by late acceptance (Burke and Bykov, 2017): a change is made where it is no
    worse than now or than so many steps ago.

    `history` [length] holds sums of powers (see `judge`); `standing` [sum now, steps done, highest
    utilization of the best, step of the best sum, best sum] and `best` [links] its weights.
    """
    for _ in range(count):
        at = int(standing[1]) % history.size
        standing[1] += 1
        changed = draw(net, paths, most, random)
        if changed == 0:
            continue
        rows = weigh(net, paths, changed)
        top, total = judge(net, paths, 1, scale, squarings)
        if total <= standing[0] or total <= history[at]:
            settle(paths, rows)
            standing[0] = total
            if total < standing[4] * (1.0 - 1e-9):
                standing[3], standing[4] = standing[1], total
            if top < standing[2]:
                standing[2] = top
                best[:] = paths.weight
        else:
            for k in range(changed):
                paths.weight[paths.link[k]] = paths.old[k]
        history[at] = standing[0]


@compiled
def draw(net: Graph, paths: RoutedWeights, most: int, random: Any) -> Any:
    """Draw a change and write it into the weights; returns how many links it changes."""
    kind = random.random()
    if kind < 0.1 and most < 0:
        return balance(net, paths, random)
    busy = kind < 0.55
    e = pick(net, paths, busy, random)
    if most >= 0 and paths.weight[e] == net.start[e] and changes(net, paths) >= most:
        return give_back(net, paths, random)
    if kind > 0.9:
        return put(net, paths, e, net.choices[random.integers(0, net.choices.size)], 0)
    return even(net, paths, e, busy, random)


@compiled
def even(net: Graph, paths: RoutedWeights, e: int, busy: bool, random: Any) -> Any:
    """Draw a target and make the path over a link as long as the best other one, or by the lowest
    weight longer (of a busy link) or shorter (of an idle one)."""
    nodes = net.demand_bps.shape[0]
    u, v = net.source[e], net.target[e]
    past = net.choices[0] * random.integers(0, 2)
    for _ in range(8):  # targets, until one uses this link
        row = random.integers(0, paths.anew.size)
        state = row // nodes
        near, turn = paths.distance[0, row], paths.rank[0, row]
        if np.isinf(near[u]) or not net.live[state, e]:
            continue
        if not busy:
            if near[u] > near[v]:
                return put(net, paths, e, near[u] - near[v] - past, 0)
        elif next_hop(e, u, paths.weight, net.target, near, turn):
            other = np.inf
            for k in range(net.out_offset[state, u], net.out_offset[state, u + 1]):
                o = net.out[state, k]
                if o != e:
                    other = min(other, paths.weight[o] + near[net.target[o]])
            if other < np.inf:
                return put(net, paths, e, other - near[v] + past, 0)
    return 0


@kernel
def changes(net: Graph, paths: RoutedWeights) -> Any:
    """How many links have another weight than at the start."""
    count = 0
    for k in range(net.movable.size):
        e = net.movable[k]
        count += int(paths.weight[e] != net.start[e])
    return count


@compiled
def pick(net: Graph, paths: RoutedWeights, busy: bool, random: Any) -> Any:
    """The busiest or idlest of a few movable links, in a state drawn for each; or, one time in
    three, the busiest of all in its state."""
    best, extreme = net.movable[0], -np.inf
    if busy and random.random() < 0.33:
        for state in range(net.live.shape[0]):
            for e in net.movable:
                u = paths.load_bps[0, state, e] / net.capacity_bps[state, e]
                if u > extreme:
                    best, extreme = e, u
        return best
    for _ in range(SAMPLE):
        e = net.movable[random.integers(0, net.movable.size)]
        state = random.integers(0, net.live.shape[0])
        u = paths.load_bps[0, state, e] / net.capacity_bps[state, e]
        u = u if busy else -u
        if u > extreme:
            best, extreme = e, u
    return best


@compiled
def put(net: Graph, paths: RoutedWeights, e: int, weight: float, count: int) -> Any:
    """Give a link the choice nearest to a weight, as a further part of the change at hand."""
    k = min(np.searchsorted(net.choices, weight), net.choices.size - 1)
    if k > 0 and weight - net.choices[k - 1] < net.choices[k] - weight:
        k -= 1
    if net.choices[k] == paths.weight[e]:
        return count
    paths.link[count], paths.old[count] = e, paths.weight[e]
    paths.weight[e] = net.choices[k]
    return count + 1


@compiled
def give_back(net: Graph, paths: RoutedWeights, random: Any) -> Any:
    """Give back its weight of the start to one of the changed links."""
    first = random.integers(0, net.movable.size)
    for k in range(net.movable.size):
        e = net.movable[(first + k) % net.movable.size]
        if paths.weight[e] != net.start[e]:
            paths.link[0], paths.old[0] = e, paths.weight[e]
            paths.weight[e] = net.start[e]
            return 1
    return 0


@kernel
def undo(net: Graph, paths: RoutedWeights, top: float, tries: int) -> None:
    """Give back their weights of the start to all links that need no other for no link to get
    busier than `top`; again and again, as what one gives back may make room for another, but no
    more tries than so many."""
    again = True
    while again:
        again = False
        for k in range(net.movable.size):
            e = net.movable[k]
            if paths.weight[e] == net.start[e]:
                continue
            if tries == 0:
                return
            tries -= 1
            paths.link[0], paths.old[0] = e, paths.weight[e]
            paths.weight[e] = net.start[e]
            rows = weigh(net, paths, 1)
            if judge(net, paths, 1, 1.0, 0)[0] <= top:
                settle(paths, rows)
                again = True
            else:
                paths.weight[e] = paths.old[0]


@compiled
def balance(net: Graph, paths: RoutedWeights, random: Any) -> Any:
    """Make all paths from a node toward a target equally long, as far as they lead nearer to it;
    both are drawn."""
    nodes = net.demand_bps.shape[0]
    row = random.integers(0, paths.anew.size)
    u, state, count = random.integers(0, nodes), row // nodes, 0
    near = paths.distance[0, row]
    if np.isinf(near[u]):
        return 0
    for k in range(net.out_offset[state, u], net.out_offset[state, u + 1]):
        e = net.out[state, k]
        gap = near[u] - near[net.target[e]]
        place = min(np.searchsorted(net.movable, e), net.movable.size - 1)
        if gap > 0.0 and net.movable[place] == e:
            count = put(net, paths, e, gap, count)
    return count
