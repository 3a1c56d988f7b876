"""Modulated: a port whose queues' rates change slowly, solved for each combination of the rates.

Each combination is a steady state; the time that it lasts decides how far the queue gets there.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.bursts import compress, fluid
from nettwin.engines.theory.least_served import least_served_first
from nettwin.engines.theory.loops import in_place, total_of
from nettwin.engines.theory.ports import DRR, LSF, MIN_RATE, SP, Answer, Port, strict_priority
from nettwin.engines.theory.rows import (
    BUFFER,
    LASTING,
    LOSS,
    MEETING,
    RATE,
    RESTING,
    RESTING_LOSS,
    SERVICE,
    SIZE_CV2,
    SLOW,
    SLOWLY,
    SPREAD,
    WAITING,
    WAITING_VARIANCE,
)
from nettwin.engines.theory.sharing import shared_port

QUICKEST = 3.0  # times as often as a single source's, a queue's overload ends
LONG = 0.4  # how much of the content is of overloads that end and come again
MAX_RESTING = 1.5  # waiting of what comes at any time over that of all
CRITICAL = 1e-3  # excess of load from which on it is an overload
HASTE = 0.3  # of its relaxation time, a queue takes to be half settled
GRIP = 0.6  # how fast a queue that is served less catches up
TURNS = 4  # of how long the rest of a burst keeps the port from others
SETTLES = 25.0  # relaxation times in which a queue is taken for settled


class Rates(NamedTuple):
    """The distribution of each queue's rate, as deviations from its mean."""

    value: NDArray[np.float64]  # [queues, ATOMS] in bit/s, ascending
    weight: NDArray[np.float64]  # [queues, ATOMS]
    many: NDArray[np.int64]  # [queues] how many there are


@in_place
def policy_answer(policy: int, queues: Any, answer: Any, inner: Any) -> None:
    """Fill the answer by the port's policy."""
    if policy == SP or queues.load.size == 1:
        strict_priority(queues, answer)
    elif policy == LSF:
        least_served_first(queues, answer, inner)
    else:
        shared_port(queues, policy, answer, inner)


@in_place
def average_rates(
    port: int, ports: Any, state: Any, rates: Any, mean: Any, room: Any, varies: bool, most: int
) -> None:
    """Fill rate, loss and waiting of a port's queues [STATES, n] at the mean loads given, averaged
    over at most so many combinations of their rates; the variance of waiting if asked for."""
    policy, first, capacity = ports.policy[port], ports.offset[port], ports.capacity_bps[port]
    n = mean.size
    numbers, marks = room.numbers[:, :n], room.marks[:n, :n]
    residual, load, tail, share, buffer = (
        numbers[0],
        numbers[1],
        numbers[2:4],
        numbers[4],
        numbers[5],
    )
    inner = (numbers[17:29], marks)
    answer = Answer(numbers[6], numbers[7], numbers[8], tail, varies)
    answer.rate[:] = 1.0
    swing, lasting = 0.0, 0.0
    for k in range(n):
        residual[k] = state[MEETING, k] * (1.0 + state[SIZE_CV2, k]) / 2.0
        share[k] = ports.weight[first + k]
        if policy == DRR:
            share[k] = ports.quantum_bits[first + k] / capacity
        buffer[k] = state[BUFFER, k]
        swing += state[SLOW, k] ** 2
        if state[LASTING, k] > 0.0:
            lasting += state[SLOW, k] ** 2 / state[LASTING, k]
    lasting = swing / max(lasting, 1e-300)
    queues = Port(load, state[SERVICE], state[SPREAD], residual, buffer, share)
    count = combinations(first, n, rates, room, most)
    wide = reach_of(mean, state, lasting) if count > 1 else np.inf
    weight, found = room.points[0], room.points[1:]
    draining, behind = numbers[9], numbers[10]
    draining[:] = 0.0
    if policy == LSF:
        catch_up(ports, first, mean, state, behind, True)
    for turn in range(TURNS if n > 1 and count > 1 else 1):
        if turn == 0 or policy == LSF:
            for i in range(count):
                rest = i
                for k in range(n):
                    j = rest % room.chosen[k]
                    rest //= room.chosen[k]
                    moved = room.atoms[0, k, j] * state[SLOWLY, k] / capacity
                    load[k] = max(mean[k] + moved, 1e-6 * mean[k])
                now = total_of(load)
                reach, near = np.inf, 1.0
                if now < 1.0 + CRITICAL and count > 1:
                    reach, near = wide, settled(load, state, lasting)
                for k in range(n):
                    buffer[k] = state[BUFFER, k]
                    if load[k] > 0.0:
                        buffer[k] = min(buffer[k], reach / state[SERVICE, k])
                    load[k] = mean[k] + (load[k] - mean[k]) * near
                    if policy == LSF and mean[k] > 0.0:  # the order is that of all the time before
                        share[k] = ports.weight[first + k] * load[k] / mean[k] * behind[k]
                policy_answer(policy, queues, answer, inner)
                for k in range(n):
                    whole = state[BUFFER, k] * state[SERVICE, k]
                    solved = load[k]
                    load[k] = mean[k] + (load[k] - mean[k]) / near
                    found[0, i, k], found[1, i, k] = load[k], answer.rate[k]
                    found[2, i, k] = answer.loss[k] * math.exp(-whole / reach)
                    found[3, i, k] = answer.waiting[k] * load[k] / max(solved, 1e-300)
                    if load[k] > answer.rate[k] and count > 1:
                        found[2, i, k] = max(answer.loss[k], 1.0 - answer.rate[k] / load[k])
                    wait = found[3, i, k] / max(load[k] * (1.0 - found[2, i, k]), 1e-300)
                    found[4, i, k] = (tail[0, k] * wait + tail[1, k]) * found[3, i, k]
        weigh(count, room, draining, behind, policy == LSF, weight)
        for k in range(n):
            if mean[k] > 0.0:
                draining[k] = average_queue(
                    weight[:count, k], found[:, :count, k], state[:, k], lasting
                )
        if policy == LSF:
            catch_up(ports, first, mean, state, behind, False)


@in_place
def catch_up(ports: Any, first: int, mean: Any, state: Any, behind: Any, begins: bool) -> None:
    """Under least served first, raise the shares `behind` [n] of the queues that are served less
    than others for their weight, until they are served as much or have all that they ask for."""
    total, used = 0.0, 0.0
    for k in range(mean.size):
        behind[k] = 1.0 if begins else behind[k]
        served = mean[k] * (1.0 - (0.0 if begins else state[LOSS, k]))
        if served > 0.0:
            total += math.log(served / ports.weight[first + k])
            used += 1.0
    for k in range(mean.size):
        served = mean[k] * (1.0 - (0.0 if begins else state[LOSS, k]))
        if served > 0.0:
            ahead = math.log(served / ports.weight[first + k]) - total / used
            caught = behind[k] * math.exp(-(2.0 if begins else GRIP) * ahead)
            behind[k] = min(max(caught, 1e-4), 1e4)


@in_place
def weigh(count: int, room: Any, draining: Any, behind: Any, ordered: bool, weight: Any) -> None:
    """Fill `weight` [combinations, n]: how often each queue meets each combination.

    A queue that holds the rest of a burst asks for the port as it did during the burst: while it
    is `draining`, a part of the time in which it need not, the others find it at its highest rate;
    where an order is kept over all the time before, those that come before it do not.
    """
    n = draining.size
    for i in range(count):
        for k in range(n):
            part, rest = 1.0, i
            for j in range(n):
                atom = rest % room.chosen[j]
                rest //= room.chosen[j]
                here = room.atoms[1, j, atom]
                if j != k:
                    left = draining[j]
                    if ordered:
                        left *= behind[j] / (behind[j] + behind[k])
                    here *= 1.0 - left
                    here += left if atom == room.chosen[j] - 1 else 0.0
                part *= here
            weight[i, k] = part


@in_place
def combinations(first: int, n: int, rates: Any, room: Any, most: int) -> int:
    """Choose the values of each queue's rate, and how many combinations of them there are."""
    total = 1
    for k in range(n):
        room.chosen[k] = rates.many[first + k]
        for j in range(room.chosen[k]):
            room.atoms[0, k, j] = rates.value[first + k, j]
            room.atoms[1, k, j] = rates.weight[first + k, j]
        total *= room.chosen[k]
    while total > most:
        widest = 0
        for k in range(n):
            if room.chosen[k] > room.chosen[widest]:
                widest = k
        total = total // room.chosen[widest]
        room.chosen[widest] -= 1
        total *= room.chosen[widest]
    for k in range(n):
        compress(room.atoms[0, k], room.atoms[1, k], rates.many[first + k], room.chosen[k])
    return total


@in_place
def _port(load: Any, state: Any) -> tuple[float, float, float, float]:
    """A port at these loads of its queues: load, mean service time [s] and dispersion of its
    packets, and how much its buffers hasten that it settles."""
    now, service, spread, places = 0.0, 0.0, 0.0, 0.0
    for k in range(load.size):
        now += load[k]
        service += state[SERVICE, k] * load[k]
        spread += state[SPREAD, k] * load[k]
        places += state[BUFFER, k] if load[k] > 0.0 else 0.0
    service, spread = service / now, spread / now
    walls = (math.pi * spread / (places + 1.0)) ** 2
    return now, service, spread, walls


@in_place
def reach_of(load: Any, state: Any, lasting: float) -> float:
    """The work [s] that diffuses together in a port in the time that its rates last, or in that
    which it needs to settle at its mean load: sqrt(2 g s t)."""
    now, service, spread, walls = _port(load, state)
    settled = lasting + SETTLES * service * spread / ((1.0 - now) ** 2 + walls)
    return math.sqrt(2.0 * spread * service * settled)


@in_place
def settled(load: Any, state: Any, lasting: float) -> float:
    """How far a port gets from its mean load to this one while it lasts: the part of the time in
    which it has settled, with the relaxation time of the reflected Brownian motion."""
    now, service, spread, walls = _port(load, state)
    relaxation = service * spread / ((1.0 - now) ** 2 + walls)
    return lasting / (lasting + HASTE * relaxation)


@in_place
def fill_in_time(load: Any, mean: Any, state: Any, buffer: Any, filled: Any) -> None:
    """Limit what a queue holds to what comes while the modulation lasts, t on average: the excess
    of the load, (a - 1) t, and what diffuses in t or in the time that the queue needs to settle at
    its mean load, sqrt(2 g s t) [s]. A buffer is `filled` with the probability that t,
    exponential, is long enough; an overload that is there p of the time lasts 1 / (1 - p) longer.
    """
    total, now, lasting, service, spread, places, swing = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(mean.size):
        total += mean[k]
        now += load[k]
        lasting += state[LASTING, k] * mean[k]
        service += state[SERVICE, k] * mean[k]
        spread += state[SPREAD, k] * mean[k]
        places += state[BUFFER, k] if mean[k] > 0.0 else 0.0
        swing += state[SLOW, k] ** 2
    lasting, service, spread = lasting / total, service / total, spread / total
    overloaded = 0.5 * math.erfc((1.0 - total) / math.sqrt(2.0 * swing))
    lasting /= max(1.0 - overloaded, 1e-6)
    walls = (math.pi * spread / (places + 1.0)) ** 2
    settled = lasting + 25.0 * service * spread / ((1.0 - total) ** 2 + walls)
    reach = max(now - 1.0, 0.0) * lasting + math.sqrt(2.0 * spread * service * settled)
    for k in range(load.size):
        if load[k] > 0.0:
            whole = state[BUFFER, k] * state[SERVICE, k]
            buffer[k] = min(whole, reach) / state[SERVICE, k]
            filled[k] = math.exp(-whole / reach)


@in_place
def average_queue(weight: Any, found: Any, state: Any, lasting: float) -> float:
    """Fill rate, loss and waiting of a queue, `state` [STATES], from those of its combinations:
    `found` [load, rate, loss, work that waits, its square; combinations]. Answers the part of the
    time without overload in which the rest of one is sent."""
    whole = state[BUFFER] * state[SERVICE]
    over, rise, fall, low, high, square = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    up, down = 1.0, 1.0
    load_over, rate_over, load_under, rate_under, work_over = 0.0, 0.0, 0.0, 0.0, 0.0
    offer, rate, least, most = 0.0, 0.0, np.inf, -np.inf
    for i in range(weight.size):
        drift, w = found[0, i] - found[1, i], weight[i]
        low, high = min(low, drift), max(high, drift)
        square += w * drift * drift
        offer += w * found[0, i]
        rate += w * found[1, i]
        if drift > CRITICAL * found[1, i] or found[1, i] < 2.0 * MIN_RATE:
            over += w
            least = min(least, drift)
            rise += w * drift
            load_over += w * found[0, i]
            rate_over += w * found[1, i]
            work_over += w * found[3, i]
        else:
            most = max(most, drift)
            fall -= w * drift
            load_under += w * found[0, i]
            rate_under += w * found[1, i]
    full, content, content2, bursty = 1.0, 0.0, 0.0, False
    if 1e-12 < over < 1.0 - 1e-9 and rise > 0.0 and fall > 0.0 and lasting > 0.0:
        up, down, mean = rise / over, fall / (1.0 - over), rise - fall
        sources = (high - mean) * (mean - low) / (square - mean * mean)  # 1 of a single one
        slow = sources * (1.0 - over) / lasting * (up / high) * (down / -low)
        crossed = (fall + (1.0 - over) * mean) / (least - most) / over / lasting
        fast = min(max(crossed, slow), QUICKEST * slow)
        part = (slow / fast) ** LONG
        one, x, y = fluid(over, up, down, fast, whole)
        two, u, v = fluid(over, up, down, slow, whole)
        full = one + (two - one) * part
        content, content2 = x + (u - x) * part, y + (v - y) * part
        bursty = True
    lost, waited, squares, resting, passing, rested = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(weight.size):
        w, load, loss, work = weight[i], found[0, i], found[2, i], found[3, i]
        if bursty and (load > (1.0 + CRITICAL) * found[1, i] or found[1, i] < 2.0 * MIN_RATE):
            drift = max(load - found[1, i], 0.0)
            loss *= full ** math.sqrt(up / drift) if drift > 0.0 else 0.0  # the faster it fills
            work = 0.0
        kept = load * (1.0 - loss)
        lost += w * load * loss
        rested += w * loss
        passing += w * (1.0 - loss)
        if work > 0.0:
            waited += w * work
            squares += w * found[4, i]
            resting += w * work / max(kept, 1e-300) * (1.0 - loss)
    if bursty:
        rate_over, rate_under = max(rate_over / over, rate), max(rate_under / (1.0 - over), rate)
        load_over, load_under = load_over / over, load_under / (1.0 - over)
        filled = min(work_over / max(over * whole, 1e-300), 1.0)
        longer = up / down
        here, there = full * over * whole * filled, content * longer
        fluids = here + content + there
        waited = fluids + waited * max(1.0 - fluids / max(whole, 1e-300), 0.0)  # room is shared
        resting += here / load_over + content / rate_over + there / rate_under
        squares += here * whole * filled / rate_over + load_over * content2 / rate_over**2
        squares += load_under * content2 * longer / rate_under**2
    kept = max(offer - lost, 1e-300)
    state[LOSS] = lost / offer
    state[RESTING_LOSS] = min(rested, 1.0)
    state[WAITING] = waited / kept
    state[WAITING_VARIANCE] = max(squares / kept - state[WAITING] ** 2, 0.0)
    state[RATE] = rate
    state[RESTING] = min(resting / max(passing, 1e-300), MAX_RESTING * state[WAITING])
    return min((1.0 - full) * rise / max(fall, 1e-300), 1.0) if bursty else 0.0
