"""Features: what the learned models look at, all free of scale, and the loops that compute them.

A feature that grows with the network (a number of flows, a capacity) would say something new about
a network larger than those of the training; every feature here is a share, a load, or the logarithm
of a ratio. Names and order are part of a model: a model file lists those it was trained with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.engines.theory.loops import njit_nogil

# What is offered to a queue and how its port serves it
QUEUE_BASE = (
    *("load", "port_load", "load_above", "load_below", "share", "ln_buffer", "size_cv2"),
    *("modulation", "port_modulation", "concentration", "first_hop", "inlets", "relative_size"),
    *("periodic", "traces", "modulated", "ln_train", "on_time", "ln_quantum", "counts_service"),
    *("shaped", "rank", "fifo", "sp", "wfq", "drr", "lsf"),
)
# What queueing theory says of the queue
QUEUE_THEORY = (
    *("effective_load", "ln_effective_load", "rate", "carried", "ln_waiting", "loss_logit"),
    *("crowding", "ln_spread", "slow_modulation", "waiting_cv", "lost_before", "ln_memory"),
    *("waiting_elasticity", "loss_elasticity", "modulation_waiting", "overload", "size_bias"),
)
# Bursts against the time that the buffer takes to drain; the load while all sources send at once
QUEUE_BURSTS = ("ln_memory_of_buffer", "ln_peak_load")
QUEUE = QUEUE_BASE + QUEUE_THEORY + QUEUE_BURSTS
FLOW = (
    *("gap_cv2", "periodic", "trace", "rate_deviation", "off_over_on", "size_cv2"),
    *("ln_train", "modulated"),
)
HOP_BASE = (
    *("root_load", "load", "peak_load", "root_share", "first_hop", "ln_relative_size"),
    *("path_share", "together", "ln_inlet_speed"),
)
HOP_THEORY = ("lost_before", "ln_own_waiting", "own_modulation", "ln_own_memory", "own_period")
HOP = HOP_BASE + HOP_THEORY
EDGE = ("part", "part_of_source", "ln_speed")

# Of a flow's delay in theory: levels and variation; of its packet sizes: levels, part of variance
SHAPE = (
    *("z50", "z90", "z99", "ln_cv", "fixed", "dominance"),
    *("size_z50", "size_z90", "size_z99", "size_part"),
)

MIN_LOSS, MAX_LOSS = 1e-7, 1.0 - 1e-4  # of a queue in theory; keeps logits finite


@njit_nogil
def join_queues(paths: Any, flows: Any, pairs: Any, met: Any, capacity_bps: Any) -> Any:
    """The edges of the queue graph: from each queue to those that its packets come to next.

    Gives source and target [edges], features [edges, 3], and the edge of each of `pairs`, which
    are the `Joins` of the paths. Edges are ordered by target. What each flow offers at a hop is
    thinned by the losses before it, of `met`, DelaysByKind; `capacity_bps` is [queues].
    """
    queues, path_offset, path_queue = capacity_bps.size, paths.offset, paths.queue
    path_flow, path_share, hop_pair = paths.flow, paths.share, pairs.hop
    kinds, loss = met.kind, met.each.loss
    count = pairs.before.size
    arrivals, leaving, carried = np.zeros(queues), np.zeros(queues), np.zeros(count)
    for p in range(path_flow.size):
        f, before = path_flow[p], 0
        bps = flows.packets_pps[f] * flows.mean_bits[f] * path_share[p]
        for h in range(path_offset[p], path_offset[p + 1]):
            q, e = path_queue[h], hop_pair[h]
            arrivals[q] += bps
            if e >= 0:
                leaving[before] += bps
                carried[e] += bps
            bps *= 1.0 - loss[kinds[h]]
            before = q
    begin = np.zeros(queues + 1, np.int64)  # of the edges to each queue
    for e in range(count):
        begin[pairs.after[e] + 1] += 1
    for q in range(queues):
        begin[q + 1] += begin[q]
    place = np.empty(count, np.int32)
    source, target = np.empty(count, np.int32), np.empty(count, np.int32)
    features = np.zeros((count, 3), np.float32)
    for e in range(count):
        a, b = pairs.before[e], pairs.after[e]
        i = begin[b]
        begin[b] += 1
        place[e], source[i], target[i] = i, a, b
        features[i, 0] = carried[e] / max(arrivals[b], 1e-300)
        features[i, 1] = carried[e] / max(leaving[a], 1e-300)
        features[i, 2] = bounded(np.log(capacity_bps[a] / capacity_bps[b]), -4.0, 4.0)
    return source, target, features, place


@njit_nogil
def rows_of(flow_offset: Any, path_offset: Any, path_queue: Any, queues: int) -> Any:
    """The queues that each flow meets, each a row, however many of its paths lead through it.

    Gives where the rows of each flow begin [flows + 1], their queues [rows], and the row of each
    hop [hops].
    """
    flows = flow_offset.size - 1
    offset = np.empty(flows + 1, np.int64)
    queue = np.empty(path_queue.size, np.int32)
    of_hop = np.empty(path_queue.size, np.int32)
    known = np.full(queues, -1, np.int64)  # the row of each queue that was made last
    count = 0
    for f in range(flows):
        first = offset[f] = count
        for h in range(path_offset[flow_offset[f]], path_offset[flow_offset[f + 1]]):
            q = path_queue[h]
            if known[q] < first:
                known[q] = count
                queue[count] = q
                count += 1
            of_hop[h] = known[q]
    offset[flows] = count
    return offset, queue[:count].copy(), of_hop


@njit_nogil
def bounded(value: float, low: float, high: float) -> float:
    """The value, or the bound that it exceeds."""
    return min(max(value, low), high)


@njit_nogil
def run_sums(values: Any, begin: Any) -> Any:
    """Sums of runs of values: of `values[begin[k]:begin[k + 1]]`. [runs]

    Not as differences of one running sum, which would lose the small runs among the large.
    """
    out = np.zeros(begin.size - 1)
    for k in range(begin.size - 1):
        for i in range(begin[k], begin[k + 1]):
            out[k] += values[i]
    return out


@njit_nogil
def shape_features(
    mean: Any,
    variance: Any,
    percentiles: Any,
    by_path: Any,
    share: Any,
    flow_offset: Any,
    size_levels: Any,
    flow_size: Any,
) -> Any:
    """SHAPE, 0 where it says nothing. [flows, SHAPE]

    In theory: mean and variance [flows], percentiles [3] of [flows], and by path the fixed delay,
    its variance and the largest hop's part; `size_levels` [3, sizes] of packets.
    """
    fixed, fixed2, largest = by_path
    out = np.zeros((mean.size, 10), np.float32)
    for f in range(mean.size):
        alone, varies, dominance = 0.0, 0.0, 0.0
        for p in range(flow_offset[f], flow_offset[f + 1]):
            alone += share[p] * fixed[p]
            varies += share[p] * fixed2[p]
            dominance += share[p] * largest[p]
        out[f, 5] = bounded(dominance, 0.0, 1.0)
        for k in range(3):
            out[f, 6 + k] = size_levels[k, flow_size[f]]
        if not mean[f] > 0.0:
            continue
        deviation = max(np.sqrt(variance[f]), 1e-6 * mean[f])
        for k in range(3):
            out[f, k] = bounded((percentiles[k][f] - mean[f]) / deviation, -4.0, 8.0)
        out[f, 3] = bounded(np.log(deviation / mean[f]), -8.0, 3.0)
        out[f, 4] = bounded(alone / mean[f], 0.0, 1.5)
        out[f, 9] = bounded(varies / deviation**2, 0.0, 1.0)
    return out
