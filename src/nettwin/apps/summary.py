"""Summary: what a traffic class gets, from the metrics of its flows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario


class ClassSummary(NamedTuple):
    """A traffic class in one scenario; `p99_s` is the mean over its packets of their flow's p99."""

    flows: int
    rate_bps: float
    delay_s: float
    p99_s: float
    loss: float


NOTHING = ClassSummary(0, 0.0, np.nan, np.nan, np.nan)


def by_class(scenario: Scenario, metrics: Metrics) -> dict[str, ClassSummary]:
    """Each traffic class that has flows, weighed by packets."""
    traffic = scenario.traffic
    packets, loss = traffic.flow_packet_rate_pps, np.nan_to_num(metrics.flow["loss_ratio"])
    delay = metrics.flow["owd_mean_s"]
    p99 = metrics.flow["owd_p99_s"] if "owd_p99_s" in metrics.flow else np.full_like(delay, np.nan)
    out = {}
    for k, name in enumerate(traffic.class_name):
        mine = traffic.flow_class == k
        if mine.any():
            delivered = np.where(np.isfinite(delay), packets * (1 - loss), 0.0)[mine]
            out[name] = ClassSummary(
                int(mine.sum()),
                float(traffic.flow_rate_bps[mine].sum()),
                _mean(delay[mine], delivered),
                _mean(p99[mine], delivered),
                _mean(loss[mine], packets[mine]),
            )
    return out


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Weighted mean of the known values; NaN if none."""
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return float("nan")
    return float(np.average(values[known], weights=weights[known]))
