"""Demands in CSV files, long (a line a pair) or wide (a column a pair)."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.demands.matrices import BPS, MAX_NODES, MAX_VALUES, TIMES, Matrices
from nettwin.formats.files import read_text

SOURCES, TARGETS = ("source", "src", "from"), ("target", "destination", "dst", "to")
RATE = re.compile(r"(?:rate|demand|traffic)(?:[ _]?[\[(]?([kmgt]?)(bps|bit/s|b/s)[\])]?)?")
_PAIR = re.compile(r"(.+?)\s*->\s*(.+?)(?:\s*[\[(]([kmgt]?)(?:bps|bit/s|b/s)[\])])?", re.IGNORECASE)


def read_csv(path: Path) -> Matrices:
    """The matrices in a CSV file, long or wide. Raises FormatError."""
    rows = csv_rows(path)
    line, names, at = header_of(path, rows, "demands")
    pairs = {k: m for k, name in enumerate(names) if (m := _PAIR.fullmatch(name))}
    if pairs:
        return _wide(path, rows, at, pairs, names)
    return _long(path, line, rows, at, [name.lower() for name in names])


def header_of(
    path: Path, rows: Iterator[tuple[int, list[str]]], others: str
) -> tuple[int, list[str], int]:
    """The first row: its line, the names of its columns, and which of them is the time.

    Raises FormatError where none is.
    """
    line, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    at = column_of([name.lower() for name in names], TIMES)
    if at is None:
        remedy = f"Give a header with time and {others}."
        raise FormatError(path, f"line {line}", "has no column time", remedy)
    return line, names, at


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with their line numbers."""
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    try:
        for row in reader:
            if any(word.strip() for word in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise FormatError(
            path, f"line {reader.line_num}", f"is not valid CSV ({error})", "Mend the quotes."
        ) from None


def column_of(low: Sequence[str], names: Sequence[str]) -> int | None:
    """The place of the first of some names in a header of small letters; None without any."""
    return next((low.index(name) for name in names if name in low), None)


def _long(
    path: Path, header_line: int, rows: Iterator[tuple[int, list[str]]], at: int, low: list[str]
) -> Matrices:
    source, target = column_of(low, SOURCES), column_of(low, TARGETS)
    rates = [(k, m) for k, name in enumerate(low) if (m := RATE.fullmatch(name))]
    if source is None or target is None or len(rates) != 1:
        raise FormatError(
            path,
            f"line {header_line}",
            f"has the columns {', '.join(low)[:120]}",
            "Give time, source, target and one rate, its unit in the name, such as rate_mbps.",
        )
    column, per = rates[0][0], BPS[rates[0][1][1] or ""]
    times, nodes = Times(path), _Numbers()
    place: dict[tuple[int, int, int], float] = {}
    for line, row in rows:
        if len(row) != len(low):
            raise _ragged(path, line, row, len(low))
        key = (times.number(line, row[at]), nodes[row[source].strip()], nodes[row[target].strip()])
        if key in place:
            raise FormatError(
                path,
                f"line {line}",
                f"a second demand {row[source]}->{row[target]} at {row[at]}",
                "Give one a time and pair.",
            )
        place[key] = _rate(path, line, row[column]) * per
        if len(nodes) > MAX_NODES or len(times) * len(nodes) ** 2 > MAX_VALUES:
            raise FormatError(
                path,
                f"line {line}",
                f"makes it {len(times)} matrices of {len(nodes)} nodes",
                f"Split the file: {MAX_VALUES} numbers are the limit.",
            )
    demand = np.zeros((len(times), len(nodes), len(nodes)))
    _not_empty(path, demand)
    for (t, s, d), value in place.items():
        demand[t, s, d] = value
    listed = np.zeros(demand.shape[1:], np.bool_)
    for _, s, d in place:
        listed[s, d] = True
    notes = times.assumptions()
    found = Matrices(demand, "the demand", times.seconds(), tuple(nodes), listed, notes)
    if rates[0][1][2] is None:
        found.assumptions.append(f"unit of {low[column]}: bit/s, as it is not said")
    silent = demand.size - len(demand) * len(nodes) - sum(s != d for _, s, d in place)
    if silent:
        found.assumptions.append("demands of pairs and times that are not listed: 0 bit/s")
    found.ignored += _unused(low, {at, source, target, column})
    return found


def _wide(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    at: int,
    pairs: Mapping[int, re.Match[str]],
    names: list[str],
) -> Matrices:
    nodes, times = _Numbers(), Times(path)
    ends = [(nodes[m[1].strip()], nodes[m[2].strip()]) for m in pairs.values()]
    per = np.array([BPS[(m[3] or "").lower()] for m in pairs.values()])
    if len(set(ends)) != len(ends) or len(nodes) > MAX_NODES:
        raise FormatError(
            path, "line 1", "names a pair twice, or too many nodes", "Give each pair one column."
        )
    values: list[list[float]] = []
    for line, row in rows:
        if len(row) != len(names):
            raise _ragged(path, line, row, len(names))
        if times.number(line, row[at]) != len(values):
            raise FormatError(
                path, f"line {line}", f"duplicate time {row[at]}", "Give each time once."
            )
        values.append([_rate(path, line, row[k]) for k in pairs])
        if len(values) * len(nodes) ** 2 > MAX_VALUES:
            raise FormatError(
                path, f"line {line}", "is one time too many", f"Keep to {MAX_VALUES} numbers."
            )
    demand = np.zeros((len(values), len(nodes), len(nodes)))
    _not_empty(path, demand)
    index = np.array(ends)
    demand[:, index[:, 0], index[:, 1]] = np.array(values) * per
    listed = np.zeros((len(nodes), len(nodes)), np.bool_)
    listed[index[:, 0], index[:, 1]] = True
    notes = times.assumptions()
    found = Matrices(demand, "the demand", times.seconds(), tuple(nodes), listed, notes)
    if any(m[3] is None for m in pairs.values()):
        found.assumptions.append("unit of columns that tell none: bit/s")
    if len(set(ends)) < len(nodes) * (len(nodes) - 1):
        found.assumptions.append("demands of pairs without a column: 0 bit/s")
    found.ignored += _unused(names, {at, *pairs})
    return found


def _ragged(path: Path, line: int, row: list[str], count: int) -> FormatError:
    return FormatError(
        path, f"line {line}", f"has {len(row)} fields where the header has {count}", "Correct it."
    )


def _not_empty(path: Path, demand: NDArray[np.float64]) -> None:
    if not demand.size:
        raise FormatError(path, "line 2", "there is no demand", "Give a line a time.")


def _unused(names: Sequence[str], used: set[int]) -> list[str]:
    return [f"the column {name[:60]}: not needed" for k, name in enumerate(names) if k not in used]


def _rate(path: Path, line: int, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise FormatError(
            path,
            f"line {line}",
            f"the demand is {word.strip()[:40]!r}",
            "Give a number, 0 or more, its unit in the header.",
        )
    return value


class _Numbers(dict[str, int]):
    """Names, numbered as they come."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


class Times:
    """The times of a table, numbered as they come, in ascending order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, int] = {}
        self.values: list[float] = []
        self.zoneless = False
        self.calendar: bool | None = None

    def __len__(self) -> int:
        return len(self.values)

    def number(self, line: int, word: str) -> int:
        """The number of the time that a field tells."""
        if word not in self.known:
            value = self._seconds(line, word.strip())
            if self.values and value < self.values[-1]:
                raise FormatError(
                    self.path,
                    f"line {line}",
                    f"the time {word.strip()[:40]} is earlier than the one before",
                    "Sort the lines by time.",
                )
            if not self.values or value > self.values[-1]:
                self.values.append(value)
            self.known[word] = len(self.values) - 1
        return self.known[word]

    def _seconds(self, line: int, word: str) -> float:
        calendar = False
        try:
            value = float(word)
        except ValueError:
            calendar = True
            value = self._instant(word)
        mixed = self.calendar is not None and self.calendar != calendar
        if not math.isfinite(value) or mixed:
            raise FormatError(
                self.path,
                f"line {line}",
                f"the time is {word[:40]!r}" + (", of another kind than before" if mixed else ""),
                "Give seconds, or ISO 8601 such as 2004-03-01T00:05:00Z, throughout.",
            )
        self.calendar = calendar
        return value

    def _instant(self, word: str) -> float:
        try:
            moment = datetime.fromisoformat(word)
            self.zoneless |= moment.tzinfo is None
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return math.nan

    def seconds(self) -> NDArray[np.float64]:
        """All times."""
        return np.array(self.values)

    def assumptions(self) -> list[str]:
        """What had to be assumed about them."""
        return ["time zone of the times: UTC, where none is told"] if self.zoneless else []
