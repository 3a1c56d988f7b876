"""Measuring: from what routers and receivers counted to Metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.batches import student_t
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
BATCHES, CONFIDENCE = 16, 0.95


def metrics_of(told: Scenario, seen: Mapping[str, Any], network: str) -> Metrics:
    """The metrics of an interval. Delays are from sending to the kernel of the receiver, and what
    cables here leave out (traffic.py); links and queues are counted by the ports."""
    seconds = seen["end_s"] - seen["begin_s"]
    return Metrics(
        flow=_flows(told, seen, seconds),
        link=_links(told, seen["queues"], seconds),
        queue=_queues(told, seen["queues"], seconds),
        method="measured",
        engine=network,
        provenance={
            "network": network,
            "scenario": told.fingerprint(),
            "interval_s": seconds,
            "late_s": seen["late_s"],
        },
        confidence=CONFIDENCE,
    )


def offered_bps(told: Scenario, seen: Mapping[str, Any]) -> Floats:
    """What flows offered, by packets counted and their mean size. [flows]"""
    seconds = seen["end_s"] - seen["begin_s"]
    return np.asarray(seen["flows"]["sent"] * told.traffic.flow_mean_size_bits / seconds)


def _flows(told: Scenario, seen: Mapping[str, Any], seconds: float) -> Table:
    flows = seen["flows"]
    sent, received = flows["sent"], flows["received"]
    lost = np.maximum(sent - received, 0)
    low, high = _bounds(flows["mean"], seen["batch_count"], seen["batch_delay"])
    columns = {
        "owd_mean_s": flows["mean"],
        "owd_p50_s": flows["p50"],
        "owd_p90_s": flows["p90"],
        "owd_p99_s": flows["p99"],
        "pdv_s2": flows["variance"],
        "loss_ratio": _ratio(lost, sent),
        "throughput_bps": received * told.traffic.flow_mean_size_bits / seconds,
    }
    least, most = _loss_bounds(lost, sent)
    return Table(
        columns,
        {"owd_mean_s": low, "loss_ratio": least},
        {"owd_mean_s": high, "loss_ratio": most},
    )


def _loss_bounds(lost: NDArray[Any], sent: NDArray[Any]) -> tuple[Floats, Floats]:
    """Bounds of the chance to be lost, by Clopper and Pearson: wide where few packets were sent.
    NaN where none was."""
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    arrived = np.maximum(sent - lost, 0)
    low = np.where(lost > 0, betaincinv(np.maximum(lost, 1), arrived + 1, tail), 0.0)
    high = np.where(arrived > 0, betaincinv(lost + 1, np.maximum(arrived, 1), 1 - tail), 1.0)
    some = sent > 0
    return np.where(some, low, np.nan), np.where(some, high, np.nan)


def _bounds(mean: Floats, count: NDArray[Any], delay: Floats) -> tuple[Floats, Floats]:
    """Bounds of mean delays by the scatter of batches; NaN where a flow filled too few."""
    full = count > 0
    batches = full.sum(axis=1)
    weight = count / np.maximum(count.sum(axis=1, keepdims=True), 1)
    each = np.divide(delay, count, out=np.zeros(delay.shape), where=full)
    gap = np.where(full, each - np.nan_to_num(mean)[:, None], 0.0) * weight
    enough = batches >= 4
    few = np.maximum(batches, 2)
    variance = (gap**2).sum(axis=1) * few / (few - 1)
    half = student_t(CONFIDENCE, few - 1) * np.sqrt(variance)
    half = np.where(enough, half, np.nan)
    return np.maximum(mean - half, 0.0), mean + half


def _by_link(told: Scenario, values: NDArray[Any]) -> Floats:
    topology = told.topology
    return np.bincount(topology.queues.link, values, topology.link_count).astype(np.float64)


def _links(told: Scenario, queues: NDArray[np.int64], seconds: float) -> Table:
    throughput = _by_link(told, queues[:, 0]) * 8 / seconds
    drops = _by_link(told, queues[:, 2])
    return Table(
        {
            "utilization": np.minimum(throughput / told.topology.link_capacity_bps, 1.0),
            "throughput_bps": throughput,
            "loss_ratio": _ratio(drops, drops + _by_link(told, queues[:, 1])),
        }
    )


def _queues(told: Scenario, queues: NDArray[np.int64], seconds: float) -> Table:
    capacity = told.topology.link_capacity_bps[told.topology.queues.link]
    return Table(
        {
            "utilization": np.minimum(queues[:, 0] * 8 / seconds / capacity, 1.0),
            "loss_ratio": _ratio(queues[:, 2], queues[:, 1] + queues[:, 2]),
        }
    )


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """A share; NaN where there was nothing."""
    some = np.asarray(whole) > 0
    out = np.full(len(some), np.nan)
    np.divide(part, whole, out=out, where=some)
    return out
