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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.coverage import ranges_of
from nettwin.engines.learned.inputs import Inputs, inputs_of, solved
from nettwin.engines.learned.intervals import (
    QUANTITIES,
    Known,
    bounds,
    even,
    half_width,
    kind_of,
    known,
    scale_of,
)
from nettwin.engines.learned.model_file import Model
from nettwin.engines.learned.recorded import noise_of, recorded
from nettwin.engines.learned.signs import LEVEL, factors, fitted
from nettwin.errors import InputError
from nettwin.formats.weight_file import Weights
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LOADS = (0.5, 0.7, 0.85, 1.0)  # bounds of the classes of delays
LOSSES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # and of those of loss, by what is predicted
MIN_SIMULATIONS = 19  # below which no quantile of the highest confidence exists
IN_A_CLASS = 30  # simulations; a class with fewer joins its neighbor
# What a percentile's error may have of the delay's deviation, beside what the mean's has
PARTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
MIN_ERROR = 1e-5  # as a logarithm; smaller ones are as good as none
LARGE = 0.2  # relative error of the mean delay that a flagged flow may have
MAX_SPREAD = 0.99  # part of the simulations whose networks differ no more than usual
HELD = 0.97  # of the large errors that flagged flows hold in calibration; elsewhere 95 % or more


class Case(NamedTuple):
    """One simulation to calibrate with: its inputs, and what was recorded of each flow; NaN where
    that is not known or says nothing."""

    inputs: Inputs
    recorded: Mapping[str, Floats]  # by QUANTITIES
    noise: Mapping[str, Floats] | None = None  # standard errors of that, see `noise_of`


class Compared(NamedTuple):
    """What was known of a simulation's flows, and what was recorded; its standard errors, where
    they are told. By QUANTITIES."""

    known: Known
    truth: Mapping[str, Floats]
    noise: Mapping[str, Floats] = MappingProxyType({})


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
                error = np.abs(even(name, truth[name]) - even(name, of.predicted[name]))
            scale, kind = scale_of(of, name, part), kind_of(of, name)
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
