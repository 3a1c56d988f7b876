"""Features: what the learned models look at, all free of scale, and the loops that compute them.

A feature that grows with the network (a number of flows, a capacity) would say something new about
a network larger than those of the training; every feature here is a share, a load, or the logarithm
of a ratio. Names and order are part of a model: a model file lists those it was trained with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.engines.theory.loops import without_interpreter

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
QUEUE = QUEUE_BASE + QUEUE_THEORY
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

LEAST_LOSS, MOST_LOSS = 1e-7, 1.0 - 1e-4  # of a queue in theory; keeps logits finite


@without_interpreter
def join_queues(
    path_offset: Any, path_queue: Any, hop_bps: Any, capacity_bps: Any, queues: int
) -> Any:
    """The edges of the queue graph: from each queue to those that its packets come to next.

    Gives source and target [edges], features [edges, 3], and the edge over which each hop is
    reached [hops], -1 for a first hop. Edges are ordered by target; `hop_bps` is what is offered.
    """
    hops = path_queue.size
    begin = np.zeros(queues + 1, np.int64)
    arrivals, leaving = np.zeros(queues), np.zeros(queues)
    for p in range(path_offset.size - 1):
        for h in range(path_offset[p], path_offset[p + 1]):
            arrivals[path_queue[h]] += hop_bps[h]
            if h > path_offset[p]:
                begin[path_queue[h] + 1] += 1
                leaving[path_queue[h - 1]] += hop_bps[h]
    for q in range(queues):
        begin[q + 1] += begin[q]
    place = begin[:-1].copy()
    later = np.empty(begin[queues], np.int32)
    for p in range(path_offset.size - 1):
        for h in range(path_offset[p] + 1, path_offset[p + 1]):
            later[place[path_queue[h]]] = h
            place[path_queue[h]] += 1
    hop_edge = np.full(hops, -1, np.int32)
    known = np.full(queues, -1, np.int32)  # the edge from each queue to the present one
    source, target = np.empty(later.size, np.int32), np.empty(later.size, np.int32)
    carried = np.zeros(later.size)
    count = 0
    for q in range(queues):
        first = count
        for k in range(begin[q], begin[q + 1]):
            h = later[k]
            before = path_queue[h - 1]
            if known[before] < first:
                known[before] = count
                source[count], target[count] = before, q
                count += 1
            hop_edge[h] = known[before]
            carried[known[before]] += hop_bps[h]
    features = np.zeros((count, 3), np.float32)
    for e in range(count):
        a, b = source[e], target[e]
        features[e, 0] = carried[e] / max(arrivals[b], 1e-300)
        features[e, 1] = carried[e] / max(leaving[a], 1e-300)
        features[e, 2] = bounded(np.log(capacity_bps[a] / capacity_bps[b]), -4.0, 4.0)
    return source[:count].copy(), target[:count].copy(), features, hop_edge


@without_interpreter
def bounded(value: float, low: float, high: float) -> float:
    """The value, or the bound that it exceeds."""
    return min(max(value, low), high)


@without_interpreter
def queue_mix(
    path_offset: Any,
    path_flow: Any,
    path_queue: Any,
    hop_bps: Any,
    sent_bps: Any,
    flow: Any,
    queues: int,
) -> Any:
    """Sums over the flows of each queue, weighted by what they offer. [queues, 4 + flow features]

    Columns: offered, its squares, on their first hop, and offered had nothing been lost before;
    then the flows' features.
    """
    width = flow.shape[1]
    out = np.zeros((queues, 4 + width))
    for p in range(path_flow.size):
        f = path_flow[p]
        for h in range(path_offset[p], path_offset[p + 1]):
            q, bps = path_queue[h], hop_bps[h]
            out[q, 0] += bps
            out[q, 1] += bps * bps
            if h == path_offset[p]:
                out[q, 2] += bps
            out[q, 3] += sent_bps[p]
            for k in range(width):
                out[q, 4 + k] += bps * flow[f, k]
    for q in range(queues):
        for k in range(width):
            out[q, 4 + k] /= max(out[q, 0], 1e-300)
    return out


@without_interpreter
def hop_features(
    paths: Any,
    flows: Any,
    each: Any,
    hops: Any,
    hop_bps: Any,
    hop_edge: Any,
    edge: Any,
    capacity_bps: Any,
) -> Any:
    """What a flow is to the queue that it meets. [hops, HOP]

    `paths`, `flows`, `each` and `hops` are those of the theory; `edge` is the features of
    edges, and `capacity_bps` [queues].
    """
    out = np.zeros((paths.queue.size, 14), np.float32)
    for p in range(paths.flow.size):
        f = paths.flow[p]
        passing = 1.0
        for h in range(paths.offset[p], paths.offset[p + 1]):
            q, e = paths.queue[h], hop_edge[h]
            own = hop_bps[h] / capacity_bps[q]
            share = hop_bps[h] / max(hops.load_bps[q], 1e-300)
            out[h, 0] = np.sqrt(min(own, 9.0))
            out[h, 1] = 5.0 * min(own, 2.0)
            out[h, 2] = 5.0 * min(own * (1.0 / flows.duty[f] - 1.0), 2.0)
            out[h, 3] = np.sqrt(min(share, 1.0))
            out[h, 4] = 1.0 if e < 0 else 0.0
            out[h, 5] = ln_ratio(flows.mean_bits[f], hops.packet_bits[q], 3.0)
            out[h, 6] = paths.share[p]
            if e >= 0:
                out[h, 7] = edge[e, 0]
                out[h, 8] = edge[e, 2]
            out[h, 9] = 1.0 - passing
            out[h, 10] = ln_ratio(each.waiting_s[h], hops.waiting_s[q], 3.0)
            if flows.rate_variance[f] > 0.0 and hops.modulation_bits2[q] > 0.0:
                swing = flows.rate_variance[f] * hop_bps[h] * hop_bps[h]
                out[h, 11] = np.sqrt(min(swing / hops.modulation_bits2[q], 1.0))
                out[h, 12] = ln_ratio(flows.memory_s[f], hops.memory_s[q], 6.0) / 3.0
            if flows.period_s[f] > 0.0:
                out[h, 13] = ln_ratio(flows.period_s[f], hops.memory_s[q], 6.0) / 3.0
            passing *= 1.0 - each.loss[h]
    return out


@without_interpreter
def path_physics(paths: Any, flows: Any, each: Any, hops: Any, least_s: Any) -> Any:
    """What theory says, in the form that networks correct.

    Of each hop: waiting, at least `least_s` [queues]; its squared coefficient of variation; the
    logit of loss. Of each path: delay without any waiting, the variance of its transmission, and
    the largest hop's part in the variance of waiting (Herfindahl's index).
    """
    count, ways = paths.queue.size, paths.flow.size
    waiting, cv2, logit = np.empty(count), np.empty(count), np.empty(count)
    fixed, fixed2, largest = np.empty(ways), np.empty(ways), np.zeros(ways)
    for p in range(ways):
        f = paths.flow[p]
        bits, per_bit, delay, total = flows.mean_bits[f], 0.0, 0.0, 0.0
        for h in range(paths.offset[p], paths.offset[p + 1]):
            q = paths.queue[h]
            waiting[h] = max(each.waiting_s[h], least_s[q])
            cv2[h] = bounded(each.variance_s2[h] / waiting[h] ** 2, 1e-2, 1e3)
            loss = bounded(each.loss[h], LEAST_LOSS, MOST_LOSS)
            logit[h] = np.log(loss / (1.0 - loss))
            per_bit += hops.second_per_bit[q]
            delay += hops.delay_s[q]
            total += each.variance_s2[h]
            largest[p] += each.variance_s2[h] ** 2
        fixed[p] = delay + bits * per_bit
        fixed2[p] = max(flows.second_bits2[f] - bits * bits, 0.0) * per_bit * per_bit
        largest[p] /= max(total * total, 1e-300)
    return waiting, cv2, logit, fixed, fixed2, largest


@without_interpreter
def ln_ratio(a: float, b: float, most: float) -> float:
    """ln(a / b) within `most` of 0; 0 where either is 0."""
    if a <= 0.0 or b <= 0.0:
        return 0.0
    return bounded(np.log(a / b), -most, most)


@without_interpreter
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


@without_interpreter
def run_sums(values: Any, begin: Any) -> Any:
    """Sums of runs of values: of `values[begin[k]:begin[k + 1]]`. [runs]

    Not as differences of one running sum, which would lose the small runs among the large.
    """
    out = np.zeros(begin.size - 1)
    for k in range(begin.size - 1):
        for i in range(begin[k], begin[k + 1]):
            out[k] += values[i]
    return out


@without_interpreter
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
