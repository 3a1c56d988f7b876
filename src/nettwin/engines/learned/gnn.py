"""gnn: queueing theory corrected by a graph network over queues; the forward pass, without PyTorch.

Queues, not paths, exchange messages: a network of 300 nodes has 89,700 paths, but some thousand
queues. What a flow meets at a hop is theory's waiting, variability and loss, each multiplied by a
bounded correction that is read from the state of the queue and from what the flow is to it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.learned.architecture import Answer
from nettwin.engines.learned.features import EDGE, FLOW, HOP, SHAPE
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.model_file import Weights, weight
from nettwin.engines.theory.flows import STARVED, HopDelays

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
MOST = 3.0  # the largest correction of waiting and of its variability, in ln
MOST_LOGIT = 8.0  # and of loss
MANY_HOPS = 30_000  # from which on threads are worth their start
BLOCK = 256  # hops that are worked on together
SMALL = 250_000  # products of two numbers up to which OpenBLAS uses one thread
HEAD = 24  # width of the layer that sees a whole flow
COLUMNS = (*("mean_s", "variance_s2", "loss", "p50", "p90", "p99"), "ln_scale", "spread")


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
    source, target, edge = inputs.edge_source, inputs.edge_target, inputs.edge
    queues = len(inputs.queue)
    port = np.repeat(np.arange(len(inputs.port_offset) - 1), np.diff(inputs.port_offset))
    begin = np.searchsorted(target, np.arange(queues + 1))
    h = _linear(bend(_linear(inputs.queue, weights, "enter", width)), weights, "enter2", width)
    told = weight(weights, "message.weight", (width, width + len(EDGE)))
    of_edge = _product(edge, told[:, width:]) + weights["message.bias"]
    for _ in range(rounds):
        said = bend(_product(h, told[:, :width])[source] + of_edge) * edge[:, :1]
        upstream = _runs(said, begin)
        own = bend(_linear(h, weights, "sibling", width)) * load
        others = _runs(own, np.asarray(inputs.port_offset, np.int64))[port] - own
        met = np.concatenate([h, upstream, others, own], axis=1)
        h = h + _linear(bend(_linear(met, weights, "mix", width)), weights, "update", width)
    return _linear(h, weights, "at_queue", width)


@compiled
def _runs(values: Any, begin: Any) -> Any:
    """Sums of runs of rows, begin[k] to begin[k + 1]. [runs, columns]"""
    out = np.zeros((begin.size - 1, values.shape[1]), np.float32)
    for k in range(begin.size - 1):
        for row in range(begin[k], begin[k + 1]):
            for c in range(values.shape[1]):
                out[k, c] += values[row, c]
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


@compiled
def limited(x: float, most: float) -> float:
    """x for small x, within `most` of 0: x / sqrt(1 + (x / most)^2)."""
    return float(x / np.sqrt(1.0 + (x / most) ** 2))


@compiled
def _bend(x: Any, bias: Any, count: int) -> None:
    """Add the bias to the first rows, and `bend`, in place."""
    half, one = np.float32(0.5), np.float32(1.0)
    for row in range(count):
        for k in range(bias.size):
            y = x[row, k] + bias[k]
            x[row, k] = y * (half + half * y / (one + abs(y)))


def _block_plain(
    first: int, end: int, inputs: Any, at: Any, layers: Any, u: Any, v: Any, x: Any
) -> None:
    """Fill what the networks see, `v` [members, hops, hidden], and say, `x` [members, hops, 3], of
    the hops of the flows from `first` to `end`; `u` is room for what lies between."""
    offset, flow_offset = inputs.path_offset, inputs.flow_offset
    begin = offset[flow_offset[first]]
    count = offset[flow_offset[end]] - begin
    half, one = np.float32(0.5), np.float32(1.0)
    for m in range(at.shape[0]):
        np.dot(inputs.hop[begin : begin + count], layers.of_hop[m], u[m, :count])
        of_flow = np.dot(inputs.flow[first:end], layers.of_flow[m])
        for f in range(first, end):
            for h in range(offset[flow_offset[f]], offset[flow_offset[f + 1]]):
                q, row = inputs.hop_queue[h], h - begin
                for k in range(u.shape[2]):
                    y = u[m, row, k] + at[m, q, k] + of_flow[f - first, k]
                    u[m, row, k] = y * (half + half * y / (one + abs(y)))
        np.dot(u[m, :count], layers.inner[m], v[m, :count])
        _bend(v[m], layers.inner_bias[m], count)
        np.dot(v[m, :count], layers.correct[m], x[m, :count])


def _flows_plain(
    first: int, end: int, inputs: Any, at: Any, layers: Any, flows: Any, each: Any
) -> None:
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
        for f in range(first, last):
            _one_flow(f, f - first, begin, inputs, v, x, layers.correct_bias, seen, flows, each)
        _heads(first, last, inputs, layers, seen, flows)
        first = last


def _one_flow_plain(
    f: int,
    row: int,
    begin: int,
    inputs: Any,
    v: Any,
    x: Any,
    bias: Any,
    seen: Any,
    flows: Any,
    each: Any,
) -> None:
    """Mean, variance and loss of a flow, and what the heads see of it.

    Its paths are mixed by what arrives over them; their means and variances are summed around the
    mean of the first, so that little is lost where they are alike. How far the networks differ is
    told to first order: by the sum of their deviations, each weighted by the waiting.
    """
    members, hidden = v.shape[0], v.shape[2]
    origin, arriving, shift, square = 0.0, 0.0, 0.0, 0.0
    seen[:, row] = np.float32(0.0)
    apart = np.zeros(members)
    for p in range(inputs.flow_offset[f], inputs.flow_offset[f + 1]):
        passing, waited, variance = inputs.path_share[p], 0.0, inputs.path_fixed_s2[p]
        for h in range(inputs.path_offset[p], inputs.path_offset[p + 1]):
            moved0, moved1, moved2 = 0.0, 0.0, 0.0
            for m in range(members):
                moved0 += limited(x[m, h - begin, 0] + bias[m, 0], MOST) / members
                moved1 += limited(x[m, h - begin, 1] + bias[m, 1], MOST) / members
                moved2 += limited(x[m, h - begin, 2] + bias[m, 2], MOST_LOGIT) / members
            waiting = inputs.waiting_s[h] * np.exp(moved0)
            loss = 1.0 / (1.0 + np.exp(-(inputs.loss_logit[h] + moved2)))
            each.waiting_s[h], each.loss[h] = waiting, loss
            each.variance_s2[h] = inputs.waiting_cv2[h] * np.exp(moved1) * waiting * waiting
            waited += waiting
            variance += each.variance_s2[h]
            passing *= 1.0 - loss
        mean = inputs.path_fixed_s[p] + waited
        if arriving == 0.0:
            origin = mean
        arriving += passing
        shift += passing * (mean - origin)
        square += passing * ((mean - origin) ** 2 + variance)
        for h in range(inputs.path_offset[p], inputs.path_offset[p + 1]):
            part = passing * each.waiting_s[h]
            weight = np.float32(part / waited)
            middle = np.log(each.waiting_s[h] / inputs.waiting_s[h]) if members > 1 else 0.0
            for m in range(members):
                if members > 1:
                    own = limited(x[m, h - begin, 0] + bias[m, 0], MOST)
                    apart[m] += part * (own - middle)
                for i in range(hidden):
                    seen[m, row, i] += weight * v[m, h - begin, i]
    flows[f, 2] = min(max(1.0 - arriving, 0.0), 1.0)
    if arriving <= 1.0 - STARVED:
        return
    shift /= arriving
    mean = origin + shift
    variance = max(square / arriving - shift * shift, 1e-30)
    flows[f, 0], flows[f, 1] = mean, variance
    flows[f, 7] = np.sqrt(np.mean(apart**2)) / arriving / mean
    ln_cv = min(max(0.5 * np.log(variance) - np.log(mean), -8.0), 3.0)
    scale = np.float32(1.0 / arriving)
    for m in range(members):
        for i in range(hidden):
            seen[m, row, i] *= scale
        for i in range(inputs.shape.shape[1]):
            seen[m, row, hidden + i] = inputs.shape[f, i]
        seen[m, row, -2] = ln_cv
        seen[m, row, -1] = np.sqrt(1e-4 + flows[f, 2])


def _heads_plain(first: int, end: int, inputs: Any, layers: Any, seen: Any, flows: Any) -> None:
    """Percentiles and the scale of the error of the flows from `first` to `end`."""
    count, members = end - first, seen.shape[0]
    out = np.zeros((count, 4), np.float32)
    for m in range(members):
        inner = np.dot(seen[m, :count], layers.head[m])
        _bend(inner, layers.head_bias[m], count)
        out += np.dot(inner, layers.tail[m]) + layers.tail_bias[m]
    for row in range(count):
        f = first + row
        if np.isnan(flows[f, 0]):
            continue
        moved = out[row] / np.float32(members)
        mean, deviation = flows[f, 0], np.sqrt(flows[f, 1])
        z50, z90, z99 = inputs.shape[f, 0], inputs.shape[f, 1], inputs.shape[f, 2]
        middle = z90 + limited(moved[1], 2.0)
        low = middle - max(z90 - z50, 1e-3) * np.exp(limited(moved[0], 2.0))
        high = middle + max(z99 - z90, 1e-3) * np.exp(limited(moved[2], 2.0))
        flows[f, 3] = max(mean + deviation * low, 0.0)
        flows[f, 4] = max(mean + deviation * middle, 0.0)
        flows[f, 5] = max(mean + deviation * high, 0.0)
        flows[f, 6] = limited(moved[3], 5.0) - 4.0


_settings: dict[str, Any] = {"nogil": True, "fastmath": {"contract", "reassoc"}}
_block = compiled(_block_plain, **_settings)
_one_flow = compiled(_one_flow_plain, **_settings)
_heads = compiled(_heads_plain, **_settings)
_flows = compiled(_flows_plain, **_settings)
