"""Measures: what an intent can ask about, declared once each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nettwin.calculus import delay_bounds
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

Kind = Literal["flow", "link", "queue", "plan"]
Reduce = Literal["max", "min", "mean", "total"]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A quantity of flows, links or queues, or of the plan as a whole.

    `worst` says how several elements become one number where nothing else is asked; `predicted`
    whether a NetworkModel must say it. A measure whose `worst` is the least is better when it is
    higher. `of` gives a value for each element: [flows], [links] or
    [queues], and inf where the element gets nothing at all (a flow of which no packet arrives).
    """

    name: str
    unit: Literal["s", "share", "bit/s", "bit", "number"]
    kind: Kind
    meaning: str
    worst: Reduce = "max"
    predicted: bool = True
    high: float = np.inf  # no value is above it
    of: Callable[[Scenario, Metrics | None], Values] | None = None


def _flow(column: str) -> Callable[[Scenario, Metrics | None], Values]:
    def values(scenario: Scenario, metrics: Metrics | None) -> Values:
        assert metrics is not None
        found = metrics.flow[column]
        silent = scenario.traffic.flow_rate_bps <= 0
        return np.where(np.isnan(found) & ~silent, np.inf, found)

    return values


def _deviation(scenario: Scenario, metrics: Metrics | None) -> Values:
    return np.sqrt(_flow("pdv_s2")(scenario, metrics))


def _loss(scenario: Scenario, metrics: Metrics | None) -> Values:
    assert metrics is not None
    return np.where(scenario.paths.status != 0, 1.0, metrics.flow["loss_ratio"])


def _throughput(scenario: Scenario, metrics: Metrics | None) -> Values:
    assert metrics is not None
    return np.nan_to_num(metrics.flow["throughput_bps"])


def _offered_load(scenario: Scenario, metrics: Metrics | None) -> Values:
    return np.where(scenario.topology.link_live, scenario.link_offered_load, 0.0)


def _delay_bound(scenario: Scenario, metrics: Metrics | None) -> Values:
    return delay_bounds(scenario)


def _queue(column: str) -> Callable[[Scenario, Metrics | None], Values]:
    def values(scenario: Scenario, metrics: Metrics | None) -> Values:
        assert metrics is not None
        return np.nan_to_num(metrics.queue[column])

    return values


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "offered_load",
            "share",
            "link",
            "load offered to a link over its capacity; above 1 it is overloaded",
            predicted=False,
            of=_offered_load,
        ),
        Measure("delay", "s", "flow", "mean one-way delay", "mean", of=_flow("owd_mean_s")),
        Measure("delay_p50", "s", "flow", "median one-way delay", "mean", of=_flow("owd_p50_s")),
        Measure("delay_p90", "s", "flow", "90th percentile of delay", of=_flow("owd_p90_s")),
        Measure("delay_p99", "s", "flow", "99th percentile of delay", of=_flow("owd_p99_s")),
        Measure(
            "delay_bound",
            "s",
            "flow",
            "delay that no delivered packet exceeds, by network calculus; infinite where there is"
            " no such bound",
            predicted=False,
            of=_delay_bound,
        ),
        Measure(
            "delay_variation",
            "s",
            "flow",
            "standard deviation of the one-way delay (root of pdv_s2)",
            of=_deviation,
        ),
        Measure("loss", "share", "flow", "packets lost over packets sent", high=1.0, of=_loss),
        Measure("throughput", "bit/s", "flow", "delivered rate", "min", of=_throughput),
        Measure(
            "queue_loss",
            "share",
            "queue",
            "packets refused over packets offered",
            high=1.0,
            of=_queue("loss_ratio"),
        ),
        Measure("queue_delay", "s", "queue", "time in the port", of=_queue("delay_mean_s")),
        Measure(
            "queue_occupancy",
            "bit",
            "queue",
            "bits that wait, mean over time",
            of=_queue("occupancy_mean_bits"),
        ),
        Measure("changes", "number", "plan", "changes made", "total", predicted=False),
        Measure("cost", "number", "plan", "what the changes cost", "total", predicted=False),
    )
}

# Other names that are read: the literature's "maximum link utilization" is of offered loads too
ALIASES = {"utilization": "offered_load"}
NAMED = {**MEASURES, **{alias: MEASURES[name] for alias, name in ALIASES.items()}}


def reduced(values: Values, how: Reduce, weight: Values | None = None) -> float:
    """Several values as one; a mean is weighted. 0 of none."""
    if not len(values):
        return 0.0
    if how == "max":
        return float(np.nanmax(values)) if not np.isnan(values).all() else 0.0
    if how == "min":
        return float(np.nanmin(values)) if not np.isnan(values).all() else 0.0
    known = ~np.isnan(values)
    if how == "total":
        return float(values[known].sum())
    weight = np.ones(len(values)) if weight is None else weight
    known &= weight > 0
    return float(np.average(values[known], weights=weight[known])) if known.any() else 0.0
