"""The fixed point of a network of queues: losses thin the flows, thinner flows lose less."""

from __future__ import annotations

from functools import cache, partial
from statistics import NormalDist
from typing import Any

import numpy as np

from nettwin.engines.theory.halves import in_halves
from nettwin.engines.theory.loops import without_interpreter
from nettwin.engines.theory.queueing import packet_loss, size_loss
from nettwin.engines.theory.solution import Known, QueueSolution
from nettwin.engines.theory.states import (
    BIAS,
    BITS,
    BUFFER,
    GAPS,
    LOAD,
    LOSS,
    LOSS_ELASTICITY,
    MEMORY,
    MODULATION,
    MODULATION_MEMORY,
    PACKETS,
    PERIODIC,
    PERIODS,
    RATE,
    RESTING,
    SECOND,
    SERVICE,
    SIZE_CV2,
    SLOW,
    SPREAD,
    SQUARES,
    STATES,
    SUMS,
    WAITING,
    WAITING_ELASTICITY,
    WAITING_VARIANCE,
    WORK,
    add_elasticities,
    solve_ports,
)
from nettwin.engines.theory.tables import Floats, QueueTable, tables
from nettwin.quantity import frozen
from nettwin.scenario.scenario import Scenario

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
    rounds: int = 30,
    points: int = 16,
    tolerance: float = 1e-5,
    like: QueueSolution | None = None,
) -> QueueSolution:
    """The steady state of every queue.

    Each round thins the flows by the losses of the last one (the reduced-load or Erlang fixed
    point: Kelly, Annals of Applied Probability 1, 1991) and solves every port again, with damping,
    until no loss changes by more than `tolerance`. `points` of the slow modulation are averaged.
    Ports to which exactly the same is offered as in `like` are taken from there: the result is the
    same.
    """
    flows, paths, ports = tables(scenario)
    most = int(np.diff(ports.offset).max(initial=1))
    modulated = bool(np.any(flows.rate_variance[paths.flow] > 0))
    z = normal_points(points if modulated else 1, most)
    loss = np.zeros(len(ports.port))
    change, done = 0.0, 0
    state = np.zeros((STATES, len(ports.port)))
    sums = offered(flows, paths, loss, state)
    solved = np.full((SUMS, len(ports.port)), np.nan)
    if like is not None and _same_ports(like.known, ports, len(z)):
        state = like.known.state.copy()
        solved = np.where(sums == like.known.offered, sums, np.nan)
    queues = np.diff(ports.offset).astype(np.float64)
    pairs = np.concatenate([[0.0], np.cumsum(queues**2)])  # a shared port looks at each two queues
    for done in range(1, rounds + 1):
        in_halves(
            partial(solve_ports, sums=sums, solved=solved, ports=ports, z=z, out=state),
            pairs,
            PAIR_S * len(z),
        )
        step = state[LOSS] - loss
        change = float(np.abs(step).max(initial=0.0))
        loss = loss + (step if done == 1 else 0.6 * step)
        if change < tolerance:
            break
        sums = offered(flows, paths, loss, state)
    few = normal_points(4 if modulated else 1, most)
    in_halves(
        partial(add_elasticities, state=state, ports=ports, z=few),
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
        packet_loss=loss / (1.0 + state[BIAS] * state[SIZE_CV2]),
        size_bias=state[BIAS],
        waiting_s=state[WAITING],
        waiting_variance_s2=state[WAITING_VARIANCE],
        waiting_elasticity=state[WAITING_ELASTICITY],
        loss_elasticity=state[LOSS_ELASTICITY],
        rounds=done,
        change=change,
        known=Known(ports, len(z), solved, state),
    )


def _same_ports(known: Known, ports: QueueTable, points: int) -> bool:
    """Whether the same offered to a port has the same answer as what is known."""
    return known.points == points and all(
        np.array_equal(getattr(known.ports, name), getattr(ports, name)) for name in ports._fields
    )


@without_interpreter
def offered(flows: Any, paths: Any, loss: Any, state: Any) -> Any:
    """Add up what comes to each queue, thinned by the losses before it. [SUMS, queues]

    `loss` is of work; `state` tells how much more often large packets are lost.
    """
    out = np.zeros((SUMS, loss.size))
    for p in range(paths.flow.size):
        f = paths.flow[p]
        mean = flows.mean_bits[f]
        packets = flows.packets_pps[f] * paths.share[p]
        square = mean * mean
        swing = flows.rate_variance[f] * square
        for h in range(paths.offset[p], paths.offset[p + 1]):
            q = paths.queue[h]
            out[PACKETS, q] += packets
            out[WORK, q] += packets * mean
            out[SECOND, q] += packets * flows.second_bits2[f]
            out[SQUARES, q] += packets * square
            out[GAPS, q] += packets * square * flows.gap_cv2[f]
            if flows.period_s[f] > 0.0:
                out[PERIODIC, q] += packets * square
                out[PERIODS, q] += packets * square * flows.period_s[f]
            if swing > 0.0:
                variance = packets * packets * swing
                out[MODULATION, q] += variance
                out[MODULATION_MEMORY, q] += variance * flows.memory_s[f]
            if loss[q] > 0.0:
                lost = packet_loss(loss[q], state[BIAS, q], state[SIZE_CV2, q])
                packets *= 1.0 - size_loss(mean, lost, state[BIAS, q], state[BITS, q])
    return out
