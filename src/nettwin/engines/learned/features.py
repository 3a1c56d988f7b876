"""Features: what the learned models look at, all free of scale, and the loops that compute them.

A feature that grows with the network (a number of flows, a capacity) would say something new about
a network larger than those of the training; every feature here is a share, a load, or the logarithm
of a ratio. Names and order are part of a model: a model file lists those it was trained with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.engines.theory.inputs import joined
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

# What `at_rows` says: bit/s offered; of the flow, the part that goes there and that comes there;
# whether it is its first hop; the features of the edge over which it comes; theory's delay and loss
OFFERED, SHARE, COMING, FIRST, TOGETHER, INLET, WAITING, VARIANCE, LOSS = range(9)

LEAST_LOSS, MOST_LOSS = 1e-7, 1.0 - 1e-4  # of a queue in theory; keeps logits finite


@njit_nogil
def join_queues(
    path_offset: Any, path_queue: Any, hop_bps: Any, capacity_bps: Any, queues: int
) -> Any:
    """The edges of the queue graph: from each queue to those that its packets come to next.

    Gives source and target [edges], features [edges, 3], and the edge over which each hop is
    reached [hops], -1 for a first hop. Edges are ordered by target; `hop_bps` is what is offered.
    """
    hop_edge, source, target = joined(path_offset, path_queue, np.arange(queues), queues)
    count = source.size
    arrivals, leaving, carried = np.zeros(queues), np.zeros(queues), np.zeros(count)
    for h in range(hop_edge.size):
        arrivals[path_queue[h]] += hop_bps[h]
        e = hop_edge[h]
        if e >= 0:
            leaving[source[e]] += hop_bps[h]
            carried[e] += hop_bps[h]
    begin = np.zeros(queues + 1, np.int64)  # of the edges to each queue
    for e in range(count):
        begin[target[e] + 1] += 1
    for q in range(queues):
        begin[q + 1] += begin[q]
    place, order = np.empty(count, np.int32), np.empty(count, np.int64)
    for e in range(count):
        q = target[e]
        place[e] = begin[q]
        order[begin[q]] = e
        begin[q] += 1
    for h in range(hop_edge.size):
        if hop_edge[h] >= 0:
            hop_edge[h] = place[hop_edge[h]]
    source, target = source[order].astype(np.int32), target[order].astype(np.int32)
    carried = carried[order]
    features = np.zeros((count, 3), np.float32)
    for e in range(count):
        a, b = source[e], target[e]
        features[e, 0] = carried[e] / max(arrivals[b], 1e-300)
        features[e, 1] = carried[e] / max(leaving[a], 1e-300)
        features[e, 2] = bounded(np.log(capacity_bps[a] / capacity_bps[b]), -4.0, 4.0)
    return source, target, features, hop_edge


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
def at_rows(
    paths: Any,
    flow_offset: Any,
    of_hop: Any,
    rows: int,
    each: Any,
    hop_bps: Any,
    hop_edge: Any,
    edge: Any,
) -> Any:
    """What is said of hops, of the rows that they belong to. [rows, OFFERED and more]

    Sums of what is offered and of the shares of the paths; means, by what comes over each path, of
    the rest.
    """
    out = np.zeros((rows, 9))
    for f in range(flow_offset.size - 1):
        for p in range(flow_offset[f], flow_offset[f + 1]):
            share, passing = paths.share[p], 1.0
            for h in range(paths.offset[p], paths.offset[p + 1]):
                row, e = out[of_hop[h]], hop_edge[h]
                comes = share * max(passing, 1e-12)
                row[0] += hop_bps[h]
                row[1] += share
                row[2] += comes
                if e >= 0:
                    row[4] += comes * edge[e, 0]
                    row[5] += comes * edge[e, 2]
                else:
                    row[3] += comes
                row[6] += comes * each.waiting_s[h]
                row[7] += comes * each.variance_s2[h]
                row[8] += comes * each.loss[h]
                passing *= 1.0 - each.loss[h]
    for k in range(rows):
        for i in range(3, 9):
            out[k, i] /= out[k, 2]
    return out


@njit_nogil
def bounded(value: float, low: float, high: float) -> float:
    """The value, or the bound that it exceeds."""
    return min(max(value, low), high)


@njit_nogil
def queue_mix(
    row_offset: Any, row_queue: Any, rows: Any, sent_bps: Any, flow: Any, queues: int
) -> Any:
    """Sums over the flows of each queue, weighted by what they offer. [queues, 4 + flow features]

    Columns: offered, its squares, on their first hop, and offered had nothing been lost before;
    then the flows' features. `rows` is that of `at_rows`, `sent_bps` [flows].
    """
    width = flow.shape[1]
    out = np.zeros((queues, 4 + width))
    for f in range(row_offset.size - 1):
        for k in range(row_offset[f], row_offset[f + 1]):
            sums, bps = out[row_queue[k]], rows[k, OFFERED]
            sums[0] += bps
            sums[1] += bps * bps
            sums[2] += bps * rows[k, FIRST]
            sums[3] += sent_bps[f] * rows[k, SHARE]
            for i in range(width):
                sums[4 + i] += bps * flow[f, i]
    for q in range(queues):
        for i in range(width):
            out[q, 4 + i] /= max(out[q, 0], 1e-300)
    return out


@njit_nogil
def hop_features(
    row_offset: Any, row_queue: Any, rows: Any, flows: Any, hops: Any, capacity_bps: Any
) -> Any:
    """What a flow is to the queue that it meets. [rows, HOP]

    `flows` and `hops` are those of the theory, `rows` is that of `at_rows`; `capacity_bps`
    [queues].
    """
    out = np.zeros((row_queue.size, 14), np.float32)
    for f in range(row_offset.size - 1):
        for k in range(row_offset[f], row_offset[f + 1]):
            q, row, said = row_queue[k], out[k], rows[k]
            bps = said[OFFERED]
            own = bps / capacity_bps[q]
            share = bps / max(hops.load_bps[q], 1e-300)
            row[0] = np.sqrt(min(own, 9.0))
            row[1] = 5.0 * min(own, 2.0)
            row[2] = 5.0 * min(own * (1.0 / flows.duty[f] - 1.0), 2.0)
            row[3] = np.sqrt(min(share, 1.0))
            row[4] = said[FIRST]
            row[5] = ln_ratio(flows.mean_bits[f], hops.packet_bits[q], 3.0)
            row[6] = said[SHARE]
            row[7] = said[TOGETHER]
            row[8] = said[INLET]
            row[9] = max(1.0 - said[COMING] / said[SHARE], 0.0)
            row[10] = ln_ratio(said[WAITING], hops.waiting_s[q], 3.0)
            if flows.rate_variance[f] > 0.0 and hops.modulation_bits2[q] > 0.0:
                swing = flows.rate_variance[f] * bps * bps
                row[11] = np.sqrt(min(swing / hops.modulation_bits2[q], 1.0))
                row[12] = ln_ratio(flows.memory_s[f], hops.memory_s[q], 6.0) / 3.0
            if flows.period_s[f] > 0.0:
                row[13] = ln_ratio(flows.period_s[f], hops.memory_s[q], 6.0) / 3.0
    return out


@njit_nogil
def row_physics(row_queue: Any, rows: Any, least_s: Any) -> Any:
    """What theory says of rows, in the form that networks correct: waiting, at least `least_s`
    [queues]; its squared coefficient of variation; the logit of loss. [rows] each"""
    count = row_queue.size
    waiting, cv2, logit = np.empty(count), np.empty(count), np.empty(count)
    for k in range(count):
        waiting[k] = max(rows[k, WAITING], least_s[row_queue[k]])
        cv2[k] = bounded(rows[k, VARIANCE] / waiting[k] ** 2, 1e-2, 1e3)
        loss = bounded(rows[k, LOSS], LEAST_LOSS, MOST_LOSS)
        logit[k] = np.log(loss / (1.0 - loss))
    return waiting, cv2, logit


@njit_nogil
def path_physics(paths: Any, flows: Any, each: Any, hops: Any) -> Any:
    """What theory says of paths: delay without any waiting, the variance of its transmission, and
    the largest hop's part in the variance of waiting (Herfindahl's index). [paths] each"""
    count = paths.flow.size
    fixed, fixed2, largest = np.empty(count), np.empty(count), np.zeros(count)
    for p in range(count):
        f = paths.flow[p]
        bits, per_bit, delay, total = flows.mean_bits[f], 0.0, 0.0, 0.0
        for h in range(paths.offset[p], paths.offset[p + 1]):
            q = paths.queue[h]
            per_bit += hops.second_per_bit[q]
            delay += hops.delay_s[q]
            total += each.variance_s2[h]
            largest[p] += each.variance_s2[h] ** 2
        fixed[p] = delay + bits * per_bit
        fixed2[p] = max(flows.second_bits2[f] - bits * bits, 0.0) * per_bit * per_bit
        largest[p] /= max(total * total, 1e-300)
    return fixed, fixed2, largest


@njit_nogil
def ln_ratio(a: float, b: float, most: float) -> float:
    """ln(a / b) within `most` of 0; 0 where either is 0."""
    if a <= 0.0 or b <= 0.0:
        return 0.0
    return bounded(np.log(a / b), -most, most)


@njit_nogil
def offered_by_hop(paths: Any, flows: Any, loss: Any) -> Any:
    """Bits a second that each flow offers at each hop, thinned by the losses before it. [hops]"""
    out = np.zeros(loss.size)
    for p in range(paths.flow.size):
        f = paths.flow[p]
        bps = flows.packets_pps[f] * flows.mean_bits[f] * paths.share[p]
        for h in range(paths.offset[p], paths.offset[p + 1]):
            out[h] = bps
            bps *= 1.0 - loss[h]
    return out


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
