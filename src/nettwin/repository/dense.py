"""Dense counters: (time, series, value) in few bytes a row, exact or within a bound.

Rows stand by series and time. A counter is kept as runs: where and when it begins, and then what it
grew by, or by how much that growth changed, whichever is smaller; times as steps. Bounded counters
keep the logarithm of their growth in steps so fine that each growth is within the bound, and what
the counter read at the end of a run: the errors are spread so that it is met, and nothing drifts
from one file to the next. A counter that falls (it wrapped, its device began anew) begins a run.
Numbers are zigzag-coded, split into their bytes and compressed.

Runs stand in the file's metadata; whoever reads the file as plain Parquet finds the coded numbers.
"""

from __future__ import annotations

import base64
import io
import zlib
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.repository.tables import arrow

Ints = NDArray[np.int64]
KEY, RUNS = b"nettwin.dense", b"nettwin.runs"
ROWS_A_GROUP = 150_000  # what is read to find one series
REGULAR = 256  # different steps of time
FINER = (
    100,
    102,
    105,
    110,
    120,
    150,
    200,
    400,
)  # percent, tried in turn before a run is kept exactly
LEVEL = 22  # of zstd: slow to write, and written once
MOST = 1 << 60  # growth above begins a run: coded, it would not fit 64 bits
LARGE = 7_500  # growth above is kept by its logarithm


class Columns(NamedTuple):
    """Rows by series and time: microseconds since 1970, the number of the series, the value."""

    time_us: Ints
    series: Ints
    value: Ints


class _Runs(NamedTuple):
    """Runs: their first row, time and value; what their growth is short of once it is added up; of
    which order their numbers are, and how much finer than the file's the steps of their logarithms
    are, in percent of them; 0 has none: it is exact."""

    row: Ints
    time_us: Ints
    value: Ints
    short: Ints
    order: Ints
    finer: Ints


def sorted_rows(columns: Columns) -> Columns:
    """Rows by series and time, of each series and time the one that came last."""
    order = np.lexsort((columns.time_us, columns.series))
    time_us, series, value = (column[order] for column in columns)
    last = np.ones(len(series), bool)
    last[:-1] = (np.diff(series) != 0) | (np.diff(time_us) != 0)
    return Columns(time_us[last], series[last], value[last])


def encoded(columns: Columns, names: list[str], relative_error: float = 0.0) -> bytes:
    """A Parquet file of sorted rows. `relative_error` bounds how far the growth of a counter over
    any time may be from the truth; 0 is exact. The bound is verified: the file is decoded, and runs
    that miss it are kept in finer steps, or exactly."""
    step = _step(relative_error)
    runs, grown = _begun(columns)
    finer = np.full(len(runs.row), FINER[0] if step else 0)
    while True:
        runs = runs._replace(finer=finer)
        content, found = _smallest_file(columns, names, runs, grown, step)
        missed = _missed(columns, found, runs.row, relative_error) & (finer > 0)
        if not missed.any():
            return content
        for now, then in reversed([*pairwise(FINER), (FINER[-1], 0)]):
            finer = np.where(missed & (finer == now), then, finer)


def _smallest_file(
    columns: Columns, names: list[str], runs: _Runs, grown: Ints, step: float
) -> tuple[bytes, Ints]:
    """The smallest file of the rows, and the values that it holds."""
    first, second = _coded(grown, runs, step)
    kept = _exponential(first, _steps(runs, step, len(first)))
    runs = runs._replace(short=np.add.reduceat(grown - kept, runs.row) if len(grown) else grown)
    choices = [np.where(_cost(second, runs.row) < _cost(first, runs.row), 2, 1)]
    choices += [np.full(len(runs.row), order) for order in (1, 2)]
    best, values = b"", columns.value
    for order in choices:  # what costs least is known once it is compressed
        mine = runs._replace(order=order)
        plain = np.where(_of_rows(order, runs, len(first)) == 2, second, first)
        numbers = (plain << 1) ^ (plain >> 63)
        content = _file(columns, names, numbers, mine, step)
        if not best or len(content) < len(best):
            best, values = content, _decoded(numbers, mine, step)
    return best, values


def _file(columns: Columns, names: list[str], numbers: Ints, runs: _Runs, step: float) -> bytes:
    """A Parquet file of coded numbers."""
    pa = arrow()
    code_type = _smallest(numbers)
    stride = np.diff(columns.time_us, prepend=columns.time_us[:1])
    stride[runs.row] = 0
    regular = len(np.unique(stride)) < REGULAR
    strided = columns._replace(time_us=stride, value=numbers.astype(code_type))
    groups = [
        _group(pa, strided, names, slice(row, row + ROWS_A_GROUP))
        for row in range(0, max(len(numbers), 1), ROWS_A_GROUP)
    ]
    file = io.BytesIO()
    with pa.parquet.ParquetWriter(
        file,
        groups[0].schema,
        compression="zstd",
        compression_level=LEVEL,
        data_page_size=1 << 22,
        use_dictionary=["series", "time"] if regular else ["series"],
        column_encoding={
            **({} if regular else {"time": "DELTA_BINARY_PACKED"}),
            "value": "BYTE_STREAM_SPLIT" if np.dtype(code_type).itemsize > 1 else "PLAIN",
        },
        write_statistics=["series"],
        store_schema=False,
    ) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=ROWS_A_GROUP)
        writer.add_key_value_metadata({KEY: repr(step).encode(), RUNS: _packed(runs)})
    return file.getvalue()


def _group(pa: Any, columns: Columns, names: list[str], rows: slice) -> Any:
    """Some rows as a table, with the names of their series alone."""
    used, series = np.unique(columns.series[rows], return_inverse=True)
    labels = pa.array([names[k] for k in used.tolist()], pa.string())
    return pa.table(
        {
            "time": pa.array(columns.time_us[rows]),
            "series": pa.DictionaryArray.from_arrays(series.astype(np.int32), labels),
            "value": pa.array(columns.value[rows]),
        }
    )


def _packed(runs: _Runs) -> bytes:
    """Runs in few bytes, as text."""
    lengths = np.diff(runs.row, prepend=0)
    parts = [
        np.ascontiguousarray(part.astype("<i8").view(np.uint8).reshape(-1, 8).T).tobytes()
        for part in (lengths, runs.time_us, runs.value, runs.short, runs.order, runs.finer)
    ]
    return base64.b85encode(zlib.compress(b"".join(parts), 9))


def _unpacked(text: bytes) -> _Runs:
    content = np.frombuffer(zlib.decompress(base64.b85decode(text)), np.uint8).reshape(6, 8, -1)
    lengths, *others = (
        np.ascontiguousarray(part.T).view("<i8").ravel().astype(np.int64) for part in content
    )
    return _Runs(np.cumsum(lengths), *others)


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
            nothing = np.zeros(0, np.int64)
            return _plain(pa, file.schema_arrow.empty_table()["series"], nothing, nothing)
        # a series may reach over the edge of a group: from the group in which it begins
        run = int(np.searchsorted(runs.row, groups[0] * ROWS_A_GROUP, side="right")) - 1
        groups = list(range(int(runs.row[run]) // ROWS_A_GROUP, groups[-1] + 1))
        table = file.read_row_groups(groups)
    begin = groups[0] * ROWS_A_GROUP
    inside = (runs.row >= begin) & (runs.row < begin + len(table))
    mine = _Runs(*(part[inside] for part in runs))
    mine = mine._replace(row=mine.row - begin)
    table = table.slice(int(mine.row[0]))  # what stands before is of a series that began earlier
    mine = mine._replace(row=mine.row - mine.row[0])
    value = _decoded(table["value"].to_numpy().astype(np.int64), mine, step)
    lengths = np.diff(np.append(mine.row, len(table)))
    stride = table["time"].to_numpy().astype(np.int64)
    time_us = _added(stride, mine.row, lengths) + np.repeat(mine.time_us, lengths)
    if wanted is None:
        return _plain(pa, table["series"], time_us, value)
    labels = table["series"].unify_dictionaries().combine_chunks()
    mine_too = [k for k, name in enumerate(labels.dictionary.to_pylist()) if name in wanted]
    rows = np.flatnonzero(np.isin(labels.indices.to_numpy(), mine_too))
    return _plain(pa, table["series"].take(rows), time_us[rows], value[rows])


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


def _plain(pa: Any, series: Any, time_us: Ints, value: Ints) -> Any:
    return pa.table(
        {
            "time": pa.array(time_us).cast(pa.timestamp("us", tz="UTC")),
            "series": series,
            "value": pa.array(value),
        }
    )


def _begun(columns: Columns) -> tuple[_Runs, Ints]:
    """Where runs begin, and what each row grew by since the one before; 0 where a run begins."""
    value = columns.value
    grown = np.diff(value, prepend=value[:1])
    begins = np.ones(len(value), bool)
    begins[1:] = (np.diff(columns.series) != 0) | (grown[1:] < 0) | (grown[1:] > MOST)
    rows = np.flatnonzero(begins)
    grown[begins] = 0
    none = np.zeros(len(rows), np.int64)
    return _Runs(rows, columns.time_us[rows], value[rows], none, none, none), grown


def _coded(grown: Ints, runs: _Runs, step: float) -> tuple[Ints, Ints]:
    """Growth as it is kept, and by how much that changed."""
    first = _logarithm(grown, _steps(runs, step, len(grown)))
    second = np.diff(first, prepend=0)
    begins = np.zeros(len(grown), bool)
    begins[runs.row] = True
    second[begins] = 0
    after = runs.row + 1  # the second number of a run has none before it
    after = after[after < len(grown)]
    after = after[~begins[after]]
    second[after] = first[after]
    return first, second


def _of_rows(numbers: NDArray[Any], runs: _Runs, count: int) -> NDArray[Any]:
    """A number of each run for each of its rows."""
    return np.repeat(numbers, np.diff(np.append(runs.row, count)))


def _steps(runs: _Runs, step: float, count: int) -> NDArray[np.float64]:
    """The step of logarithms of each row; 0 where it is exact."""
    steps = np.zeros(len(runs.row))
    np.divide(100 * step, runs.finer, out=steps, where=runs.finer > 0)
    return _of_rows(steps, runs, count)


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
    total = _added(_exponential(first, _steps(runs, step, len(first))), runs.row, lengths)
    bounded = runs.finer > 0
    if bounded.any():  # met at the end of each run: the errors are spread
        ends = np.append(runs.row[1:], len(numbers)) - 1
        scale = np.ones(len(ends))
        spread = bounded & (total[ends] > 0)
        np.divide(total[ends] + runs.short, total[ends], out=scale, where=spread)
        spread_out = np.rint(total * np.repeat(scale, lengths)).astype(np.int64)
        total = np.where(np.repeat(bounded, lengths), spread_out, total)
    return np.asarray(total + np.repeat(runs.value, lengths))


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
    # a step from (1 - bound) to (1 + bound) of what is kept, and an octet of rounding at LARGE
    bound = relative_error - 1.0 / LARGE
    return float(2 * np.arctanh(bound)) if bound > 0 else 0.0


def _logarithm(grown: Ints, steps: NDArray[np.float64]) -> Ints:
    """Growth as small numbers: itself up to LARGE, then steps of its logarithm."""
    large = (grown > LARGE) & (steps > 0)
    found = grown.copy()
    logarithm = np.log(grown[large] / LARGE)
    found[large] = LARGE + np.rint(logarithm / steps[large]).astype(np.int64)
    return found


def _exponential(first: Ints, steps: NDArray[np.float64]) -> Ints:
    large = (first > LARGE) & (steps > 0)
    found = first.copy()
    middle = LARGE / np.cosh(steps[large] / 2)  # as far from both ends of a step, in ratio
    grown = middle * np.exp((first[large] - LARGE) * steps[large])
    found[large] = np.rint(grown).astype(np.int64)
    return found


def _missed(columns: Columns, found: Ints, rows: Ints, relative_error: float) -> NDArray[np.bool_]:
    """Runs in which some growth is further from the truth than it may be; one of a few octets may
    be off by one."""
    truth, kept = (np.diff(v, prepend=v[:1]) for v in (columns.value, found))
    off = np.abs(kept - truth) > relative_error * np.abs(truth) + 1
    off[rows] = False
    return np.logical_or.reduceat(off, rows) if len(rows) else np.zeros(0, bool)


def _smallest(numbers: Ints) -> Any:
    """The smallest type of the numbers; those of 3, 5, 6 and 7 bytes cost no more, compressed."""
    largest = int(numbers.max(initial=0))
    return next(t for t in (np.uint8, np.int16, np.int32, np.int64) if largest <= np.iinfo(t).max)
