"""How long packets wait in the queues of one port: FIFO, strict priority, WFQ and DRR.

Every policy is reduced to the same question: which part of the port serves a queue while it is
backlogged (`rate`, 1 for the whole port)? The queue is then a finite one of load a / rate, and the
packet that is found in service, or a burst of a higher class, adds to its waiting.

Work is in seconds of the port: `load` a = work a second, `service` = mean transmission time,
`spread` = (ca^2 + cs^2) / 2 of the queue's packets, `residual` = (1 + cs^2) / 2. `n` queues.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from nettwin.engines.theory.queueing import found, mm1k_loss, mm1k_waiting, scaled_capacity

FIFO, SP, WFQ, DRR = 0, 1, 2, 3
LEAST_RATE = 1e-6


@njit(cache=True)
def port_waiting(
    policy: int,
    n: int,
    load: Any,
    service: Any,
    spread: Any,
    residual: Any,
    buffer: Any,
    weight: Any,
    quantum: Any,
    rate: Any,
    loss: Any,
    waiting: Any,
    tail: Any,
) -> None:
    """Fill, for each queue, `rate`, `loss`, `waiting` (work of its own that waits, in s) and `tail`.

    `tail` [2, n] gives the second moment of the waiting time w: tail[0] w^2 + tail[1] w.
    """
    if policy == SP or n == 1:
        strict_priority(n, load, service, spread, residual, buffer, rate, loss, waiting, tail)
        return
    guaranteed_rates(n, load, weight if policy == WFQ else quantum, rate)
    shared_port(n, load, service, spread, residual, buffer, rate, loss, waiting, tail)
    conserve_work(n, load, service, spread, residual, buffer, loss, waiting)
    if policy == DRR:
        long_visits(n, load, service, spread, residual, buffer, quantum, loss, waiting)


@njit(cache=True)
def one_queue(
    load: float,
    rate: float,
    service: float,
    spread: float,
    above: float,
    below: float,
    buffer: float,
) -> tuple[float, float]:
    """Loss, and work waiting in seconds, of a queue served at `rate` while it is backlogged.

    `above` and `below` are the residual work (1/2 of the sum of arrivals a second times squared
    service) of classes that are served before it, and of those it only finds in service. A class
    above stretches the service ("completion time"), which decides on the loss; the waiting of an
    unlimited queue is then that of Cobham (Operations Research 2, 1954):
    (own + above + below) / (rate (rate - load)).
    """
    if load <= 0.0:
        return 0.0, 0.0
    rho = load / rate
    capacity = scaled_capacity(rho, buffer, spread + above / (service * rate))
    loss = mm1k_loss(rho, capacity)
    factor = spread + (above + below) / (service * min(load, rate))
    packets = min(factor * mm1k_waiting(rho, capacity), buffer)
    return loss, packets * service


@njit(cache=True)
def second_moment(
    k: int,
    load: Any,
    rate: Any,
    service: Any,
    residual: Any,
    buffer: Any,
    spread: Any,
    above: float,
    part: float,
    tail: Any,
) -> None:
    """Fill `tail` of queue k.

    E[w^2] is 2 E[w]^2 + s E[S^3] / (3 E[S^2] / 2) E[w] in M/G/1 (Kleinrock, Queueing Systems I,
    1975, section 5.7), with gamma-like third moments; a finite buffer takes 2 to what the number
    found in M/M/1/K says. Priorities (Kesten and Runnenburg, Indagationes Mathematicae 19, 1957):
    `part` of the residual work is of the classes up to this one, and `above` of those before it
    stretches the tail.
    """
    if load[k] <= 0.0:
        tail[0, k] = 2.0
        return
    rho = load[k] / rate[k]
    capacity = scaled_capacity(rho, buffer[k], spread[k] + above / (service[k] * rate[k]))
    mean, variance = found(rho, capacity)
    square = 2.0 if mean <= 1e-9 else (variance + mean * mean - mean) / (mean * mean)
    cv2 = 2.0 * residual[k] - 1.0
    third = (1.0 + 2.0 * cv2) * 2.0 / 3.0  # E[S^3] / 3 over s E[S^2] / 2
    tail[0, k] = max(square, 0.0) * part
    tail[1, k] = third * service[k] / rate[k] + 2.0 * above / rate[k] ** 2


@njit(cache=True)
def strict_priority(
    n: int,
    load: Any,
    service: Any,
    spread: Any,
    residual: Any,
    buffer: Any,
    rate: Any,
    loss: Any,
    waiting: Any,
    tail: Any,
) -> None:
    """Non-preemptive priority, queue 0 first; FIFO is the case of one queue.

    Cobham 1954 with finite queues: what the queues before it carry is taken from the port.
    """
    taken, above, below = 0.0, 0.0, 0.0
    for k in range(n):
        below += load[k] * service[k] * residual[k]
    for k in range(n):
        below -= load[k] * service[k] * residual[k]
        rate[k] = max(1.0 - taken, LEAST_RATE)
        room = max(1.0 - taken - load[k], 0.0)  # the classes after it are served in what is left
        rest = max(below, 0.0) * _served_part(n, k, load, room)
        loss[k], waiting[k] = one_queue(
            load[k], rate[k], service[k], spread[k], above, rest, buffer[k]
        )
        own = load[k] * service[k] * spread[k]
        part = (own + above) / max(own + above + rest, 1e-300)
        second_moment(k, load, rate, service, residual, buffer, spread, above, part, tail)
        carried = load[k] * (1.0 - loss[k])
        taken += carried
        above += carried * service[k] * spread[k]


@njit(cache=True)
def _served_part(n: int, k: int, load: Any, room: float) -> float:
    """The part of the load after queue k that a port with this much room can serve."""
    after = 0.0
    for j in range(k + 1, n):
        after += load[j]
    return 1.0 if after <= room else room / after


@njit(cache=True)
def guaranteed_rates(n: int, load: Any, weight: Any, rate: Any) -> None:
    """The rate at which each queue is served while backlogged, under generalized processor sharing.

    Water-filling (Parekh and Gallager, IEEE/ACM Trans. Networking 1, 1993): queues that need less
    than their share leave the rest to the others; the queue looked at wants all it can get.
    """
    for k in range(n):
        satisfied = np.zeros(n, np.bool_)
        for _ in range(n):
            left, shares = 1.0, 0.0
            for j in range(n):
                if satisfied[j] or (load[j] <= 0.0 and j != k):
                    left -= load[j]
                else:
                    shares += weight[j]
            changed = False
            for j in range(n):
                if j != k and not satisfied[j] and load[j] < weight[j] / shares * left:
                    satisfied[j] = changed = True
            if not changed:
                break
        rate[k] = max(weight[k] / shares * left, LEAST_RATE)


@njit(cache=True)
def shared_port(
    n: int,
    load: Any,
    service: Any,
    spread: Any,
    residual: Any,
    buffer: Any,
    rate: Any,
    loss: Any,
    waiting: Any,
    tail: Any,
) -> None:
    """Queues at their guaranteed rates; a packet also finds those of other queues in service."""
    total = 0.0
    for k in range(n):
        total += load[k] * service[k] * residual[k]
    for k in range(n):
        others = max(total - load[k] * service[k] * residual[k], 0.0)
        loss[k], waiting[k] = one_queue(
            load[k], rate[k], service[k], spread[k], 0.0, others, buffer[k]
        )
        second_moment(k, load, rate, service, residual, buffer, spread, 0.0, 1.0, tail)


@njit(cache=True)
def pooled_queue(
    n: int, load: Any, service: Any, spread: Any, buffer: Any
) -> tuple[float, float, float]:
    """Load, loss and waiting work of all queues of the port in one FIFO queue."""
    total, work, irregular, places = 0.0, 0.0, 0.0, 0.0
    for k in range(n):
        total += load[k]
        work += load[k] * service[k]
        irregular += load[k] * service[k] * spread[k]
        places += buffer[k] if load[k] > 0.0 else 0.0
    if work <= 0.0:
        return 0.0, 0.0, 0.0
    mean = work / total
    loss, waiting = one_queue(total, 1.0, mean, irregular / work, 0.0, 0.0, places)
    return total, loss, waiting


@njit(cache=True)
def conserve_work(
    n: int,
    load: Any,
    service: Any,
    spread: Any,
    residual: Any,
    buffer: Any,
    loss: Any,
    waiting: Any,
) -> None:
    """Scale the waiting so that the port's whole waiting work is that of FIFO.

    The conservation law (Kleinrock, Queueing Systems II, 1976, section 3.4) holds for every order
    of service that is work-conserving; it fades out where loss decides how much work there is.
    """
    total, _, target = pooled_queue(n, load, service, spread, buffer)
    have = 0.0
    for k in range(n):
        have += waiting[k]
    valid = min(max((1.0 - total) / 0.3, 0.0), 1.0)
    if have <= 0.0 or valid <= 0.0:
        return
    factor = min(max(target / have, 0.3), 3.0) ** valid
    for k in range(n):
        waiting[k] = min(waiting[k] * factor, buffer[k] * service[k])


@njit(cache=True)
def long_visits(
    n: int,
    load: Any,
    service: Any,
    spread: Any,
    residual: Any,
    buffer: Any,
    quantum: Any,
    loss: Any,
    waiting: Any,
) -> None:
    """DRR whose quantum outlasts the backlog: each visit empties the queue.

    Waiting is then near that of exhaustive polling, in proportion to 1 - load (Boxma and
    Groenendijk, Pseudo-conservation laws in cyclic-service systems, 1987), again with the
    port's work conserved. `quantum` in s of the port; small quanta leave the fair shares.
    """
    total, _, target = pooled_queue(n, load, service, spread, buffer)
    norm = 0.0
    for k in range(n):
        norm += load[k] * (1.0 - min(load[k], 0.95))
    if norm <= 0.0:
        return
    valid = min(max((1.1 - total) / 0.25, 0.0), 1.0)
    for k in range(n):
        if load[k] <= 0.0:
            continue
        visit = target * load[k] * (1.0 - min(load[k], 0.95)) / norm
        visit = min(visit, buffer[k] * service[k])
        empties = quantum[k] / (quantum[k] + service[k] + waiting[k])
        part = valid * empties
        waiting[k] = max(visit, 1e-15) ** part * max(waiting[k], 1e-15) ** (1.0 - part)
