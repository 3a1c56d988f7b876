"""Conservation: what a model says of losses, made to agree with what links can carry.

Networks correct the loss of each flow at each queue by itself: nothing in that keeps a port from
accepting more than it can send. Here the losses of a port that accepts too much are raised, for all
its flows by the same part of what it accepts, and everything behind it gets less. Flows, queues and
links are then read from the same losses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.inputs import Inputs, by_hop
from nettwin.engines.theory.flows import HopDelays
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.tables import Tables

Floats = NDArray[np.float64]
ROUNDS = 50  # of the thinning behind ports that accept too much
ACCEPTABLE = 5  # row of `_along_paths`
SETTLED = 1e-6  # change of what a port keeps, from which on it is settled


class Carried(NamedTuple):
    """What becomes of the traffic, flow by flow and queue by queue."""

    keep: Floats  # [queues] part that links can bear of what a model lets through
    flow_loss: Floats  # [flows]
    offered_pps: Floats  # [queues]
    accepted_pps: Floats  # [queues]
    waiting: Floats  # [queues] packets, the mean over time (Little's law)
    waiting_bits: Floats  # [queues]
    carried_bps: Floats  # [queues]


def conserved(inputs: Inputs, known: Tables, each: HopDelays) -> Carried:
    """What links can bear of the losses that a model says, `each` [rows] or [hops], and what they
    make of the traffic."""
    if len(each.loss) != len(inputs.hop_queue):  # a model that goes along paths
        inputs = by_hop(inputs)
    ports = known.queues
    capacity = np.asarray(ports.capacity_bps)
    port, count = np.asarray(ports.port), len(capacity)
    loss = each.loss
    keep = np.ones(len(port))

    def walk() -> tuple[Floats, Floats]:
        found = _along_paths(known.paths, known.flows, inputs, each.waiting_s, loss, keep)
        return found[0], found[1]

    sums, gone = walk()
    for _ in range(ROUNDS):
        whole = np.bincount(port, sums[ACCEPTABLE], count) / capacity
        wanted = (1.0 / np.maximum(whole, 1.0))[port]
        if (wanted >= keep).all():
            break
        settled = np.abs(wanted - keep).max() < SETTLED
        keep = np.minimum(wanted, keep) if settled else wanted
        sums, gone = walk()
        if settled:
            break
    offered, accepted, waiting, waiting_bits, carried, _ = sums
    return Carried(
        keep,
        np.clip(gone, 0.0, 1.0),
        offered,
        accepted,
        waiting,
        waiting_bits,
        np.minimum(carried, capacity[port]),
    )


@njit_nogil
def _along_paths(paths: Any, flows: Any, inputs: Any, waiting_s: Any, loss: Any, keep: Any) -> Any:
    """Of each queue: packets offered and accepted a second, packets and bits that wait, bits
    accepted a second, and those before the port `keep`s its part of them; of each flow the part
    that is lost. [6, queues], [flows]"""
    offset, queue, row = paths.offset, paths.queue, inputs.hop_row
    # queue by queue, what is added to for a hop lies side by side
    sums, gone = np.zeros((keep.size, 6)), np.ones(flows.mean_bits.size)
    for p in range(paths.flow.size):
        f = paths.flow[p]
        bits, sent, passing = flows.mean_bits[f], flows.packets_pps[f], paths.share[p]
        for h in range(offset[p], offset[p + 1]):
            k, q = row[h], queue[h]
            offered, accepted = sent * passing, passing * (1.0 - loss[k])
            passing = accepted * keep[q]
            here, waits = sent * passing, waiting_s[k]
            sums[q, 0] += offered
            sums[q, 1] += here
            sums[q, 2] += here * waits
            sums[q, 3] += here * waits * bits
            sums[q, 4] += here * bits
            sums[q, 5] += sent * accepted * bits
        gone[f] -= passing
    return sums.T.copy(), gone
