"""Port bounds: from the arrival of a packet's last bit to the end of its transmission, at most.

A queue gets the traffic of its flows as a token bucket (burst B, rate R); C is the port's capacity,
l and L the smallest and the largest packet.

FIFO             B / C
strict priority  what comes before it may use the port first, and one packet behind it may be in
                 transmission: (B - l + B_before + L_behind) / (C - R_before) + l / C
WFQ              the share by weight, and one packet of the others: B / share + L_others / C
                 (Parekh and Gallager, IEEE/ACM Trans. Networking 1, 1993)
DRR              the share by quantum, after the others' turns (Boyer, Stea and Sofack, Deficit
                 round robin with network calculus, 2012; Tabatabaee, Le Boudec and Boyer, Deficit
                 round-robin: a second network calculus analysis, 2021); a packet of its own may
                 still be in transmission when it begins to wait
any policy       whatever is served first: (B - l + B_others) / (C - R_others) + l / C; the only
                 bound under least served first

Each holds where R is not above the rate that serves it. Where a queue's buffer is finite, what it
can hold, W bits waiting and one packet in transmission, takes the place of B whatever R is: packets
that find no room are not delivered. A port under WFQ may be ahead of the fluid share by a packet of
each other queue (the others lag by one each: Parekh and Gallager), which is added to W.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled

FIFO, SP, WFQ, DRR, LSF = range(5)
POLICIES = {"fifo": FIFO, "sp": SP, "wfq": WFQ, "drr": DRR, "lsf": LSF}


@compiled
def port_bounds(
    offset: Any,
    capacity_bps: Any,
    policy: Any,
    bucket_bits: Any,
    weight: Any,
    quantum_bits: Any,
    largest: Any,
    smallest: Any,
    waits_bits: Any,
    rate: Any,
    burst: Any,
) -> Any:
    """The bound of each queue, 0 where nothing comes; the arrays of ports are [links], those of
    queues [queues]. `bucket_bits` is infinite where a port is not shaped. [queues] s

    A shaped port sends a packet no later than an unshaped one, if its bucket holds the largest."""
    found = np.zeros(rate.size)
    for port in range(offset.size - 1):
        first, end = offset[port], offset[port + 1]
        c, kind = capacity_bps[port], policy[port]
        used, biggest, weights, quanta = 0, 0.0, 0.0, 0.0
        for q in range(first, end):
            if rate[q] > 0.0:
                used += 1
                biggest = max(biggest, largest[q])
                weights += weight[q]
                quanta += quantum_bits[q]
        for q in range(first, end):
            if rate[q] <= 0.0:
                continue
            l_own, w = smallest[q], waits_bits[q]
            if not biggest <= bucket_bits[port] or biggest == np.inf:
                found[q] = np.inf
                continue
            ahead_rate, ahead_burst, others_rate, others_burst = 0.0, 0.0, 0.0, 0.0
            others_largest, behind, turns = 0.0, 0.0, 0.0
            for j in range(first, end):
                if j == q or rate[j] <= 0.0:
                    continue
                others_rate += rate[j]
                others_burst += burst[j]
                others_largest = max(others_largest, largest[j])
                if j < q:
                    ahead_rate += rate[j]
                    ahead_burst += burst[j]
                else:
                    behind = max(behind, largest[j])
                turns += quantum_bits[j] * (1.0 + largest[q] / quantum_bits[q]) + largest[j]
            best = np.inf
            if kind == FIFO or used == 1:
                if rate[q] <= c:
                    best = burst[q] / c
                best = min(best, (w + largest[q]) / c)
            elif kind == SP:
                left = c - ahead_rate
                if left > 0.0:
                    room = max(w - l_own, 0.0) + biggest
                    if rate[q] <= left:
                        room = min(room, burst[q] - l_own + behind)
                    best = (room + ahead_burst) / left + l_own / c
            else:
                left = c - others_rate
                if left > 0.0 and rate[q] <= left:
                    best = (burst[q] - l_own + others_burst) / left + l_own / c
                if kind == WFQ:
                    share = c * weight[q] / weights
                    if rate[q] <= share:
                        best = min(best, burst[q] / share + others_largest / c)
                    if bucket_bits[port] == np.inf:
                        best = min(best, (w + used * biggest) / share + others_largest / c)
                elif kind == DRR:
                    share = c * quantum_bits[q] / quanta
                    if rate[q] <= share:
                        best = min(best, burst[q] / share + (turns + largest[q]) / c)
                    best = min(best, w / share + (turns + biggest) / c)
            found[q] = best
    return found
