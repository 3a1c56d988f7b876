"""Least served first: of the queues that hold packets, the one that has sent the fewest bits for
its weight since the start.

A queue that asks for less than its share falls behind the others for ever, and so goes before them
at all times: strict priority in the order of load / weight. Those that ask for more share what is
left by their weights, and go last. Queues that ask for the same take turns at random.
"""

from __future__ import annotations

from typing import Any

from nettwin.engines.theory.loops import in_place
from nettwin.engines.theory.ports import MIN_RATE, one_queue, second_moment
from nettwin.engines.theory.sharing import (
    coming_last,
    guaranteed_rate,
    hand_out,
    pooled_work,
    precedence,
)

STRICT_ORDER = 30  # 10 % more or less makes it clear who comes first


@in_place
def least_served_first(port: Any, answer: Any, room: Any) -> None:
    """Fill rate, loss, waiting and tail; `room` has two rows of numbers, and marks [n]."""
    load, n = port.load, port.load.size
    numbers, marks = room
    most, greed, satisfied = numbers[0], numbers[1], marks[0]
    most[:] = greed[:] = 0.0
    users, places, greediest = 0, 0.0, 0.0
    for k in range(n):
        if load[k] > 0.0:
            users += 1
            places += port.buffer[k] * port.service[k]
            greediest = max(greediest, load[k] / port.weight[k])
    for k in range(n):
        if load[k] <= 0.0:
            answer.loss[k] = answer.waiting[k] = 0.0
            continue
        satisfied[:] = False
        answer.rate[k] = guaranteed_rate(k, load, port.weight, satisfied)
        lost, last = coming_last(k, port, satisfied, answer)
        above, below, part = before_and_after(k, port, satisfied, answer)
        answer.loss[k], answer.waiting[k] = one_queue(
            load[k],
            answer.rate[k],
            port.service[k],
            port.spread[k],
            above,
            below,
            port.buffer[k],
        )
        if answer.with_tail:
            answer.tail[0, k], answer.tail[1, k] = second_moment(
                load[k],
                answer.rate[k],
                port.service[k],
                port.spread[k],
                port.residual[k],
                port.buffer[k],
                above,
                part,
            )
        most[k] = answer.waiting[k]
        greed[k] = (load[k] / port.weight[k] / greediest) ** STRICT_ORDER
        if satisfied.sum() + 1 == users:
            most[k] = max(last, most[k])
            answer.loss[k] = min(lost, answer.loss[k])
    hand_out(pooled_work(port, places), greed, most, answer.waiting)


@in_place
def before_and_after(k: int, port: Any, satisfied: Any, answer: Any) -> tuple[float, float, float]:
    """Residual work of the queues before and after queue k, and the part up to it; its rate."""
    above, below, taken, rivals = 0.0, 0.0, 0.0, 0.0
    for j in range(port.load.size):
        if j == k or port.load[j] <= 0.0:
            continue
        before = precedence(j, k, port.load, port.weight, STRICT_ORDER) if satisfied[j] else 0.0
        work = min(port.load[j], 1.0) * port.service[j]
        above += before * work * port.spread[j]
        below += (1.0 - before) * work * port.residual[j]
        taken += before * port.load[j]
        rivals += 0.0 if satisfied[j] else port.weight[j]
    room = max(1.0 - taken, MIN_RATE)
    share = room * port.weight[k] / (port.weight[k] + rivals)
    sated = min(max((port.load[k] / share - 0.9) / 0.2, 0.0), 1.0)
    answer.rate[k] = room ** (1.0 - sated) * share**sated
    own = port.load[k] * port.service[k] * port.spread[k]
    return above, below, (own + above) / (own + above + below)
