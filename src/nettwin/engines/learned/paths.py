"""Paths: what the networks without theory share, walks along paths and how their flows are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.features import HOP_BASE, QUEUE_BASE, run_sums
from nettwin.engines.learned.gnn import bend
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.model_file import weight
from nettwin.engines.learned.products import product
from nettwin.engines.theory.flows import STARVED, HopDelays
from nettwin.formats.weight_file import Weights

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
HIDDEN, HEAD = 24, 24  # widths of the readout
MAX_OCCUPANCY = 10.0  # of an item's occupancy in packets, in ln, up or down
MAX_CV2 = 6.0  # and of its waiting's squared coefficient of variation
USUAL_LOGIT, MAX_LOGIT = -6.0, 12.0  # of loss: what is said untrained, and how far from there
MIN_S = 1e-15  # of waiting; keeps logarithms finite where nothing is sent
EXPONENTIAL_Z = (-0.306853, 1.302585, 3.605170)  # p50, p90, p99 in deviations from the mean


class Flows(NamedTuple):
    """What one network says of the flows; arrays are [flows]."""

    ln_mean: Floats
    ln_variance: Floats
    ln_arriving: Floats
    level: Floats  # [flows, 3] percentiles in standard deviations from the mean
    ln_scale: Floats


def known_of(inputs: Inputs) -> tuple[Singles, Singles]:
    """What is known without theory of each queue and each hop. [queues, ...], [hops, ...]"""
    return inputs.queue[:, : len(QUEUE_BASE)], inputs.hop[:, : len(HOP_BASE)]


def linear(x: Singles, weights: Weights, name: str, width: int, *, bias: bool = True) -> Singles:
    """A linear layer. [rows, width]"""
    out = np.empty((len(x), width), np.float32)
    rows = np.ascontiguousarray(x, np.float32)
    product(
        rows, np.ascontiguousarray(weight(weights, f"{name}.weight", (width, x.shape[1])).T), out
    )
    return out + weight(weights, f"{name}.bias", (width,)) if bias else out


def width_of(weights: Weights, name: str) -> int:
    """The width of a layer, whatever the others are."""
    return len(weight(weights, name, (len(weights.get(name, ())),)))


def gated(x: Singles, hidden: Singles, state: Singles) -> Singles:
    """The next state of a gated recurrent unit (Cho et al., 2014), from what the input `x` and
    the state, `hidden`, say to its gates. [rows, 3 width] each"""
    width = state.shape[1]
    gates = _sigmoid(x[:, : 2 * width] + hidden[:, : 2 * width])
    new = np.tanh(x[:, 2 * width :] + gates[:, :width] * hidden[:, 2 * width :])
    return np.asarray(new + gates[:, width:] * (state - new))


def _sigmoid(x: Singles) -> Singles:
    half = np.float32(0.5)
    return np.asarray(half + half * np.tanh(half * x))


class Walk(NamedTuple):
    """Paths in step, longest first: at each step the hops of those that are that long."""

    order: NDArray[np.int64]  # [paths]
    steps: list[NDArray[np.int64]]  # [steps] of hops


def walk(inputs: Inputs) -> Walk:
    """How to go along the paths."""
    length = np.diff(inputs.path_offset)
    order = np.argsort(-length, kind="stable")
    length, start = length[order], inputs.path_offset[:-1][order]
    many = [np.searchsorted(-length, -k, "left") for k in range(int(length.max(initial=0)))]
    return Walk(order, [start[:count] + k for k, count in enumerate(many)])


def along(
    path: Walk, of_queue: Singles, of_hop: Singles, queue: NDArray[np.int32], state: Singles,
    unit: tuple[Singles, Singles],
) -> Iterator[tuple[NDArray[np.int64], Singles, Singles]]:  # fmt: skip
    """A gated unit runs along every path: hops, states before and after them, step by step.

    `of_queue` [queues, 3 width] and `of_hop` [hops, 3 width] are what the gates hear; `state`
    [paths, width], in the order of the walk, becomes the last state of each path.
    """
    matrix, bias = unit
    turned = np.ascontiguousarray(matrix.T)
    for hops in path.steps:
        old = state[: len(hops)].copy()
        heard = np.empty((len(hops), turned.shape[1]), np.float32)
        product(old, turned, heard)
        new = gated(of_queue[queue[hops]] + of_hop[hops], heard + bias, old)
        state[: len(hops)] = new
        yield hops, old, new


def unit_of(weights: Weights, name: str, width: int) -> tuple[Singles, Singles]:
    """Matrix and bias of what the state of a gated unit says to its gates."""
    return (
        weight(weights, f"{name}.weight", (3 * width, width)),
        weight(weights, f"{name}.bias", (3 * width,)),
    )


def flows_of(
    inputs: Inputs, weights: Weights, state: Singles, service_s: Floats, item_offset: Any
) -> tuple[Flows, HopDelays]:
    """Flows from the states of items, the hops of a path or the path itself; and what each item is.

    `state` [items, width] and `service_s` [items] are in the order of the paths, whose items are
    `item_offset[p]:item_offset[p + 1]`.
    """
    offset = np.asarray(item_offset, np.int64)
    inner = bend(linear(state, weights, "readout.inner", HIDDEN))
    said = linear(inner, weights, "readout.correct", 3)
    waiting = service_s * np.exp(_limited(said[:, 0], MAX_OCCUPANCY)) + MIN_S
    spread = np.exp(_limited(said[:, 1], MAX_CV2)) * waiting**2
    logit = USUAL_LOGIT + _limited(said[:, 2], MAX_LOGIT)
    each = HopDelays(waiting, spread, 1.0 / (1.0 + np.exp(-logit)))
    flow, count = inputs.path_flow, len(inputs.flow)
    waited = run_sums(waiting, offset)
    mean = inputs.path_fixed_s + waited
    variance = inputs.path_fixed_s2 + run_sums(spread, offset)
    passing = inputs.path_share * np.exp(run_sums(-np.log1p(np.exp(logit)), offset))
    arriving = np.bincount(flow, passing, count)
    part = passing / np.maximum(arriving, 1e-12)[flow]
    flow_mean = np.maximum(np.bincount(flow, part * mean, count), 1e-15)
    between = (mean - flow_mean[flow]) ** 2
    flow_variance = np.maximum(np.bincount(flow, part * (variance + between), count), 1e-30)
    item_part = waiting * np.repeat(part / np.maximum(waited, 1e-300), np.diff(offset))
    met = _mixed(inner, item_part, offset, flow, count)
    ln_cv = np.clip(np.log(flow_variance) / 2 - np.log(flow_mean), -8, 3)
    told = np.stack([ln_cv, np.sqrt(1e-4 + np.clip(1 - arriving, 0, 1))], axis=1)
    seen = np.concatenate([met, inputs.flow, told], axis=1).astype(np.float32)
    out = linear(bend(linear(seen, weights, "readout.head", HEAD)), weights, "readout.tail", 4)
    found = Flows(
        np.log(flow_mean),
        np.log(flow_variance),
        np.log(np.maximum(arriving, 1e-300)),
        _levels(out[:, :3]),
        _limited(out[:, 3], 5.0) - 3.0,
    )
    return found, each


def together(
    found: Sequence[Flows],
    each: HopDelays | None = None,
    hop_row: NDArray[np.int32] | None = None,
) -> Answer:
    """What several networks say: the mean of their logarithms."""
    ln_mean, ln_variance, ln_arriving, level, ln_scale = (
        np.mean(part, axis=0) for part in zip(*found, strict=True)
    )
    gone = ln_arriving <= np.log1p(-STARVED)
    mean, deviation = np.exp(ln_mean), np.exp(ln_variance / 2)
    percentile = np.maximum(mean[:, None] + deviation[:, None] * level, 0.0)
    return Answer(
        np.where(gone, np.nan, mean),
        np.where(gone, np.nan, deviation**2),
        np.clip(-np.expm1(ln_arriving), 0.0, 1.0),
        np.where(gone[:, None], np.nan, percentile),
        ln_scale,
        np.std([one.ln_mean for one in found], axis=0),
        each,
        hop_row,
    )


def _levels(moved: Singles) -> Floats:
    """p50, p90 and p99 in deviations from the mean: those of an exponential variable, the 90th
    moved, the distances of the others to it stretched. [flows, 3]"""
    z50, z90, z99 = EXPONENTIAL_Z
    middle = z90 + _limited(moved[:, 1], 2.0)
    stretch = np.exp(_limited(moved, 2.0))
    low, high = middle - (z90 - z50) * stretch[:, 0], middle + (z99 - z90) * stretch[:, 2]
    return np.stack([low, middle, high], axis=1)


def _limited(x: Singles, most: float) -> Floats:
    """x for small x, within `most` of 0: x / sqrt(1 + (x / most)^2)."""
    wide = x.astype(np.float64)
    return np.asarray(wide / np.sqrt(1.0 + (wide / most) ** 2))


@compiled
def _mixed(inner: Any, part: Any, offset: Any, path_flow: Any, flows: int) -> Any:
    """What each flow met, its items by `part`. [flows, hidden]"""
    out = np.zeros((flows, inner.shape[1]))
    for p in range(path_flow.size):
        for k in range(offset[p], offset[p + 1]):
            for i in range(inner.shape[1]):
                out[path_flow[p], i] += part[k] * inner[k, i]
    return out
