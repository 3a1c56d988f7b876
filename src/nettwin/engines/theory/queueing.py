"""Closed forms of one queue: M/M/1/K with a real K, and its two-moment extension.

Scalar functions, compiled, because the scheduling formulas built on them branch a lot.
"""

from __future__ import annotations

import math

from nettwin.engines.theory.loops import in_place

LARGEST_BUFFER = 1e5  # packets; stands for "no limit"


@in_place
def mm1k(load: float, capacity: float) -> tuple[float, float]:
    """Blocking probability of M/M/1/K, and the mean number waiting, the packet in service not
    counted (Kleinrock, Queueing Systems I, 1975, section 3.6).

    P = (1/a - 1) / (a^-(K+1) - 1), which is stable on both sides of load a = 1. `capacity` is K,
    the packet in service counted, and may be any real number of at least 0.
    """
    if load <= 0.0:
        return 0.0, 0.0
    y = -math.log(load)
    tail = (capacity + 1.0) * y
    one = (1.0 - load) / load
    if tail > 700.0:
        return 0.0, max(1.0 / one - load, 0.0)
    whole = growth(tail)
    loss = one / whole if abs(tail) >= 1e-9 else 1.0 / (capacity + 1.0)
    if abs(tail) < 1e-2:
        inside = capacity / 2.0 - y * capacity * (capacity + 2.0) / 12.0
    else:
        inside = 1.0 / one - (capacity + 1.0) / whole
    return loss, max(inside - load * (1.0 - loss), 0.0)


@in_place
def found(load: float, capacity: float) -> tuple[float, float]:
    """Mean and variance of the number that an accepted packet finds in M/M/1/K.

    It is geometric, cut at K - 1: p_n proportional to load^n.
    """
    if load <= 0.0 or capacity <= 1.0:
        return 0.0, 0.0
    y = -math.log(load)
    tail = capacity * y
    if abs(tail) < 1e-3:
        flat = (capacity * capacity - 1.0) / 12.0
        return (capacity - 1.0) / 2.0 - y * flat, flat
    endless = load / (1.0 - load)
    if tail > 700.0:
        return endless, endless * (endless + 1.0)
    whole = growth(tail)
    cut = capacity / whole
    variance = endless * (endless + 1.0) - cut * (cut + capacity)
    return max(endless - cut, 0.0), max(variance, 0.0)


@in_place
def growth(x: float) -> float:
    """exp(x) - 1, exact for small x too."""
    return math.exp(x) - 1.0 if abs(x) > 0.7 else math.expm1(x)


@in_place
def scaled_capacity(load: float, buffer: float, variability: float) -> float:
    """The K of the M/M/1/K queue that blocks like a queue with `buffer` waiting places.

    The two-moment approximation of MacGregor Smith (Optimal design and performance modelling of
    M/G/1/K queueing systems, 2004): K = 1 + buffer / (1 + sqrt(load) (v - 1)), with v the mean of
    the squared coefficients of variation of arrivals and service. Exact for M/M/1/K.
    """
    spread = 1.0 + math.sqrt(min(load, 1.0)) * (variability - 1.0)
    return 1.0 + buffer / max(spread, 0.02)


@in_place
def packet_loss(work_loss: float, bias: float, cv2: float) -> float:
    """The part of the packets that is refused, where `work_loss` of the work is; cv2 of sizes."""
    return work_loss / (1.0 + bias * cv2)


@in_place
def size_loss(bits: float, loss: float, bias: float, packet_bits: float) -> float:
    """Loss of packets of this size, where `loss` of all is refused and packet_bits their mean.

    A buffer that counts bits has room for a small packet when it has none for a large one: with
    little room left, loss is in proportion to the size (`bias` 1), and none of it is where packets
    are counted (0).
    """
    if packet_bits <= 0.0:
        return loss
    return min(max(loss * (1.0 - bias + bias * bits / packet_bits), 0.0), 1.0)
