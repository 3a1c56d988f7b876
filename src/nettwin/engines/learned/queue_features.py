"""The features of queues, all of them in one walk over the ports: as NumPy expressions over a few
hundred queues they are a hundred small calls, which take ten times as long."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from nettwin.engines.learned.features import MAX_LOSS, MIN_LOSS, QUEUE, bounded
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.ports import DRR, FIFO, LSF, SP, WFQ
from nettwin.engines.theory.solution import Floats, QueueSolution
from nettwin.engines.theory.tables import QueueTable

COLUMNS = len(QUEUE)
LEAST = 1e-9  # under which logarithms are cut


class QueueState(NamedTuple):
    """What theory says of each queue, named as in QueueSolution. Arrays are [queues]."""

    load: Floats
    carried: Floats
    packets_pps: Floats
    packet_bits: Floats
    size_cv2: Floats
    service_s: Floats
    buffer: Floats
    rate: Floats
    spread: Floats
    modulation: Floats
    modulation_bits2: Floats
    memory_s: Floats
    packet_loss: Floats
    size_bias: Floats
    waiting_s: Floats
    resting_s: Floats
    waiting_variance_s2: Floats
    waiting_elasticity: Floats
    loss_elasticity: Floats


def queue_features(
    state: QueueSolution, ports: QueueTable, mix: Floats, target: Any, edge: Any
) -> Any:
    """QUEUE of each queue, 0 where nothing comes. [queues, QUEUE] of single precision

    `mix` is that of `features.queue_mix`; `target` and `edge` are the edges and their features.
    """
    told = QueueState(*(getattr(state, name) for name in QueueState._fields))
    return _fill(told, ports, mix, target, edge)


@njit_nogil
def _fill(state: Any, ports: Any, mix: Any, target: Any, edge: Any) -> Any:
    load, offset, pps, bits = state.load, ports.offset, state.packets_pps, state.packet_bits
    policies, weights, quanta = ports.policy, ports.weight, ports.quantum_bits
    modulated, carried = state.modulation_bits2, state.carried
    out = np.zeros((load.size, COLUMNS), np.float32)
    inlets = np.zeros(load.size)
    for e in range(target.size):
        part = np.float64(edge[e, 0])
        inlets[target[e]] += part * part
    for p in range(offset.size - 1):
        first, end = offset[p], offset[p + 1]
        policy, capacity = policies[p], ports.capacity_bps[p]
        shared = policy in (WFQ, DRR, LSF)
        total, whole, all_bits, packets, swing, kept = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for q in range(first, end):
            total += load[q]
            if load[q] > 0.0:
                whole += quanta[q] if policy == DRR else weights[q]
            all_bits += pps[q] * bits[q]
            packets += pps[q]
            swing += modulated[q]
            kept += carried[q]
        mean_bits = all_bits / max(packets, 1e-300)
        above = 0.0
        for q in range(first, end):
            if load[q] <= 0.0:
                continue
            row, sums = out[q], mix[q]
            offered = max(sums[0], 1e-300)
            row[0] = min(load[q], 3.0)
            row[1] = min(total, 4.0)
            row[2] = bounded(above, 0.0, 3.0)
            row[3] = bounded(total - load[q] - above, 0.0, 3.0)
            row[4] = (quanta[q] if policy == DRR else weights[q]) / max(whole, 1e-300)
            if not shared:
                row[4] = 1.0
            row[5] = ln(state.buffer[q] + 0.1) / 3.0 - 1.0
            row[6] = bounded(state.size_cv2[q], 0.0, 4.0)
            row[7] = bounded(math.sqrt(modulated[q]) / capacity, 0.0, 2.0) * 3.0
            row[8] = bounded(math.sqrt(swing) / capacity, 0.0, 2.0) * 3.0
            row[9] = math.sqrt(sums[1]) / offered
            row[10] = sums[2] / offered
            row[11] = math.sqrt(inlets[q])
            row[12] = bounded(ln(bits[q] / max(mean_bits, 1e-300)), -3.0, 3.0)
            row[13] = sums[5]
            row[14] = sums[6]
            row[15] = sums[11]
            row[16] = sums[10]
            row[17] = 1.0 / (1.0 + sums[8])
            if policy == DRR:
                row[18] = bounded(ln(quanta[q] / max(bits[q], 1.0)), -3.0, 8.0) / 3.0
            row[19] = 1.0 if ports.counts_service[p] else 0.0
            row[20] = 1.0 if ports.burst_bits[p] > 0.0 else 0.0
            row[21] = (q - first) / max(end - first - 1, 1)
            row[22] = 1.0 if policy == FIFO else 0.0
            row[23] = 1.0 if policy == SP else 0.0
            row[24] = 1.0 if policy == WFQ else 0.0
            row[25] = 1.0 if policy == DRR else 0.0
            row[26] = 1.0 if policy == LSF else 0.0
            of_theory(q, state, sums, bounded(kept, 0.0, 1.1), row)
            drain = (state.buffer[q] + 1.0) * state.service_s[q]
            row[44] = bounded(ln(state.memory_s[q] / max(drain, 1e-300)), -6.0, 9.0) / 4.0
            row[45] = bounded(ln(load[q] * (1.0 + sums[8])), -5.0, 4.0) / 2.0
            above += load[q]
    return out


@njit_nogil
def of_theory(q: int, state: Any, sums: Any, carried: float, row: Any) -> None:
    """Fill what theory says of a queue."""
    rho = state.load[q] / max(state.rate[q], 1e-9)
    service = max(state.service_s[q], 1e-300)
    waiting = max(state.waiting_s[q], 1e-9 * service)
    loss = bounded(state.packet_loss[q], MIN_LOSS, MAX_LOSS)
    deviation = math.sqrt(state.waiting_variance_s2[q])
    row[27] = min(rho, 3.0)
    row[28] = bounded(ln(rho), -5.0, 6.0) / 2.0  # far above 0: next to nothing is left
    row[29] = state.rate[q]
    row[30] = carried
    row[31] = bounded(ln(waiting / service), -7.0, 7.0) / 3.0
    row[32] = bounded(math.log(loss / (1.0 - loss)), -12.0, 6.0) / 5.0
    row[33] = min(0.1 / (1.0 - min(rho, 0.95)), 2.0)
    row[34] = bounded(ln(state.spread[q]), -4.0, 4.0)
    row[35] = bounded(state.modulation[q], 0.0, 2.0) * 3.0
    row[36] = bounded(deviation / waiting, 0.0, 8.0) / 2.0
    row[37] = bounded(1.0 - sums[0] / max(sums[3], 1e-300), 0.0, 1.0)
    row[38] = bounded(ln(state.memory_s[q] / service), -3.0, 10.0) / 4.0
    row[39] = math.log1p(bounded(state.waiting_elasticity[q], 0.0, 20.0))
    row[40] = math.log1p(bounded(state.loss_elasticity[q], 0.0, 50.0))
    row[41] = bounded(ln(waiting / max(state.resting_s[q], 1e-9 * service)), -1.0, 4.0)
    row[42] = bounded(rho - 1.0, -1.0, 1.0) * bounded(ln(state.buffer[q] + 1.0), 1.0, 5.0)
    row[43] = state.size_bias[q]


@njit_nogil
def ln(value: float) -> float:
    """The logarithm, kept finite."""
    return math.log(max(value, LEAST))
