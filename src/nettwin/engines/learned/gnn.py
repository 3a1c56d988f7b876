"""gnn: queueing theory corrected by a graph network over queues; the forward pass, without PyTorch.

Queues, not paths, exchange messages: a network of 300 nodes has 89,700 paths, but some thousand
queues. What a flow meets at a hop is theory's waiting, variability and loss, each multiplied by a
bounded correction that is read from the state of the queue and from what the flow is to it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.learned.architecture import Answer
from nettwin.engines.learned.features import EDGE, FLOW, HOP, SHAPE
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.model_file import weight
from nettwin.engines.theory.flows import STARVED, HopDelays
from nettwin.formats.weight_file import Weights

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
MOST = 3.0  # the largest correction of waiting and of its variability, in ln
MOST_LOGIT = 8.0  # and of loss
MANY_HOPS = 30_000  # from which on threads are worth their start
BLOCK = 256  # hops that are worked on together
SMALL = 250_000  # products of two numbers up to which OpenBLAS uses one thread
HEAD = 24  # width of the layer that sees a whole flow
COLUMNS = (*("mean_s", "variance_s2", "loss", "p50", "p90", "p99"), "ln_scale", "spread")


# Sums may be reordered and nothing is raised, which lets loops work on several numbers at a time
without_interpreter = partial(
    compiled, nogil=True, fastmath={"contract", "reassoc"}, error_model="numpy"
)


class Layers(NamedTuple):
    """The readout of every network; matrices are [members, in, out]."""

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
    at = np.stack([_at_queues(inputs, weights) for weights in members])
    stacked = (np.stack(parts) for parts in zip(*map(_layers, members), strict=True))
    layers = Layers(*map(np.ascontiguousarray, stacked))
    count, hops = len(inputs.flow), len(inputs.hop_queue)
    flows = np.full((count, len(COLUMNS)), np.nan)
    each = HopDelays(np.zeros(hops), np.zeros(hops), np.zeros(hops))

    def part(first: int, end: int) -> None:
        _flows(first, end, inputs, at, layers, flows, each)

    threads = min(os.cpu_count() or 1, 8) if hops > MANY_HOPS else 1
    bounds = np.linspace(0, count, threads + 1).astype(int).tolist()
    if threads == 1:
        part(0, count)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, bounds[:-1], bounds[1:]))
    mean, variance, loss, p50, p90, p99, ln_scale, spread = flows.T
    levels = np.stack([p50, p90, p99], axis=1)
    return Answer(mean, variance, loss, levels, ln_scale, spread, each)


def bend(x: Singles) -> Singles:
    """The activation: x times a rational sigmoid, 0.5 + 0.5 x / (1 + |x|), which needs no exp."""
    half = np.float32(0.5)
    return np.asarray(x * (half + half * x / (np.float32(1.0) + np.abs(x))), np.float32)


def _linear(x: Singles, weights: Weights, name: str, width: int) -> Singles:
    matrix = weight(weights, f"{name}.weight", (width, x.shape[1]))
    return _product(x, matrix) + weight(weights, f"{name}.bias", (width,))


def _product(x: Singles, matrix: Singles) -> Singles:
    """x @ matrix.T, in pieces that linear algebra libraries do not hand out to threads: the start
    of threads costs more than such a piece, and much more where a core is busy."""
    rows = max(SMALL // matrix.size, 1)
    out = np.empty((len(x), len(matrix)), np.float32)
    turned = np.ascontiguousarray(matrix.T)
    for k in range(0, len(x), rows):
        np.dot(x[k : k + rows], turned, out=out[k : k + rows])
    return out


def _at_queues(inputs: Inputs, weights: Weights) -> Singles:
    """What the readout needs of each queue, after the messages. [queues, width]"""
    width = len(weight(weights, "enter.bias", weights["enter.bias"].shape))
    rounds = int(weights["rounds"][0])
    load = inputs.queue[:, :1]
    source, edge, port_offset = inputs.edge_source, inputs.edge, inputs.port_offset
    begin = np.searchsorted(inputs.edge_target, np.arange(len(inputs.queue) + 1))
    h = _linear(_bent(inputs.queue, weights, "enter", width), weights, "enter2", width)
    told = weight(weights, "message.weight", (width, width + len(EDGE)))
    of_edge = _product(edge, told[:, width:]) + weights["message.bias"]
    for _ in range(rounds):
        upstream = _upstream(_product(h, told[:, :width]), of_edge, edge, source, begin)
        own = _bent(h, weights, "sibling", width) * load
        met = np.concatenate([h, upstream, _others(own, port_offset), own], axis=1)
        h = h + _linear(_bent(met, weights, "mix", width), weights, "update", width)
    return _linear(h, weights, "at_queue", width)


def _bent(x: Singles, weights: Weights, name: str, width: int) -> Singles:
    """A linear layer, and `bend`."""
    out = _product(x, weight(weights, f"{name}.weight", (width, x.shape[1])))
    _bend(out, weight(weights, f"{name}.bias", (width,)), len(out))
    return out


@without_interpreter
def _upstream(said: Any, of_edge: Any, edge: Any, source: Any, begin: Any) -> Any:
    """What reaches each queue over its edges, begin[q] to begin[q + 1]: what their sources `said`,
    bent, each by the part of the queue's traffic that it brings. [queues, width]"""
    half, one = np.float32(0.5), np.float32(1.0)
    out = np.zeros((begin.size - 1, said.shape[1]), np.float32)
    for q in range(begin.size - 1):
        for e in range(begin[q], begin[q + 1]):
            before, part = source[e], edge[e, 0]
            for k in range(said.shape[1]):
                y = said[before, k] + of_edge[e, k]
                out[q, k] += part * y * (half + half * y / (one + abs(y)))
    return out


@without_interpreter
def _others(own: Any, port_offset: Any) -> Any:
    """What the other queues of each queue's port say. [queues, width]"""
    out = np.empty_like(own)
    whole = np.empty(own.shape[1], np.float32)
    for port in range(port_offset.size - 1):
        whole[:] = np.float32(0.0)
        for q in range(port_offset[port], port_offset[port + 1]):
            for k in range(whole.size):
                whole[k] += own[q, k]
        for q in range(port_offset[port], port_offset[port + 1]):
            for k in range(whole.size):
                out[q, k] = whole[k] - own[q, k]
    return out


def _layers(weights: Weights) -> Layers:
    """The readout of one network, checked."""
    width, hidden = len(weights["enter.bias"]), len(weights["inner.bias"])
    seen = hidden + len(SHAPE) + 2
    return Layers(
        weight(weights, "of_flow.weight", (width, len(FLOW))).T,
        weight(weights, "of_hop.weight", (width, len(HOP))).T,
        weight(weights, "inner.weight", (hidden, width)).T,
        weight(weights, "inner.bias", (hidden,)),
        weight(weights, "correct.weight", (3, hidden)).T,
        weight(weights, "correct.bias", (3,)),
        weight(weights, "head.weight", (HEAD, seen)).T,
        weight(weights, "head.bias", (HEAD,)),
        weight(weights, "tail.weight", (4, HEAD)).T,
        weight(weights, "tail.bias", (4,)),
    )


@without_interpreter
def limited(x: float, most: float) -> float:
    """x for small x, within `most` of 0: x / sqrt(1 + (x / most)^2)."""
    return float(x / np.sqrt(1.0 + (x / most) ** 2))


@without_interpreter
def _bend(x: Any, bias: Any, count: int) -> None:
    """Add the bias to the first rows, and `bend`, in place."""
    half, one = np.float32(0.5), np.float32(1.0)
    for row in range(count):
        for k in range(bias.size):
            y = x[row, k] + bias[k]
            x[row, k] = y * (half + half * y / (one + abs(y)))


@without_interpreter
def _block(first: int, end: int, inputs: Any, at: Any, layers: Any, u: Any, v: Any, x: Any) -> None:
    """Fill what the networks see, `v` [members, hops, hidden], and how they correct theory, `x`
    [members, hops, 3], of the hops of the flows from `first` to `end`; `u` is room between."""
    offset, flow_offset, hop_queue = inputs.path_offset, inputs.flow_offset, inputs.hop_queue
    hop, flow = inputs.hop, inputs.flow
    begin = offset[flow_offset[first]]
    count = offset[flow_offset[end]] - begin
    half, one = np.float32(0.5), np.float32(1.0)
    for m in range(at.shape[0]):
        np.dot(hop[begin : begin + count], layers.of_hop[m], u[m, :count])
        of_flow = np.dot(flow[first:end], layers.of_flow[m])
        for f in range(first, end):
            for h in range(offset[flow_offset[f]], offset[flow_offset[f + 1]]):
                q, row = hop_queue[h], h - begin
                for k in range(u.shape[2]):
                    y = u[m, row, k] + at[m, q, k] + of_flow[f - first, k]
                    u[m, row, k] = y * (half + half * y / (one + abs(y)))
        np.dot(u[m, :count], layers.inner[m], v[m, :count])
        _bend(v[m], layers.inner_bias[m], count)
        np.dot(v[m, :count], layers.correct[m], x[m, :count])
        _limit(x[m], layers.correct_bias[m], count)


@without_interpreter
def _limit(x: Any, bias: Any, count: int) -> None:
    """Add the bias to the first rows, and limit them, in place."""
    for row in range(count):
        x[row, 0] = limited(x[row, 0] + bias[0], MOST)
        x[row, 1] = limited(x[row, 1] + bias[1], MOST)
        x[row, 2] = limited(x[row, 2] + bias[2], MOST_LOGIT)


@without_interpreter
def _flows(first: int, end: int, inputs: Any, at: Any, layers: Any, flows: Any, each: Any) -> None:
    """Fill COLUMNS of the flows from `first` to `end`, and what they meet at their hops, block by
    block."""
    members, width, hidden = at.shape[0], at.shape[2], layers.inner.shape[2]
    offset, flow_offset = inputs.path_offset, inputs.flow_offset
    most = BLOCK
    for f in range(first, end):
        most = max(most, offset[flow_offset[f + 1]] - offset[flow_offset[f]])
    u = np.empty((members, most, width), np.float32)
    v = np.empty((members, most, hidden), np.float32)
    x = np.empty((members, most, 3), np.float32)
    seen = np.empty((members, most, layers.head.shape[1]), np.float32)
    while first < end:
        last = first + 1
        begin = offset[flow_offset[first]]
        while last < end and last - first < most and offset[flow_offset[last + 1]] - begin <= most:
            last += 1
        _block(first, last, inputs, at, layers, u, v, x)
        _along_hops(first, last, inputs, v, x, seen, flows, each)
        _heads(first, last, inputs, layers, seen, flows)
        first = last


@without_interpreter
def _along_hops(
    first: int, end: int, inputs: Any, v: Any, x: Any, seen: Any, flows: Any, each: Any
) -> None:
    """Mean, variance and loss of the flows from `first` to `end`, and what the heads see of them.

    The paths of a flow are mixed by what arrives over them; their means and variances are summed
    around the mean of the first, so that little is lost where they are alike. How far the networks
    differ is told to first order: by the sum of their deviations, each weighted by the waiting.
    """
    # arrays by names of their own: what holds them is not looked at again at each turn
    flow_offset, path_offset, share = inputs.flow_offset, inputs.path_offset, inputs.path_share
    fixed_s, fixed_s2, shape = inputs.path_fixed_s, inputs.path_fixed_s2, inputs.shape
    theory_s, theory_cv2, theory_logit = inputs.waiting_s, inputs.waiting_cv2, inputs.loss_logit
    waiting_s, variance_s2, loss_ratio = each.waiting_s, each.variance_s2, each.loss
    members, hidden = v.shape[0], v.shape[2]
    equal = 1.0 / members
    apart = np.empty(members)
    begin = path_offset[flow_offset[first]]
    for f in range(first, end):
        row = f - first
        origin, arriving, shift, square = 0.0, 0.0, 0.0, 0.0
        seen[:, row] = np.float32(0.0)
        apart[:] = 0.0
        for p in range(flow_offset[f], flow_offset[f + 1]):
            passing, waited, variance = share[p], 0.0, fixed_s2[p]
            for h in range(path_offset[p], path_offset[p + 1]):
                moved0, moved1, moved2 = 0.0, 0.0, 0.0
                for m in range(members):
                    moved0 += x[m, h - begin, 0] * equal
                    moved1 += x[m, h - begin, 1] * equal
                    moved2 += x[m, h - begin, 2] * equal
                waiting = theory_s[h] * np.exp(moved0)
                loss = 1.0 / (1.0 + np.exp(-(theory_logit[h] + moved2)))
                spread = theory_cv2[h] * np.exp(moved1) * waiting * waiting
                waiting_s[h], variance_s2[h], loss_ratio[h] = waiting, spread, loss
                waited += waiting
                variance += spread
                passing *= 1.0 - loss
            mean = fixed_s[p] + waited
            if arriving == 0.0:
                origin = mean
            arriving += passing
            shift += passing * (mean - origin)
            square += passing * ((mean - origin) ** 2 + variance)
            for h in range(path_offset[p], path_offset[p + 1]):
                part, middle = passing * waiting_s[h], 0.0
                weight = np.float32(part / waited)
                for m in range(members):
                    middle += x[m, h - begin, 0] * equal
                for m in range(members):
                    apart[m] += part * (x[m, h - begin, 0] - middle)
                    for i in range(hidden):
                        seen[m, row, i] += weight * v[m, h - begin, i]
        flows[f, 2] = min(max(1.0 - arriving, 0.0), 1.0)
        if arriving <= 1.0 - STARVED:
            continue
        shift /= arriving
        mean = origin + shift
        variance = max(square / arriving - shift * shift, 1e-30)
        flows[f, 0], flows[f, 1] = mean, variance
        flows[f, 7] = np.sqrt((apart * apart).sum() * equal) / arriving / mean
        ln_cv = min(max(0.5 * np.log(variance) - np.log(mean), -8.0), 3.0)
        scale = np.float32(1.0 / arriving)
        for m in range(members):
            for i in range(hidden):
                seen[m, row, i] *= scale
            for i in range(shape.shape[1]):
                seen[m, row, hidden + i] = shape[f, i]
            seen[m, row, -2] = ln_cv
            seen[m, row, -1] = np.sqrt(1e-4 + flows[f, 2])


@without_interpreter
def _heads(first: int, end: int, inputs: Any, layers: Any, seen: Any, flows: Any) -> None:
    """Percentiles and the scale of the error of the flows from `first` to `end`."""
    count, members, shape = end - first, seen.shape[0], inputs.shape
    moved = np.zeros((count, 4), np.float32)
    for m in range(members):
        inner = np.dot(seen[m, :count], layers.head[m])
        _bend(inner, layers.head_bias[m], count)
        moved += np.dot(inner, layers.tail[m]) + layers.tail_bias[m]
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
