"""The state of every queue, from what is offered to it: each port is solved by itself.

A queue is described by a column of numbers; the rows have names. Where the load is modulated
slowly, a port is solved at several points of the modulation, and the answers are averaged.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nettwin.engines.theory.loops import (
    ATOMS,
    POINTS,
    ROWS,
    Workspace,
    in_place,
    njit_nogil,
    total_of,
)
from nettwin.engines.theory.modulated import average_rates, fill_in_time, policy_answer
from nettwin.engines.theory.ports import DRR, Answer, Port
from nettwin.engines.theory.queueing import LARGEST_BUFFER
from nettwin.engines.theory.rows import (
    APART,
    BIAS,
    BITS,
    BUFFER,
    BURSTS,
    GAPS,
    HELD,
    HURRY,
    LASTING,
    LIMIT,
    LOAD,
    LOSS,
    LOSS_ELASTICITY,
    MEETING,
    MEMORY,
    MODULATION,
    MODULATION_MEMORY,
    PACKETS,
    PEAK,
    PERIODIC,
    PERIODS,
    RATE,
    RESTING,
    RESTING_LOSS,
    SECOND,
    SERVICE,
    SIZE_CV2,
    SLOW,
    SLOWLY,
    SOURCES,
    SPACED,
    SPREAD,
    SQUARES,
    STATES,
    SWING,
    WAITING,
    WAITING_ELASTICITY,
    WAITING_VARIANCE,
    WORK,
)
from nettwin.engines.theory.variability import modulated_variance, periodic_cv2

NUDGE = 0.02  # relative change of load for elasticities
SAME = 1e-9  # relative change of what is offered that is no change
LONG_BURSTS = 0.7  # slow part of the modulation from which on a queue of few sources is a fluid
FLUIDS = 40.0  # sources up to which long bursts are a fluid
FEW = 1e-4  # slow modulation that one point stands for


@njit_nogil
def workspace_for(ports: Any) -> Any:
    """Room for the largest of the ports."""
    most = 1
    for port in range(ports.offset.size - 1):
        most = max(most, ports.offset[port + 1] - ports.offset[port])
    return Workspace(
        np.zeros((ROWS, most)),
        np.zeros((most, most), np.bool_),
        np.zeros((2, most, ATOMS)),
        np.zeros((6, POINTS, most)),
        np.ones(most, np.int64),
    )


@in_place
def largest(values: Any) -> float:
    """The largest of some numbers of at least 0."""
    most = 0.0
    for k in range(values.size):
        most = max(most, values[k])
    return most


@njit_nogil
def solve_ports(
    begin: int, stop: int, sums: Any, rates: Any, solved: Any, ports: Any, z: Any, out: Any
) -> None:
    """Solve every port of a range to which something else is offered than what it was `solved` for.

    `rates` are the distributions of the queues' rates, empty where all are taken for normal.
    Fills the state `out` [STATES, queues] and the sums `solved` [SUMS, queues], NaN at first.
    """
    room = workspace_for(ports)
    varies = begin < stop  # no constant: what solves a port would be compiled for each of them
    for port in range(begin, stop):
        first, end = ports.offset[port], ports.offset[port + 1]
        if not differs(sums[:, first:end], solved[:, first:end]):
            continue
        copy(sums[:, first:end], solved[:, first:end])
        total = 0.0
        for q in range(first, end):
            out[:, q] = 0.0
            out[RATE, q] = 1.0
            out[WAITING_ELASTICITY, q] = np.nan  # not known yet
            if sums[WORK, q] > 0.0:
                describe_queue(q, sums, ports, out)
                total += out[LOAD, q]
        if total <= 0.0:
            continue
        if ports.counts_service[port]:  # whose packet is in service: by load
            for q in range(first, end):
                out[BUFFER, q] = max(out[BUFFER, q] - out[LOAD, q] / total, 0.0)
        capacity = ports.capacity_bps[port]
        remember(first, end - first, total, sums, capacity, out)
        average_port(port, ports, out[:, first:end], rates, z, out[LOAD, first:end], room, varies)
        for q in range(first, end):
            if sums[LIMIT, q] > 0.0:
                most = (sums[LIMIT, q] - 1.0) * out[SERVICE, q]
                out[WAITING, q] = min(out[WAITING, q], most)
                out[RESTING, q] = min(out[RESTING, q], most)
                out[WAITING_VARIANCE, q] = min(out[WAITING_VARIANCE, q], most * out[WAITING, q])
        if ports.burst_bits[port] > 0.0:
            take_tokens(out[:, first:end], ports.burst_bits[port] / capacity)


@in_place
def copy(a: Any, b: Any) -> None:
    """Write the numbers of a [rows, n] into b; an assigned slice takes seconds to compile."""
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            b[i, k] = a[i, k]


@in_place
def differs(a: Any, b: Any) -> bool:
    """Whether two arrays are not the same to about nine digits, or b is NaN."""
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            if not abs(a[i, k] - b[i, k]) <= SAME * abs(a[i, k]):
                return True
    return False


@in_place
def take_tokens(state: Any, burst_s: float) -> None:
    """Leave out of the waiting at a shaped port what the tokens of its bucket save.

    The bucket lacks as many tokens as a port without one would have unfinished work u. A packet of
    b s waits max(u - (burst - b), 0); u is 0, or exponential with the mean u0 of a busy port:
    exp(-(burst - b) / u0) of the waiting remains.
    """
    total, work = 0.0, 0.0
    for k in range(state.shape[1]):
        total += state[LOAD, k]
        work += state[LOAD, k] * (1.0 - state[LOSS, k]) * state[WAITING, k]
    total = min(total, 1.0)
    work /= total
    for k in range(state.shape[1]):
        if state[LOAD, k] <= 0.0 or work <= 0.0:
            continue
        spare = burst_s - state[SERVICE, k]
        if spare < 0.0:
            state[WAITING, k] -= spare
            state[RESTING, k] -= spare
            continue
        part = math.exp(-spare * total / work)
        if state[WAITING, k] * part < state[WAITING, k] - spare:  # hardly ever idle
            state[RESTING, k] = max(state[RESTING, k] - spare, 0.0)
            state[WAITING, k] -= spare
            continue
        square = (state[WAITING_VARIANCE, k] + state[WAITING, k] ** 2) * part
        state[WAITING, k] *= part
        state[RESTING, k] *= part
        state[WAITING_VARIANCE, k] = max(square - state[WAITING, k] ** 2, 0.0)


@in_place
def average_port(
    port: int, ports: Any, state: Any, rates: Any, z: Any, mean: Any, room: Any, varies: bool
) -> None:
    """Fill rate, loss and waiting of a port's queues [STATES, n] at the mean loads given, averaged
    over the points z [points, n] of the slow modulation, or as many of their `rates`; the variance
    of waiting if asked for."""
    if rates.many.size > 0 and of_few(state):
        most = POINTS if varies else z.shape[0]
        average_rates(port, ports, state, rates, mean, room, varies, most)
        return
    policy, first = ports.policy[port], ports.offset[port]
    n = mean.size
    slow = state[SLOW]
    numbers, marks = room.numbers[:, :n], room.marks[:n, :n]
    table, inner = numbers[:17], (numbers[17:29], marks)
    table[:] = 0.0
    residual, load, tail, offer, lost, waited, square, rates, resting, passing = (
        table[0],
        table[1],
        table[2:4],
        table[4],
        table[5],
        table[6],
        table[7],
        table[8],
        table[9],
        table[10],
    )
    share, buffer, filled = table[11], table[12], table[13]
    for k in range(n):
        residual[k] = state[MEETING, k] * (1.0 + state[SIZE_CV2, k]) / 2.0
        share[k] = ports.weight[first + k]
        if policy == DRR:
            share[k] = ports.quantum_bits[first + k] / ports.capacity_bps[port]
        buffer[k], filled[k] = state[BUFFER, k], 1.0
    count = z.shape[0] if largest(slow) > FEW else 1
    answer = Answer(table[14], table[15], table[16], tail, varies)
    answer.rate[:] = 1.0
    queues = Port(load, state[SERVICE], state[SPREAD], residual, buffer, share)
    for i in range(count):
        for k in range(n):
            swing = slow[k] * z[i, k] if count > 1 else 0.0
            load[k] = max(mean[k] + swing, 0.02 * mean[k])
        if count > 1:
            fill_in_time(load, mean, state, buffer, filled)
        policy_answer(policy, queues, answer, inner)
        for k in range(n):
            refused = load[k] * answer.loss[k] * filled[k]
            kept = load[k] - refused
            wait = answer.waiting[k] / max(kept, 1e-300)
            offer[k] += load[k]
            lost[k] += refused
            waited[k] += answer.waiting[k]
            square[k] += (tail[0, k] * wait + tail[1, k]) * answer.waiting[k]
            rates[k] += answer.rate[k] / count
            passing[k] += kept / max(load[k], 1e-300)
            resting[k] += wait * kept / max(load[k], 1e-300)
    for k in range(n):
        if mean[k] > 0.0:
            state[LOSS, k] = state[RESTING_LOSS, k] = lost[k] / offer[k]
            kept = max(offer[k] - lost[k], 1e-300)
            state[WAITING, k] = waited[k] / kept  # Little's law
            state[WAITING_VARIANCE, k] = max(square[k] / kept - state[WAITING, k] ** 2, 0.0)
            state[RATE, k] = rates[k]
            state[RESTING, k] = resting[k] / max(passing[k], 1e-300)


@in_place
def of_few(state: Any) -> bool:
    """Whether few sources modulate one of the queues [STATES, n]."""
    found = 0
    for k in range(state.shape[1]):
        found += state[SLOW, k] > FEW and state[SLOWLY, k] == 1.0
    return found > 0


@njit_nogil
def add_elasticities(begin: int, stop: int, state: Any, rates: Any, ports: Any, z: Any) -> None:
    """Fill d ln(waiting) / d ln(load) and d ln(loss) / d ln(load) at a range of ports, each queue's
    load alone, over a few points z of the slow modulation; not where they are known."""
    step, room = -math.log(1.0 - NUDGE), workspace_for(ports)
    most, varies = room.chosen.size, begin > stop  # no, and no constant, as in `solve_ports`
    bases, nudges, means = np.empty((STATES, most)), np.empty((STATES, most)), np.empty(most)
    for port in range(begin, stop):
        first, end = ports.offset[port], ports.offset[port + 1]
        if not np.isnan(state[WAITING_ELASTICITY, first:end]).any():
            continue
        state[WAITING_ELASTICITY, first:end] = 0.0
        n = end - first
        # parts of arrays, as `solve_ports` has them: what solves a port is compiled once for both
        base, nudged, mean = bases[:, :n], nudges[:, :n], means[:n]
        copy(state[:, first:end], base)
        if total_of(base[LOAD]) <= 0.0:
            continue
        if largest(base[SLOW]) > FEW or ports.burst_bits[port] > 0.0:
            for k in range(n):
                mean[k] = base[LOAD, k]
            average_port(port, ports, base, rates, z, mean, room, varies)
        copy(base, nudged)
        for k in range(n):
            mean[k] = base[LOAD, k]
        for k in range(n):
            if base[LOAD, k] <= 0.0:
                continue
            mean[k] *= 1.0 - NUDGE
            average_port(port, ports, nudged, rates, z, mean, room, varies)
            mean[k] = base[LOAD, k]
            for source, target in ((WAITING, WAITING_ELASTICITY), (LOSS, LOSS_ELASTICITY)):
                was, now = base[source, k], nudged[source, k]
                if was > 1e-12 and now > 1e-15:
                    state[target, first + k] = max(math.log(was / now) / step, 0.0)


@in_place
def describe_queue(q: int, sums: Any, ports: Any, out: Any) -> None:
    """Load, packet sizes and room of a queue from the sums over its flows."""
    capacity = ports.capacity_bps[ports.port[q]]
    mean = sums[WORK, q] / sums[PACKETS, q]
    cv2 = max(sums[SECOND, q] / sums[PACKETS, q] / mean**2 - 1.0, 0.0)
    out[LOAD, q] = sums[WORK, q] / capacity
    out[BITS, q] = mean
    out[SIZE_CV2, q] = cv2
    out[SERVICE, q] = mean / capacity
    # Packets that fit into some bits: the renewal function, (cv2 - 1) / 2 beside the quotient
    fit = max(ports.buffer_bits[q] / mean + (cv2 - 1.0) / 2.0, 0.0)
    saved = ports.burst_bits[ports.port[q]] / mean  # packets that a token bucket lets through
    places = min(ports.buffer_packets[q], fit) + max(saved - 0.5, 0.0)
    out[BUFFER, q] = min(places, LARGEST_BUFFER)
    if 0.0 < sums[LIMIT, q] <= places + 1.0:  # never full
        out[BUFFER, q] = LARGEST_BUFFER
    out[MEETING, q] = 1.0 - sums[APART, q]
    out[SWING, q] = sums[BURSTS, q]
    out[SLOWLY, q] = 1.0
    out[BIAS, q] = 1.0 if fit < ports.buffer_packets[q] else 0.0


@in_place
def remember(first: int, n: int, total: float, sums: Any, capacity: float, out: Any) -> None:
    """Split modulation into what is slow for the port and what it takes for burstiness.

    The port looks back over its relaxation time, s g / ((1 - a)^2 + (pi g / K)^2) (the reflected
    Brownian motion between an empty and a full buffer: Cox and Miller, 1965, section 5.7): the
    irregularity that counts is the index of dispersion there. Modulation with a longer memory
    than 4 of them, the time constant of its correlation, is quasi-stationary. The typical drift
    includes what the modulation adds.
    """
    work, places, base, swing, peak = 0.0, 0.0, 0.0, 0.0, total
    for j in range(first, first + n):
        if out[LOAD, j] > 0.0:
            swing += sums[MODULATION, j] / capacity**2
            peak += sums[PEAK, j] / capacity
            work += out[LOAD, j] * out[SERVICE, j]
            places += out[BUFFER, j]
            base += out[LOAD, j] * out[SERVICE, j] * (1.0 + out[SIZE_CV2, j]) / 2.0
    service = work / total
    g = base / work
    drift, walls = (1.0 - total) ** 2 + swing, (math.pi * g / (places + 1.0)) ** 2
    memory = service * g / (drift + walls)
    relaxation = service * g / (drift / 4.0 + walls)
    for j in range(first, first + n):
        if out[LOAD, j] <= 0.0:
            continue
        variance = sums[SECOND, j] - sums[SQUARES, j] + sums[GAPS, j] + sums[PERIODIC, j]
        if sums[PERIODIC, j] > 0.0:
            period = sums[PERIODS, j] / sums[PERIODIC, j]
            bridge = period * variance / sums[PERIODIC, j]  # the rest only makes it longer
            variance *= periodic_cv2(bridge, memory)
        if sums[MODULATION, j] > 0.0:
            lasting = sums[MODULATION_MEMORY, j] / sums[MODULATION, j]
            slow = lasting / (lasting + relaxation)
            few = sums[MODULATION, j] ** 2 <= FLUIDS * sums[SOURCES, j]
            if few and slow > LONG_BURSTS and peak > 1.0:
                # few sources: a fluid queue; the quickest decide when an overload ends
                slow, lasting = 1.0, sums[MODULATION, j] / sums[HURRY, j]
            out[LASTING, j], out[SLOWLY, j] = lasting, math.sqrt(slow)
            out[SLOW, j] = math.sqrt(sums[MODULATION, j] * slow) / capacity
            fast = sums[MODULATION, j] * (1.0 - slow)
            variance += fast * modulated_variance(lasting, memory) / memory
        variance *= 1.0 - sums[SPACED, j]
        mean = out[BITS, j]
        least = 0.02 if sums[SPACED, j] == 0.0 else 1e-3
        spread = variance / (2.0 * sums[PACKETS, j] * mean * mean) + sums[HELD, j]
        out[SPREAD, j] = max(spread, least)
        out[MEMORY, j] = memory
