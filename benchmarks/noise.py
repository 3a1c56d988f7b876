"""The noise of a recording: how far off its mean delays are because it is finite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

MEAN_OF_NORMAL = float(np.sqrt(2 / np.pi))  # mean size of an error over its standard deviation


def recorded_s(recorded: Metrics) -> float | None:
    """The seconds that a recording lasted; None where it does not say."""
    told = recorded.provenance
    return told.get("simulated_s") or told.get("measured_s")


def independent_error(scenario: Scenario, recorded: Metrics) -> NDArray[np.float64]:
    """Relative standard error of the recorded mean delays if packets were independent. [flows]

    sqrt(variance / packets that arrived) / mean: the least that a recording has, as packets that
    wait for one another are alike. NaN where variance or length were not recorded.
    """
    seconds, flow = recorded_s(recorded), recorded.flow
    if not seconds or not {"pdv_s2", "owd_mean_s", "loss_ratio"} <= flow.columns.keys():
        return np.full(scenario.traffic.flow_count, np.nan)
    packets = scenario.traffic.flow_packet_rate_pps * seconds * (1 - flow["loss_ratio"])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt(flow["pdv_s2"] / packets) / flow["owd_mean_s"])
