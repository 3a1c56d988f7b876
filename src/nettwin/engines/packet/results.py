"""From what a simulation counted to Metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.batches import Batches
from nettwin.engines.packet.precision import PERCENTILES, Tails, fate_unknown
from nettwin.engines.packet.statistics import Counts, Extremes
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]


def metrics_of(
    scenario: Scenario,
    counts: Counts,
    extremes: Extremes,
    batches: Batches | None,
    provenance: Mapping[str, Any],
    *,
    under_way: NDArray[np.int64],
    tails: Tails | None = None,
    confidence: float = 0.95,
    occupancy_counts_service: bool = False,
) -> Metrics:
    """The metrics of a stretch of time; with `batches`, intervals of confidence as well, with
    `tails` also of percentiles. `under_way` counts packets in the network at its end. [flows]"""
    queue = _queue_table(scenario, counts, extremes, occupancy_counts_service)
    return Metrics(
        flow=_flow_table(counts, extremes, batches, tails, under_way, confidence),
        link=_link_table(scenario, counts, batches, confidence),
        queue=Table(queue),
        method="simulated",
        engine="packet",
        provenance=provenance,
        confidence=confidence,
    )


def _flow_table(
    counts: Counts,
    extremes: Extremes,
    batches: Batches | None,
    tails: Tails | None,
    under_way: NDArray[np.int64],
    confidence: float,
) -> Table:
    mean_above = _ratio(counts.delay, counts.delivered)
    spread = _ratio(counts.delay2, counts.delivered) - mean_above**2
    p50, p90, p99 = extremes.quantiles(tuple(PERCENTILES.values()))
    mean = extremes.base_s + mean_above
    loss = _ratio(counts.dropped, counts.delivered + counts.dropped)
    loss = np.where(fate_unknown(counts, under_way), np.nan, loss)
    throughput = counts.bits / counts.time_s
    low: dict[str, Floats] = {}
    high: dict[str, Floats] = {}
    if batches is not None and batches.begun:
        half = batches.half_width
        for name, value, width, top in (
            ("owd_mean_s", mean, half("delay", ("packets",), confidence), np.inf),
            ("loss_ratio", loss, half("dropped", ("packets", "dropped"), confidence), 1.0),
            ("throughput_bps", throughput, half("bits", ("time",), confidence), np.inf),
        ):
            low[name] = np.maximum(value - width, 0.0)
            high[name] = np.minimum(value + width, top)
    if tails is not None:
        lows, highs = tails.bounds(extremes, confidence)
        low |= dict(zip(PERCENTILES, lows, strict=True))
        high |= dict(zip(PERCENTILES, highs, strict=True))
    columns = {
        "owd_mean_s": mean,
        "owd_p50_s": p50,
        "owd_p90_s": p90,
        "owd_p99_s": p99,
        "pdv_s2": np.maximum(spread, 0.0),
        "loss_ratio": loss,
        "throughput_bps": throughput,
    }
    return Table(columns, low, high)


def _link_table(
    scenario: Scenario, counts: Counts, batches: Batches | None, confidence: float
) -> Table:
    owner, links = scenario.topology.queues.link, scenario.topology.link_count

    def by_link(values: NDArray[Any]) -> Floats:
        return np.bincount(owner, values, links).astype(np.float64)

    sent = by_link(counts.served_bits)
    loss = np.minimum(_ratio(by_link(counts.drops), by_link(counts.arrivals), empty=0.0), 1.0)
    columns = {
        "utilization": np.clip(sent / counts.room_bits, 0.0, 1.0),
        "loss_ratio": loss,
        "throughput_bps": sent / counts.time_s,
    }
    if batches is None or not batches.begun:
        return Table(columns)
    half = batches.half_width("sent_bits", ("room_bits",), confidence)
    value = columns["utilization"]
    return Table(
        columns,
        {"utilization": np.clip(value - half, 0.0, 1.0)},
        {"utilization": np.clip(value + half, 0.0, 1.0)},
    )


def _queue_table(
    scenario: Scenario, counts: Counts, extremes: Extremes, counts_service: bool
) -> dict[str, Floats]:
    topology, time = scenario.topology, counts.time_s
    owner = topology.queues.link
    capacity = counts.room_bits[owner] / time  # the mean, should it have changed
    plain = np.array([s.burst_bits is None for s in topology.schedulers])[topology.link_scheduler]
    in_service = np.where(plain[owner], 1.0 / capacity, 0.0)  # seconds a bit
    waiting_bits, waiting = counts.wait_bits / time, counts.wait / time
    most = extremes.max_bits
    if counts_service:
        waiting_bits = waiting_bits + counts.service_bits2 * in_service / time
        waiting = waiting + counts.served_bits * in_service / time
        most = extremes.max_bits_system
    delay = _ratio(counts.wait + counts.served_bits * in_service, counts.served)
    return {
        "utilization": np.clip(counts.served_bits / capacity / time, 0.0, 1.0),
        "occupancy_mean_bits": np.maximum(waiting_bits, 0.0),
        "occupancy_max_bits": most,
        "occupancy_mean_packets": np.maximum(waiting, 0.0),
        "loss_ratio": np.minimum(_ratio(counts.drops, counts.arrivals, empty=0.0), 1.0),
        "delay_mean_s": np.where(counts.served > 0, np.maximum(delay, 0.0), np.nan),
    }


def _ratio(part: NDArray[Any], whole: NDArray[Any], empty: float = np.nan) -> Floats:
    out = np.full(len(part), empty)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
