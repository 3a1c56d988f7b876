"""Store: tables as Parquet files, each written once and whole.

    DIR/schema.json                                        the version of all this
    DIR/TABLE/day=2026-01-05/FIRST-LAST-DIGEST.parquet     the appends FIRST to LAST of that table
    DIR/TABLE/month=2026-01/...                            days of few rows, put together (`merge`)

An append is one file a day; it is acknowledged when file and folder are on the disk. The name holds
a digest of the content, so that a torn, truncated or altered file is found and left out, and said.
A file that covers the appends of others (`compact`, `replace`) takes their place at the moment it
is there; who was about to read them reads again.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, InputError
from nettwin.repository.dense import Columns as Dense
from nettwin.repository.dense import decoded, encoded, is_dense, sorted_rows
from nettwin.repository.place import is_local, made, mark_of, opened, put, text_of
from nettwin.repository.tables import TABLES, Columns, arrow, day_of, duck, micros, schema

SCHEMA = 2  # 1 had no schema.json and no counters and rollups; what it wrote is read as it is
VERSION, RETIRED = "schema.json", "retired.json"
PLACES = "*=*"  # folders of days and months
COMPACT_AT = 64  # files of a day
TRIES = 5  # of reading, where files are compacted meanwhile
FAST = {"compression": "zstd", "compression_level": 1, "write_statistics": False}
_NAME = re.compile(r"(\d{12})-(\d{12})-([0-9a-f]{16})\.parquet")
_DAY_US = 86_400_000_000
T = TypeVar("T")


class Part(NamedTuple):
    """A file of a table: the appends that it holds."""

    path: Path
    first: int
    last: int
    digest: str


class Store:
    """The files of a repository. Only one process may append (see `lock`); many may read.

    `relative_error` bounds how far counters may be from what devices read, once they are compacted
    (see `dense`); 0 keeps them exactly.
    """

    def __init__(self, folder: Path, *, relative_error: float = 0.0) -> None:
        self.folder, self.relative_error = folder, relative_error
        self._whole: set[tuple[str, int, int]] = set()  # files whose digest was checked
        self._next: dict[str, int] = {}
        self._known_version = False

    def append(self, table: str, time_s: float, columns: Columns) -> int:
        """Add rows of one day to a table; their number when they are on the disk. Raises InputError
        where they cannot be written: nothing was added then."""
        return self._append(table, day_of(time_s), self._table(table, columns))

    def put(self, table: str, time_s: float, columns: Columns) -> int:
        """Add the rows of one time to a table, in the place of those that it has of that time."""
        if not self.read(table, None, time_s, time_s).num_rows:
            return self.append(table, time_s, columns)
        pa = arrow()
        new = self._table(table, columns)
        for place in {part.path.parent for part in self.parts(table, time_s, time_s)}:
            mine = [part for part in self.parts(table) if part.path.parent == place]
            rows = pa.concat_tables([_rows(pa, part.path).cast(schema(table)) for part in mine])
            others = rows["time"].cast(pa.int64()).to_numpy() != micros(time_s)
            if not others.all():
                kept = [rows.filter(pa.array(others)), new]
                self.replace(table, place.name, pa.concat_tables(kept).unify_dictionaries(), "")
        return int(new.num_rows)

    def ingest(self, table: str, rows: Any) -> int:
        """Add an Arrow table or batch of any days; the number of rows when all are on the disk."""
        pa = arrow()
        batch = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        batch = batch.select(list(TABLES[table])).cast(schema(table))
        days = batch["time"].cast(pa.int64()).to_numpy() // _DAY_US
        if not len(days):
            return 0
        if days[0] == days[-1] and (days == days[0]).all():
            return self._append(table, day_of(float(days[0]) * 86400.0), batch)
        return sum(
            self._append(
                table,
                day_of(float(day) * 86400.0),
                batch.take(pa.array(np.flatnonzero(days == day))),
            )
            for day in np.unique(days)
        )

    def parts(
        self, table: str, since_s: float | None = None, until_s: float | None = None
    ) -> list[Part]:
        """The files that hold a table, oldest first, without those that another covers; with times
        those of the days between alone. Raises FormatError for a repository of a newer nettwin."""
        self._check_version()
        found = []
        for place in self._days(table, since_s, until_s):
            for path in place.glob("*.parquet"):
                if match := _NAME.fullmatch(path.name):
                    found.append(Part(path, int(match[1]), int(match[2]), match[3]))
        return _uncovered([part for part in found if self._is_whole(part)])

    def damaged(self) -> list[str]:
        """One sentence for each file that is not what was written; what it held is lost, unless a
        copy is put in its place."""
        return [
            f"{path}: is not whole, its rows are left out; restore it from a copy"
            for path in self.damaged_files()
        ]

    def damaged_files(self) -> list[Path]:
        """The files that are not what was written."""
        return [
            path
            for path in sorted(self.folder.glob(f"*/{PLACES}/*.parquet"))
            if not (match := _NAME.fullmatch(path.name))
            or not self._is_whole(Part(path, int(match[1]), int(match[2]), match[3]))
        ]

    def read(
        self,
        table: str,
        series: Iterable[str] | None = None,
        since_s: float | None = None,
        until_s: float | None = None,
    ) -> Any:
        """The rows of a table as an Arrow table, in the order of their appends: of some series or
        of all, from a time until another, both included."""
        pa = arrow()
        wanted = None if series is None else set(series)

        def rows() -> Any:
            found = [schema(table).empty_table()]
            for part in self.parts(table, since_s, until_s):
                one = _rows(pa, part.path, wanted).cast(schema(table))
                found.append(_between(pa, one, since_s, until_s))
            return pa.concat_tables(found).unify_dictionaries()

        return self.again(rows)

    def ask(self, query: str, tables: Iterable[str], parameters: Sequence[Any] = ()) -> Any:
        """The answer of a query in SQL, as an Arrow table; tables go by their names.

        Raises InputError for a query that cannot be answered.
        """
        duckdb = duck()

        def answer() -> Any:
            with duckdb.connect() as memory:
                memory.execute("SET TimeZone = 'UTC'")
                for table in tables:
                    files = [str(part.path) for part in self.parts(table)]
                    if table == "counters" or not is_local(self.folder):
                        memory.register(table, self.read(table))
                    elif files:
                        source = memory.read_parquet(files, hive_partitioning=False)
                        source.create_view(table)
                    else:
                        memory.register(table, schema(table).empty_table())
                return memory.sql(query, params=list(parameters)).to_arrow_table()

        try:
            return self.again(answer)
        except duckdb.Error as error:
            raise InputError(f"the query cannot be answered: {error}. Correct it.") from None

    def compact(self, table: str, day: str) -> None:
        """Put the files of a day together into one, and remove them."""
        pa = arrow()
        mine = [part for part in self.parts(table) if part.path.parent.name == day]
        if len(mine) < 2 and not (table == "counters" and mine and not _dense(pa, mine[0].path)):
            return
        rows = pa.concat_tables([_rows(pa, part.path).cast(schema(table)) for part in mine])
        content = b""
        if table == "counters":
            content = self._dense(pa, rows.unify_dictionaries())
        elif "series" in rows.schema.names:
            rows = rows.unify_dictionaries()
        self._write(self.folder / table / day, rows, mine[0].first, mine[-1].last, content)
        for part in mine:
            part.path.unlink()

    def merge(self, table: str, month: str) -> int:
        """Put the days of a month (`2026-01`) together into one file, and remove them; its rows,
        0 where there is nothing to merge."""
        pa = arrow()
        names = [name for name in self.days(table) if _month(name) == month]
        mine = [part for part in self.parts(table) if part.path.parent.name in names]
        if len({part.path.parent for part in mine}) < 2:
            return 0
        rows = pa.concat_tables([_rows(pa, part.path).cast(schema(table)) for part in mine])
        rows = rows.unify_dictionaries()
        content = self._dense(pa, rows) if table == "counters" else b""
        first, last = min(part.first for part in mine), max(part.last for part in mine)
        self._write(self.folder / table / f"month={month}", rows, first, last, content)
        for part in mine:
            part.path.unlink()
        return int(rows.num_rows)

    def replace(self, table: str, day: str, rows: Any, note: str) -> None:
        """Put rows in the place of all that a table has of a day; `note` is kept with them."""
        mine = [part for part in self.parts(table) if part.path.parent.name == day]
        number = self._number(table)
        first = min((part.first for part in mine), default=number)
        noted = rows.replace_schema_metadata({b"nettwin.of": note.encode()})
        self._write(self.folder / table / day, noted, first, number)
        self._next[table] = number + 1
        for part in mine:
            part.path.unlink()

    def retire(self, table: str, day: str) -> int:
        """Remove what a table has of a day, for good; how many files that were."""
        mine = [part for part in self.parts(table) if part.path.parent.name == day]
        gone = self.retired(table)
        for part in mine:
            gone.append((part.first, part.last))
        put(self.folder / table / RETIRED, (json.dumps(sorted(gone)) + "\n").encode())
        for part in mine:
            part.path.unlink()
        return len(mine)

    def retired(self, table: str) -> list[tuple[int, int]]:
        """The appends of a table that were removed for good, from first to last each."""
        path = self.folder / table / RETIRED
        try:
            found = json.loads(text_of(path)) if path.exists() else []
            return [(int(first), int(last)) for first, last in found]
        except (ValueError, TypeError):
            reason = "is no list of appends"
            raise FormatError(path, "", reason, "Restore it from a copy, or remove it.") from None

    def note(self, table: str, day: str) -> str:
        """The note with which a day of a table was replaced last; empty where it was not."""
        pa = arrow()
        mine = [part for part in self.parts(table) if part.path.parent.name == day]
        metadata = (
            pa.parquet.read_schema(opened(mine[-1].path)).metadata if len(mine) == 1 else None
        )
        return str((metadata or {}).get(b"nettwin.of", b"").decode())

    def days(self, table: str) -> list[str]:
        """The days of which a table has something, oldest first: `day=2026-01-05`, and the months
        whose days were merged: `month=2026-01`."""
        found = (self.folder / table).glob(PLACES)
        names = [place.name for place in found if any(place.glob("*.parquet"))]
        return sorted(names, key=lambda name: name.partition("=")[2])

    def _append(self, table: str, day: str, rows: Any) -> int:
        number = self._number(table)
        place = self.folder / table / f"day={day}"
        self._write(place, rows, number, number)
        self._next[table] = number + 1
        if len(list(place.glob("*.parquet"))) >= COMPACT_AT:
            self.compact(table, place.name)
        return int(rows.num_rows)

    def _number(self, table: str) -> int:
        """The number of the next append."""
        if table not in self._next:
            last = max((last for _, last in self.retired(table)), default=0)
            self._next[table] = max((p.last for p in self.parts(table)), default=0)
            self._next[table] = max(self._next[table], last) + 1
        return self._next[table]

    def _dense(self, pa: Any, rows: Any) -> bytes:
        labels = rows["series"].combine_chunks()
        names = labels.dictionary.to_pylist()
        order = sorted(range(len(names)), key=names.__getitem__)  # as statistics compare them
        place = np.empty(len(names), np.int64)
        place[order] = np.arange(len(names))
        times = rows["time"].cast(pa.int64()).to_numpy()
        columns = Dense(times, place[labels.indices.to_numpy()], rows["value"].to_numpy())
        in_order = [names[k] for k in order]
        return encoded(sorted_rows(columns), in_order, self.relative_error)

    def _write(self, place: Path, rows: Any, first: int, last: int, content: bytes = b"") -> None:
        self._mark_version()
        if not content:
            buffer = io.BytesIO()
            labels = [f.name for f in rows.schema if f.name in ("series", "kind")]
            arrow().parquet.write_table(rows, buffer, use_dictionary=labels, **FAST)
            content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest()[:16]
        made(place, self.folder)
        put(place / f"{first:012}-{last:012}-{digest}.parquet", content)

    def _days(self, table: str, since_s: float | None, until_s: float | None) -> list[Path]:
        """The folders that hold the days between two times, and the months that these are in."""
        root = self.folder / table
        if since_s is None or until_s is None or until_s - since_s > 40 * 86400:
            names = [place.name for place in root.glob(PLACES)]
            begin = "" if since_s is None else day_of(since_s)
            end = "~" if until_s is None else day_of(until_s)
            days = {name: name.partition("=")[2] for name in names}
            return [
                root / name for name, day in sorted(days.items()) if begin[: len(day)] <= day <= end
            ]
        first = int(micros(since_s) // _DAY_US)
        last = int(micros(until_s) // _DAY_US)
        found = [f"day={day_of(day * 86400.0)}" for day in range(first, last + 1)]
        return [root / name for name in [*found, *sorted({f"month={_month(d)}" for d in found})]]

    def again(self, reading: Callable[[], T]) -> T:
        """What reading gives; once more where a file that it was about to read was compacted."""
        for attempt in range(TRIES):
            try:
                return reading()
            except Exception as error:
                gone = isinstance(error, FileNotFoundError) or "No such file" in str(error)
                if not gone or attempt == TRIES - 1:
                    raise
        raise AssertionError

    def _check_version(self) -> None:
        if self._known_version:
            return
        path = self.folder / VERSION
        if path.exists():
            try:
                version = int(json.loads(text_of(path))["schema"])
            except (ValueError, KeyError, TypeError):
                raise FormatError(path, "", "names no schema", "Restore it from a copy.") from None
            if version > SCHEMA:
                raise FormatError(
                    path,
                    "",
                    f"the repository has schema {version}, this nettwin knows {SCHEMA} and older",
                    "Update nettwin.",
                )
        self._known_version = True

    def _mark_version(self) -> None:
        """A repository that is written to has the schema of this nettwin."""
        path = self.folder / VERSION
        self._check_version()
        if not path.exists():
            put(path, (json.dumps({"schema": SCHEMA}) + "\n").encode())

    def _is_whole(self, part: Part) -> bool:
        try:
            key = mark_of(part.path)
            if key not in self._whole:
                if hashlib.sha256(part.path.read_bytes()).hexdigest()[:16] != part.digest:
                    return False
                self._whole.add(key)
        except OSError:  # compacted meanwhile
            return False
        return True

    def _table(self, table: str, columns: Columns) -> Any:
        """Rows as the table has them."""
        pa = arrow()
        known = schema(table)
        arrays = [
            (
                given
                if isinstance(given := columns[f.name], pa.Array | pa.ChunkedArray)
                else pa.array(given, self._plain(pa, f.type))
            ).cast(f.type)
            for f in known
        ]
        return pa.Table.from_arrays(arrays, schema=known)

    @staticmethod
    def _plain(pa: Any, kind: Any) -> Any:
        """The type to make an array of before it is cast: times come as microseconds."""
        if pa.types.is_timestamp(kind):
            return pa.int64()
        return kind.value_type if pa.types.is_dictionary(kind) else kind


def times_in(path: Path) -> NDArray[np.int64]:
    """The times in a file of observations, each once, in microseconds since 1970."""
    pa = arrow()
    found = pa.parquet.read_table(opened(path), columns=["time"], partitioning=None)["time"]
    return np.asarray(pa.compute.unique(found.cast(pa.int64())).to_numpy(), np.int64)


def _dense(pa: Any, path: Path) -> bool:
    return is_dense(pa.parquet.read_metadata(opened(path)).metadata)


def _rows(pa: Any, path: Path, wanted: set[str] | None = None) -> Any:
    """The rows of a file, of some series or of all."""
    source = opened(path)  # an object is fetched once
    if is_dense(pa.parquet.read_metadata(source).metadata):
        return decoded(source, wanted)
    rows = pa.parquet.read_table(source, partitioning=None, read_dictionary=["series"])
    if wanted is None or "series" not in rows.schema.names:
        return rows
    return rows.filter(
        pa.compute.is_in(
            rows["series"].cast(pa.string()), value_set=pa.array(sorted(wanted), pa.string())
        )
    )


def _between(pa: Any, rows: Any, since_s: float | None, until_s: float | None) -> Any:
    times = rows["time"].cast(pa.int64()).to_numpy()
    keep = np.ones(len(times), bool)
    if since_s is not None:
        keep &= times >= micros(since_s)
    if until_s is not None:
        keep &= times <= micros(until_s)
    return rows if keep.all() else rows.filter(pa.array(keep))


def _month(day: str) -> str:
    """The month of a folder of a day or a month: `2026-01`."""
    return day.partition("=")[2][:7]


def _uncovered(parts: list[Part]) -> list[Part]:
    """Parts in order, without those whose appends are all in a wider one of their day or month."""
    kept: list[Part] = []
    widest: dict[Path, int] = {}
    months = {
        _month(part.path.parent.name): part.last
        for part in sorted(parts, key=lambda p: p.last)
        if part.path.parent.name.startswith("month=")
    }
    for part in sorted(parts, key=lambda p: (p.first, -p.last)):
        place = part.path.parent
        merged = 0 if place.name.startswith("month=") else months.get(_month(place.name), 0)
        if part.last > max(widest.get(place, 0), merged):
            widest[place] = part.last
            kept.append(part)
    return kept
