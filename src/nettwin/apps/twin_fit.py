"""Twin fit: how far what a twin predicts is from what a network measures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario


class TwinFit(NamedTuple):
    """The error of mean delay, weighed by the rate of flows, and the largest difference of a link's
    utilization; NaN where nothing tells. `flows` are those with both a measurement and a
    prediction."""

    delay_error: float
    utilization_error: float
    flows: int


def twin_fit(scenario: Scenario, measured: Metrics, predicted: Metrics | None) -> TwinFit | None:
    """How well a prediction of a scenario fits the measurement; None without a prediction."""
    if predicted is None or len(predicted.flow) != len(measured.flow):
        return None
    real, thought = measured.flow["owd_mean_s"], predicted.flow["owd_mean_s"]
    known = np.isfinite(real) & np.isfinite(thought) & (real > 0)
    weight = np.where(known, scenario.traffic.flow_rate_bps, 0.0)
    error = np.nan
    if weight.sum() > 0:
        relative = np.abs(thought - real) / np.where(known, real, 1.0)
        error = float(np.average(np.where(known, relative, 0.0), weights=weight))
    links = np.abs(measured.link["utilization"] - predicted.link["utilization"])
    known_links = links[np.isfinite(links)]
    worst = float(known_links.max()) if len(known_links) else np.nan
    return TwinFit(error, worst, int(known.sum()))
