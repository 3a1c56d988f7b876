"""Bursts: the distribution of the rate of few sources, and the fluid queue that they make.

Every modulated source is taken for one of two rates (on-off, the two states of MMPP). The rates of
a queue's sources are convolved, with at most ATOMS values kept; where many come together, they are
taken for equal ones. What comes over one link is never faster than the link.

Bursts that last longer than a buffer takes to fill or to empty are a fluid queue (Anick, Mitra and
Sondhi, Stochastic theory of a data-handling system with multiple sources, Bell System Technical
Journal 61, 1982). The states of the sources are lumped into those that overload the queue and those
that do not, with the mean drift of each and the decay of the exact solution; one source is exact,
with a finite buffer too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nettwin.engines.theory.loops import ATOMS, in_place, njit_nogil

EDGE_ATOMS = 8  # of what comes over one link
MANY = 2.5  # sources from which on they are taken for equal ones


@njit_nogil
def rate_distributions(
    inputs: Any, order: Any, ports: Any, came: Any, states: Any, sums_of: Any, value: Any,
    weight: Any, count: Any,
) -> None:  # fmt: skip
    """Fill `value` and `weight` [queues, ATOMS] of the deviation of each queue's rate from its mean
    in bit/s, and how many there are, `count` [queues]; 1 where nothing is modulated.

    `states` [3, hops]: low rate, high rate, and the part of the time of the high one; `sums_of`
    [3, queues]: the sum of the sources' variances, of their squares, and of how far their rates may
    be above their means.
    """
    for q in range(count.size):
        count[q] = 1
        value[q, 0], weight[q, 0] = 0.0, 1.0
        variance, squares, peak = sums_of[0, q], sums_of[1, q], sums_of[2, q]
        if variance <= 0.0:
            continue
        sources = variance * variance / squares if squares > 0.0 else np.inf
        if sources > MANY and peak > 0.0:
            count[q] = _alike(sources, variance, peak, value[q], weight[q])
            continue
        port = ports.port[q]
        x, w = np.zeros(ATOMS * EDGE_ATOMS), np.zeros(ATOMS * EDGE_ATOMS)
        y, u = np.zeros(2 * ATOMS), np.zeros(2 * ATOMS)
        have, i, end = 1, order.offset[q], order.offset[q + 1]
        w[0] = 1.0
        while i < end:
            cell = order.cell[i]
            n = 1
            y[0], u[0] = 0.0, 1.0
            while i < end and order.cell[i] == cell:
                h = order.hop[i]
                i += 1
                if states[1, h] <= states[0, h]:
                    continue
                n = _add(y, u, n, states[0, h], states[1, h], states[2, h])
                n = compress(y, u, n, ATOMS)
            if cell >= 0 and n > 1:
                wide = inputs.offset[port + 1] - inputs.offset[port]
                place = (cell - inputs.block[port]) % wide
                link = inputs.link[inputs.offset[port] + place]
                n = _clip(y, u, n, max(ports.capacity_bps[link] - came[cell], 0.0))
            if n > 1:
                n = compress(y, u, n, EDGE_ATOMS if have > 1 else ATOMS)
                have = _convolve(x, w, have, y, u, n)
                have = compress(x, w, have, ATOMS)
        value[q], weight[q] = x[:ATOMS], w[:ATOMS]
        count[q] = have


@njit_nogil
def _alike(sources: float, variance: float, peak: float, value: Any, weight: Any) -> int:
    """The sum of so many equal sources of two rates, a binomial variable; of fewer with the same
    variance and skewness where they are too many. Answers how many values it has."""
    part = variance / (variance + peak * peak / sources)
    n = min(round(sources), ATOMS - 1)
    skew = (1.0 - 2.0 * part) / math.sqrt(sources * part * (1.0 - part))
    part = 0.5 - 0.5 * skew * math.sqrt(n / (4.0 + n * skew * skew))
    swing = math.sqrt(variance / (n * part * (1.0 - part)))
    weight[0] = (1.0 - part) ** n
    for k in range(n + 1):
        value[k] = (k - n * part) * swing
        if k > 0:
            weight[k] = weight[k - 1] * (n - k + 1) / k * part / (1.0 - part)
    return n + 1


@njit_nogil
def _add(y: Any, u: Any, n: int, low: float, high: float, part: float) -> int:
    """Add a source of two rates to a distribution of n deviations; both stay in order."""
    swing = high - low
    for k in range(n):
        y[n + k], u[n + k] = y[k] + (1.0 - part) * swing, u[k] * part
        y[k], u[k] = y[k] - part * swing, u[k] * (1.0 - part)
    _sort(y, u, 2 * n)
    return 2 * n


@njit_nogil
def _convolve(x: Any, w: Any, have: int, y: Any, u: Any, n: int) -> int:
    """The sum of two independent variables, in place of the first; in order."""
    for j in range(n - 1, -1, -1):
        for k in range(have):
            x[j * have + k], w[j * have + k] = x[k] + y[j], w[k] * u[j]
    _sort(x, w, have * n)
    return have * n


@njit_nogil
def _sort(x: Any, w: Any, n: int) -> None:
    for k in range(1, n):
        a, b, i = x[k], w[k], k - 1
        while i >= 0 and x[i] > a:
            x[i + 1], w[i + 1] = x[i], w[i]
            i -= 1
        x[i + 1], w[i + 1] = a, b


@njit_nogil
def _clip(y: Any, u: Any, n: int, most: float) -> int:
    """No deviation is above `most`: what would be comes later, so that this rate lasts longer."""
    if y[n - 1] <= most:
        return n
    excess, room, above, kept = 0.0, 0.0, 0.0, 0
    for k in range(n):
        if y[k] >= most:
            excess += u[k] * (y[k] - most)
            above += u[k]
        else:
            room += u[k] * (most - y[k])
            kept = k + 1
    moved = min(excess / room, 1.0) if room > 0.0 else 0.0
    for k in range(kept):
        above += u[k] * moved
        u[k] *= 1.0 - moved
    y[kept], u[kept] = most, above
    return kept + 1


@in_place
def compress(x: Any, w: Any, n: int, most: int) -> int:
    """Put neighbors together until `most` are left; mean and variance stay as they are."""
    if n <= most:
        return n
    mean, square = 0.0, 0.0
    for k in range(n):
        mean += w[k] * x[k]
    for k in range(n):
        square += w[k] * (x[k] - mean) ** 2
    while n > most:
        best, least = 0, np.inf
        for k in range(n - 1):
            cost = w[k] * w[k + 1] / max(w[k] + w[k + 1], 1e-300) * (x[k + 1] - x[k]) ** 2
            if cost < least:
                best, least = k, cost
        whole = w[best] + w[best + 1]
        x[best] = (w[best] * x[best] + w[best + 1] * x[best + 1]) / max(whole, 1e-300)
        w[best] = whole
        for k in range(best + 1, n - 1):
            x[k], w[k] = x[k + 1], w[k + 1]
        n -= 1
    left = 0.0
    for k in range(n):
        left += w[k] * (x[k] - mean) ** 2
    if n > 1 and left > 0.0:
        stretch = math.sqrt(square / left)
        for k in range(n):
            x[k] = mean + (x[k] - mean) * stretch
    return n


@in_place
def two_rates(mean: float, rate_variance: float, part: float) -> tuple[float, float]:
    """The low and the high rate of a source, from its mean, its variance over the squared mean and
    the part of the time of the high rate."""
    low = max(mean * (1.0 - part * math.sqrt(rate_variance / (part * (1.0 - part)))), 0.0)
    return low, low + (mean - low) / part


@in_place
def behind(
    low: float, high: float, part: float, rest: float, kept: float, capacity: float, others: float
) -> tuple[float, float, float, float]:
    """A source of two rates behind a port: its rates, the part of the time of the high one, and by
    how much its correlation time is longer.

    The part `rest` of what comes at any time is lost, and `kept` stays of its mean: what is lost
    more is lost of the high rate. No rate is above its part of the port's capacity, which it shares
    with `others` bit/s: a burst lasts longer then.
    """
    mean = (low * (1.0 - part) + high * part) * kept
    low = min(low * (1.0 - rest), mean)
    high = low + (mean - low) / part
    capacity *= min(high / max(high + others, 1e-300), 1.0)
    if high <= capacity or low >= capacity:
        return low, high, part, 1.0
    longer = min((mean - low) / (capacity - low), 0.999)
    return low, low + (mean - low) / longer, longer, longer * (1.0 - longer) / (part * (1.0 - part))


@in_place
def fluid(
    over: float, rise: float, fall: float, leaves: float, buffer: float
) -> tuple[float, float, float]:
    """A finite fluid queue that rises at `rise` a part `over` of the time and falls at `fall`.

    Times of rising are exponential and end `leaves` times a second; `buffer` is what the queue
    holds in the unit of the drifts times seconds. Answers: the part
    of the overload in which the queue is full; while it rises, its mean content and mean squared
    content times the part of the time (while it falls: rise / fall times as much).
    """
    decay = leaves / rise - leaves * over / (1.0 - over) / fall
    z, ramp = decay * buffer, rise / leaves
    if z > 500.0:
        return 0.0, over / decay, 2.0 * over / decay**2
    if abs(z) < 1e-2:
        density = over / (buffer * (1.0 - z / 2.0) + ramp * (1.0 - z))
        first, second = buffer**2 * (0.5 - z / 3.0), buffer**3 * (1.0 / 3.0 - z / 4.0)
        return density * ramp * (1.0 - z) / over, density * first, density * second
    one, end = math.exp(min(z, 0.0)), math.exp(-max(z, 0.0))  # 1 and exp(-z), neither infinite
    density = over / ((one - end) / decay + ramp * end)
    first = (one - end * (1.0 + z)) / decay**2
    second = (2.0 * one - end * (z * z + 2.0 * z + 2.0)) / decay**3
    return density * ramp * end / over, density * first, density * second


@in_place
def burst_of(low: float, high: float, part: float, capacity: float, load: float) -> float:
    """What the bursts of a source add to the loss of a queue to which `load` bit/s are offered, in
    some unit: in proportion to its part in the variance of the rate, but a queue that overflows in
    any case loses 1 - capacity / rate, which bends towards 1 as the rate grows.
    """
    swing = high - low
    bent = min(max(load - capacity, 0.0) / (capacity * capacity), 1.0 / max(load, capacity))
    return part * (1.0 - part) * swing * swing / (1.0 + swing * bent)


@in_place
def own_loss(
    loss: float, resting: float, own_burst: float, bursts: float, own: float, all_of_it: float
) -> float:
    """Loss of a flow of this rate and `burst_of`, among all that comes to a queue.

    Those that come while the rate is high lose more: in proportion to what their bursts add to the
    loss, so that all together lose what the queue does.
    """
    part = own_burst / max(bursts, 1e-300) * all_of_it / max(own, 1e-300)
    return min(max(resting + (loss - resting) * part, 0.0), 1.0)
