"""Observation: what was seen of a network in one interval of its time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario


@dataclass(frozen=True)
class Observation:
    """An interval of a network's time: the network as it says it is, with the rates that its flows
    offered, and what was measured.

    `time_s` is the end of the interval in seconds since 1970, in the network's own time. The rows
    of `metrics` (method "measured") follow the elements of `scenario`; NaN is what was not
    measured, bounds tell how sure the rest is.
    """

    time_s: float
    interval_s: float
    scenario: Scenario
    metrics: Metrics


def configuration(scenario: Scenario) -> str:
    """The fingerprint of a network whatever it carries: which elements are up, their capacities,
    weights and schedulers, and its routing. Equal before and after flows change their rates."""
    silent = scenario.traffic.with_arrays(flow_rate_bps=np.zeros(scenario.traffic.flow_count))
    return scenario.with_(traffic=silent).fingerprint()
