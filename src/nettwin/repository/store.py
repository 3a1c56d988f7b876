"""Store: tables as Parquet files, each written once and whole.

    DIR/TABLE/day=2026-01-05/FIRST-LAST-DIGEST.parquet     the appends FIRST to LAST of that table

An append is one file; it is acknowledged when file and folder are on the disk. The name holds a
digest of the content, so that a torn, truncated or altered file is found and left out, and said. A
file that covers the appends of others (`compact`) takes their place at the moment it is there.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nettwin.errors import InputError
from nettwin.formats.files import sync_folder, write_bytes
from nettwin.repository.tables import Columns, arrow, day_of, duck, schema

_NAME = re.compile(r"(\d{12})-(\d{12})-([0-9a-f]{16})\.parquet")
COMPACT_AT = 64  # files of a day


class Part(NamedTuple):
    """A file of a table: the appends that it holds."""

    path: Path
    first: int
    last: int
    digest: str


class Store:
    """The files of a repository. Only one process may append (see `lock`); many may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whole: set[tuple[str, int, int]] = set()  # files whose digest was checked
        self._next: dict[str, int] = {}

    def append(self, table: str, time_s: float, columns: Columns) -> int:
        """Add rows to a table; their number when they are on the disk. Raises InputError where they
        cannot be written: nothing was added then."""
        pa = arrow()
        known = schema(table)
        arrays = [
            (
                given
                if isinstance(given := columns[f.name], pa.Array)
                else pa.array(given, self._plain(pa, f.type))
            ).cast(f.type)
            for f in known
        ]
        rows = pa.Table.from_arrays(arrays, schema=known)
        if table not in self._next:
            self._next[table] = max((p.last for p in self.parts(table)), default=0) + 1
        number = self._next[table]
        place = self.folder / table / f"day={day_of(time_s)}"
        self._write(place, rows, number, number)
        self._next[table] = number + 1
        if len(list(place.glob("*.parquet"))) >= COMPACT_AT:
            self.compact(table, place.name)
        return int(rows.num_rows)

    def parts(self, table: str) -> list[Part]:
        """The files that hold a table, oldest first, without those that another covers."""
        found = []
        for path in (self.folder / table).glob("day=*/*.parquet"):
            if match := _NAME.fullmatch(path.name):
                found.append(Part(path, int(match[1]), int(match[2]), match[3]))
        return _uncovered([part for part in found if self._is_whole(part)])

    def damaged(self) -> list[str]:
        """One sentence for each file that is not what was written; what it held is lost, unless a
        copy is put in its place."""
        return [
            f"{path}: is not whole, its rows are left out; restore it from a copy"
            for path in sorted(self.folder.glob("*/day=*/*.parquet"))
            if not (match := _NAME.fullmatch(path.name))
            or not self._is_whole(Part(path, int(match[1]), int(match[2]), match[3]))
        ]

    def ask(self, query: str, tables: Iterable[str], parameters: Sequence[Any] = ()) -> Any:
        """The answer of a query in SQL, as an Arrow table; tables go by their names.

        Raises InputError for a query that cannot be answered.
        """
        duckdb = duck()
        with duckdb.connect() as memory:
            memory.execute("SET TimeZone = 'UTC'")
            for table in tables:
                files = [str(part.path) for part in self.parts(table)]
                if files:
                    source = memory.read_parquet(files, hive_partitioning=False)
                    source.create_view(table)
                else:
                    memory.register(table, schema(table).empty_table())
            try:
                return memory.sql(query, params=list(parameters)).to_arrow_table()
            except duckdb.Error as error:
                raise InputError(f"the query cannot be answered: {error}. Correct it.") from None

    def compact(self, table: str, day: str) -> None:
        """Put the files of a day together into one, and remove them."""
        pa = arrow()
        mine = [part for part in self.parts(table) if part.path.parent.name == day]
        if len(mine) < 2:
            return
        rows = pa.concat_tables([pa.parquet.read_table(part.path) for part in mine])
        for name in rows.schema.names:
            if pa.types.is_dictionary(rows.schema.field(name).type):
                rows = rows.unify_dictionaries()
                break
        self._write(self.folder / table / day, rows, mine[0].first, mine[-1].last)
        for part in mine:
            part.path.unlink()

    def _write(self, place: Path, rows: Any, first: int, last: int) -> None:
        buffer = io.BytesIO()
        arrow().parquet.write_table(rows, buffer, compression="zstd")
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest()[:16]
        if not place.exists():
            try:
                place.mkdir(parents=True)
                sync_folder(place.parent)
                sync_folder(self.folder)
            except OSError as error:
                raise InputError(
                    f"{place} cannot be written: {error.strerror}. Make room, or choose another"
                    " place."
                ) from None
        write_bytes(place / f"{first:012}-{last:012}-{digest}.parquet", content, durable=True)

    def _is_whole(self, part: Part) -> bool:
        try:
            status = part.path.stat()
            key = (str(part.path), status.st_size, status.st_mtime_ns)
            if key not in self._whole:
                if hashlib.sha256(part.path.read_bytes()).hexdigest()[:16] != part.digest:
                    return False
                self._whole.add(key)
        except OSError:  # compacted meanwhile
            return False
        return True

    @staticmethod
    def _plain(pa: Any, kind: Any) -> Any:
        """The type to make an array of before it is cast: times come as microseconds."""
        if pa.types.is_timestamp(kind):
            return pa.int64()
        return kind.value_type if pa.types.is_dictionary(kind) else kind


def _uncovered(parts: list[Part]) -> list[Part]:
    """Parts in order, without those whose appends are all in a wider one."""
    kept: list[Part] = []
    for part in sorted(parts, key=lambda p: (p.first, -p.last)):
        if not kept or part.last > kept[-1].last:
            kept.append(part)
    return kept
