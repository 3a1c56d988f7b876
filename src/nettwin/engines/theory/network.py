"""The fixed point of a network of queues: losses thin the flows, thinner flows lose less."""

from __future__ import annotations

from functools import cache, partial
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.bursts import behind, burst_of, own_loss, rate_distributions, two_rates
from nettwin.engines.theory.formulas import Formulas
from nettwin.engines.theory.inputs import HopOrder, InputTable, hop_order, input_table, joins
from nettwin.engines.theory.loops import ATOMS, njit_nogil
from nettwin.engines.theory.modulated import Rates
from nettwin.engines.theory.parallel import parallel_for
from nettwin.engines.theory.queueing import packet_loss, size_loss
from nettwin.engines.theory.rows import (
    BIAS,
    BITS,
    BUFFER,
    BURSTS,
    DEPTH,
    GAPS,
    HURRY,
    LOAD,
    LOSS,
    LOSS_ELASTICITY,
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
    SOURCES,
    SPREAD,
    SQUARES,
    STATES,
    SUMS,
    SWING,
    WAITING,
    WAITING_ELASTICITY,
    WAITING_VARIANCE,
    WORK,
)
from nettwin.engines.theory.smoothing import smooth
from nettwin.engines.theory.solution import QueueSolution, WarmStart
from nettwin.engines.theory.states import add_elasticities, solve_ports
from nettwin.engines.theory.tables import Floats, QueueTable, tables
from nettwin.quantity import frozen
from nettwin.scenario.scenario import Scenario

ROUNDS = 30  # of the fixed point at most
PAIR_S = 3e-7  # to solve a port once, over the square of the number of its queues


@cache
def normal_points(count: int, dimensions: int) -> Floats:
    """Evenly spread standard normal points, the same every time. [count, dimensions]

    A Kronecker sequence on the generalized golden ratio (Roberts, 2018), mirrored so that the mean
    is 0 and scaled so that the variance is 1. One point: the origin.
    """
    if count == 1:
        return frozen(np.zeros((1, dimensions)), np.float64)
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    half = (0.5 + np.outer(np.arange(1, count // 2 + 1), steps)) % 1.0
    points = np.vectorize(NormalDist().inv_cdf)(half)
    both = np.concatenate([points, -points])
    return frozen(both / both.std(axis=0), np.float64)


def solve(
    scenario: Scenario,
    *,
    rounds: int = ROUNDS,
    points: int = 16,
    tolerance: float = 1e-5,
    like: QueueSolution | None = None,
    formulas: Formulas = Formulas(),  # noqa: B008, frozen
) -> QueueSolution:
    """The steady state of every queue.

    Each round thins the flows by the losses of the last one (the reduced-load or Erlang fixed
    point: Kelly, Annals of Applied Probability 1, 1991) and solves every port again, with damping,
    until no loss changes by more than `tolerance`. `points` of the slow modulation are averaged.
    Ports to which exactly the same is offered as in `like` are taken from there: the result is the
    same. With no rounds, no port is solved: nothing waits and nothing is lost.
    """
    flows, paths, ports = tables(scenario)
    most = int(np.diff(ports.offset).max(initial=1))
    modulated = bool(np.any(flows.rate_variance[paths.flow] > 0))
    z = normal_points(points if modulated else 1, most)
    loss = np.zeros(len(ports.port))
    change, done = 0.0, 0
    state = np.zeros((STATES, len(ports.port)))
    candidate = _on_the_way(scenario, formulas, bursts=modulated)
    sums = _offered(scenario, candidate, loss, state, formulas.smoothing)
    solved = np.full((SUMS, len(ports.port)), np.nan)
    same = like is not None and like.formulas == formulas
    if like is not None and same and _same_ports(like.warm_start, ports, len(z)):
        state = like.warm_start.state.copy()
        solved = np.where(sums == like.warm_start.offered, sums, np.nan)
    queues = np.diff(ports.offset).astype(np.float64)
    pairs = np.concatenate([[0.0], np.cumsum(queues**2)])  # a shared port looks at each two queues
    for done in range(1, rounds + 1):
        parallel_for(
            partial(
                solve_ports,
                sums=sums,
                rates=candidate.rates,
                solved=solved,
                ports=ports,
                z=z,
                out=state,
            ),
            pairs,
            PAIR_S * len(z),
        )
        step = state[LOSS] - loss
        change = float(np.abs(step).max(initial=0.0))
        loss = loss + (step if done == 1 else 0.6 * step)
        if change < tolerance:
            break
        sums = _offered(scenario, candidate, loss, state, formulas.smoothing)
    few = normal_points(4 if modulated else 1, most)
    if rounds > 0:
        parallel_for(
            partial(add_elasticities, state=state, rates=candidate.rates, ports=ports, z=few),
            pairs,
            PAIR_S * len(few) * (1.0 + queues.max(initial=0.0)),
        )
    return QueueSolution(
        load=state[LOAD],
        carried=state[LOAD] * (1 - loss),
        packets_pps=sums[PACKETS],
        packet_bits=state[BITS],
        size_cv2=state[SIZE_CV2],
        service_s=state[SERVICE],
        buffer=state[BUFFER],
        rate=state[RATE],
        spread=state[SPREAD],
        modulation=state[SLOW],
        memory_s=state[MEMORY],
        modulation_bits2=sums[MODULATION],
        resting_s=state[RESTING],
        loss=loss,
        resting_loss=resting_part(state) * loss,
        packet_loss=loss / (1.0 + state[BIAS] * state[SIZE_CV2]),
        size_bias=state[BIAS],
        waiting_s=state[WAITING],
        waiting_variance_s2=state[WAITING_VARIANCE],
        waiting_elasticity=state[WAITING_ELASTICITY],
        loss_elasticity=state[LOSS_ELASTICITY],
        rounds=done,
        change=change,
        warm_start=WarmStart(ports, len(z), solved, state),
        formulas=formulas,
    )


def _same_ports(warm_start: WarmStart, ports: QueueTable, points: int) -> bool:
    """Whether the same offered to a port has the same answer as what is known."""
    return warm_start.points == points and all(
        np.array_equal(getattr(warm_start.ports, name), getattr(ports, name))
        for name in ports._fields
    )


class OnTheWay(NamedTuple):
    """What is written down of the flows on their path; empty where the formulas need none of it."""

    inputs: InputTable | None
    order: HopOrder | None  # where bursts are told
    pair: NDArray[np.int32]  # [hops] of queues that follow each other
    came: Floats  # [cells] bits a second
    states: Floats  # [3, hops] low and high rate in bit/s, and the high one's part of the time
    rates: Rates  # of the queues


def _on_the_way(scenario: Scenario, formulas: Formulas, *, bursts: bool) -> OnTheWay:
    _, paths, ports = tables(scenario)
    bursts = bursts and formulas.bursts
    inputs = input_table(scenario) if formulas.smoothing or bursts else None
    queues = len(ports.port) if bursts else 0
    return OnTheWay(
        inputs,
        hop_order(inputs, joins(scenario), paths, ports) if inputs is not None and bursts else None,
        joins(scenario).hop if inputs is not None else np.zeros(0, np.int32),
        np.zeros(int(inputs.block[-1]) if inputs is not None else 0),
        np.zeros((3, len(paths.queue) if bursts else 0)),
        Rates(np.zeros((queues, ATOMS)), np.zeros((queues, ATOMS)), np.ones(queues, np.int64)),
    )


def _offered(
    scenario: Scenario, candidate: OnTheWay, loss: Floats, state: Floats, smoothing: bool
) -> Floats:
    """What comes to each queue. [SUMS, queues]"""
    flows, paths, ports = tables(scenario)
    inputs = candidate.inputs
    cell = inputs.cell if inputs is not None else np.zeros(0, np.int64)
    found = offered(
        *(flows, paths, ports, loss, state),
        *(candidate.pair, cell, candidate.came, candidate.states),
    )
    sums = np.asarray(found)
    if inputs is not None and smoothing:
        smooth(inputs, candidate.came, loss, ports, sums)
    if candidate.order is not None:
        totals = sums[[MODULATION, SOURCES, PEAK]]
        rate_distributions(
            inputs,
            candidate.order,
            ports,
            candidate.came,
            candidate.states,
            totals,
            *candidate.rates,
        )
    return sums


def resting_part(state: Floats) -> Floats:
    """Loss of what comes at any time over that of all. [queues]"""
    loss = state[LOSS]
    return np.asarray(np.where(loss > 0, state[RESTING_LOSS] / np.maximum(loss, 1e-300), 1.0))


@njit_nogil
def offered(
    flows: Any,
    paths: Any,
    ports: Any,
    loss: Any,
    state: Any,
    pair: Any,
    cell: Any,
    came: Any,
    states: Any,
) -> Any:
    """Add up what comes to each queue, thinned by the losses before it. [SUMS, queues]

    `loss` is of work; `state` tells how much more often large packets are lost, and packets of
    bursts. Fills `came` and `states` of OnTheWay where they are not empty; `cell` [pairs] is that
    of InputTable.
    """
    # queue by queue, what is added to for a hop lies side by side
    sums = np.zeros((loss.size, SUMS))
    came[:] = 0.0
    path_offset, path_queue = paths.offset, paths.queue
    for p in range(paths.flow.size):
        f = paths.flow[p]
        mean, second, gaps = flows.mean_bits[f], flows.second_bits2[f], flows.gap_cv2[f]
        period = flows.period_s[f]
        packets = flows.packets_pps[f] * paths.share[p]
        square = mean * mean
        swing = flows.rate_variance[f] * square
        bursts = swing > 0.0 and states.size > 0
        low, high, part, lasting = 0.0, 0.0, flows.high_part[f], flows.memory_s[f]
        if bursts:
            low, high = two_rates(packets * mean, flows.rate_variance[f], part)
        for h in range(path_offset[p], path_offset[p + 1]):
            q = path_queue[h]
            sums[q, PACKETS] += packets
            sums[q, WORK] += packets * mean
            sums[q, SECOND] += packets * second
            sums[q, SQUARES] += packets * square
            sums[q, GAPS] += packets * square * gaps
            if period > 0.0:
                sums[q, PERIODIC] += packets * square
                sums[q, PERIODS] += packets * square * period
            variance, burst, capacity, load = 0.0, 0.0, 0.0, 0.0
            if bursts or loss[q] > 0.0:
                capacity = ports.capacity_bps[ports.port[q]]
                load = state[LOAD, q] * capacity
            if bursts:
                burst = burst_of(low, high, part, capacity, load)
                sums[q, BURSTS] += burst
                states[0, h], states[1, h], states[2, h] = low, high, part
                variance = part * (1.0 - part) * (high - low) ** 2
                sums[q, SOURCES] += variance * variance
                sums[q, HURRY] += variance / lasting
                sums[q, PEAK] += (1.0 - part) * (high - low)
            elif swing > 0.0:
                variance = packets * packets * swing
            if variance > 0.0:
                sums[q, MODULATION] += variance
                sums[q, MODULATION_MEMORY] += variance * lasting
            if pair.size > 0 and pair[h] >= 0:
                came[cell[pair[h]]] += packets * mean
                sums[q, DEPTH] += packets * mean * (h - path_offset[p])
            mean_bps = packets * mean
            lost, rest = 0.0, 0.0
            if loss[q] > 0.0:
                lost = loss[q]
                if state[SWING, q] > 0.0 and states.size > 0:
                    rest = loss[q] * state[RESTING_LOSS, q] / max(state[LOSS, q], 1e-300)
                    lost = own_loss(lost, rest, burst, state[SWING, q], mean_bps, load)
                lost = packet_loss(lost, state[BIAS, q], state[SIZE_CV2, q])
                lost = size_loss(mean, lost, state[BIAS, q], state[BITS, q])
                packets *= 1.0 - lost
            if bursts:
                others = max(load - mean_bps, 0.0)
                low, high, part, longer = behind(
                    low, high, part, rest, 1.0 - lost, capacity, others
                )
                lasting *= longer
    return sums.T.copy()
