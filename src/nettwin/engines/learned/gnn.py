"""gnn: queueing theory corrected by a graph network over queues; the forward pass, without PyTorch.

Queues, not paths, exchange messages: a network of 300 nodes has 89,700 paths, but some thousand
queues. What a flow meets at a hop is theory's waiting, variability and loss, each multiplied by a
bounded correction that is read from the state of the queue and from what the flow is to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.features import FLOW, HOP, MIN_LOSS, SHAPE
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.messages import activate_all, at_queues
from nettwin.engines.learned.model_file import weight
from nettwin.engines.learned.products import njit_fastmath, product
from nettwin.engines.theory.flows import STARVED, HopDelays
from nettwin.engines.theory.parallel import free_cores
from nettwin.formats.weight_file import Weights

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
MOST = 3.0  # the largest correction of waiting and of its variability, in ln
MAX_LOGIT = 8.0  # and of loss
# where theory loses nothing, so little is none: simulations of some million packets, which the
# networks learn from, cannot tell it
UNTOLD_LOSS = 5e-5
UNTOLD_LOGIT = float(np.log(UNTOLD_LOSS / (1.0 - UNTOLD_LOSS)))
NO_LOSS_LOGIT = float(np.log(MIN_LOSS / (1.0 - MIN_LOSS))) + 1e-9
MANY_HOPS = 30_000  # from which on threads are worth their start
BLOCK = 256  # hops that are worked on together
HEAD = 24  # width of the layer that sees a whole flow
COLUMNS = (*("mean_s", "variance_s2", "loss", "p50", "p90", "p99"), "ln_scale", "spread")


class Layers(NamedTuple):
    """The readout of every network; matrices are [members, in, out], but `correct` [members, 3,
    hidden]."""

    of_flow: Singles
    of_hop: Singles
    inner: Singles
    inner_bias: Singles
    correct: Singles
    correct_bias: Singles
    head: Singles
    head_bias: Singles
    tail: Singles
    tail_bias: Singles


def answer(inputs: Inputs, members: Sequence[Weights]) -> Answer:
    """What networks of these weights say together: the mean of their corrections."""
    at = at_queues(inputs, members)
    stacked = (np.stack(parts) for parts in zip(*map(_layers, members), strict=True))
    layers = Layers(*map(np.ascontiguousarray, stacked))
    count, rows = len(inputs.flow), len(inputs.hop_queue)
    flows = np.full((count, len(COLUMNS)), np.nan)
    each = HopDelays(np.zeros(rows), np.zeros(rows), np.zeros(rows))

    def part(first: int, end: int) -> None:
        _flows(first, end, inputs, at, layers, flows, each)

    threads = min(free_cores(), 8) if rows > MANY_HOPS else 1
    bounds = np.linspace(0, count, threads + 1).astype(int).tolist()
    if threads == 1:
        part(0, count)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, bounds[:-1], bounds[1:]))
    mean, variance, loss, p50, p90, p99, ln_scale, spread = np.ascontiguousarray(flows.T)
    levels = np.stack([p50, p90, p99], axis=1)
    return Answer(mean, variance, loss, levels, ln_scale, spread, each, inputs.hop_row)


def bend(x: Singles) -> Singles:
    """The activation: x times a rational sigmoid, 0.5 + 0.5 x / (1 + |x|), which needs no exp."""
    half = np.float32(0.5)
    return np.asarray(x * (half + half * x / (np.float32(1.0) + np.abs(x))), np.float32)


def _layers(weights: Weights) -> Layers:
    """The readout of one network, checked."""
    width, hidden = len(weights["enter.bias"]), len(weights["inner.bias"])
    seen = hidden + len(SHAPE) + 2
    return Layers(
        weight(weights, "of_flow.weight", (width, len(FLOW))).T,
        weight(weights, "of_hop.weight", (width, len(HOP))).T,
        weight(weights, "inner.weight", (hidden, width)).T,
        weight(weights, "inner.bias", (hidden,)),
        weight(weights, "correct.weight", (3, hidden)),
        weight(weights, "correct.bias", (3,)),
        weight(weights, "head.weight", (HEAD, seen)).T,
        weight(weights, "head.bias", (HEAD,)),
        weight(weights, "tail.weight", (4, HEAD)).T,
        weight(weights, "tail.bias", (4,)),
    )


@njit_fastmath
def limited(x: float, most: float) -> float:
    """x for small x, within `most` of 0: x / sqrt(1 + (x / most)^2)."""
    return float(x / np.sqrt(1.0 + (x / most) ** 2))


class Room(NamedTuple):
    """What is written down of a block of flows and of their rows."""

    u: Singles  # [rows, width]
    v: Singles  # [members, rows, hidden] what the networks see of each row
    said: Singles  # [3, rows] by one network
    waits: Singles  # [members, rows] its correction of waiting, in ln
    moved: Floats  # [3, rows] the mean corrections of waiting, its variability and loss
    reached: Floats  # [2, rows]
    seen: Singles  # [members, flows, ...] what the heads see of each flow


@njit_fastmath
def _block(first: int, end: int, inputs: Any, at: Any, layers: Any, room: Any) -> None:
    """Fill what the networks see, and how they correct theory, of the rows of the flows from
    `first` to `end`."""
    offset, hop_queue, hop, flow = inputs.row_offset, inputs.hop_queue, inputs.hop, inputs.flow
    begin = offset[first]
    count = offset[end] - begin
    half, one, members = np.float32(0.5), np.float32(1.0), at.shape[0]
    of_flow = np.empty((end - first, at.shape[2]), np.float32)
    u, moved = room.u[:count], room.moved
    moved[:, :count] = 0.0
    for m in range(members):
        v = room.v[m, :count]
        product(hop[begin : begin + count], layers.of_hop[m], u)
        product(flow[first:end], layers.of_flow[m], of_flow)
        for f in range(first, end):
            sent = of_flow[f - first]
            for h in range(offset[f], offset[f + 1]):
                row, there = u[h - begin], at[m, hop_queue[h]]
                for k in range(row.size):
                    y = row[k] + there[k] + sent[k]
                    row[k] = y * (half + half * y / (one + abs(y)))
        product(u, layers.inner[m], v)
        activate_all(v, layers.inner_bias[m])
        _said(v, layers.correct[m], room.said)
        for i in range(3):
            said, most = room.said[i, :count], MAX_LOGIT if i == 2 else MOST
            _limit(said, layers.correct_bias[m, i], np.float32(1.0 / most))
            for k in range(count):
                moved[i, k] += said[k] / members
        room.waits[m, :count] = room.said[0, :count]
    for i in range(2):
        _exponential(moved[i, :count])


@njit_fastmath
def _said(v: Any, matrix: Any, out: Any) -> None:
    """The products of each row with the three of the matrix [3, hidden]; with so few columns,
    twice as fast as by a library. [3, rows]"""
    for row in range(len(v)):
        a, b, c = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for k in range(v.shape[1]):
            a += v[row, k] * matrix[0, k]
            b += v[row, k] * matrix[1, k]
            c += v[row, k] * matrix[2, k]
        out[0, row], out[1, row], out[2, row] = a, b, c


@njit_fastmath
def _limit(x: Any, bias: Any, inverse: Any) -> None:
    """Add the bias and limit as `limited` does to 1 over `inverse`, in place; in a loop of its own,
    so that several numbers are worked on at a time, as in `_exponential`."""
    one = np.float32(1.0)
    for k in range(x.size):
        y = x[k] + bias
        part = y * inverse
        x[k] = y / np.sqrt(one + part * part)


@njit_fastmath
def _exponential(x: Any) -> None:
    """exp(x) of numbers within MOST of 0, in place: the eighth power of the first terms of the
    series for x / 8, exact to 1e-12."""
    for k in range(x.size):
        y = x[k] * 0.125
        z = 1.0 + y / 11.0
        z = 1.0 + y * z * 0.1
        z = 1.0 + y * z * (1.0 / 9.0)
        z = 1.0 + y * z * 0.125
        z = 1.0 + y * z * (1.0 / 7.0)
        z = 1.0 + y * z * (1.0 / 6.0)
        z = 1.0 + y * z * 0.2
        z = 1.0 + y * z * 0.25
        z = 1.0 + y * z * (1.0 / 3.0)
        z = 1.0 + y * z * 0.5
        z = 1.0 + y * z
        z *= z
        z *= z
        x[k] = z * z


@njit_fastmath
def _flows(first: int, end: int, inputs: Any, at: Any, layers: Any, flows: Any, each: Any) -> None:
    """Fill COLUMNS of the flows from `first` to `end`, and what they meet at their hops, block by
    block."""
    members, width, hidden = at.shape[0], at.shape[2], layers.inner.shape[2]
    offset, most = inputs.row_offset, BLOCK
    for f in range(first, end):
        most = max(most, offset[f + 1] - offset[f])
    room = Room(
        np.empty((most, width), np.float32),
        np.empty((members, most, hidden), np.float32),
        np.empty((3, most), np.float32),
        np.empty((members, most), np.float32),
        np.empty((3, most)),
        np.empty((2, most)),
        np.empty((members, most, layers.head.shape[1]), np.float32),
    )
    while first < end:
        last = first + 1
        while last < end and last - first < most and offset[last + 1] - offset[first] <= most:
            last += 1
        _block(first, last, inputs, at, layers, room)
        _along_hops(first, last, inputs, room, flows, each)
        _heads(first, last, inputs, layers, room.seen, flows)
        first = last


@njit_fastmath
def _along_hops(first: int, end: int, inputs: Any, room: Any, flows: Any, each: Any) -> None:
    """Mean, variance and loss of the flows from `first` to `end`, and what the heads see of them.

    The paths of a flow are mixed by what arrives over them; their means and variances are summed
    around the mean of the first, so that little is lost where they are alike. How far the networks
    differ is told to first order: by the sum of their deviations, each weighted by the waiting.
    """
    # arrays by names of their own: what holds them is not looked at again at each turn
    flow_offset, path_offset, share = inputs.flow_offset, inputs.path_offset, inputs.path_share
    row_offset, hop_row = inputs.row_offset, inputs.hop_row
    fixed_s, fixed_s2, shape = inputs.path_fixed_s, inputs.path_fixed_s2, inputs.shape
    theory_s, theory_cv2, theory_logit = inputs.waiting_s, inputs.waiting_cv2, inputs.loss_logit
    waiting_s, variance_s2, loss_ratio = each.waiting_s, each.variance_s2, each.loss
    v, waits, moved, reached, seen = room.v, room.waits, room.moved, room.reached, room.seen
    members, hidden = v.shape[0], v.shape[2]
    equal = 1.0 / members
    apart = np.empty(members)
    begin = row_offset[first]
    for k in range(begin, row_offset[end]):
        i = k - begin
        waiting_s[k] = theory_s[k] * moved[0, i]
        variance_s2[k] = theory_cv2[k] * moved[1, i] * waiting_s[k] * waiting_s[k]
        logit, loss = theory_logit[k] + moved[2, i], 0.0
        if theory_logit[k] > NO_LOSS_LOGIT or logit >= UNTOLD_LOGIT:
            loss = 1.0 / (1.0 + np.exp(-logit))
        loss_ratio[k] = loss
        reached[0, i] = reached[1, i] = 0.0
    for f in range(first, end):
        row = f - first
        origin, arriving, shift, square = 0.0, 0.0, 0.0, 0.0
        for p in range(flow_offset[f], flow_offset[f + 1]):
            passing, waited, variance = share[p], 0.0, fixed_s2[p]
            for h in range(path_offset[p], path_offset[p + 1]):
                k = hop_row[h]
                waited += waiting_s[k]
                variance += variance_s2[k]
                passing *= 1.0 - loss_ratio[k]
            mean = fixed_s[p] + waited
            if arriving == 0.0:
                origin = mean
            arriving += passing
            shift += passing * (mean - origin)
            square += passing * ((mean - origin) ** 2 + variance)
            part = passing / waited
            for h in range(path_offset[p], path_offset[p + 1]):
                k = hop_row[h] - begin
                reached[0, k] += passing
                reached[1, k] += part
        for m in range(members):
            apart[m] = 0.0
            for i in range(hidden):
                seen[m, row, i] = np.float32(0.0)
        for k in range(row_offset[f], row_offset[f + 1]):
            part, middle = waiting_s[k] * reached[0, k - begin], 0.0
            weight = np.float32(waiting_s[k] * reached[1, k - begin])
            for m in range(members):
                middle += waits[m, k - begin] * equal
            for m in range(members):
                apart[m] += part * (waits[m, k - begin] - middle)
                for i in range(hidden):
                    seen[m, row, i] += weight * v[m, k - begin, i]
        flows[f, 2] = min(max(1.0 - arriving, 0.0), 1.0)
        if arriving <= 1.0 - STARVED:
            for m in range(members):
                for i in range(seen.shape[2]):
                    seen[m, row, i] = np.float32(0.0)
            continue
        shift /= arriving
        mean = origin + shift
        variance = max(square / arriving - shift * shift, 1e-30)
        flows[f, 0], flows[f, 1] = mean, variance
        differ = 0.0
        for m in range(members):
            differ += apart[m] * apart[m]
        flows[f, 7] = np.sqrt(differ * equal) / arriving / mean
        ln_cv = min(max(0.5 * np.log(variance) - np.log(mean), -8.0), 3.0)
        scale = np.float32(1.0 / arriving)
        for m in range(members):
            for i in range(hidden):
                seen[m, row, i] *= scale
            for i in range(shape.shape[1]):
                seen[m, row, hidden + i] = shape[f, i]
            seen[m, row, -2] = ln_cv
            seen[m, row, -1] = np.sqrt(1e-4 + flows[f, 2])


@njit_fastmath
def _heads(first: int, end: int, inputs: Any, layers: Any, seen: Any, flows: Any) -> None:
    """Percentiles and the scale of the error of the flows from `first` to `end`."""
    count, members, shape = end - first, seen.shape[0], inputs.shape
    moved, said = np.zeros((count, 4), np.float32), np.empty((count, 4), np.float32)
    inner = np.empty((count, layers.head.shape[2]), np.float32)
    for m in range(members):
        product(seen[m, :count], layers.head[m], inner)
        activate_all(inner, layers.head_bias[m])
        product(inner, layers.tail[m], said)
        moved += said + layers.tail_bias[m]
    moved /= np.float32(members)
    for f in range(first, end):
        mean, deviation, row = flows[f, 0], np.sqrt(flows[f, 1]), f - first
        if np.isnan(mean):
            continue
        z50, z90, z99 = shape[f, 0], shape[f, 1], shape[f, 2]
        middle = z90 + limited(moved[row, 1], 2.0)
        low = middle - max(z90 - z50, 1e-3) * np.exp(limited(moved[row, 0], 2.0))
        high = middle + max(z99 - z90, 1e-3) * np.exp(limited(moved[row, 2], 2.0))
        flows[f, 3] = max(mean + deviation * low, 0.0)
        flows[f, 4] = max(mean + deviation * middle, 0.0)
        flows[f, 5] = max(mean + deviation * high, 0.0)
        flows[f, 6] = limited(moved[row, 3], 5.0) - 4.0
