"""Intervals: of a learned model's answer, by what its calibration holds (`calibration`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.features import QUEUE
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.signs import factors, signs_of
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.parallel import at_once
from nettwin.errors import InputError
from nettwin.formats.weight_file import Weights

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DELAYS = ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s")
QUANTITIES = (*DELAYS, "pdv_s2", "loss_ratio")
MIN_PART = 1e-3  # of the mean that a percentile is taken for at least
SMALL_LOSS = 1e-3  # errors of loss are absolute below, relative above
MAX_PART = 2.0  # deviations over a quantity that count at most
WIDEST = 7.0  # half an interval, as a logarithm: a factor of 1,100
INTERVAL_S = 3e-8  # to work out one interval of one flow


class Known(NamedTuple):
    """What is known of each flow before its answer is checked. [flows]"""

    load: Floats  # highest effective load of the queues on its path
    predicted: Mapping[str, Floats]  # by QUANTITIES
    scale: Floats  # of the error expected of ln(owd_mean_s)
    deviation: Mapping[str, Floats]  # deviation of the delay over the quantity; 1 for pdv_s2
    signs: Floats | None = None  # [flows, SIGNS] of errors that are larger or smaller than usual


class Bounds(NamedTuple):
    """An interval for each flow; NaN where nothing is predicted. [flows]"""

    low: Floats
    high: Floats


def known(inputs: Inputs, answer: Answer) -> Known:
    """What calibration looks at."""
    deviation, mean = np.sqrt(answer.variance_s2), answer.mean_s
    percentiles = (np.maximum(values, MIN_PART * mean) for values in answer.percentile_s.T)
    delays = dict(zip(DELAYS, (mean, *percentiles), strict=True))
    parts = {name: np.minimum(deviation / v, MAX_PART) for name, v in delays.items()}
    return Known(
        highest_load(inputs),
        {**delays, "pdv_s2": answer.variance_s2, "loss_ratio": answer.loss},
        np.hypot(np.exp(answer.ln_scale), answer.spread),
        {**parts, "pdv_s2": np.ones_like(deviation)},
        signs_of(inputs, answer),
    )


def highest_load(inputs: Inputs) -> Floats:
    """The highest effective load of the queues on each flow's path; 0 without one. [flows]"""
    load = inputs.queue[:, QUEUE.index("effective_load")].astype(np.float64)
    return np.asarray(_highest(load, inputs.hop_queue, inputs.row_offset))


@njit_nogil
def _highest(load: Any, queue: Any, row_offset: Any) -> Any:
    out = np.zeros(row_offset.size - 1)
    for f in range(out.size):
        for k in range(row_offset[f], row_offset[f + 1]):
            out[f] = max(out[f], load[queue[k]])
    return out


def bounds(
    calibration: Weights, of: Known, confidence: float = 0.9, wider: Floats | float = 1.0
) -> dict[str, Bounds]:
    """The interval of each quantity that was calibrated; `confidence` up to the highest that was.

    Half widths, as logarithms, are `wider` by a factor [flows].
    The next higher of the calibrated confidences is taken. Raises InputError beyond the highest.
    """
    if not calibration:
        return {}
    levels = calibration["confidences"]
    at = int(np.searchsorted(levels, np.float32(confidence)))
    if not 0 < confidence < 1 or at == len(levels):
        raise InputError(
            f"confidence is {confidence}: must be above 0 and at most {levels[-1]:g}, the highest "
            "that was calibrated. Ask for less, or calibrate with more simulations."
        )

    def one(name: str) -> Bounds:
        part = float(calibration[f"{name}/part"][0])
        edges, table = calibration[f"{name}/edges"], calibration[f"{name}/quantiles"]
        scale = scale_of(of, name, part) * _factor(of, calibration.get(f"{name}/signs"))
        width = np.minimum(wider * scale * table[_classes(of, name, edges), at], WIDEST)
        return _around(name, of.predicted[name], np.exp(width))

    names = [name for name in QUANTITIES if f"{name}/quantiles" in calibration]
    some = names[: len(names) // 2], names[len(names) // 2 :]
    halves = at_once(
        lambda: [one(name) for name in some[0]],
        lambda: [one(name) for name in some[1]],
        len(names) * len(of.load) * INTERVAL_S,
    )
    return dict(zip(names, halves[0] + halves[1], strict=True))


def half_width(of: Mapping[str, Bounds]) -> Floats:
    """By how much the mean delay may be off, as a logarithm; NaN where nothing arrives. [flows]"""
    mean = of["owd_mean_s"]
    return np.asarray(np.log(mean.high / mean.low) / 2)


def flagged(calibration: Weights, of: Mapping[str, Bounds]) -> Bools:
    """Flows whose mean delay may be off by more than a usual large error allows. [flows]"""
    with np.errstate(invalid="ignore"):
        return np.asarray(half_width(of) >= calibration["doubt"][0])


def kind_of(of: Known, name: str) -> Floats:
    """What decides on the class of a flow: predicted loss, or the load. [flows]"""
    return of.predicted[name] if name == "loss_ratio" else of.load


def _classes(of: Known, name: str, edges: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.asarray(_place(kind_of(of, name), edges))


@njit_nogil
def _place(values: Any, edges: Any) -> Any:
    """How many of a few ascending edges each value reaches; all of them where it is NaN."""
    out = np.zeros(values.size, np.intp)
    for i in range(values.size):
        for k in range(edges.size):
            if not values[i] < edges[k]:
                out[i] += 1
    return out


def _factor(of: Known, weights: NDArray[np.float32] | None) -> Floats | float:
    return 1.0 if weights is None or of.signs is None else factors(of.signs, weights)


def scale_of(of: Known, name: str, part: float) -> Floats:
    """How large an error is expected; `part` of it is the delay's deviation. [flows]"""
    if name == "loss_ratio":
        return np.ones_like(of.scale)
    return np.asarray(np.sqrt(of.scale**2 + (part * of.deviation[name]) ** 2))


def even(name: str, values: Floats) -> Floats:
    """A quantity on the scale on which its errors are compared."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(values + (SMALL_LOSS if name == "loss_ratio" else 0.0)))


def _around(name: str, point: Floats, factor: Floats) -> Bounds:
    """The interval from a quantity over a factor to it times that; losses with SMALL_LOSS added."""
    if name != "loss_ratio":
        return Bounds(point / factor, point * factor)
    low, high = (point + SMALL_LOSS) / factor, (point + SMALL_LOSS) * factor
    # the point is inside, however numbers are rounded
    return Bounds(np.clip(low - SMALL_LOSS, 0.0, point), np.clip(high - SMALL_LOSS, point, 1.0))
