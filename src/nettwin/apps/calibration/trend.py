"""Trend: how far a twin is off over time, and how far it must be: what is measured is not exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nettwin.apps.calibration.corrections import Corrections
from nettwin.model import NetworkModel, by_one_engine
from nettwin.observation import Observation

TWO_SIDED = 1.96
MEAN_OF_NORMAL = float(np.sqrt(2 / np.pi))  # the mean distance of a normal number from its mean


class Error(NamedTuple):
    """How far mean delays of flows are from what was measured, relatively, in one observation;
    `floor` is how far a perfect twin would be."""

    time_s: float
    error: float
    floor: float

    @property
    def excess(self) -> float:
        """What the twin adds."""
        return self.error - self.floor


def errors(
    observations: Sequence[Observation], model: NetworkModel, corrections: Corrections
) -> list[Error]:
    """The error of each observation, over flows by their packets; NaN without measurements."""
    scenarios = [corrections.corrected(one.scenario) for one in observations]
    predicted = by_one_engine(model, lambda engine: engine.predict(scenarios))
    found = []
    for one, metrics in zip(observations, predicted, strict=True):
        flow, thought = one.metrics.flow, metrics.flow["owd_mean_s"]
        real = flow["owd_mean_s"] if "owd_mean_s" in flow else thought * np.nan
        low, high = flow.low.get("owd_mean_s"), flow.high.get("owd_mean_s")
        half = (high - low) / 2 if low is not None and high is not None else real * np.nan
        known = np.isfinite(real) & np.isfinite(thought) & (real > 0)
        weight = one.scenario.traffic.flow_packet_rate_pps[known]
        if not weight.sum():
            found.append(Error(one.time_s, np.nan, np.nan))
            continue
        off = np.abs(thought - real)[known] / real[known]
        noise = MEAN_OF_NORMAL * half[known] / TWO_SIDED / real[known]
        bounded = np.isfinite(noise) & (weight > 0)
        floor = np.average(noise[bounded], weights=weight[bounded]) if bounded.any() else np.nan
        found.append(Error(one.time_s, float(np.average(off, weights=weight)), float(floor)))
    return found


def excess(found: Sequence[Error]) -> float:
    """The mean of what the twin adds, over observations; at least 0."""
    known = [one.excess for one in found if np.isfinite(one.excess)]
    return max(float(np.mean(known)), 0.0) if known else float("nan")
