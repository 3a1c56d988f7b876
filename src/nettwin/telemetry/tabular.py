"""Tables: CSV and Parquet files, by a mapping of their columns.

    source: csv
    files:
      - path: "counters/*.csv"
        time: timestamp
        device: router               # a column; or device_of_path: 'counters/(.*)\\.csv'
        interface: port
        quantities: {out_octets: bytes-sent, speed_bps: "bandwidth [kbit/s]"}
      - path: long.csv               # a row a number: its name in the column `metric`
        metric: name
        value: value
        quantities: {out_octets: ifHCOutOctets}

What stands beside `files` holds for all of them; with one file `files` may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nettwin.errors import FormatError, InputError, MissingExtraError, UnknownNameError
from nettwin.settings import settings_of
from nettwin.telemetry.columns import UP_WORDS, Column, columns_of
from nettwin.telemetry.matching import matching
from nettwin.telemetry.quantities import QUANTITIES
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import Opening, Quality, SourceChoice
from nettwin.telemetry.times import AUTO, UNITS, seconds_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TableSettings:
    """What the file of the source says of one kind of file (see the module)."""

    path: str = ""
    time: str = "time"
    device: str = "device"
    device_of_path: str = ""
    interface: str = "interface"
    metric: str = ""
    value: str = "value"
    quantities: Mapping[str, str] = field(default_factory=dict)
    time_unit: str = AUTO
    timezone: str = "UTC"
    delimiter: str = ","


class Tables:
    """Samples in tables; every file that matches is read, in the order of their names."""

    live = False

    def __init__(self, opening: Opening, *, parquet: bool = False) -> None:
        self.folder, self.told, self.parquet = opening.folder, opening.told, parquet
        shared = {str(k): v for k, v in opening.settings.items() if k != "files"}
        parts = opening.settings.get("files", [{}])
        if not isinstance(parts, list | tuple) or not all(isinstance(p, Mapping) for p in parts):
            raise InputError("files must be a list of mappings, each with a path. Correct it.")
        what = f"a {'parquet' if parquet else 'csv'} source"
        self.tables = [settings_of(TableSettings, {**shared, **part}, what) for part in parts]
        self.columns: list[dict[str, Column]] = []
        for table in self.tables:
            if not table.path:
                raise InputError("a file has no path: must be such as counters/*.csv. Write it.")
            if not table.quantities:
                raise InputError(f"{table.path} has no quantities: name columns under them.")
            if table.time_unit != AUTO and table.time_unit not in UNITS:
                known = ", ".join((AUTO, *UNITS))
                raise InputError(f"time_unit is {table.time_unit!r}: must be one of {known}.")
            try:
                re.compile(table.device_of_path)
            except re.error as error:
                raise InputError(f"device_of_path is no pattern: {error}. Correct it.") from None
            self.columns.append(columns_of(table.quantities))

    def test(self) -> str:
        files = 0
        for table, columns in zip(self.tables, self.columns, strict=True):
            found = matching(self.folder, table.path)
            self._frame(found[0], table, _wanted(table, columns))
            files += len(found)
        return f"{files} {'Parquet' if self.parquet else 'CSV'} files in {self.folder}"

    def read(self, since_s: float, until_s: float) -> Iterator[Series]:
        for table, columns in zip(self.tables, self.columns, strict=True):
            for path in matching(self.folder, table.path):
                yield from self._file(path, table, columns, since_s, until_s)

    def close(self) -> None:
        """Nothing is held."""

    def _file(
        self,
        path: Path,
        table: TableSettings,
        columns: Mapping[str, Column],
        since_s: float,
        until_s: float,
    ) -> Iterator[Series]:
        device = ""
        if table.device_of_path:
            match = re.search(table.device_of_path, str(path.relative_to(path.anchor)))
            if not match:
                raise FormatError(
                    path, "", f"its path does not match {table.device_of_path}", "Correct that."
                )
            device = match[1] if match.groups() else match[0]
        frame = self._frame(path, table, _wanted(table, columns))
        if not len(frame):
            return
        time_s = seconds_of(frame[table.time], table.time_unit, table.timezone)
        lost = int(np.count_nonzero(~np.isfinite(time_s)))
        if lost:
            why = (
                ""
                if table.timezone == "UTC"
                else ", or is of the hour that a clock set back has twice"
            )
            self.told.append(f"{path.name}: {lost} rows whose time cannot be read{why}")
        inside = np.isfinite(time_s) & (time_s >= since_s) & (time_s < until_s)
        frame, time_s = frame[inside], time_s[inside]
        ports = frame[table.interface].astype("str")
        devices = ports.map(lambda _: device) if device else frame[table.device].astype("str")
        keys = [devices.to_numpy(), ports.to_numpy()]
        if table.metric:
            keys.append(frame[table.metric].astype("str").to_numpy())
        for key, rows in _groups(keys):
            port = Port(str(key[0]), str(key[1]))
            for quantity, column in columns.items():
                if table.metric and key[2] != column.name:
                    continue
                name = table.value if table.metric else column.name
                value = _numbers(frame[name].iloc[rows], quantity) * column.factor
                yield Series(port, quantity, time_s[rows], value)

    def _frame(self, path: Path, table: TableSettings, wanted: list[str]) -> pd.DataFrame:
        names = _header(path, table, parquet=self.parquet)
        plain = ["" if name.startswith("Unnamed: ") else name for name in names]
        for name in wanted:
            if name not in plain:
                told = str(UnknownNameError("column", name, plain))
                raise FormatError(path, "its columns", told, "Correct the mapping.")
        frame = _content(path, table, [names[plain.index(name)] for name in wanted], self.parquet)
        return frame.set_axis(wanted, axis=1)


def _wanted(table: TableSettings, columns: Mapping[str, Column]) -> list[str]:
    """The columns that are read."""
    places = [table.time, table.interface, *([] if table.device_of_path else [table.device])]
    own = [table.metric, table.value] if table.metric else [c.name for c in columns.values()]
    return list(dict.fromkeys([*places, *own]))


def _header(path: Path, table: TableSettings, *, parquet: bool) -> list[str]:
    """The names of all columns. Raises FormatError."""
    if parquet:
        pa, pq = _arrow()
        try:
            return list(pq.read_schema(path).names)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, "Parquet", error) from None
    import pandas as pd

    try:
        return list(map(str, pd.read_csv(path, sep=table.delimiter, nrows=0, encoding="utf-8-sig")))
    except (pd.errors.EmptyDataError, pd.errors.ParserError, OSError, ValueError) as error:
        raise _unreadable(path, "CSV", error) from None


def _content(path: Path, table: TableSettings, names: list[str], parquet: bool) -> pd.DataFrame:
    """Columns of a file, in the order of `names`. Raises FormatError."""
    import pandas as pd

    if parquet:
        pa, pq = _arrow()
        try:
            frame: pd.DataFrame = pq.read_table(path, columns=names).to_pandas()[names]
            return frame
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, "Parquet", error) from None
    try:
        return pd.read_csv(
            path,
            sep=table.delimiter,
            usecols=names,
            encoding="utf-8-sig",
            encoding_errors="replace",
            low_memory=False,
        )[names]
    except (pd.errors.ParserError, OSError, ValueError) as error:
        raise _unreadable(path, "CSV", error) from None


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("reading Parquet", "parquet") from None
    return pa, pq


def _unreadable(path: Path, kind: str, error: Exception) -> FormatError:
    reason = f"cannot be read as {kind}: {' '.join(str(error).split())}"
    return FormatError(path, "", reason, "Check the file.")


def _numbers(column: pd.Series, quantity: str) -> np.ndarray[Any, Any]:
    """The values of a column; NaN for what is not a number. A state may be in words."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    if QUANTITIES[quantity].name == "up" and numbers.isna().any():
        said = column.astype("str").str.strip().str.casefold()
        words = said.isin(UP_WORDS).astype(float)
        numbers = numbers.where(numbers.notna(), words.where(column.notna(), np.nan))
    return numbers.to_numpy(np.float64)


def _groups(keys: list[Any]) -> Iterator[tuple[tuple[Any, ...], np.ndarray[Any, Any]]]:
    """The rows of each combination of keys, in the order of the rows."""
    import pandas as pd

    if not len(keys[0]):
        return
    coded = [pd.factorize(key) for key in keys]
    code = np.zeros(len(keys[0]), np.int64)
    for codes, names in coded:
        code = code * (len(names) + 1) + codes
    order = np.argsort(code, kind="stable")
    begins = np.flatnonzero(np.diff(code[order], prepend=-1))
    for rows in np.split(order, begins[1:]):
        yield tuple(key[rows[0]] for key in keys), rows


_QUALITY = Quality(
    tests_connection=True,
    declares_units=True,
    documented=True,
    says_outage=True,
    back_fills=True,
)
CSV = SourceChoice(
    "csv",
    "CSV files, by a mapping of their columns",
    Tables,
    replace(_QUALITY, tried_on="recordings of Cisco IOS-XR routers"),
)
PARQUET = SourceChoice(
    "parquet",
    "Parquet files, by a mapping of their columns",
    partial(Tables, parquet=True),
    replace(_QUALITY, tried_on="the same recordings as Parquet"),
)
