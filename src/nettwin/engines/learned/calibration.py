"""Calibration: how wide the intervals of a learned model must be, from networks it never saw.

Split conformal prediction (Angelopoulos and Bates, 2023): on simulations that took no part in the
training, every error is divided by the scale that was expected of it, from what the networks say
and from other signs (`signs`); the interval of a new flow has its own scale times a quantile of
those. Classes of flows, by what is known before the answer is checked, have quantiles of their own
(Mondrian): the highest effective load on the path for delays, the predicted loss for loss.

Flows of a simulation share queues and err together; what is drawn independently is the simulation.
Each counts alike, its flows share its weight, and one unknown simulation more has an error without
limit (Dunn, Wasserman and Ramdas, 2022; Lee, Barber and Willett, 2023). If a new scenario is drawn
as the calibrating ones were, then an interval of 90 % holds a flow, drawn from a scenario of its
class, with a probability of at least 90 %: over all such scenarios, not in each. In other sizes or
under other traffic nothing is guaranteed; it is measured (`benchmarks calibration`).

An interval is for what a long simulation would record. What the calibrating ones know only within
an error of their own is told with them (`noise`), and taken out of the deviations, as variances
add. A short recording is held less surely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.coverage import ranges_of
from nettwin.engines.learned.features import QUEUE
from nettwin.engines.learned.inputs import Inputs, inputs_of, solved
from nettwin.engines.learned.model_file import Model
from nettwin.engines.learned.signs import LEVEL, factors, fitted, signs_of
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.parallel import at_once
from nettwin.errors import InputError
from nettwin.formats.weight_file import Weights
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DELAYS = ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s")
QUANTITIES = (*DELAYS, "pdv_s2", "loss_ratio")
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LOADS = (0.5, 0.7, 0.85, 1.0)  # bounds of the classes of delays
LOSSES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # and of those of loss, by what is predicted
MIN_SIMULATIONS = 19  # below which no quantile of the highest confidence exists
IN_A_CLASS = 30  # simulations; a class with fewer joins its neighbor
MIN_PART = 1e-3  # of the mean that a percentile is taken for at least
SMALL_LOSS = 1e-3  # errors of loss are absolute below, relative above
# What a percentile's error may have of the delay's deviation, beside what the mean's has
PARTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
MAX_PART = 2.0  # deviations over a quantity that count at most
MIN_ERROR = 1e-5  # as a logarithm; smaller ones are as good as none
WIDEST = 7.0  # half an interval, as a logarithm: a factor of 1,100
MIN_VARIANCE = 1e-3  # of a delay over its squared mean; smaller ones are not learned
STARVED = 0.99  # loss from which on the delay of what arrives says nothing
CENSORED_S = 20.0  # the largest delay that the simulator of the public datanet sets keeps
LARGE = 0.2  # relative error of the mean delay that a flagged flow may have
MAX_SPREAD = 0.99  # part of the simulations whose networks differ no more than usual
Z_OF_METRICS = 1.96  # standard errors in half an interval of a simulation's metrics
INTERVAL_S = 3e-8  # to work out one interval of one flow
SHORT = 0.05  # standard error of the mean delay from which on a simulation is short for its bursts
HELD = 0.97  # of the large errors that flagged flows hold in calibration; elsewhere 95 % or more


class Case(NamedTuple):
    """One simulation to calibrate with: its inputs, and what was recorded of each flow; NaN where
    that is not known or says nothing."""

    inputs: Inputs
    recorded: Mapping[str, Floats]  # by QUANTITIES
    noise: Mapping[str, Floats] | None = None  # standard errors of that, see `noise_of`


class Known(NamedTuple):
    """What is known of each flow before its answer is checked. [flows]"""

    load: Floats  # highest effective load of the queues on its path
    predicted: Mapping[str, Floats]  # by QUANTITIES
    scale: Floats  # of the error expected of ln(owd_mean_s)
    deviation: Mapping[str, Floats]  # deviation of the delay over the quantity; 1 for pdv_s2
    signs: Floats | None = None  # [flows, SIGNS] of errors that are larger or smaller than usual


class Compared(NamedTuple):
    """What was known of a simulation's flows, and what was recorded; its standard errors, where
    they are told. By QUANTITIES."""

    known: Known
    truth: Mapping[str, Floats]
    noise: Mapping[str, Floats] = MappingProxyType({})


class Bounds(NamedTuple):
    """An interval for each flow; NaN where nothing is predicted. [flows]"""

    low: Floats
    high: Floats


def calibrate(
    model: Model,
    examples: Iterable[tuple[Scenario, Metrics]],
    trained_on: Iterable[Inputs] | None = None,
) -> Model:
    """The model with intervals and ranges, from simulations that it was not trained on.

    `trained_on` are the inputs of the training, whose range the model knows; without them it is the
    range of the examples. Raises InputError where there are too few simulations.
    """
    cases = (
        Case(
            inputs_of(scenario, solved(scenario, formulas=model.formulas)),
            recorded(metrics),
            noise_of(metrics),
        )
        for scenario, metrics in examples
    )
    return calibrated(model, cases, trained_on)


def calibrated(
    model: Model, cases: Iterable[Case], trained_on: Iterable[Inputs] | None = None
) -> Model:
    """As `calibrate`, from inputs that are ready."""
    found: list[Compared] = []
    seen: list[Inputs] = []
    answer = architecture(model.architecture).answer
    spreads = []
    for case in cases:
        said = answer(case.inputs, model.members)
        found.append(Compared(known(case.inputs, said), case.recorded, case.noise or {}))
        spreads.append(float(np.nan_to_num(said.spread).max(initial=0.0)))
        if trained_on is None:
            seen.append(case.inputs)
    arrays = quantiles(found)
    arrays["doubt"] = np.array([_doubt(arrays, found)], np.float32)
    arrays["spread"] = np.array([np.quantile(spreads, MAX_SPREAD, method="higher")], np.float32)
    return replace(model, calibration=arrays, ranges=ranges_of(trained_on or seen))


def recorded(metrics: Metrics) -> dict[str, Floats]:
    """What metrics say of each flow, without delays that say nothing (of flows that are starved, or
    whose delays the simulator of the public datanet sets cut off) and variances of nearly 0."""
    flow = metrics.flow
    unknown = np.full(len(flow), np.nan)
    found = {name: flow.columns.get(name, unknown) for name in QUANTITIES}
    with np.errstate(invalid="ignore"):
        mean = found["owd_mean_s"]
        good = (mean > 0) & ~(found["loss_ratio"] >= STARVED)
        if "archive" in metrics.provenance:  # a recording of a datanet set
            good &= ~(found["owd_p90_s"] >= CENSORED_S * (1 - 1e-9))
        varies = found["pdv_s2"] > MIN_VARIANCE * mean**2
    for name in (*DELAYS, "pdv_s2"):
        found[name] = np.where(good & varies if name == "pdv_s2" else good, found[name], np.nan)
    return found


def noise_of(metrics: Metrics) -> dict[str, Floats]:
    """The standard errors of what was recorded of each flow, by QUANTITIES, on the scale on which
    errors are compared: relative ones of delays; NaN where a simulation cannot tell. Empty where
    nothing is said of them. Those of percentiles are taken as the mean's."""
    flow = metrics.flow
    if "owd_mean_s" not in flow.low:
        return {}
    with np.errstate(invalid="ignore", divide="ignore"):
        half = {name: (flow.high[name] - flow.low[name]) / 2 / Z_OF_METRICS for name in flow.low}
        found = dict.fromkeys(DELAYS, half["owd_mean_s"] / flow["owd_mean_s"])
        if "loss_ratio" in half:  # one that no burst has met yet is 0 without any error
            enough = found["owd_mean_s"] <= SHORT
            loss = half["loss_ratio"] / (flow["loss_ratio"] + SMALL_LOSS)
            found["loss_ratio"] = np.where(enough, loss, np.nan)
    return found


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
        scale = _scale(of, name, part) * _factor(of, calibration.get(f"{name}/signs"))
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


def quantiles(
    found: Sequence[Compared],
) -> dict[str, NDArray[np.float32]]:
    """The arrays of a calibration, from what was known and what was recorded of simulations.

    `QUANTITY/edges` bounds its classes, `QUANTITY/quantiles` [classes, confidences] holds those of
    the errors over their scales, `QUANTITY/part` [1] what the scale has of the delay's deviation,
    `QUANTITY/signs` [SIGNS] by what the scale is multiplied.
    """
    if len(found) < MIN_SIMULATIONS:
        raise InputError(
            f"{len(found)} simulations to calibrate with: must be {MIN_SIMULATIONS} or more. "
            "Give more of them."
        )
    arrays = {"confidences": np.array(CONFIDENCES, np.float32)}
    for name in QUANTITIES:
        tried = [_Errors.of(found, name, part) for part in _parts(name)]
        tried = [errors for errors in tried if errors.simulations >= MIN_SIMULATIONS]
        if not tried:
            continue
        errors = min(tried, key=_Errors.unlikeliness)
        if errors.signs.shape[1] and name != "loss_ratio":  # whose classes tell more than signs do
            weights = fitted(errors.ln_ratio, errors.signs, errors.simulation)
            errors = errors._replace(scale=errors.scale * factors(errors.signs, weights))
            arrays[f"{name}/signs"] = weights
        edges, table = errors.by_class()
        arrays[f"{name}/edges"] = edges
        arrays[f"{name}/quantiles"] = table.astype(np.float32)
        arrays[f"{name}/part"] = np.array([errors.part], np.float32)
    if "owd_mean_s/quantiles" not in arrays:
        raise InputError(
            f"fewer than {MIN_SIMULATIONS} simulations have delays to calibrate with. "
            "Give more of them."
        )
    return arrays


class _Errors(NamedTuple):
    """The errors of one quantity over all simulations, in those whose flows have it. [flows]"""

    name: str
    part: float
    error: Floats
    scale: Floats
    kind: Floats  # what decides on the class
    simulation: NDArray[np.int64]
    signs: Floats  # [flows, SIGNS], or [flows, 0] where none are known
    noise: Floats  # the standard error of what was recorded

    @classmethod
    def of(cls, found: Sequence[Compared], name: str, part: float) -> _Errors:
        columns: list[list[Floats]] = [[], [], [], [], []]
        signs: list[Floats] = []
        for number, (of, truth, noises) in enumerate(found):
            with np.errstate(divide="ignore", invalid="ignore"):
                error = np.abs(_even(name, truth[name]) - _even(name, of.predicted[name]))
            scale, kind = _scale(of, name, part), _kind(of, name)
            noise = noises.get(name, np.zeros(len(error)))
            good = np.isfinite(error) & np.isfinite(scale) & np.isfinite(noise)
            signs.append(np.zeros((good.sum(), 0)) if of.signs is None else of.signs[good])
            for column, values in zip(
                columns, (error, scale, kind, np.full(len(error), number), noise), strict=True
            ):
                column.append(values[good])
        error, scale, kind, simulation, noise = (np.concatenate(column) for column in columns)
        number_of = simulation.astype(np.int64)
        return cls(name, part, error, scale, kind, number_of, np.concatenate(signs), noise)

    def without_noise(self, level: float) -> Floats:
        """Errors without the noise of what was recorded: their quantile at a level is then that of
        the errors alone, if both are about normal, as variances add. [flows]"""
        noise = NormalDist().inv_cdf((1.0 + level) / 2.0) * self.noise
        return np.asarray(np.sqrt(np.maximum(self.error**2 - noise**2, 0.0)))

    def _where(self, good: Bools) -> _Errors:
        of_flows = ("error", "scale", "kind", "simulation", "signs", "noise")
        return self._replace(**{name: getattr(self, name)[good] for name in of_flows})

    @property
    def ln_ratio(self) -> Floats:
        """The logarithms of errors over their scales. [flows]"""
        error = self.without_noise(LEVEL)
        return np.asarray(np.log(np.maximum(error, MIN_ERROR) / self.scale))

    @property
    def simulations(self) -> int:
        """How many have flows here."""
        return len(np.unique(self.simulation))

    def by_class(self) -> tuple[NDArray[np.float32], Floats]:
        """The bounds of the classes and the quantiles in each. [classes, CONFIDENCES]"""
        edges = list(LOSSES if self.name == "loss_ratio" else LOADS)
        k = len(edges)
        while k >= 0 and edges:  # from the highest class down; small ones join a neighbor
            if self._inside(edges, k).simulations < IN_A_CLASS:
                del edges[max(k - 1, 0)]
            k = min(k - 1, len(edges))
        bound = np.array(edges, np.float32)
        table = [self._inside(edges, k).quantile(CONFIDENCES) for k in range(len(edges) + 1)]
        return bound, np.array(table)

    def _inside(self, edges: Sequence[float], k: int) -> _Errors:
        return self._where(
            np.searchsorted(np.array(edges, np.float32), self.kind, side="right") == k
        )

    def quantile(self, levels: Sequence[float]) -> Floats:
        """Quantiles of errors over scales; infinite where there are too few simulations."""
        return np.array(
            [
                quantile(self.without_noise(level) / self.scale, self.simulation, [level])[0]
                for level in levels
            ]
        )

    def unlikeliness(self) -> float:
        """How badly errors follow their scales: what a Laplace variable of the scales, all times
        the factor that fits best, has as mean negative logarithm of the likelihood."""
        weights = _weights(self.simulation)
        factor = (weights * self.error / self.scale).sum()
        return float(np.log(max(factor, 1e-300)) + (weights * np.log(self.scale)).sum())


def quantile(scores: Floats, simulation: NDArray[np.int64], levels: Sequence[float]) -> Floats:
    """Upper quantiles of scores whose simulations weigh alike, beside one of infinite score.

    The score of another flow of another simulation stays at or under the quantile at 0.9 with a
    probability of at least 0.9, if simulations are exchangeable. Infinite where there are too few.
    """
    order = np.argsort(scores, kind="stable")
    count = len(np.unique(simulation))
    reached = np.cumsum(_weights(simulation)[order]) * count / (count + 1)
    place = np.searchsorted(reached, np.array(levels) - 1e-9)
    return np.append(scores[order], np.inf)[place]


def _weights(simulation: NDArray[np.int64]) -> Floats:
    """Weights that sum to 1, the same of every simulation."""
    _, inverse, count = np.unique(simulation, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[inverse] / max(len(count), 1))


def _doubt(arrays: Weights, found: Sequence[Compared]) -> float:
    """The half width from which on a flow is flagged: that which holds HELD of the large errors,
    every simulation weighing alike; where there are none, the widest of all."""
    widths, large, weights = [], [], []
    for of, truth, noises in found:
        widths.append(half_width(bounds(arrays, of)))
        with np.errstate(invalid="ignore"):
            error = np.abs(of.predicted["owd_mean_s"] / truth["owd_mean_s"] - 1)
            surely = noises.get("owd_mean_s", np.zeros(len(error))) < LARGE / 2
        large.append((error > LARGE) & surely)
        weights.append(np.full(len(error), 1.0 / max(np.isfinite(error).sum(), 1)))
    width, is_large, weight = (np.concatenate(each) for each in (widths, large, weights))
    if not is_large.any():
        return float(np.nanmax(width))
    order = np.argsort(width[is_large], kind="stable")
    reached = np.cumsum(weight[is_large][order])
    place = int(np.searchsorted(reached, (1 - HELD) * reached[-1]))
    return float(width[is_large][order][min(place, len(order) - 1)])


def _parts(name: str) -> tuple[float, ...]:
    return (0.0,) if name == "loss_ratio" else PARTS


def _kind(of: Known, name: str) -> Floats:
    return of.predicted[name] if name == "loss_ratio" else of.load


def _classes(of: Known, name: str, edges: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.asarray(_place(_kind(of, name), edges))


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


def _scale(of: Known, name: str, part: float) -> Floats:
    if name == "loss_ratio":
        return np.ones_like(of.scale)
    return np.asarray(np.sqrt(of.scale**2 + (part * of.deviation[name]) ** 2))


def _even(name: str, values: Floats) -> Floats:
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
