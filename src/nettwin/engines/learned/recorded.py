"""Recorded: what metrics say of each flow, for training and for calibration, and how surely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.intervals import DELAYS, QUANTITIES, SMALL_LOSS
from nettwin.metrics import Metrics

Floats = NDArray[np.float64]
MIN_VARIANCE = 1e-3  # of a delay over its squared mean; smaller ones are not learned
STARVED = 0.99  # loss from which on the delay of what arrives says nothing
Z_OF_METRICS = 1.96  # standard errors in half an interval of a simulation's metrics
SHORT = 0.05  # standard error of the mean delay from which on a simulation is short for its bursts


def recorded(metrics: Metrics) -> dict[str, Floats]:
    """What metrics say of each flow, without delays that say nothing and variances of nearly 0.

    Delays say nothing of flows that are starved, and of those a tenth of whose packets or more had
    the longest delay that the recording keeps: theirs are less than what they had.
    """
    flow = metrics.flow
    unknown = np.full(len(flow), np.nan)
    found = {name: flow.columns.get(name, unknown) for name in QUANTITIES}
    with np.errstate(invalid="ignore"):
        mean = found["owd_mean_s"]
        good = (mean > 0) & ~(found["loss_ratio"] >= STARVED)
        longest_s = float(metrics.provenance.get("longest_delay_s", np.inf))
        good &= ~(found["owd_p90_s"] >= longest_s * (1 - 1e-9))
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
