"""Summary: what a traffic class gets, and which flows, links and queues fare worst."""

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


LOSS_THAT_COUNTS = 1e-3  # a smaller loss ranks below any delay
NOTHING = ClassSummary(0, 0.0, np.nan, np.nan, np.nan)


def by_class(
    scenario: Scenario, metrics: Metrics, among: NDArray[np.bool_] | None = None
) -> dict[str, ClassSummary]:
    """Each traffic class that has flows, weighed by packets; of some flows alone, if given."""
    traffic = scenario.traffic
    packets, loss = traffic.flow_packet_rate_pps, np.nan_to_num(metrics.flow["loss_ratio"])
    delay = metrics.flow["owd_mean_s"]
    p99 = metrics.flow["owd_p99_s"] if "owd_p99_s" in metrics.flow else np.full_like(delay, np.nan)
    out = {}
    for k, name in enumerate(traffic.class_name):
        mine = (traffic.flow_class == k) & (True if among is None else among)
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


def mean_delay_s(
    scenario: Scenario, metrics: Metrics, among: NDArray[np.bool_] | None = None
) -> float:
    """Mean delay over delivered packets; of some flows alone, if given."""
    delay, loss = metrics.flow["owd_mean_s"], np.nan_to_num(metrics.flow["loss_ratio"])
    delivered = scenario.traffic.flow_packet_rate_pps * (1 - loss)
    return _mean(delay, delivered if among is None else np.where(among, delivered, 0.0))


def worst_flows(metrics: Metrics) -> NDArray[np.intp]:
    """Flows by their loss where it is above 0.1 %, then by their 99th-percentile delay, or the
    mean where no percentile is known. [flows]"""
    delay = metrics.flow["owd_mean_s"]
    if "owd_p99_s" in metrics.flow:
        p99 = metrics.flow["owd_p99_s"]
        delay = p99 if np.isfinite(p99).any() else delay
    return _worst(metrics.flow["loss_ratio"], delay)


def worst_links(scenario: Scenario, metrics: Metrics) -> NDArray[np.intp]:
    """Links by the load that is offered to them, then by what they carry. [links]"""
    carried = np.nan_to_num(metrics.link["utilization"], nan=-1.0)
    return np.lexsort((-carried, -np.round(scenario.link_offered_load, 9)))


def flagged_links(scenario: Scenario, metrics: Metrics) -> NDArray[np.bool_]:
    """Links of whose offered load more than half is that of flagged flows. [links]"""
    links = scenario.topology.link_count
    if metrics.flagged is None or not metrics.flagged_count:
        return np.zeros(links, np.bool_)
    rate = np.where(metrics.flagged, scenario.traffic.flow_rate_bps, 0.0)
    return np.asarray(scenario.paths.link_loads(rate, links) > 0.5 * scenario.link_load_bps)


def worst_queues(metrics: Metrics) -> NDArray[np.intp]:
    """Queues by their loss where it is above 0.1 %, then by the delay in them. [queues]"""
    table = metrics.queue
    unknown = np.full(len(table), np.nan)
    delay = next((table[n] for n in ("delay_mean_s", "occupancy_mean_bits") if n in table), unknown)
    return _worst(table.columns.get("loss_ratio", unknown), delay)


def _worst(loss: NDArray[np.float64], delay: NDArray[np.float64]) -> NDArray[np.intp]:
    felt = np.where(np.nan_to_num(loss) >= LOSS_THAT_COUNTS, np.nan_to_num(loss), 0.0)
    return np.lexsort((-np.nan_to_num(delay, nan=-1.0), -felt))


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Weighted mean of the known values; NaN if none."""
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return float("nan")
    return float(np.average(values[known], weights=weights[known]))
