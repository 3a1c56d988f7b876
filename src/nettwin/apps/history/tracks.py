"""Tracks: each quantity of each element over time, as predicted and as measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.history.bands import CONFIDENCE, band_of
from nettwin.apps.history.past import DELAY, LOAD, Past
from nettwin.apps.timeseries import AT_ONCE, Progress
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel, by_one_engine
from nettwin.scenario.scenario import Scenario

QUANTITIES = (("link", LOAD), ("flow", DELAY))
MOST_VALUES = 60_000_000  # of a quantity that is kept for every element and time
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """A quantity of links or flows [times, elements]; NaN is what is not known. `low` and `high`
    bound what is to be measured, at the confidence of the Hindsight."""

    kind: str
    quantity: str
    element: tuple[str, ...]
    predicted: Floats
    low: Floats
    high: Floats
    measured: Floats

    @property
    def residual(self) -> Floats:
        """What was measured less what was predicted. [times, elements]"""
        return self.measured - self.predicted

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Where what was measured is not in the interval. [times, elements]"""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.measured < self.low) | (self.measured > self.high))

    @property
    def coverage(self) -> float:
        """The share of measurements in their intervals; NaN without any."""
        known = np.isfinite(self.measured) & np.isfinite(self.low)
        return float(1 - self.outside[known].mean()) if known.any() else float("nan")


@dataclass(frozen=True)
class Hindsight:
    """The past as a model predicts it. `offered_bps` is the traffic of the whole network."""

    engine: str
    times_s: Floats
    interval_s: float
    offered_bps: Floats  # [times]
    link: Track
    flow: Track | None  # None where there are more flows and times than are kept
    notes: tuple[str, ...] = ()
    confidence: float = CONFIDENCE

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All tracks."""
        return (self.link,) if self.flow is None else (self.link, self.flow)


def predict_past(past: Past, model: NetworkModel, *, progress: Progress | None = None) -> Hindsight:
    """Every interval of a past predicted, by one engine for all, and its intervals."""
    return by_one_engine(model, lambda one: _predicted(past, one, progress))


def _predicted(past: Past, model: NetworkModel, progress: Progress | None) -> Hindsight:
    count, notes = len(past.times_s), list(past.notes)
    kept = [
        (kind, quantity)
        for kind, quantity in QUANTITIES
        if kind == "link" or count * len(past.elements[kind]) <= MOST_VALUES
    ]
    if len(kept) < len(QUANTITIES):
        notes.append(f"delays of {len(past.elements['flow']):,} flows over time: too many to keep")
    none = {kind: np.full((count, len(past.elements[kind])), np.nan) for kind, _ in kept}
    values = {kind: none[kind].copy() for kind, _ in kept}
    low, high = dict(none), dict(none)  # copied once an engine tells bounds
    offered = np.zeros(count)
    place = _Places(past)
    engine = model.name
    for done, (scenario, metrics) in enumerate(_answers(past.scenarios(), model)):
        engine = metrics.label
        offered[done] = scenario.traffic.flow_rate_bps.sum()
        for kind, quantity in kept:
            table = getattr(metrics, kind)
            mine = place.of(scenario, kind)
            values[kind][done, mine] = table[quantity]
            if quantity in table.low:
                if low[kind] is none[kind]:
                    low[kind], high[kind] = none[kind].copy(), none[kind].copy()
                low[kind][done, mine] = table.low[quantity]
                high[kind][done, mine] = table.high[quantity]
        if progress and done % AT_ONCE == 0:
            progress((done + 1) / count)
    tracks: dict[str, Track | None] = {"flow": None}
    for kind, quantity in kept:
        seen = past.measured.get(f"{kind}/{quantity}")
        measured = none[kind] if seen is None else _lined_up(seen.element, seen.value, past, kind)
        track = Track(
            kind, quantity, past.elements[kind], values[kind], low[kind], high[kind], measured
        )
        if seen is not None:
            below, above = band_of(track.predicted, measured, past.times_s, (low[kind], high[kind]))
            track = replace(track, low=below, high=above)
        tracks[kind] = track
    link = tracks["link"]
    assert link is not None
    known = [track for track in tracks.values() if track is not None]
    if not any(np.isfinite(track.low).any() for track in known):
        notes.append(
            f"no intervals: {engine} has none of its own, and too little was measured to know how"
            " far off it is; learned engines have some"
        )
    return Hindsight(
        engine, past.times_s, past.interval_s, offered, link, tracks["flow"], tuple(notes)
    )


def _answers(
    scenarios: Iterator[Scenario], model: NetworkModel
) -> Iterator[tuple[Scenario, Metrics]]:
    while part := list(islice(scenarios, AT_ONCE)):
        yield from zip(part, model.predict(part), strict=True)


class _Places:
    """Where the elements of a scenario stand among all of a past."""

    def __init__(self, past: Past) -> None:
        self._index = {
            kind: {name: k for k, name in enumerate(names)} for kind, names in past.elements.items()
        }
        self._last: dict[str, tuple[tuple[str, ...], NDArray[np.intp]]] = {}
        self._names: dict[str, Callable[[Scenario], tuple[str, ...]]] = {
            "link": lambda scenario: scenario.topology.link_name,
            "flow": lambda scenario: scenario.flow_names,
        }

    def of(self, scenario: Scenario, kind: str) -> NDArray[np.intp]:
        """The places of the scenario's elements."""
        names = self._names[kind](scenario)
        known = self._last.get(kind)
        if known is None or (known[0] is not names and known[0] != names):
            index = self._index[kind]
            known = names, np.array([index[name] for name in names], np.intp)
            self._last[kind] = known
        return known[1]


def _lined_up(names: tuple[str, ...], value: Floats, past: Past, kind: str) -> Floats:
    """Values in the order of the past's elements."""
    if names == past.elements[kind]:
        return value
    found = np.full((len(value), len(past.elements[kind])), np.nan)
    index = {name: k for k, name in enumerate(past.elements[kind])}
    mine = [k for k, name in enumerate(names) if name in index]
    found[:, [index[names[k]] for k in mine]] = value[:, mine]
    return found
