"""Observations as rows of numbers, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.repository.tables import arrow, micros
from nettwin.scenario.scenario import Scenario

RATE = "rate_bps"
INTERVAL = "interval/interval_s"
BOUNDS = (".low", ".high")
DAY_S = 86400.0
Floats = NDArray[np.float64]


def rows_of(observation: Observation) -> dict[str, list[Any]]:
    """The columns of the rows that keep an observation; what is NaN has none."""
    series: list[str] = [INTERVAL]
    values: list[float] = [observation.interval_s]
    rate = observation.scenario.traffic.flow_rate_bps
    for kind, name, columns in _columns(observation, rate):
        for column, numbers in columns.items():
            for element, value in zip(name, numbers.tolist(), strict=True):
                if value == value:
                    series.append(f"{kind}/{element}/{column}")
                    values.append(value)
    return {
        "time": [micros(observation.time_s)] * len(series),
        "series": series,
        "value": values,
    }


def metric_rows(
    kind: str,
    names: Sequence[str],
    times_s: Floats,
    interval_s: float,
    columns: Mapping[str, Floats],
) -> Iterator[tuple[slice, dict[str, Any]]]:
    """The columns of the rows that keep metrics of a kind of element, such as `link` [intervals,
    elements], a day at a time with its intervals; what is NaN has none."""
    pa = arrow()
    for rows in days(times_s):
        stamps = np.rint(times_s[rows] * 1e6).astype(np.int64)
        labels = [INTERVAL]
        time, code, value = (
            [stamps],
            [np.zeros(len(stamps), np.int32)],
            [np.full(len(stamps), interval_s)],
        )
        for column, numbers in columns.items():
            t, k = np.nonzero(np.isfinite(numbers[rows]))
            time.append(stamps[t])
            code.append((k + len(labels)).astype(np.int32))
            value.append(numbers[rows][t, k])
            labels += [f"{kind}/{name}/{column}" for name in names]
        yield (
            rows,
            {
                "time": pa.array(np.concatenate(time)),
                "series": pa.DictionaryArray.from_arrays(np.concatenate(code), labels),
                "value": pa.array(np.concatenate(value)),
            },
        )


def series_rows(
    names: Sequence[str], times_s: Floats, values: Floats
) -> Iterator[tuple[slice, dict[str, Any]]]:
    """The columns of the rows that keep series [times, series], a day at a time with its times;
    what is NaN has none."""
    pa = arrow()
    for rows in days(times_s):
        t, k = np.nonzero(np.isfinite(values[rows]))
        stamps = np.rint(times_s[rows] * 1e6).astype(np.int64)
        yield (
            rows,
            {
                "time": pa.array(stamps[t]),
                "series": pa.DictionaryArray.from_arrays(k.astype(np.int32), list(names)),
                "value": pa.array(values[rows][t, k]),
            },
        )


def days(times_s: Floats) -> Iterator[slice]:
    """The times of each day, in order."""
    edges = [0, *(np.flatnonzero(np.diff(np.floor(times_s / DAY_S))) + 1).tolist(), len(times_s)]
    yield from (slice(begin, end) for begin, end in pairwise(edges))


def _columns(
    observation: Observation, rate: Floats
) -> Iterable[tuple[str, tuple[str, ...], Mapping[str, Floats]]]:
    metrics = observation.metrics
    for kind, names, table in _tables(observation.scenario, metrics):
        bounds = {
            f"{column}{end}": values
            for end, part in zip(BOUNDS, (table.low, table.high), strict=True)
            for column, values in part.items()
        }
        own = {RATE: rate} if kind == "flow" else {}
        yield kind, names, {**own, **table.columns, **bounds}


def _tables(scenario: Scenario, metrics: Metrics) -> tuple[tuple[str, tuple[str, ...], Table], ...]:
    return (
        ("flow", scenario.flow_names, metrics.flow),
        ("link", scenario.topology.link_name, metrics.link),
        ("queue", scenario.queue_names, metrics.queue),
    )


def observation_of(
    time_s: float, configured: Scenario, numbers: Mapping[str, float]
) -> Observation:
    """The observation that its rows keep: `numbers` by series, of a network that is configured so.

    The scenario is as it was to the last bit; of the metrics' provenance only the network is kept.
    """
    found: dict[str, dict[str, dict[str, float]]] = {"flow": {}, "link": {}, "queue": {}}
    for series, value in numbers.items():
        kind, _, rest = series.partition("/")
        element, _, column = rest.rpartition("/")
        if kind in found:
            found[kind].setdefault(column, {})[element] = value
    names = {
        "flow": configured.flow_names,
        "link": configured.topology.link_name,
        "queue": configured.queue_names,
    }
    tables = {
        kind: {
            column: np.array([values.get(name, np.nan) for name in names[kind]])
            for column, values in columns.items()
        }
        for kind, columns in found.items()
    }
    planned = configured.traffic.flow_rate_bps
    rate = tables["flow"].pop(RATE, planned)
    rate = np.where(np.isnan(rate), planned, rate)  # of some flows alone it was measured
    scenario = configured.with_(traffic=configured.traffic.with_arrays(flow_rate_bps=rate))
    low, high = BOUNDS
    parts = [
        Table(
            {c: v for c, v in columns.items() if not c.endswith(BOUNDS)},
            {c.removesuffix(low): v for c, v in columns.items() if c.endswith(low)},
            {c.removesuffix(high): v for c, v in columns.items() if c.endswith(high)},
        )
        for columns in (tables["flow"], tables["link"], tables["queue"])
    ]
    flow, link, queue = parts
    metrics = Metrics(
        flow=flow,
        link=link,
        queue=queue,
        method="measured",
        engine="repository",
        provenance={"scenario": scenario.fingerprint()},
    )
    return Observation(time_s, numbers.get(INTERVAL, float("nan")), scenario, metrics)
