"""Guarantees: what a port promises each of its queues, whatever the others do.

A queue that stays backlogged for t seconds sends at least rate (t - latency): a rate-latency
service curve (Le Boudec and Thiran, Network Calculus, 2001). For FIFO and the first queue of strict
priority it is the port itself; for WFQ the share by weight (Parekh and Gallager, IEEE/ACM Trans.
Networking 1, 1993): a packet leaves no later than one of the others' packets after it would under
fluid sharing, and since no queue lags behind that by more than a packet, what is found in a queue
is less than in the fluid one by at most a packet of each other queue; for DRR the
share by quantum (Boyer, Stea and Sofack, Deficit round robin with network calculus, 2012, with
deficits of up to one packet). Least served first promises nothing to a queue that is not alone, and
strict priority nothing to the queues after the first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nettwin.engines.theory.inputs import InputTable
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.ports import DRR, FIFO, SP, WFQ
from nettwin.engines.theory.tables import Floats, QueueTable


class Guarantees(NamedTuple):
    """What is sure of each queue. Arrays are [queues]."""

    rate_bps: Floats  # 0: nothing is promised
    latency_s: Floats
    holds_bits: Floats  # that wait or are sent, at most; infinite without a limit
    wait_s: Floats  # from entering the queue to the start of transmission, at most


def guarantees(ports: QueueTable, inputs: InputTable) -> Guarantees:
    """The guarantees of all queues; those to which no flow goes do not compete."""
    largest = np.asarray(inputs.largest_bits)
    with np.errstate(invalid="ignore"):
        packets = np.where(largest > 0, np.asarray(ports.buffer_packets) * largest, 0.0)
    packets = np.where(np.isnan(packets), 0.0, packets)
    waits = np.minimum(np.asarray(ports.buffer_bits), packets)
    rate, latency = _service(ports, largest)
    holds = waits + largest
    with np.errstate(divide="ignore", invalid="ignore"):
        wait = np.where(rate > 0, holds / rate + latency, np.inf)
    return Guarantees(rate, latency, holds, wait)


@njit_nogil
def _service(ports: Any, largest: Any) -> Any:
    """Rate and latency of each queue."""
    rate, latency = np.zeros(largest.size), np.zeros(largest.size)
    for port in range(ports.offset.size - 1):
        first, end = ports.offset[port], ports.offset[port + 1]
        capacity, policy = ports.capacity_bps[port], ports.policy[port]
        tokens = ports.burst_bits[port] > 0.0
        weights, quanta, used, biggest = 0.0, 0.0, 0, 0.0
        for q in range(first, end):
            if largest[q] > 0.0:
                used += 1
                weights += ports.weight[q]
                quanta += ports.quantum_bits[q]
                biggest = max(biggest, largest[q])
        for q in range(first, end):
            if largest[q] <= 0.0:
                continue
            own, together, others = largest[q], 0.0, 0.0
            for j in range(first, end):
                together += largest[j] if j != q else 0.0
                others = max(others, largest[j]) if j != q else others
            if policy == FIFO or used == 1:
                rate[q] = capacity
            elif policy == SP:
                before = 0.0
                for j in range(first, q):
                    before += largest[j]
                rate[q] = capacity if before == 0.0 else 0.0
                latency[q] = biggest / capacity
            elif policy == WFQ:
                rate[q] = capacity * ports.weight[q] / weights
                latency[q] = (used - 1) * biggest / rate[q] + others / capacity
            elif policy == DRR:
                rate[q] = capacity * ports.quantum_bits[q] / quanta
                visits = quanta - ports.quantum_bits[q]
                turn = (1.0 + own / ports.quantum_bits[q]) * visits
                latency[q] = (turn + together) / capacity
            if tokens:
                latency[q] += biggest / capacity
    return rate, latency
