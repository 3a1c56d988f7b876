"""Ports that share: weighted fair queueing and deficit round robin.

Three things are known of the waiting in such a port. The waiting work of all queues together is
that of FIFO (the conservation law: Kleinrock, Queueing Systems II, 1976, section 3.4). No queue
waits longer than if it came last, nor than its guaranteed rate says (generalized processor
sharing: Parekh and Gallager, IEEE/ACM Trans. Networking 1, 1993). And while a port is nearly full,
its work is in the queues that ask for most, measured by load / weight. What is between these
limits is interpolated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled
from nettwin.engines.theory.ports import DRR, LEAST_RATE, one_queue, second_moment

SHARP = 2.0  # order of the smooth minimum of two waiting times
GREED = 3.0  # how strongly the work left over goes to the queues with the largest load / weight
ORDER = 4.0  # how sharply load / weight orders the queues
ROUNDS = 3


@compiled
def shared_port(port: Any, policy: int, answer: Any) -> None:
    """Fill rate, loss and waiting under WFQ or DRR."""
    load, n = port.load, port.load.size
    satisfied = np.zeros((n, n), np.bool_)
    likely, certain = np.zeros(n), np.ones(n)
    for k in range(n):
        answer.rate[k] = guaranteed_rate(k, port, satisfied[k])
        likely[k] = min(load[k] / answer.rate[k], 1.0)
    most, first, visit = np.zeros(n), np.zeros(n), np.zeros(n)
    places = (port.buffer * port.service * (load > 0.0)).sum()
    for turn in range(ROUNDS):
        for k in range(n):
            if load[k] > 0.0:
                if policy == DRR and turn > 0:
                    used = port.service[k] + answer.waiting[k]
                    visit[k] = port.weight[k] / (port.weight[k] + used) * (1.0 - likely[k] ** 4)
                lost, last = coming_last(k, port, satisfied[k], answer)
                refused, bound = among(k, port, satisfied[k], certain, policy)
                polled = polling(k, port, satisfied[k], last)
                most[k] = min(last, bound) ** (1.0 - visit[k]) * polled ** visit[k]
                most[k] = min(most[k], port.buffer[k] * port.service[k])
                answer.loss[k] = min(lost, refused)
                _, bound = among(k, port, satisfied[k], likely, policy)
                first[k] = most[k] ** visit[k] * min(bound, most[k]) ** (1.0 - visit[k])
        work = pooled_work(port, places)
        divide(work, port, visit, answer.loss, first, most, answer.waiting)
        places = places_used(port, answer.waiting)


@compiled
def guaranteed_rate(k: int, port: Any, satisfied: Any) -> float:
    """The rate at which queue k is served while it is backlogged.

    Water-filling: queues that need less than their share leave the rest to the others, and are
    marked as `satisfied` [n]; queue k takes all that it can get.
    """
    load, weight = port.load, port.weight
    left, shares = 1.0, weight[k]
    changed = True
    while changed:
        left, shares, changed = 1.0, 0.0, False
        for j in range(load.size):
            if satisfied[j] or (load[j] <= 0.0 and j != k):
                left -= load[j]
            else:
                shares += weight[j]
        for j in range(load.size):
            if j != k and not satisfied[j] and load[j] < weight[j] / shares * left:
                satisfied[j] = changed = True
    return float(max(weight[k] / shares * left, LEAST_RATE))


@compiled
def precedence(j: int, k: int, port: Any, order: float) -> float:
    """How far queue j comes before queue k: 1 if it asks for less, by load / weight; 1/2 if they
    ask for the same."""
    less = port.load[j] * port.weight[k] / (port.weight[j] * port.load[k])
    return float(1.0 / (1.0 + min(less, 10.0) ** order))


@compiled
def coming_last(k: int, port: Any, satisfied: Any, answer: Any) -> tuple[float, float]:
    """Loss and waiting work of queue k if it comes after all that have what they need."""
    rate, above, below = answer.rate[k], 0.0, 0.0
    for j in range(port.load.size):
        if j != k and satisfied[j]:
            above += port.load[j] * port.service[j] * port.spread[j]
        elif j != k:
            below += min(port.load[j], 1.0) * port.service[j] * port.residual[j]
    below *= rate * max(rate - port.load[k], 0.0)  # one packet is found, once
    second_moment(k, port, answer, 0.0, 1.0)
    # what a light queue's packet finds is sent at the rate of the port, not of the queue
    answer.tail[1, k] *= rate ** (1.0 - min(port.load[k] / rate, 1.0) ** 4)
    return one_queue(
        port.load[k], rate, port.service[k], port.spread[k], above, below, port.buffer[k]
    )


@compiled
def among(k: int, port: Any, satisfied: Any, backlogged: Any, policy: int) -> tuple[float, float]:
    """Loss and waiting work of queue k after those that ask for less than it, and among the others,
    which are backlogged with the probabilities given.

    A packet at the head of queue k waits for its turn: as long as it would be sent under fluid
    sharing, which packets run ahead of by half a packet of each rival; or, under DRR, for what is
    left of a visit and for all other visits.
    """
    load, service, weight = port.load, port.service, port.weight
    above, room, rivals, ahead, met, squares = 0.0, 1.0, 0.0, 0.0, 0.0, 0.0
    for j in range(load.size):
        if j == k or load[j] <= 0.0:
            continue
        before = 0.0
        if satisfied[j]:
            before = precedence(j, k, port, ORDER)
            above += before * load[j] * service[j] * port.spread[j]
            room -= before * load[j]
        one = service[j] * port.residual[j]
        met += (1.0 - before) * min(load[j], 1.0) * one
        ahead += (1.0 - before) * backlogged[j] * one
        rivals += (1.0 - before) * backlogged[j] * weight[j]
        squares += ((1.0 - before) * backlogged[j] * weight[j]) ** 2
    share = max(room * weight[k] / (weight[k] + rivals), LEAST_RATE)
    turn = max(service[k] * (1.0 / share - 1.0 / max(room, LEAST_RATE)) - ahead, 0.0)
    if policy == DRR and rivals > 0.0:
        turn = max((rivals - squares / rivals / 2.0) / max(room, LEAST_RATE) - met, 0.0)
    loss, work = one_queue(load[k], share, service[k], port.spread[k], above, 0.0, port.buffer[k])
    return loss, work + load[k] * (1.0 - loss) * (turn + met)


@compiled
def polling(k: int, port: Any, satisfied: Any, last: float) -> float:
    """Waiting work of queue k if each visit empties it; `last` if it came last.

    Where others use up their visits, the cycle is as long as these and what the satisfied queues
    bring in the meantime; a packet comes during one visit and waits for the others.
    """
    load, visits, rest, squares = port.load, 0.0, 1.0 - port.load[k], 0.0
    for j in range(load.size):
        if j != k and load[j] > 0.0:
            visits += 0.0 if satisfied[j] else port.weight[j]
            squares += 0.0 if satisfied[j] else port.weight[j] ** 2
            rest -= load[j] if satisfied[j] else 0.0
    if visits == 0.0:
        return last
    cycle = visits / max(rest, 0.05)
    for j in range(load.size):
        if j != k and satisfied[j]:
            visits += load[j] * cycle
            squares += (load[j] * cycle) ** 2
    turn = (visits - squares / visits / 2.0) * max(1.0 - load[k], 0.05)
    loss, work = one_queue(load[k], 1.0, port.service[k], port.spread[k], 0.0, 0.0, port.buffer[k])
    return float(work + load[k] * (1.0 - loss) * turn)


@compiled
def divide(
    work: float, port: Any, visit: Any, loss: Any, first: Any, most: Any, waiting: Any
) -> None:
    """Divide the port's waiting work [s] among its queues, none above its `most`.

    Each takes its part as in FIFO, or under long visits as in exhaustive polling (in proportion to
    1 - load: Boxma and Groenendijk, Pseudo-conservation laws in cyclic-service systems, 1987), if
    `first` is not less; what is left over goes to those that ask for most.
    """
    waiting[:] = most
    if most.sum() <= work:
        return
    if work <= 1e-300:
        waiting[:] = 0.0
        return
    n = waiting.size
    parts, greed = np.zeros(n), np.zeros(n)
    largest = (port.load / port.weight).max()
    for k in range(n):
        idle = 1.0 - min(port.load[k], 0.95)
        parts[k] = port.load[k] * (1.0 - loss[k]) * idle ** visit[k]
        greed[k] = (port.load[k] / port.weight[k] / largest) ** (GREED * (1.0 - visit[k]))
    parts *= work / parts.sum()
    for k in range(n):
        waiting[k] = 0.0
        if parts[k] > 0.0 and first[k] > 0.0:
            waiting[k] = (parts[k] ** -SHARP + first[k] ** -SHARP) ** (-1.0 / SHARP)
    excess = waiting.sum() - work
    if excess >= 0.0:
        waiting *= work / (work + excess)
    hand_out(work, greed, most, waiting)


@compiled
def hand_out(work: float, greed: Any, most: Any, waiting: Any) -> None:
    """Give what is left of the port's waiting work [s] to the queues that have room for it."""
    for _ in range(4):
        rest = work - waiting.sum()
        if rest <= 0.0:
            return
        room = (most - waiting) * greed
        waiting += np.minimum(rest * room / max(room.sum(), 1e-300), most - waiting)


@compiled
def pooled_work(port: Any, places: float) -> float:
    """Waiting work of all queues of the port in one FIFO queue that holds `places` of work [s]."""
    total = port.load.sum()
    work = (port.load * port.service).sum()
    irregular = (port.load * port.service * port.spread).sum()
    if work <= 0.0:
        return 0.0
    mean = work / total
    _, waiting = one_queue(total, 1.0, mean, irregular / work, 0.0, 0.0, places / mean)
    return float(waiting)


@compiled
def places_used(port: Any, waiting: Any) -> float:
    """The work that waits when the first queue is full, if it is always divided like this."""
    total, places = waiting.sum(), np.inf
    for k in range(waiting.size):
        if waiting[k] > 1e-9 * total:
            places = min(places, port.buffer[k] * port.service[k] * total / waiting[k])
    return places
