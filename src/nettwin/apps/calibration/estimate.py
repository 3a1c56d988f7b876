"""Estimate: the corrections that explain what was observed best, and how sure they are.

Each correction is a logarithm (of a factor) that is 0 within PRIOR before anything is seen. What
is measured are the mean delays of flows and the rates of links, each as sure as its bounds. The
twin itself is taken to be off in what packets wait: by MODEL_ERROR for each flow by chance, for all
alike, and for each link; and by CLASS_ERROR in how the waiting at a link is shared among classes.
What they wait together, weighted by their load, does not depend on the scheduler (Kleinrock's
conservation law). These errors are the same in every observation; they are estimated too, and
correct nothing: without them many observations would make sure what all have wrong. The most
probable corrections follow by Gauss and Newton's method, their intervals from the curvature there
(Laplace's approximation), widened where the twin explains the data worse than it should.

Flows that share ports share what chance did there, so that all flows of an observation together
count as so many independent ones as there are links. A hop's delay is taken to depend on its own
link alone, which gives the derivatives of all links
from one prediction with every capacity changed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.calibration.corrections import Corrections
from nettwin.errors import InputError
from nettwin.metrics import Table
from nettwin.model import Explainable, HopSplit, NetworkModel, settled
from nettwin.observation import Observation
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
PRIOR = 0.05  # standard deviation of the logarithm of each factor
PRIOR_CORRELATION = 0.05
MODEL_ERROR = 0.05  # of the waiting
CLASS_ERROR = 1.0  # of that of one of several classes
STEP = 0.01  # of finite differences
ROUNDS = 4
FEWEST = 2  # observations
TWO_SIDED = 1.96
MIN_ERROR = 1e-4  # relative, of any measurement
MAX_CORRELATION = 0.5
# Corrections as a vector: capacities and delays of all links, by how much the twin is off in what
# packets of each class wait at each, and at the end these
OVERHEAD, CORRELATION, WAITING = -3, -2, -1


class Data(NamedTuple):
    """What one observation says: of flows (delay) and links (rate) that were measured."""

    scenario: Scenario
    delay_s: Floats  # [flows], NaN where it was not measured
    delay_error_s: Floats  # [flows] standard deviation
    rate: Floats  # [links] carried over what flows put on it by their own count; NaN likewise
    rate_error: Floats  # [links]


@dataclass(frozen=True)
class Calibrated:
    """Corrections, and how well the twin then explains the data: the mean squared miss over what
    was expected (1: as well as it should)."""

    corrections: Corrections
    misfit: float
    observations: int


def calibrate(
    observations: Sequence[Observation], model: NetworkModel, begin: Corrections | None = None
) -> Calibrated:
    """The corrections of a network from observations of it. Raises InputError where there are too
    few, or the model does not take delays apart."""
    if len(observations) < FEWEST:
        raise InputError(
            f"{len(observations)} observations are too few to calibrate a twin: must be at least"
            f" {FEWEST}. Observe for longer: nettwin loop --cycles 10."
        )
    names = observations[0].scenario.topology.link_name
    data = [_data(one) for one in observations]
    chosen = settled(model, [one.scenario for one in observations])
    if not isinstance(chosen, Explainable):
        raise InputError(
            f"the engine {model.name} does not take delays apart, which calibration needs."
            " Calibrate with theory."
        )
    classes = observations[0].scenario.traffic.class_name
    x = _start(begin, names, len(classes))
    prior = _prior(data[0], chosen, x, names)
    misfit = 1.0
    precision = prior
    for _ in range(ROUNDS):
        normal, right = prior, -prior @ x
        squares, count = 0.0, 0
        for one in data:
            jacobian, residual, error = _linear(one, chosen, x, names)
            scaled_j = jacobian / error[:, None]
            scaled_r = residual / error
            # the tails of what is measured must not decide
            trust = np.minimum(1.0, 3.0 / np.maximum(np.abs(scaled_r), 1e-12))
            normal = normal + (scaled_j * trust[:, None]).T @ scaled_j
            right = right + scaled_j.T @ (trust * scaled_r)
            squares += float((trust * scaled_r**2).sum())
            count += len(residual)
        precision = normal
        x = x + np.linalg.solve(normal, right)
        x[CORRELATION] = np.clip(x[CORRELATION], 0.0, MAX_CORRELATION)
        misfit = squares / max(count, 1)
    covariance = np.linalg.inv(precision) * max(misfit, 1.0)
    return Calibrated(_corrections(x, np.sqrt(np.diag(covariance)), names), misfit, len(data))


def _data(seen: Observation) -> Data:
    flow, link = seen.metrics.flow, seen.metrics.link
    loss = _column(flow, "loss_ratio", seen.scenario.traffic.flow_count)
    delay = _column(flow, "owd_mean_s", seen.scenario.traffic.flow_count).copy()
    low, high = (side.get("owd_mean_s", delay * np.nan) for side in (flow.low, flow.high))
    error = (high - low) / 2 / TWO_SIDED
    lossy = ~(loss == 0)
    delay[lossy | ~np.isfinite(error)] = np.nan
    load = seen.scenario.link_load_bps
    carried = _column(link, "throughput_bps", len(load))
    used = (load > 0) & np.isfinite(carried) & (carried > 0)
    used &= seen.scenario.topology.link_live
    rate = np.full(len(load), np.nan)
    rate[used] = carried[used] / load[used]
    utilization = _column(link, "utilization", len(load))
    low, high = (side.get("utilization", utilization * np.nan) for side in (link.low, link.high))
    with np.errstate(invalid="ignore", divide="ignore"):
        rate_error = (high - low) / 2 / TWO_SIDED / utilization
    rate[~np.isfinite(rate_error)] = np.nan
    if np.nansum(loss > 0):
        rate[:] = np.nan  # where something is lost links carry less than flows offer
    return Data(seen.scenario, delay, error, rate, rate_error)


def _column(table: Table, name: str, rows: int) -> Floats:
    """A column of what was measured; NaN where nothing was."""
    return table[name] if name in table else np.full(rows, np.nan)


def _linear(
    data: Data, model: Explainable, x: Floats, names: tuple[str, ...]
) -> tuple[Floats, Floats, Floats]:
    """How what is measured follows from small changes of the corrections, what is left to explain,
    and how sure each is. [rows, corrections], [rows], [rows]"""
    links = len(names)
    told = data.scenario
    split = _split(told, model, x, names)
    changed = x.copy()
    changed[:links] += STEP
    by_capacity = _split(told, model, changed, names)
    changed = x.copy()
    changed[OVERHEAD] += STEP
    by_overhead = _split(told, model, changed, names)
    changed = x.copy()
    changed[CORRELATION] += STEP
    by_correlation = _split(told, model, changed, names)
    paths, flows = told.paths, told.traffic.flow_count

    def sum_up(hops: Floats) -> Floats:
        weighted = hops * split.weight[paths.hop_path]
        return np.bincount(paths.hop_flow, weighted, flows).astype(np.float64)

    hop = _hop_delay(split)
    jacobian = np.zeros((flows, len(x)))
    waiting = split.waiting_s + split.correction_s
    for column, change in (
        (0, (_hop_delay(by_capacity) - hop) / STEP),
        (links, split.propagation_s),
        (2 * links + links * told.traffic.flow_class[paths.hop_flow], waiting),
    ):
        weighted = change * split.weight[paths.hop_path]
        np.add.at(jacobian, (paths.hop_flow, column + paths.links), weighted)
    jacobian[:, OVERHEAD] = sum_up((_hop_delay(by_overhead) - hop) / STEP)
    jacobian[:, CORRELATION] = sum_up((_hop_delay(by_correlation) - hop) / STEP)
    waits = sum_up(waiting)
    jacobian[:, WAITING] = waits
    errors = slice(2 * links, OVERHEAD)
    predicted = sum_up(hop) + jacobian[:, errors] @ x[errors] + x[WAITING] * waits
    known = np.isfinite(data.delay_s) & (predicted > 0)
    error = np.sqrt(data.delay_error_s**2 + (MODEL_ERROR * waits) ** 2) + MIN_ERROR * predicted
    # flows that meet at a port see its chance together: they tell no more than the ports do
    error *= np.sqrt(max(1.0, np.count_nonzero(known) / len(np.unique(paths.links))))
    rated = np.isfinite(data.rate)
    of_rates = np.zeros((links, len(x)))
    of_rates[:, OVERHEAD] = 1.0
    return (
        np.concatenate([jacobian[known], of_rates[rated]]),
        np.concatenate(
            [data.delay_s[known] - predicted[known], np.log(data.rate[rated]) - x[OVERHEAD]]
        ),
        np.concatenate([error[known], data.rate_error[rated] + MIN_ERROR]),
    )


def _prior(data: Data, model: Explainable, x: Floats, names: tuple[str, ...]) -> Floats:
    """How sure corrections are before anything is seen: the inverse of their covariance."""
    links, told = len(names), data.scenario
    spread = np.full(len(x), PRIOR)
    spread[2 * links : OVERHEAD] = CLASS_ERROR
    spread[CORRELATION], spread[WAITING] = PRIOR_CORRELATION, MODEL_ERROR
    split, paths = _split(told, model, x, names), told.paths
    classes = told.traffic.flow_class[paths.hop_flow]
    load = told.traffic.flow_rate_bps[paths.hop_flow] * split.weight[paths.hop_path]
    share = np.zeros((links, len(x)))
    waiting = (split.waiting_s + split.correction_s) * load
    np.add.at(share, (paths.links, 2 * links + links * classes + paths.links), waiting)
    share /= np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return np.asarray(np.diag(spread**-2.0) + share.T @ share / MODEL_ERROR**2)


def _hop_delay(split: HopSplit) -> Floats:
    return split.propagation_s + split.transmission_s + split.waiting_s + split.correction_s


def _split(told: Scenario, model: Explainable, x: Floats, names: tuple[str, ...]) -> HopSplit:
    """What delays are made of in the twin with these corrections."""
    found = model.hops(_corrections(x, None, names).corrected(told))
    if found is None:
        raise InputError("the engine does not take delays apart here. Calibrate with theory.")
    return found


def _start(begin: Corrections | None, names: tuple[str, ...], classes: int) -> Floats:
    """The corrections that are known already, as logarithms."""
    known = begin or Corrections()
    capacity = np.log([known.capacity.get(name, 1.0) for name in names])
    delay = np.log([known.delay.get(name, 1.0) for name in names])
    end = [np.log(known.overhead), known.correlation, 0.0]
    return np.concatenate([capacity, delay, np.zeros(len(names) * classes), end])


def _corrections(x: Floats, error: Floats | None, names: tuple[str, ...]) -> Corrections:
    links = len(names)
    factor = np.exp(x)
    bounds: dict[str, tuple[float, float]] = {}
    if error is not None:
        keys = [f"capacity/{name}" for name in names] + [f"delay/{name}" for name in names]
        low, high = np.exp(x - TWO_SIDED * error), np.exp(x + TWO_SIDED * error)
        for i, key in enumerate(keys):
            bounds[key] = (float(low[i]), float(high[i]))
        bounds["overhead"] = (float(low[OVERHEAD]), float(high[OVERHEAD]))
        middle, side = float(x[CORRELATION]), TWO_SIDED * float(error[CORRELATION])
        bounds["correlation"] = (max(middle - side, 0.0), middle + side)
    return Corrections(
        overhead=float(factor[OVERHEAD]),
        correlation=max(float(x[CORRELATION]), 0.0),
        capacity=dict(zip(names, factor[:links].tolist(), strict=True)),
        delay=dict(zip(names, factor[links : 2 * links].tolist(), strict=True)),
        bounds=bounds,
    )
