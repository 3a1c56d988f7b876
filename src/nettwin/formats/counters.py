"""Counters: what links carried over time, from CSV and Parquet files.

Wide: `time` and a column for each counter, in bit/s or with a unit (`A->B [Mbit/s]`). Long: columns
`time`, `link` and a rate whose name tells its unit (`rate_mbps`). Parquet also as the repository
has it: `time`, `series` (`link/A->B/throughput_bps`), `value`.

A counter is called like its link. `->A` is what enters the network at node A from outside, `A->`
what leaves it there. An empty cell, or a line that is not there, is a counter that is missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, MissingExtraError, UnknownNameError
from nettwin.formats.demands.matrices import BPS, TIMES
from nettwin.formats.demands.tables import RATE, Times, column_of, csv_rows, header_of
from nettwin.formats.files import read_head
from nettwin.scenario.link_names import find_links
from nettwin.scenario.topology import Topology

_COUNTER = re.compile(r"(.+?)(?:\s*[\[(]([kmgt]?)(?:bps|bit/s|b/s)[\])])?", re.IGNORECASE)
_SERIES = re.compile(r"link/(.+)/throughput_bps")
Rows = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True)
class Counters:
    """What links carried in each interval, and what entered and left the network at each node, in
    bit/s; NaN where it was not counted."""

    times_s: NDArray[np.float64]  # [times] seconds since 1970 or since the first
    link_bps: NDArray[np.float64]  # [times, links]
    entering_bps: NDArray[np.float64]  # [times, nodes]
    leaving_bps: NDArray[np.float64]  # [times, nodes]
    assumptions: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def read_counters(path: str | Path, topology: Topology) -> Counters:
    """The counters of a network in a CSV or Parquet file, told apart by content.

    Raises FormatError; UnknownNameError for a link or node that the network has not.
    """
    file = Path(path)
    parquet = file.suffix == ".parquet" or read_head(file)[:4] == b"PAR1"
    rows = _parquet_rows(file) if parquet else csv_rows(file)
    line, names, at = header_of(file, rows, "counters")
    low = [name.lower() for name in names]
    table = _Table(file, topology)
    if "series" in low and "value" in low:
        table.series(rows, at, low.index("series"), low.index("value"))
    elif (link := column_of(low, ("link", "counter", "interface"))) is not None:
        table.long(line, rows, at, link, low)
    else:
        table.wide(line, rows, at, names)
    return table.counters()


class _Table:
    """The counters of a file, gathered line by line."""

    def __init__(self, path: Path, topology: Topology) -> None:
        self.path, self.topology = path, topology
        self.times = Times(path)
        self.values: dict[tuple[int, int], float] = {}
        self.assumptions: list[str] = []
        self.ignored: list[str] = []
        self._places: dict[str, int] = {}

    def wide(self, line: int, rows: Rows, at: int, names: list[str]) -> None:
        """A column a counter."""
        columns: dict[int, tuple[int, float]] = {}
        bare = False
        for k, name in enumerate(names):
            match = _COUNTER.fullmatch(name)
            if k == at or not match:
                continue
            bare |= match[2] is None
            columns[k] = (self._place(match[1].strip()), BPS[(match[2] or "").lower()])
        places = [place for place, _ in columns.values()]
        if len(set(places)) < len(places) or not places:
            why = "has no counter" if not places else "has a counter twice"
            raise FormatError(self.path, f"line {line}", why, "Give a column for each counter.")
        if bare:
            self.assumptions.append("unit of columns that tell none: bit/s")
        for number, row in rows:
            self._fits(number, row, len(names))
            time = self.times.number(number, row[at])
            for k, (place, per) in columns.items():
                self._add(number, time, place, row[k], per)

    def long(self, line: int, rows: Rows, at: int, link: int, low: list[str]) -> None:
        """A line a counter and time."""
        rates = [(k, m) for k, name in enumerate(low) if (m := RATE.fullmatch(name))]
        if len(rates) != 1:
            raise FormatError(
                self.path,
                f"line {line}",
                f"has the columns {', '.join(low)[:120]}",
                "Give time, link and one rate, its unit in the name, such as rate_mbps.",
            )
        column, per = rates[0][0], BPS[rates[0][1][1] or ""]
        if rates[0][1][2] is None:
            self.assumptions.append(f"unit of {low[column]}: bit/s, as it is not said")
        for number, row in rows:
            self._fits(number, row, len(low))
            time = self.times.number(number, row[at])
            self._add(number, time, self._place(row[link].strip()), row[column], per)
        self.ignored += [
            f"the column {name[:60]}: not needed"
            for k, name in enumerate(low)
            if k not in (at, link, column)
        ]

    def series(self, rows: Rows, at: int, series: int, value: int) -> None:
        """Rows of the repository; those of other series are passed over."""
        for number, row in rows:
            if match := _SERIES.fullmatch(row[series]):
                time = self.times.number(number, row[at])
                self._add(number, time, self._place(match[1]), row[value], 1.0)

    def counters(self) -> Counters:
        """All of them."""
        times = self.times.seconds()
        links, nodes = self.topology.link_count, self.topology.node_count
        table = np.full((len(times), links + 2 * nodes), np.nan)
        for (time, place), value in self.values.items():
            table[time, place] = value
        if not np.isfinite(table).any():
            raise FormatError(self.path, "", "holds no counter", "Give a line a time.")
        return Counters(
            times,
            table[:, :links],
            table[:, links : links + nodes],
            table[:, links + nodes :],
            (*self.assumptions, *self.times.assumptions()),
            tuple(self.ignored),
        )

    def _place(self, name: str) -> int:
        """The column of a counter. Raises UnknownNameError, with near names."""
        if name in self._places:
            return self._places[name]
        topology = self.topology
        links, nodes = topology.link_count, topology.node_count
        if name.startswith("->") and name not in topology.link_index:
            place = links + topology.node(name[2:].strip())
        elif name.endswith("->") and name not in topology.link_index:
            place = links + nodes + topology.node(name[:-2].strip())
        else:
            found = find_links(topology, name)
            if len(found) != 1:
                raise UnknownNameError("link", name, topology.link_name)
            place = int(found[0])
        self._places[name] = place
        return place

    def _add(self, line: int, time: int, place: int, word: str, per: float) -> None:
        if not word.strip():
            return
        try:
            value = float(word)
        except ValueError:
            value = math.inf
        if math.isnan(value):
            return
        if not 0 <= value < math.inf:
            raise FormatError(
                self.path,
                f"line {line}",
                f"the counter is {word.strip()[:40]!r}",
                "Give a rate, 0 or more, or nothing where it is missing.",
            )
        if (time, place) in self.values:
            raise FormatError(
                self.path,
                f"line {line}",
                "a second value of one counter and time",
                "Give one a time and counter.",
            )
        self.values[time, place] = value * per

    def _fits(self, line: int, row: list[str], count: int) -> None:
        if len(row) != count:
            raise FormatError(
                self.path,
                f"line {line}",
                f"has {len(row)} fields where the header has {count}",
                "Correct it.",
            )


def _parquet_rows(path: Path) -> Rows:
    """The rows of a Parquet file as words, its columns' names first."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("reading Parquet files", "live") from None
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise FormatError(
            path, "", f"is not a whole Parquet file ({error})", "Copy it again."
        ) from None
    yield 1, list(table.column_names)
    columns = [_words(column) for column in table.columns]
    order = list(range(table.num_rows))
    if (at := column_of([c.lower() for c in table.column_names], TIMES)) is not None:
        order = sorted(order, key=table.column(at).to_pylist().__getitem__)
    for k in order:
        yield k + 1, [column[k] for column in columns]


def _words(column: Any) -> list[str]:
    """The cells of a column: times in ISO 8601, what is null empty."""
    return [
        "" if cell is None else cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
        for cell in column.to_pylist()
    ]
