"""Smoothing: what came over one link has been spread apart there, and need not wait again.

Where all links are equally fast and packets of one size, a tree of queues is known exactly: what a
packet waits on its whole path is what it would wait if all flows came to the last queue at once
(Shalmon and Kaplan, A tandem network of queues with deterministic service and intermediate
arrivals, Operations Research 32, 1984). What was waited for before is therefore taken from the
waiting: with the part f of a queue's load A coming over a link that it loads by X, the part
f^2 (1 - A) / (1 - X) of the Poisson waiting. The same holds for faster input links with their own
time of transmission. Cross traffic that leaves before spreads packets further: packets wait behind
those of their own link, the part q of what they meet there. What is between the two is
interpolated, as are slower input links (constants measured on trees and chains of our own).

Packets of many sizes wait again: small ones behind a large one, which they cannot overtake. Along
equal links the waiting at each later hop is that for the largest packet of the busy period so far
(Boxma, On a tandem queueing model with identical service times at both counters, Advances in
Applied Probability 11, 1979).
"""

from __future__ import annotations

import math
from typing import Any

from nettwin.engines.theory.loops import in_place, njit_nogil
from nettwin.engines.theory.rows import (
    APART,
    DEPTH,
    HELD,
    LIMIT,
    PACKETS,
    SECOND,
    SPACED,
    WORK,
)

MIN_IDLE = 0.02  # of a port, whatever comes to it
CROSSED = 0.75  # how much of what cross traffic may spread apart it does
SLOWER = 0.28  # exponent of how much slower an input link is
EULER = 0.5772156649


@njit_nogil
def smooth(inputs: Any, came: Any, loss: Any, ports: Any, sums: Any) -> None:
    """Fill the rows SPACED, APART, HELD and LIMIT of the sums [SUMS, queues].

    `came` [cells] in bit/s; `loss` of the work in each queue.
    """
    work, packets, second, depth = sums[WORK], sums[PACKETS], sums[SECOND], sums[DEPTH]
    for port in range(ports.offset.size - 1):
        first, end = ports.offset[port], ports.offset[port + 1]
        wide = inputs.offset[port + 1] - inputs.offset[port]
        capacity = ports.capacity_bps[port]
        total = 0.0
        for q in range(first, end):
            total += work[q]
        if wide == 0 or total <= 0.0:
            continue
        load = min(total / capacity, 1.0 - MIN_IDLE)
        came_in, room, links, apart = 0.0, 0.0, 0.0, 0.0
        for i in range(wide):
            link = inputs.link[inputs.offset[port] + i]
            stream, narrow = 0.0, 0.0
            for q in range(first, end):
                cell = inputs.block[port] + (q - first) * wide + i
                stream += came[cell]
                if came[cell] > 0.0:
                    narrow += ports.capacity_bps[inputs.narrow[cell]]
            if stream <= 0.0:
                continue
            came_in += stream
            room += min(narrow, ports.capacity_bps[link]) / capacity
            links += 1.0
            for q in range(first, end):
                cell = inputs.block[port] + (q - first) * wide + i
                if came[cell] <= 0.0:
                    continue
                k = inputs.narrow[cell]
                before = 0.0
                for j in range(ports.offset[k], ports.offset[k + 1]):
                    before += work[j] * (1.0 - loss[j])
                before = max(before, stream)
                busy = min(before / ports.capacity_bps[k], 1.0 - MIN_IDLE)
                part, own = came[cell] / work[q], stream / before
                ratio = capacity / ports.capacity_bps[k]
                mean = work[q] / packets[q]
                cv2 = max(second[q] / packets[q] / (mean * mean) - 1.0, 0.0)
                largest = inputs.largest_bits[q] / mean - 1.0
                hop = depth[q] / work[q] + 1.0
                sums[SPACED, q] += part * gone(load, stream / capacity, busy, own, ratio)
                held = part * own * behind_large(busy, own, cv2, hop, largest)
                sums[HELD, q] += held * (1.0 - load) / load
        for q in range(first, end):
            if work[q] > 0.0:
                sums[SPACED, q] = min(sums[SPACED, q], 1.0)
                apart += sums[SPACED, q] * work[q] / total
        limited = came_in >= total * (1.0 - 1e-9) and room <= 1.0 + 1e-9
        for q in range(first, end):
            if work[q] > 0.0:
                sums[APART, q] = apart * apart
                if limited:
                    held = sums[HELD, q] * load / (1.0 - load)
                    sums[LIMIT, q] = 1.0 + (links - 1.0) / 2.0 + held


@in_place
def gone(load: float, stream: float, busy: float, own: float, ratio: float) -> float:
    """The part of the Poisson waiting of a stream that is spared, at a port of this load.

    `stream` is the load that it makes here, `busy` that of its link, of which it is the part `own`;
    `ratio` is this port's capacity over that of the link.
    """
    g = min(ratio, 1.0)
    warm_start = stream / load * g * g * (1.0 - load) / max(1.0 - g * stream, MIN_IDLE)
    waits = busy / (1.0 - busy) * (1.0 - load) / load * min(ratio, ratio**SLOWER)
    most = own * min(waits, 0.5 + 0.5 / max(ratio, 1.0))
    part = CROSSED if own < 1.0 else 1.0
    return float(min(warm_start + part * max(most - warm_start, 0.0), 1.0))


@in_place
def behind_large(busy: float, own: float, cv2: float, hop: float, largest: float) -> float:
    """How long a packet waits for larger ones of its link, in mean packets, at its hop-th port.

    The largest of the n packets that came so far in a busy period of M/G/1, each counted with the
    hops behind it and only the part `own` that goes on with it, is (H_n - 1) standard deviations
    above the mean if sizes are exponential, and never more than the `largest` (also above it).
    """
    if cv2 <= 0.0:
        return 0.0
    idle = 1.0 - busy
    square = 1.0 / idle**2 + (busy + busy * busy * cv2) / idle**3
    position = (square * idle + 1.0) / 2.0
    n = 1.0 + (position - 1.0 + busy) * own * hop / 2.0
    above = math.sqrt(cv2) * (math.log(n) + EULER + 0.5 / n - 1.0 if n > 1.5 else 0.63 * (n - 1.0))
    above = max(above, 0.0)
    return float(above / (1.0 + (above / max(largest, 1e-9)) ** 3) ** (1.0 / 3.0))
