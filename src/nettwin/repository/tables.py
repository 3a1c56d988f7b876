"""Tables: what the repository keeps, as columns.

    observations   time, series, value        one number that was measured
    counters       time, series, value        what a counter of a device read, a whole number
    records        time, kind, id, document   a plan, an approval, an event, a configuration: JSON
    rollup_5m      time, series, count, mean, max, p95, p99   observations of 5 minutes
    rollup_1h      the same of an hour
    talkers        time, key, octets          the largest flows of the interval that ends at `time`
    sketches       time, records, rest, depth, cells          all other flows of it (see `talkers`)

`time` is the network's time in microseconds since 1970, UTC; of a rollup it is the end of its
interval. `series` names what was measured: `flow/NAME/owd_mean_s`, `link/NAME/utilization`,
`queue/NAME/loss_ratio`; a bound ends in `.low` or `.high`. What was not measured has no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from nettwin.errors import MissingExtraError

ROLLUP = ("time", "series", "count", "mean", "max", "p95", "p99")
TABLES: Mapping[str, tuple[str, ...]] = {
    "observations": ("time", "series", "value"),
    "counters": ("time", "series", "value"),
    "records": ("time", "kind", "id", "document"),
    "rollup_5m": ROLLUP,
    "rollup_1h": ROLLUP,
    "talkers": ("time", "key", "octets"),
    "sketches": ("time", "records", "rest", "depth", "cells"),
}
WHOLE = (
    ("counters", "value"),
    ("rollup_5m", "count"),
    ("rollup_1h", "count"),
    ("talkers", "octets"),
    *(("sketches", name) for name in ("records", "rest", "depth")),
)
Columns = Mapping[str, Any]  # sequences or Arrow arrays


class Document(NamedTuple):
    """A record: something that has a name and is kept whole."""

    time_s: float
    kind: str
    id: str
    document: str  # JSON


def schema(table: str) -> Any:
    """The Arrow schema of a table. Raises MissingExtraError without pyarrow."""
    pa = arrow()
    types = {
        "time": pa.timestamp("us", tz="UTC"),
        "series": pa.dictionary(pa.int32(), pa.string()),
        **dict.fromkeys(("kind", "id", "document", "key"), pa.string()),
        "cells": pa.binary(),
    }
    return pa.schema(
        [
            (name, pa.int64() if (table, name) in WHOLE else types.get(name, pa.float64()))
            for name in TABLES[table]
        ]
    )


def arrow() -> Any:
    """pyarrow with its Parquet part. Raises MissingExtraError where it is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("the data repository", "live") from None
    return pa


def duck() -> Any:
    """DuckDB. Raises MissingExtraError where it is not installed."""
    try:
        import duckdb
    except ImportError:
        raise MissingExtraError("reading the data repository", "live") from None
    return duckdb


def micros(time_s: float) -> int:
    """A time as the tables keep it."""
    return round(time_s * 1e6)


def day_of(time_s: float) -> str:
    """The day of a time, by which files are parted."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d")
