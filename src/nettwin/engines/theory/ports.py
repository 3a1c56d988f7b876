"""How long packets wait in the queues of one port: FIFO, strict priority, WFQ and DRR.

Every policy is reduced to the same question: which part of the port serves a queue while it is
backlogged (`rate`, 1 for the whole port)? The queue is then a finite one of load a / rate, and the
packet that is found in service, or a burst of a higher class, adds to its waiting.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.loops import in_place
from nettwin.engines.theory.queueing import found, mm1k, scaled_capacity

FIFO, SP, WFQ, DRR, LSF = range(5)
MIN_RATE = 1e-6
Floats = NDArray[np.float64]


class Port(NamedTuple):
    """The queues of one port; work is in seconds of the port. Arrays are [n]."""

    load: Floats  # work offered a second
    service: Floats  # mean transmission time
    spread: Floats  # (ca^2 + cs^2) / 2 of the packets
    residual: Floats  # (1 + cs^2) / 2
    buffer: Floats  # packets that may wait
    weight: Floats  # share of the port; a visit's work under DRR


class Answer(NamedTuple):
    """What becomes of them; filled by the policies. Arrays are [n], `tail` is [2, n]."""

    rate: Floats  # part of the port that serves the queue while it is backlogged
    loss: Floats
    waiting: Floats  # work of its own that waits, in s
    tail: Floats  # E[w^2] is tail[0] E[w]^2 + tail[1] E[w] for the waiting time w
    with_tail: bool  # whether that is asked for


@in_place
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
    loss, waiting = mm1k(rho, capacity)
    factor = spread + (above + below) / (service * min(load, rate))
    packets = min(factor * waiting, buffer)
    return loss, packets * service


@in_place
def second_moment(
    load: float,
    rate: float,
    service: float,
    spread: float,
    residual: float,
    buffer: float,
    above: float,
    part: float,
) -> tuple[float, float]:
    """The `tail` of a queue's Answer.

    E[w^2] is 2 E[w]^2 + (E[S^3] / 3) / (E[S^2] / 2) E[w] in M/G/1 (Kleinrock, Queueing Systems I,
    1975, section 5.7), here with the third moment of a gamma variable; a finite buffer takes 2 to
    what the number found in M/M/1/K says. Priorities (Kesten and Runnenburg, Indagationes
    Mathematicae 19, 1957): `part` of the residual work is of the classes up to this one, and
    `above`, of those before it, stretches the tail.
    """
    if load <= 0.0:
        return 2.0, 0.0
    rho = load / rate
    capacity = scaled_capacity(rho, buffer, spread + above / (service * rate))
    mean, variance = found(rho, capacity)
    square = 2.0 if mean <= 1e-9 else (variance + mean * mean - mean) / (mean * mean)
    cv2 = 2.0 * residual - 1.0
    lasting = (1.0 + 2.0 * cv2) * 2.0 / 3.0 * service / rate + 2.0 * above / rate**2
    return max(square, 0.0) * part, lasting


@in_place
def strict_priority(port: Any, answer: Any) -> None:
    """Non-preemptive priority, queue 0 first; FIFO is the case of one queue.

    Cobham 1954 with finite queues: what the queues before it carry is taken from the port.
    """
    load, service, spread, residual = port.load, port.service, port.spread, port.residual
    n = load.size
    taken, above, below, after = 0.0, 0.0, 0.0, 0.0
    for k in range(n):
        below += load[k] * service[k] * residual[k]
        after += load[k]
    for k in range(n):
        below -= load[k] * service[k] * residual[k]
        after -= load[k]
        rate = max(1.0 - taken, MIN_RATE)
        room = max(1.0 - taken - load[k], 0.0)  # the classes after it are served in what is left
        rest = max(below, 0.0) * (1.0 if after <= room else room / after)
        own = load[k] * service[k] * spread[k]
        buffer = port.buffer[k]
        part = (own + above) / max(own + above + rest, 1e-300)
        loss, waiting = one_queue(load[k], rate, service[k], spread[k], above, rest, buffer)
        answer.rate[k], answer.loss[k], answer.waiting[k] = rate, loss, waiting
        if answer.with_tail:
            answer.tail[0, k], answer.tail[1, k] = second_moment(
                load[k], rate, service[k], spread[k], residual[k], buffer, above, part
            )
        carried = load[k] * (1.0 - loss)
        taken += carried
        above += carried * service[k] * spread[k]
