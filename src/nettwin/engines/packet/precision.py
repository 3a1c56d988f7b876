"""Precision: how well a run knows each quantity by now, and which it knows least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin import units
from nettwin.engines.packet.batches import Batches
from nettwin.engines.packet.histogram import DelayHistogram
from nettwin.engines.packet.statistics import Counts, Extremes
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
MOSTLY = 0.95  # share of flows and of links that must be as precise as asked
MIN_SHARE = 0.1  # smaller losses and utilizations are known to so much of this
PERCENTILES = {"owd_p50_s": 0.5, "owd_p90_s": 0.9, "owd_p99_s": 0.99}
HARDLY = 0.01  # packets under way over lost ones, from which on a fate is unknown


@dataclass(frozen=True)
class Known:
    """How well a quantity is known: half its interval over its value, of 95 % of its elements; and
    what is known least."""

    quantity: str
    relative: float  # infinity where it is not known at all
    least: str


class Tails:
    """Percentiles by batches: how many packets had at most the delay that is a percentile so far.

    The delays are chosen once, when a first part of the run has been seen.
    """

    def __init__(self, histogram: DelayHistogram, delay: Floats, length_s: float, least_s: float):
        """`delay` [levels, flows]: the percentiles so far, above the base."""
        self._bins = histogram.bins_of(delay)
        self._before = histogram.counted_below(self._bins)
        self.batches = Batches(length_s, least_s)

    def add(self, histogram: DelayHistogram, delivered: NDArray[np.int64], stretches: int) -> None:
        """Take in what the histogram has seen since the last time."""
        now = histogram.counted_below(self._bins)
        row = {f"below{k}": (now - self._before)[k].astype(np.float64) for k in range(len(now))}
        row["packets"] = delivered.astype(np.float64)
        self.batches.add(row, stretches)
        self._before = now

    def bounds(self, extremes: Extremes, confidence: float) -> tuple[Floats, Floats]:
        """The confidence intervals of the percentiles. [levels, flows] each"""
        lows, highs = [], []
        for k, level in enumerate(PERCENTILES.values()):
            half = self.batches.half_width(f"below{k}", ("packets",), confidence)
            part = self.batches.ratio(f"below{k}", "packets")
            if not len(half):
                half = part = np.full(len(extremes.base_s), np.nan)
            with np.errstate(invalid="ignore", divide="ignore"):
                # the delay that was chosen is not quite the percentile
                half = half * np.sqrt(level * (1 - level) / (part * (1 - part)))
            known = np.isfinite(half)
            half = np.where(known, half, 0.0)
            at = np.array([np.maximum(level - half, 0.0), np.minimum(level + half, 1.0)])
            low, high = extremes.quantiles(at)
            lows.append(np.where(known, low, np.nan))
            high = np.where(level + half < 1.0, high, np.inf)  # beyond the largest that was seen
            highs.append(np.where(known, high, np.nan))
        return np.array(lows), np.array(highs)


def row_of(counts: Counts, scenario: Scenario) -> dict[str, Floats]:
    """What a stretch of time adds to the batches."""
    topology = scenario.topology
    sent = np.bincount(topology.queues.link, counts.served_bits, topology.link_count)
    return {
        "packets": counts.delivered.astype(np.float64),
        "delay": counts.delay,
        "dropped": counts.dropped.astype(np.float64),
        "bits": counts.bits,
        "time": np.array([counts.time_s]),
        "sent_bits": sent.astype(np.float64),
        "room_bits": counts.room_bits,
    }


def fate_unknown(counts: Counts, under_way: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Flows of which nothing has arrived while packets are under way: whether they lose all cannot
    be said yet. [flows]"""
    return np.asarray((counts.delivered == 0) & (under_way > HARDLY * counts.dropped))


def precision(
    scenario: Scenario,
    counts: Counts,
    extremes: Extremes,
    batches: Batches,
    tails: Tails | None,
    under_way: NDArray[np.int64],
    confidence: float,
) -> list[Known]:
    """How well each quantity is known."""
    flows, links = scenario.flow_names, scenario.topology.link_name
    sends = (scenario.traffic.flow_rate_bps > 0) & (scenario.paths.status == 0)
    starved = (counts.delivered == 0) & (counts.dropped > 0) & ~fate_unknown(counts, under_way)
    seen = sends & ~starved
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = extremes.base_s + counts.delay / counts.delivered
        loss = counts.dropped / (counts.delivered + counts.dropped)
    delay = batches.half_width("delay", ("packets",), confidence)
    lost = batches.half_width("dropped", ("packets", "dropped"), confidence)
    busy = batches.half_width("sent_bits", ("room_bits",), confidence)
    sent = np.bincount(
        scenario.topology.queues.link, counts.served_bits, scenario.topology.link_count
    )
    used = scenario.link_load_bps > 0
    utilization = sent / counts.room_bits
    found = [
        _known("mean delay", units.duration, flows, seen, mean, mean - delay, mean + delay, 0.0),
        _known("loss", units.percent, flows, sends, loss, loss - lost, loss + lost, MIN_SHARE),
        _known(
            "utilization",
            units.percent,
            links,
            used,
            utilization,
            utilization - busy,
            utilization + busy,
            MIN_SHARE,
        ),
    ]
    if tails is not None:
        values = extremes.quantiles(tuple(PERCENTILES.values()))
        low, high = tails.bounds(extremes, confidence)
        for k, name in enumerate(PERCENTILES):
            words = f"{name.split('_')[1]} delay"
            found.append(
                _known(words, units.duration, flows, seen, values[k], low[k], high[k], 0.0)
            )
    return found


def _known(
    quantity: str,
    shown: object,
    names: tuple[str, ...],
    asked: NDArray[np.bool_],
    value: Floats,
    low: Floats,
    high: Floats,
    least: float,
) -> Known:
    chosen = np.flatnonzero(asked)
    if not len(chosen):
        return Known(quantity, 0.0, "")
    if len(low) != len(value):  # no batch is whole
        low = high = np.full(len(value), np.nan)
    half = np.maximum(value - low, high - value)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = (half / np.maximum(value, least))[chosen]
    relative[np.isnan(relative)] = np.inf
    worst = chosen[int(np.argmax(relative))]
    words = f"{quantity} of {names[worst]}"
    if not np.isfinite(value[worst]):
        words += " was not measured"
    elif np.isfinite(half[worst]):
        assert callable(shown)
        words += f" is {shown(max(low[worst], 0.0))} to {shown(high[worst])}"
    else:
        words += " has no interval: the run is too short"
    return Known(quantity, float(np.quantile(relative, MOSTLY, method="higher")), words)
