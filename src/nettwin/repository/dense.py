"""Dense counters: (time, series, value) in few bytes a row, exact or within a bound.

Rows stand by series and time, so that both cost next to nothing. A counter is kept as runs: a value
to begin with, and then what it grew by, or by how much that growth changed, whichever is smaller.
Bounded counters keep the logarithm of their growth in steps so fine that each growth, and with it
the growth over any longer time, is within the bound. A counter that falls (it wrapped, its device
began anew) begins a run, exactly. Numbers are zigzag-coded, split into their bytes and compressed.

The begins of runs stand in the file's metadata; whoever reads the file as plain Parquet finds the
coded numbers in the column `value`.
"""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.repository.tables import arrow

Ints = NDArray[np.int64]
KEY, RUNS = b"nettwin.dense", b"nettwin.runs"
ROWS_A_GROUP = 1 << 17
LEVEL = 19  # of zstd: slow to write, and written once
MOST = 1 << 60  # growth above begins a run: coded, it would not fit 64 bits
LARGE = 10_000  # growth above is kept by its logarithm


class Columns(NamedTuple):
    """Rows by series and time: microseconds since 1970, the number of the series, the value."""

    time_us: Ints
    series: Ints
    value: Ints


class _Runs(NamedTuple):
    """Where runs begin: their row, the value there, and of which order the numbers after it are."""

    row: Ints
    value: Ints
    order: Ints


def sorted_rows(columns: Columns) -> Columns:
    """Rows by series and time, of each series and time the one that came last."""
    order = np.lexsort((columns.time_us, columns.series))
    time_us, series, value = (column[order] for column in columns)
    last = np.ones(len(series), bool)
    last[:-1] = (np.diff(series) != 0) | (np.diff(time_us) != 0)
    return Columns(time_us[last], series[last], value[last])


def encoded(columns: Columns, names: list[str], relative_error: float = 0.0) -> bytes:
    """A Parquet file of sorted rows. `relative_error` bounds how far the growth of a counter over
    any time may be from the truth; 0 is exact. The bound is verified: the file is decoded."""
    step = _step(relative_error)
    runs, first, second = _coded(columns, step)
    choices = [np.where(_cost(second, runs.row) < _cost(first, runs.row), 2, 1)]
    choices += [np.full(len(runs.row), order) for order in (1, 2)]
    best = b""
    for order in choices:  # what costs least is known once it is compressed
        of_row = np.repeat(order, np.diff(np.append(runs.row, len(first))))
        plain = np.where(of_row == 2, second, first)
        numbers = (plain << 1) ^ (plain >> 63)
        content = _file(columns, names, numbers, runs._replace(order=order), step)
        if relative_error:
            _verify(columns, _decoded(numbers, runs._replace(order=order), step), relative_error)
        if not best or len(content) < len(best):
            best = content
    return best


def _file(columns: Columns, names: list[str], numbers: Ints, runs: _Runs, step: float) -> bytes:
    """A Parquet file of coded numbers."""
    pa = arrow()
    code_type = _smallest(numbers)
    used, series = np.unique(columns.series, return_inverse=True)
    table = pa.table(
        {
            "time": pa.array(columns.time_us).cast(pa.timestamp("us", tz="UTC")),
            "series": pa.DictionaryArray.from_arrays(
                series.astype(np.int32), [names[k] for k in used.tolist()]
            ),
            "value": pa.array(numbers.astype(code_type)),
        }
    )
    file = io.BytesIO()
    with pa.parquet.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        compression_level=LEVEL,
        data_page_size=1 << 22,
        use_dictionary=["series"],
        column_encoding={
            "time": "DELTA_BINARY_PACKED",
            "value": "BYTE_STREAM_SPLIT" if np.dtype(code_type).itemsize > 1 else "PLAIN",
        },
        write_statistics=["series"],
        store_schema=False,
    ) as writer:
        writer.write_table(table, row_group_size=ROWS_A_GROUP)
        writer.add_key_value_metadata({KEY: repr(step).encode(), RUNS: _packed(runs)})
    return file.getvalue()


def _packed(runs: _Runs) -> bytes:
    """Runs in few bytes, as text."""
    lengths = np.diff(runs.row, prepend=0)
    parts = [
        np.ascontiguousarray(part.astype("<i8").view(np.uint8).reshape(-1, 8).T).tobytes()
        for part in (lengths, runs.value, runs.order)
    ]
    return base64.b85encode(zlib.compress(b"".join(parts), 9))


def _unpacked(text: bytes) -> _Runs:
    content = np.frombuffer(zlib.decompress(base64.b85decode(text)), np.uint8).reshape(3, 8, -1)
    lengths, value, order = (
        np.ascontiguousarray(part.T).view("<i8").ravel().astype(np.int64) for part in content
    )
    return _Runs(np.cumsum(lengths), value, order)


def is_dense(metadata: Any) -> bool:
    """Whether the metadata of a Parquet file is that of dense counters."""
    return bool(metadata) and KEY in metadata


def decoded(path: Any, wanted: set[str] | None = None) -> Any:
    """The rows of a dense file as an Arrow table of (time, series, value); of the series that are
    wanted, or of all."""
    pa = arrow()
    with pa.parquet.ParquetFile(path, read_dictionary=["series"]) as file:
        metadata = file.metadata.metadata
        step = float(metadata[KEY])
        runs = _unpacked(metadata[RUNS])
        groups = _groups(file.metadata, wanted)
        if not groups:
            empty = file.schema_arrow.empty_table()
            return _plain(pa, empty, np.zeros(0, np.int64))
        # a series may reach over the edge of a group: from the group in which it begins
        run = int(np.searchsorted(runs.row, groups[0] * ROWS_A_GROUP, side="right")) - 1
        groups = list(range(int(runs.row[run]) // ROWS_A_GROUP, groups[-1] + 1))
        table = file.read_row_groups(groups)
    begin = groups[0] * ROWS_A_GROUP
    inside = (runs.row >= begin) & (runs.row < begin + len(table))
    mine = _Runs(runs.row[inside] - begin, runs.value[inside], runs.order[inside])
    table = table.slice(int(mine.row[0]))  # what stands before is of a series that began earlier
    mine = mine._replace(row=mine.row - mine.row[0])
    rows = _plain(pa, table, _decoded(table["value"].to_numpy().astype(np.int64), mine, step))
    if wanted is None:
        return rows
    names = pa.array(sorted(wanted))
    chosen = pa.compute.is_in(rows["series"].cast(pa.string()), value_set=names)
    return rows.filter(chosen)


def _groups(metadata: Any, wanted: set[str] | None) -> list[int]:
    """The row groups from the first to the last that may hold a wanted series."""
    found = [
        group
        for group in range(metadata.num_row_groups)
        if wanted is None or _may_hold(metadata.row_group(group).column(1).statistics, wanted)
    ]
    return list(range(found[0], found[-1] + 1)) if found else []


def _may_hold(statistics: Any, wanted: set[str]) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= name <= statistics.max for name in wanted)


def _plain(pa: Any, table: Any, value: Ints) -> Any:
    return pa.table(
        {
            "time": table["time"].cast(pa.timestamp("us", tz="UTC")),
            "series": table["series"],
            "value": pa.array(value),
        }
    )


def _coded(columns: Columns, step: float) -> tuple[_Runs, Ints, Ints]:
    """Runs, and of each row what the counter grew by, and by how much that changed."""
    value = columns.value
    grown = np.diff(value, prepend=value[:1])
    begins = np.ones(len(value), bool)
    begins[1:] = (np.diff(columns.series) != 0) | (grown[1:] < 0) | (grown[1:] > MOST)
    rows = np.flatnonzero(begins)
    grown[begins] = 0
    first = _logarithm(grown, step) if step else grown
    second = np.diff(first, prepend=0)
    second[begins] = 0
    after = rows + 1  # the second number of a run has none before it
    after = after[after < len(value)]
    after = after[~begins[after]]
    second[after] = first[after]
    return _Runs(rows, value[begins], np.ones(len(rows), np.int64)), first, second


def _cost(numbers: Ints, rows: Ints) -> NDArray[np.float64]:
    """About how many bits the numbers of each run need."""
    if not len(rows):
        return np.zeros(0)
    return np.add.reduceat(np.log2(np.abs(numbers.astype(np.float64)) + 1.0), rows)


def _decoded(numbers: Ints, runs: _Runs, step: float) -> Ints:
    """The values of zigzag-coded numbers and their runs."""
    plain = (numbers >> 1) ^ -(numbers & 1)
    lengths = np.diff(np.append(runs.row, len(numbers)))
    order = np.repeat(runs.order, lengths)
    first = np.where(order == 2, _added(np.where(order == 2, plain, 0), runs.row, lengths), plain)
    grown = _exponential(first, step) if step else first
    return _added(grown, runs.row, lengths) + np.repeat(runs.value, lengths)


def _added(numbers: Ints, rows: Ints, lengths: Ints) -> Ints:
    """The sum of the numbers of each run up to each row."""
    total = np.cumsum(numbers)
    before = total[rows] - numbers[rows]
    return np.asarray(total - np.repeat(before, lengths))


def _step(relative_error: float) -> float:
    """The step of logarithms that keeps growth within a bound; 0 for exact."""
    if not 0 <= relative_error < 0.5:
        raise InputError(
            f"the relative error is {relative_error}: must be at least 0 and below 0.5. Mend it."
        )
    # half a step to either side, and half an octet of rounding at LARGE
    bound = relative_error - 0.5 / LARGE
    return float(2 * np.log1p(bound)) if bound > 0 else 0.0


def _logarithm(grown: Ints, step: float) -> Ints:
    """Growth as small numbers: itself up to LARGE, then steps of its logarithm."""
    large = grown > LARGE
    steps = np.rint(np.log(np.maximum(grown, LARGE) / LARGE) / step).astype(np.int64)
    return np.asarray(np.where(large, LARGE + steps, grown))


def _exponential(first: Ints, step: float) -> Ints:
    steps = np.maximum(first - LARGE, 0)
    return np.asarray(np.where(first > LARGE, np.rint(LARGE * np.exp(steps * step)), first)).astype(
        np.int64
    )


def _verify(columns: Columns, found: Ints, relative_error: float) -> None:
    """Raise where the growth of a counter is further from the truth than it may be."""
    same = np.diff(columns.series) == 0
    truth, kept = np.diff(columns.value)[same], np.diff(found)[same]
    if (np.abs(kept - truth) > relative_error * np.abs(truth) + 1e-9).any():
        raise AssertionError(f"a counter is not within {relative_error} of the truth")


def _smallest(numbers: Ints) -> Any:
    """The smallest type of the numbers; those of 3, 5, 6 and 7 bytes cost no more, compressed."""
    largest = int(numbers.max(initial=0))
    return next(t for t in (np.uint8, np.int16, np.int32, np.int64) if largest <= np.iinfo(t).max)
