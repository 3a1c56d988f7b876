"""Tables: what the repository keeps, as columns.

    observations   time, series, value        one number that was measured
    records        time, kind, id, document   a plan, an approval, an event, a configuration: JSON

`time` is the network's time in microseconds since 1970, UTC. `series` names what was measured:
`flow/NAME/owd_mean_s`, `link/NAME/utilization`, `queue/NAME/loss_ratio`; a bound ends in `.low` or
`.high`. What was not measured has no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from nettwin.errors import MissingExtraError

TABLES: Mapping[str, tuple[str, ...]] = {
    "observations": ("time", "series", "value"),
    "records": ("time", "kind", "id", "document"),
}
Columns = Mapping[str, Sequence[Any]]


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
        "value": pa.float64(),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in TABLES[table]])


def arrow() -> Any:
    """pyarrow with its Parquet part. Raises MissingExtraError where it is not installed."""
    try:
        import pyarrow as pa
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
