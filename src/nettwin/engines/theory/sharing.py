"""Ports that share: weighted fair queueing and deficit round robin.

Three things are known of the waiting in such a port. The waiting work of all queues together is
that of FIFO (the conservation law: Kleinrock, Queueing Systems II, 1976, section 3.4). No queue
waits longer than if it came last, nor than its guaranteed rate says (generalized processor
sharing: Parekh and Gallager, IEEE/ACM Trans. Networking 1, 1993). And while a port is nearly full,
its work is in the queues that ask for most, measured by load / weight. What is between these
limits is interpolated.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from nettwin.engines.theory.loops import in_place, total_of
from nettwin.engines.theory.ports import DRR, MIN_RATE, Floats, one_queue, second_moment

GREED = 3.0  # how strongly the work left over goes to the queues with the largest load / weight
ORDER = 4  # how sharply load / weight orders the queues
ROUNDS = 3


class Limits(NamedTuple):
    """What bounds the waiting of each queue while the port is shared. Arrays are [n]."""

    last: Floats  # waiting work if it comes last, or after its turn among backlogged rivals
    fair: Floats  # after its turn among those that are likely to be backlogged
    polled: Floats  # if each visit empties it
    room: Floats  # what the buffer holds
    idle: Floats  # the part of the port that it leaves to others
    greed: Floats  # load / weight over the largest
    calm: Floats  # how surely it is not backlogged all the time


@in_place
def shared_port(port: Any, policy: int, answer: Any, room: Any) -> None:
    """Fill rate, loss, waiting and tail under WFQ or DRR; `room` [12, n] and marks [n, n]."""
    load, n = port.load, port.load.size
    table, satisfied = room
    table[:] = 0.0
    most, first, visit, likely, greed = table[7], table[8], table[9], table[10], table[11]
    limits = Limits(table[0], table[1], table[2], table[3], table[4], table[5], table[6])
    find_limits(port, policy, answer, limits, likely, satisfied)
    places = 0.0
    for k in range(n):
        places += port.buffer[k] * port.service[k] if load[k] > 0.0 else 0.0
    for turn in range(ROUNDS):
        for k in range(n):
            if load[k] <= 0.0 or (policy != DRR and turn > 0):
                continue
            if policy == DRR and turn > 0:
                used = port.service[k] + answer.waiting[k]
                visit[k] = port.weight[k] / (port.weight[k] + used) * limits.calm[k]
            most[k] = min(between(limits.last[k], limits.polled[k], visit[k]), limits.room[k])
            first[k] = between(min(limits.fair[k], most[k]), most[k], visit[k])
            greed[k] = limits.greed[k] ** (GREED * (1.0 - visit[k]))
        work = pooled_work(port, places)
        divide(work, port, limits, visit, answer.loss, first, most, greed, answer.waiting)
        places = places_used(port, answer.waiting)


@in_place
def between(a: float, b: float, part: float) -> float:
    """The path from a to b by this part, on the scale of logarithms; a may be 0."""
    return a if part == 0.0 else math.exp(np.log(a) * (1.0 - part) + np.log(b) * part)


@in_place
def find_limits(
    port: Any, policy: int, answer: Any, limits: Any, likely: Any, satisfied: Any
) -> None:
    """Fill the limits, and rate, loss and tail of the answer; `likely` [n], `satisfied` [n, n]."""
    load, weight, n = port.load, port.weight, port.load.size
    satisfied[:] = False
    greediest = 0.0
    for k in range(n):
        answer.rate[k] = guaranteed_rate(k, load, weight, satisfied[k])
        likely[k] = min(load[k] / answer.rate[k], 1.0)
        greediest = max(greediest, load[k] / weight[k])
    for k in range(n):
        limits.greed[k] = load[k] / weight[k] / greediest
        if load[k] <= 0.0:
            continue
        lost, last = coming_last(k, port, satisfied[k], answer)
        refused, bound, fair = among(k, port, satisfied[k], likely, policy)
        answer.loss[k] = min(lost, refused)
        limits.last[k] = min(last, bound)
        limits.fair[k] = fair
        limits.room[k] = port.buffer[k] * port.service[k]
        limits.idle[k] = 1.0 - min(load[k], 0.95)
        if policy == DRR:
            limits.polled[k] = polling(k, port, satisfied[k], last)
            limits.calm[k] = 1.0 - likely[k] ** 4


@in_place
def guaranteed_rate(k: int, load: Any, weight: Any, satisfied: Any) -> float:
    """The rate at which queue k is served while it is backlogged.

    Water-filling: queues that need less than their share leave the rest to the others, and are
    marked as `satisfied` [n]; queue k takes all that it can get.
    """
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
    return float(max(weight[k] / shares * left, MIN_RATE))


@in_place
def precedence(j: int, k: int, load: Any, weight: Any, order: int) -> float:
    """How far queue j comes before queue k: 1 if it asks for less, by load / weight; 1/2 if they
    ask for the same."""
    less = load[j] * weight[k] / (weight[j] * load[k])
    return float(1.0 / (1.0 + min(less, 10.0) ** order))


@in_place
def coming_last(k: int, port: Any, satisfied: Any, answer: Any) -> tuple[float, float]:
    """Loss and waiting work of queue k if it comes after all that have what they need."""
    load, service, rate = port.load[k], port.service[k], answer.rate[k]
    above, below = 0.0, 0.0
    for j in range(port.load.size):
        if j != k and satisfied[j]:
            above += port.load[j] * port.service[j] * port.spread[j]
        elif j != k:
            below += min(port.load[j], 1.0) * port.service[j] * port.residual[j]
    below *= rate * max(rate - load, 0.0)  # one packet is found, once
    if answer.with_tail:
        answer.tail[0, k], lasting = second_moment(
            load, rate, service, port.spread[k], port.residual[k], port.buffer[k], 0.0, 1.0
        )
        # what a light queue's packet finds is sent at the rate of the port, not of the queue
        answer.tail[1, k] = lasting * rate ** (1.0 - min(load / rate, 1.0) ** 4)
    return one_queue(load, rate, service, port.spread[k], above, below, port.buffer[k])


@in_place
def among(
    k: int, port: Any, satisfied: Any, likely: Any, policy: int
) -> tuple[float, float, float]:
    """Loss and waiting work of queue k after those that ask for less than it, and among the others:
    if they are backlogged, and the work if each of them is as `likely` [n] backlogged as that."""
    load, service, weight = port.load, port.service, port.weight
    above, room, met = 0.0, 1.0, 0.0
    rivals, ahead, squares = 0.0, 0.0, 0.0
    rivals_there, ahead_there, squares_there = 0.0, 0.0, 0.0
    for j in range(load.size):
        if j == k or load[j] <= 0.0:
            continue
        others = 1.0
        if satisfied[j]:
            before = precedence(j, k, load, weight, ORDER)
            above += before * load[j] * service[j] * port.spread[j]
            room -= before * load[j]
            others -= before
        there = others * likely[j]
        one = service[j] * port.residual[j]
        met += others * min(load[j], 1.0) * one
        ahead += others * one
        rivals += others * weight[j]
        squares += (others * weight[j]) ** 2
        ahead_there += there * one
        rivals_there += there * weight[j]
        squares_there += (there * weight[j]) ** 2
    own = load[k], service[k], port.spread[k], port.buffer[k], weight[k]
    loss, work = taking_turns(own, above, room, met, rivals, ahead, squares, policy)
    _, fair = taking_turns(own, above, room, met, rivals_there, ahead_there, squares_there, policy)
    return loss, work, fair


@in_place
def taking_turns(
    own: tuple[float, float, float, float, float],
    above: float,
    room: float,
    met: float,
    rivals: float,
    ahead: float,
    squares: float,
    policy: int,
) -> tuple[float, float]:
    """Loss and waiting work of a queue (load, service, spread, buffer, weight) among rivals.

    A packet at the head of the queue waits for its turn: as long as it would be sent under fluid
    sharing, which packets run ahead of by half a packet of each rival; or, under DRR, for what is
    left of a visit and for all other visits.
    """
    load, service, spread, buffer, weight = own
    share = max(room * weight / (weight + rivals), MIN_RATE)
    turn = max(service * (1.0 / share - 1.0 / max(room, MIN_RATE)) - ahead, 0.0)
    if policy == DRR and rivals > 0.0:
        turn = max((rivals - squares / rivals / 2.0) / max(room, MIN_RATE) - met, 0.0)
    loss, work = one_queue(load, share, service, spread, above, 0.0, buffer)
    return loss, work + load * (1.0 - loss) * (turn + met)


@in_place
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


@in_place
def divide(
    work: float,
    port: Any,
    limits: Any,
    visit: Any,
    loss: Any,
    first: Any,
    most: Any,
    greed: Any,
    waiting: Any,
) -> None:
    """Divide the port's waiting work [s] among its queues, none above its `most`.

    Each takes its part as in FIFO, or under long visits as in exhaustive polling (in proportion to
    1 - load: Boxma and Groenendijk, Pseudo-conservation laws in cyclic-service systems, 1987), if
    `first` is not less (a smooth minimum); what is left over goes to those that ask for most.
    """
    load, n = port.load, waiting.size
    for k in range(n):
        waiting[k] = most[k]
    if total_of(most) <= work:
        return
    if work <= 1e-300:
        waiting[:] = 0.0
        return
    whole, taken = 0.0, 0.0
    for k in range(n):
        waiting[k] = load[k] * (1.0 - loss[k])
        if visit[k] > 0.0:
            waiting[k] *= limits.idle[k] ** visit[k]
        whole += waiting[k]
    for k in range(n):
        part = waiting[k] * work / whole
        waiting[k] = 0.0
        if part > 0.0 and first[k] > 0.0:
            waiting[k] = part * first[k] / math.hypot(part, first[k])
        taken += waiting[k]
    if taken >= work:
        for k in range(n):
            waiting[k] *= work / taken
    hand_out(work, greed, most, waiting)


@in_place
def hand_out(work: float, greed: Any, most: Any, waiting: Any) -> None:
    """Give what is left of the port's waiting work [s] to the queues that have room for it."""
    for _ in range(4):
        rest = work - total_of(waiting)
        if rest <= 0.0:
            return
        whole = 1e-300
        for k in range(waiting.size):
            whole += (most[k] - waiting[k]) * greed[k]
        for k in range(waiting.size):
            room = most[k] - waiting[k]
            waiting[k] += min(rest * room * greed[k] / whole, room)


@in_place
def pooled_work(port: Any, places: float) -> float:
    """Waiting work of all queues of the port in one FIFO queue that holds `places` of work [s]."""
    total, work, irregular = 0.0, 0.0, 0.0
    for k in range(port.load.size):
        total += port.load[k]
        work += port.load[k] * port.service[k]
        irregular += port.load[k] * port.service[k] * port.spread[k]
    if work <= 0.0:
        return 0.0
    mean = work / total
    _, waiting = one_queue(total, 1.0, mean, irregular / work, 0.0, 0.0, places / mean)
    return float(waiting)


@in_place
def places_used(port: Any, waiting: Any) -> float:
    """The work that waits when the first queue is full, if it is always divided like this."""
    total, places = total_of(waiting), np.inf
    for k in range(waiting.size):
        if waiting[k] > 1e-9 * total:
            places = min(places, port.buffer[k] * port.service[k] * total / waiting[k])
    return places
