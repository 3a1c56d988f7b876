"""The features of rows: what a flow is to each queue that it meets, and what theory says of that.

All in one walk over the flows: what is summed up of a flow's paths stays in the processor's cache
until its rows are done, and flows do not depend on each other, so that threads may share them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.features import HOP, MAX_LOSS, MIN_LOSS, bounded
from nettwin.engines.theory.flows import DelaysByKind, HopTable
from nettwin.engines.theory.inputs import Joins
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.parallel import parallel_for
from nettwin.engines.theory.tables import FlowTable, PathTable

Floats = NDArray[np.float64]
Whole = NDArray[np.int32]
COLUMNS = len(HOP)
MIN_LOGIT = float(np.log(MIN_LOSS / (1.0 - MIN_LOSS)))
MAX_WAITING_S = 1e6  # where theory knows no bound, and says next to never
HOP_S = 1e-8  # to sum up a hop of a path
ROW_S = 4e-8  # to work out a row


class RowTable(NamedTuple):
    """The queues that each flow meets, a row each."""

    offset: NDArray[np.int64]  # [flows + 1] into the rows
    queue: Whole  # [rows]
    of_hop: Whole  # [hops] the row of each hop of the paths


class SharedKinds(NamedTuple):
    """What is said of rows whose hops are of one shared kind. Arrays are [kinds], those of
    DelaysByKind that are shared."""

    ln_size: Floats
    ln_waiting: Floats
    waiting_s: Floats
    waiting_cv2: Floats
    loss_logit: Floats


class RowValues(NamedTuple):
    """What is said of rows, of flows and of paths."""

    hop: NDArray[np.float32]  # [rows, HOP]
    offered_bps: Floats  # [rows]
    first: Floats  # [rows] the part that is on its first hop
    share: Floats  # [rows] part of the flow that goes there
    waiting_s: Floats  # [rows] in theory, at least the least that networks correct
    waiting_cv2: Floats  # [rows]
    loss_logit: Floats  # [rows]
    fixed_s: Floats  # [paths] delay without any waiting
    fixed_s2: Floats  # [paths] variance of transmission
    dominance: Floats  # [paths] the largest hop's part in the variance of waiting (Herfindahl)


def row_values(
    rows: RowTable,
    flow_offset: NDArray[np.int64],
    paths: PathTable,
    flows: FlowTable,
    met: DelaysByKind,
    size_bits: Floats,
    hops: HopTable,
    pairs: Joins,
    by_pair: NDArray[np.float32],
    least_s: Floats,
) -> RowValues:
    """What is said of the rows. `by_pair` [pairs, EDGE] are the features of the edge of each of
    `pairs`, `size_bits` [sizes] the mean sizes of packets, `least_s` [queues] the least waiting."""
    count, ways = len(rows.queue), len(paths.flow)
    out = RowValues(
        np.empty((count, COLUMNS), np.float32),
        *(np.empty(count) for _ in range(6)),
        *(np.empty(ways) for _ in range(3)),
    )
    kinds = SharedKinds(*(np.empty(met.shared) for _ in SharedKinds._fields))
    _of_kinds(met, size_bits, hops, least_s, kinds)
    fill = partial(
        _fill,
        rows=rows,
        flow_offset=flow_offset,
        paths=paths,
        flows=flows,
        met=met,
        kinds=kinds,
        hops=hops,
        hop_pair=pairs.hop,
        by_pair=by_pair,
        least_s=least_s,
        out=out,
    )
    done = rows.offset * ROW_S + np.asarray(paths.offset)[flow_offset] * HOP_S
    parallel_for(fill, done, 1.0)
    return out


@njit_nogil
def _of_kinds(met: Any, size_bits: Any, hops: Any, least_s: Any, out: Any) -> None:
    """Fill SharedKinds."""
    waiting_s, variance_s2, loss_ratio = met.each.waiting_s, met.each.variance_s2, met.each.loss
    for k in range(met.shared):
        q, size = k // met.sizes, k % met.sizes
        out.ln_size[k] = ln_ratio(size_bits[size], hops.packet_bits[q], 3.0)
        out.ln_waiting[k] = ln_ratio(waiting_s[k], hops.waiting_s[q], 3.0)
        wait = max(waiting_s[k], least_s[q])
        out.waiting_s[k] = min(wait, MAX_WAITING_S)
        out.waiting_cv2[k] = bounded(variance_s2[k] / wait**2, 1e-2, 1e3)
        out.loss_logit[k] = logit(loss_ratio[k])


@njit_nogil
def logit(loss: float) -> float:
    """The logit of theory's loss, kept finite."""
    if loss <= MIN_LOSS:
        return MIN_LOGIT
    loss = min(loss, MAX_LOSS)
    return float(np.log(loss / (1.0 - loss)))


@njit_nogil
def _fill(
    begin: int,
    stop: int,
    rows: Any,
    flow_offset: Any,
    paths: Any,
    flows: Any,
    met: Any,
    kinds: Any,
    hops: Any,
    hop_pair: Any,
    by_pair: Any,
    least_s: Any,
    out: Any,
) -> None:
    """Fill RowValues for a range of flows. Of a row: sums of what is offered and of the shares of
    the paths; means, by what comes over each path, of the rest. Rows of flows whose hops are of
    shared kinds have one kind each, of which all is known."""
    # arrays by names of their own: what holds them is not looked at again at each turn
    row_offset, row_queue, of_hop = rows.offset, rows.queue, rows.of_hop
    path_offset, path_queue, path_share = paths.offset, paths.queue, paths.share
    wait_s, variance_s2, loss_ratio = met.each.waiting_s, met.each.variance_s2, met.each.loss
    hop_kind, shared = met.kind, met.shared
    ln_size, ln_waiting, kind_waiting_s = kinds.ln_size, kinds.ln_waiting, kinds.waiting_s
    kind_cv2, kind_logit = kinds.waiting_cv2, kinds.loss_logit
    second_per_bit, delay_s = hops.second_per_bit, hops.delay_s
    capacity_bps, load_bps, packet_bits = hops.capacity_bps, hops.load_bps, hops.packet_bits
    queue_wait_s, queue_memory_s = hops.waiting_s, hops.memory_s
    modulation_bits2 = hops.modulation_bits2
    hop, offered_bps, on_first, part_there = out.hop, out.offered_bps, out.first, out.share
    waiting_s, waiting_cv2, loss_logit = out.waiting_s, out.waiting_cv2, out.loss_logit
    most = 1
    for f in range(begin, stop):
        most = max(most, row_offset[f + 1] - row_offset[f])
    # of each row: offered, share, coming, first, together, inlet, waiting, variance, loss
    sums, row_kind = np.zeros((most, 9)), np.zeros(most, np.int32)
    for f in range(begin, stop):
        base, count = row_offset[f], row_offset[f + 1] - row_offset[f]
        bits = flows.mean_bits[f]
        sent_bps = flows.packets_pps[f] * bits
        spread_bits2 = max(flows.second_bits2[f] - bits * bits, 0.0)
        sums[:count] = 0.0
        for p in range(flow_offset[f], flow_offset[f + 1]):
            share, passing, per_bit, delay = path_share[p], 1.0, 0.0, 0.0
            total, largest, bps = 0.0, 0.0, sent_bps * path_share[p]
            for h in range(path_offset[p], path_offset[p + 1]):
                k, e, q, kind = of_hop[h] - base, hop_pair[h], path_queue[h], hop_kind[h]
                variance, loss = variance_s2[kind], loss_ratio[kind]
                comes = share * max(passing, 1e-12)
                sums[k, 0] += bps
                sums[k, 1] += share
                sums[k, 2] += comes
                if e >= 0:
                    sums[k, 4] += comes * by_pair[e, 0]
                    sums[k, 5] += comes * by_pair[e, 2]
                else:
                    sums[k, 3] += comes
                row_kind[k] = kind
                if kind >= shared:
                    sums[k, 6] += comes * wait_s[kind]
                    sums[k, 7] += comes * variance
                    sums[k, 8] += comes * loss
                passing *= 1.0 - loss
                bps *= 1.0 - loss
                per_bit += second_per_bit[q]
                delay += delay_s[q]
                total += variance
                largest += variance * variance
            out.fixed_s[p] = delay + bits * per_bit
            out.fixed_s2[p] = spread_bits2 * per_bit * per_bit
            out.dominance[p] = largest / max(total * total, 1e-300)
        peak = 1.0 / flows.duty[f] - 1.0
        swing, period, memory = flows.rate_variance[f], flows.period_s[f], flows.memory_s[f]
        for i in range(count):
            row, kind = base + i, row_kind[i]
            q, bps, there, coming = row_queue[row], sums[i, 0], sums[i, 1], sums[i, 2]
            first = sums[i, 3] / coming
            own, part = bps / capacity_bps[q], bps / max(load_bps[q], 1e-300)
            offered_bps[row], on_first[row], part_there[row] = bps, first, there
            hop[row, 0] = np.sqrt(min(own, 9.0))
            hop[row, 1] = 5.0 * min(own, 2.0)
            hop[row, 2] = 5.0 * min(own * peak, 2.0)
            hop[row, 3] = np.sqrt(min(part, 1.0))
            hop[row, 4] = first
            hop[row, 6] = there
            hop[row, 7] = sums[i, 4] / coming
            hop[row, 8] = sums[i, 5] / coming
            hop[row, 9] = max(1.0 - coming / there, 0.0)
            hop[row, 11] = hop[row, 12] = hop[row, 13] = 0.0
            if kind < shared:
                hop[row, 5], hop[row, 10] = ln_size[kind], ln_waiting[kind]
                waiting_s[row], waiting_cv2[row] = kind_waiting_s[kind], kind_cv2[kind]
                loss_logit[row] = kind_logit[kind]
                continue
            wait = sums[i, 6] / coming
            hop[row, 5] = ln_ratio(bits, packet_bits[q], 3.0)
            hop[row, 10] = ln_ratio(wait, queue_wait_s[q], 3.0)
            if swing > 0.0 and modulation_bits2[q] > 0.0:
                hop[row, 11] = np.sqrt(min(swing * bps * bps / modulation_bits2[q], 1.0))
                hop[row, 12] = ln_ratio(memory, queue_memory_s[q], 6.0) / 3.0
            if period > 0.0:
                hop[row, 13] = ln_ratio(period, queue_memory_s[q], 6.0) / 3.0
            wait = max(wait, least_s[q])
            waiting_s[row] = min(wait, MAX_WAITING_S)
            waiting_cv2[row] = bounded(sums[i, 7] / coming / wait**2, 1e-2, 1e3)
            loss_logit[row] = logit(sums[i, 8] / coming)


@njit_nogil
def queue_mix(rows: Any, values: Any, sent_bps: Any, flow: Any, queues: int) -> Any:
    """Sums over the flows of each queue, weighted by what they offer. [queues, 4 + flow features]

    Columns: offered, its squares, on their first hop, and offered had nothing been lost before;
    then the flows' features. `values` are RowValues, `sent_bps` [flows].
    """
    offset, queue = rows.offset, rows.queue
    offered, on_first, share = values.offered_bps, values.first, values.share
    width = flow.shape[1]
    out = np.zeros((queues, 4 + width))
    for f in range(offset.size - 1):
        for k in range(offset[f], offset[f + 1]):
            q, bps = queue[k], offered[k]
            out[q, 0] += bps
            out[q, 1] += bps * bps
            out[q, 2] += bps * on_first[k]
            out[q, 3] += sent_bps[f] * share[k]
            for i in range(width):
                out[q, 4 + i] += bps * flow[f, i]
    for q in range(queues):
        for i in range(width):
            out[q, 4 + i] /= max(out[q, 0], 1e-300)
    return out


@njit_nogil
def ln_ratio(a: float, b: float, most: float) -> float:
    """ln(a / b) within `most` of 0; 0 where either is 0."""
    if a <= 0.0 or b <= 0.0 or a == b:
        return 0.0
    return bounded(np.log(a / b), -most, most)
