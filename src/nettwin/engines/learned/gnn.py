"""gnn: queueing theory corrected by a graph network over queues; the forward pass, without PyTorch.

Queues, not paths, exchange messages: a network of 300 nodes has 89,700 paths, but some thousand
queues. What a flow meets at a hop is theory's waiting, variability and loss, each multiplied by a
bounded correction that is read from the state of the queue and from what the flow is to it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.learned.architecture import Answer
from nettwin.engines.learned.features import EDGE, FLOW, HOP, run_sums
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.model_file import Weights, weight
from nettwin.engines.theory.flows import STARVED, HopDelays

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
MOST = 3.0  # the largest correction of waiting and of its variability, in ln
MOST_LOGIT = 8.0  # and of loss
MANY_HOPS = 30_000  # from which on threads are worth their start
HEAD = 24  # width of the layer that sees a whole flow


def answer(inputs: Inputs, members: Sequence[Weights]) -> Answer:
    """What networks of these weights say together: the mean of their corrections."""
    at = np.stack([_at_queues(inputs, weights) for weights in members])
    layers = [_readout(weights) for weights in members]
    stacked = tuple(np.stack(parts) for parts in zip(*layers, strict=True))
    moved, met, means = _per_path(inputs, at, stacked)
    waiting = inputs.waiting_s * np.exp(moved[:, 0])
    cv2 = inputs.waiting_cv2 * np.exp(moved[:, 1])
    loss = 1.0 / (1.0 + np.exp(-(inputs.loss_logit + moved[:, 2])))
    each = HopDelays(waiting, cv2 * waiting**2, loss)
    return _flows(inputs, members, each, met, means)


def bend(x: Singles) -> Singles:
    """The activation: x times a rational sigmoid, 0.5 + 0.5 x / (1 + |x|), which needs no exp."""
    half = np.float32(0.5)
    return np.asarray(x * (half + half * x / (np.float32(1.0) + np.abs(x))), np.float32)


def _linear(x: Singles, weights: Weights, name: str, width: int, *, bias: bool = True) -> Singles:
    matrix = weight(weights, f"{name}.weight", (width, x.shape[1]))
    out = x @ matrix.T
    return out + weight(weights, f"{name}.bias", (width,)) if bias else out


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
    of_edge = edge @ told[:, width:].T + weights["message.bias"]
    for _ in range(rounds):
        said = bend((h @ told[:, :width].T)[source] + of_edge) * edge[:, :1]
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


def _readout(weights: Weights) -> tuple[Singles, ...]:
    """The matrices of the readout, input first."""
    width = len(weights["enter.bias"])
    hidden = len(weights["inner.bias"])
    return (
        weight(weights, "of_flow.weight", (width, len(FLOW))).T,
        weight(weights, "of_hop.weight", (width, len(HOP))).T,
        weight(weights, "inner.weight", (hidden, width)).T,
        weight(weights, "inner.bias", (hidden,)),
        weight(weights, "correct.weight", (3, hidden)),
        weight(weights, "correct.bias", (3,)),
    )


def _per_path(
    inputs: Inputs, at: Singles, layers: tuple[Singles, ...]
) -> tuple[Singles, Singles, Floats]:
    """Corrections [hops, 3], what each path met [members, paths, hidden], and the mean delay of
    each path as each network sees it [members, paths]."""
    members, paths = len(at), len(inputs.path_flow)
    hidden = layers[3].shape[1]
    moved = np.zeros((len(inputs.hop_queue), 3), np.float32)
    met = np.zeros((members, paths, hidden), np.float32)
    means = np.zeros((members, paths))
    layers = tuple(np.ascontiguousarray(layer) for layer in layers)

    def part(first: int, end: int) -> None:
        _correct(
            first, end, inputs.path_offset, inputs.path_flow, inputs.hop_queue, inputs.flow,
            inputs.hop, inputs.waiting_s, inputs.path_fixed_s, at, layers, moved, met, means,
        )  # fmt: skip

    threads = min(os.cpu_count() or 1, 8) if len(inputs.hop_queue) > MANY_HOPS else 1
    bounds = np.linspace(0, paths, threads + 1).astype(int).tolist()
    if threads == 1:
        part(0, paths)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, bounds[:-1], bounds[1:]))
    return moved, met, means


def _correct_plain(
    first: int, end: int, offset: Any, path_flow: Any, queue: Any, flow: Any, hop: Any,
    waiting: Any, fixed: Any, at: Any, layers: Any, moved: Any, met: Any, means: Any,
) -> None:  # fmt: skip
    """Fill corrections and what is met of the paths from `first` to `end`."""
    of_flow, of_hop, inner, inner_bias, correct, correct_bias = layers
    members, width = at.shape[0], at.shape[2]
    hidden = inner.shape[2]
    base = np.empty((members, width), np.float32)
    u, v = np.empty(width, np.float32), np.empty(hidden, np.float32)
    half, one = np.float32(0.5), np.float32(1.0)
    share = np.float32(1.0 / members)
    for p in range(first, end):
        f = path_flow[p]
        for m in range(members):
            means[m, p] = fixed[p]
            for k in range(width):
                base[m, k] = np.float32(0.0)
            for j in range(flow.shape[1]):
                x = flow[f, j]
                for k in range(width):
                    base[m, k] += x * of_flow[m, j, k]
        for h in range(offset[p], offset[p + 1]):
            q = queue[h]
            for m in range(members):
                for k in range(width):
                    u[k] = at[m, q, k] + base[m, k]
                for j in range(hop.shape[1]):
                    x = hop[h, j]
                    for k in range(width):
                        u[k] += x * of_hop[m, j, k]
                for k in range(width):
                    u[k] = u[k] * (half + half * u[k] / (one + abs(u[k])))
                for i in range(hidden):
                    v[i] = inner_bias[m, i]
                for k in range(width):
                    x = u[k]
                    for i in range(hidden):
                        v[i] += x * inner[m, k, i]
                for i in range(hidden):
                    v[i] = v[i] * (half + half * v[i] / (one + abs(v[i])))
                for c in range(3):
                    x = correct_bias[m, c]
                    for i in range(hidden):
                        x += v[i] * correct[m, c, i]
                    most = MOST_LOGIT if c == 2 else MOST
                    x = np.float32(most * np.tanh(x / most))
                    moved[h, c] += x * share
                    if c == 0:
                        wait = waiting[h] * np.exp(x)
                        means[m, p] += wait
                        part = np.float32(wait)
                for i in range(hidden):
                    met[m, p, i] += part * v[i]
        for m in range(members):
            waited = means[m, p] - fixed[p]
            scale = np.float32(1.0 / waited) if waited > 0.0 else np.float32(0.0)
            for i in range(hidden):
                met[m, p, i] *= scale


_correct = compiled(_correct_plain, nogil=True, fastmath={"contract", "reassoc"})


def _flows(
    inputs: Inputs, members: Sequence[Weights], each: HopDelays, met: Singles, means: Floats
) -> Answer:
    """Flows from what they meet hop by hop."""
    offset, flow = inputs.path_offset, inputs.path_flow
    count = len(inputs.flow)
    mean = inputs.path_fixed_s + run_sums(each.waiting_s, offset)
    variance = inputs.path_fixed_s2 + run_sums(each.variance_s2, offset)
    passing = inputs.path_share * np.exp(run_sums(np.log1p(-each.loss), offset))
    arriving = np.bincount(flow, passing, count)
    weights = passing / np.maximum(arriving, 1e-12)[flow]
    flow_mean = np.maximum(np.bincount(flow, weights * mean, count), 1e-15)
    between = (mean - flow_mean[flow]) ** 2
    flow_variance = np.bincount(flow, weights * (variance + between), count)
    flow_variance = np.maximum(flow_variance, 1e-30)
    deviation = np.sqrt(flow_variance)
    own = np.stack(
        [np.log(np.maximum(np.bincount(flow, weights * m, count), 1e-15)) for m in means]
    )
    told = np.stack(
        [
            np.clip(np.log(deviation / flow_mean), -8, 3),
            np.sqrt(1e-4 + np.clip(1 - arriving, 0, 1)),
        ],
        axis=1,
    )
    out = np.zeros((count, 4), np.float32)
    for k, network in enumerate(members):
        seen = _mixed(met[k], weights, inputs.flow_offset)
        entering = np.concatenate([seen, inputs.shape, told.astype(np.float32)], axis=1)
        inner = bend(_linear(entering, network, "head", HEAD))
        out += _linear(inner, network, "tail", 4) / np.float32(len(members))
    levels = percentiles(flow_mean, deviation, inputs.shape[:, :3], out[:, :3])
    gone = arriving <= 1.0 - STARVED
    return Answer(
        np.where(gone, np.nan, flow_mean),
        np.where(gone, np.nan, flow_variance),
        np.clip(1.0 - arriving, 0.0, 1.0),
        np.where(gone[:, None], np.nan, levels),
        np.asarray(5.0 * np.tanh(out[:, 3] / 5.0) - 4.0, np.float64),
        own.std(axis=0),
        each,
    )


def percentiles(mean_s: Floats, deviation_s: Floats, z: Singles, moved: Singles) -> Floats:
    """p50, p90 and p99, in this order whatever is learned. [flows, 3]

    In standard deviations from the mean: theory's `z` [flows, 3], the 90th moved, and the
    distances of the others to it stretched, by what is learned, `moved` [flows, 3].
    """
    middle = z[:, 1] + 2.0 * np.tanh(moved[:, 1] / 2.0)
    stretch = np.exp(2.0 * np.tanh(moved / 2.0))
    low = middle - np.maximum(z[:, 1] - z[:, 0], 1e-3) * stretch[:, 0]
    high = middle + np.maximum(z[:, 2] - z[:, 1], 1e-3) * stretch[:, 2]
    at = np.stack([low, middle, high], axis=1)
    return np.asarray(np.maximum(mean_s[:, None] + deviation_s[:, None] * at, 0.0))


def _mixed(met: Singles, weights: Floats, flow_offset: NDArray[np.int64]) -> Singles:
    """What each flow met, its paths by what arrives over them. [flows, hidden]"""
    if len(weights) == len(flow_offset) - 1:  # one path a flow
        return met * weights[:, None].astype(np.float32)
    return np.asarray(_runs(met * weights[:, None].astype(np.float32), flow_offset))
