"""Flow records in files, as nfdump, pmacct and goflow2 write them.

source: nfdump
path: "flows/*.json"
prefixes: {10.1.0.0/16: Seattle, 10.2.0.0/16: Denver}   # the node that addresses belong to
exporter: Seattle          # of records that name none
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.errors import FormatError, InputError
from nettwin.settings import settings_of
from nettwin.telemetry.flows.dialects import GOFLOW2, NEEDED, NFDUMP, PMACCT, PROTOCOLS, Dialect
from nettwin.telemetry.flows.prefixes import Prefixes
from nettwin.telemetry.flows.records import FlowRecords, together, unwrapped
from nettwin.telemetry.flows.rows import Columns, read_columns
from nettwin.telemetry.matching import matching
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import Opening, Quality, SourceChoice
from nettwin.telemetry.times import seconds_of

LARGEST = 2.0**62
LATEST_S = 1e11


@dataclass(frozen=True)
class Settings:
    """What the file of the source says (see the module). `sampling` is the rate of each exporter
    whose records do not tell it; `timezone` that of times without one (nfdump writes local ones).
    """

    path: str = ""
    exporter: str = ""
    prefixes: Mapping[str, str] = field(default_factory=dict)
    sampling: Mapping[str, float] = field(default_factory=dict)
    timezone: str = "UTC"


class FlowFiles:
    """Flow records in files; every file that matches is read, in the order of their names."""

    live = False

    def __init__(self, opening: Opening, *, dialect: Dialect) -> None:
        self.folder, self.told, self.dialect = opening.folder, opening.told, dialect
        self.settings = settings_of(Settings, opening.settings, f"a source of {dialect.name}")
        if not self.settings.path:
            raise InputError("there is no path: must be such as flows/*.json. Write it.")
        self.prefixes = Prefixes(self.settings.prefixes)
        for exporter, rate in self.settings.sampling.items():
            if not isinstance(rate, int | float) or not rate >= 1:
                raise InputError(
                    f"the sampling of {exporter} is {rate!r}: must be at least 1, such as 1000 for"
                    " one packet of a thousand. Correct it."
                )

    def test(self) -> str:
        files = matching(self.folder, self.settings.path)
        count = len(self._records(files[0]))
        return f"{len(files)} files of {self.dialect.name} in {self.folder}, {count} in the first"

    def flows(self, since_s: float, until_s: float) -> FlowRecords:
        """The records of flows that ended in a time. Raises FormatError."""
        parts = []
        for path in matching(self.folder, self.settings.path):
            one = self._records(path)
            inside = (one.end_s >= since_s) & (one.end_s < until_s)
            parts.append(one if inside.all() else one.take(inside))
        return together(parts)

    def read(self, since_s: float, until_s: float) -> Iterator[Series]:
        """Octets by the two nodes, or addresses, that they went between; at the end of a flow."""
        import pandas as pd

        records = self.flows(since_s, until_s)
        ends = [np.array(self._ends(names), object) for names in (records.source, records.target)]
        coded = [pd.factorize(one) for one in ends]
        pair = coded[0][0].astype(np.int64) * (len(coded[1][1]) + 1) + coded[1][0]
        order = np.argsort(pair, kind="stable")
        begins = np.flatnonzero(np.diff(pair[order], prepend=-1))
        octets = records.octets * records.sampling
        for rows in np.split(order, begins[1:]) if len(order) else []:
            port = Port(str(ends[0][rows[0]]), str(ends[1][rows[0]]))
            yield Series(port, "flow_octets", records.end_s[rows], octets[rows])

    def node_of(self, addresses: Sequence[str]) -> list[str]:
        return [self.prefixes.find(address) for address in addresses]

    def close(self) -> None:
        """Nothing is held."""

    def _ends(self, addresses: Any) -> list[str]:
        return [self.prefixes.find(address) or address for address in addresses]

    def _note(self, words: str) -> None:
        if words not in self.told:
            self.told.append(words)

    def _records(self, path: Path) -> FlowRecords:
        """The records of a file; those that cannot be are counted, and said."""
        columns, count = read_columns(path, self.dialect.fields, self._note)
        if not count:
            return together([])  # nothing was exported in its time
        for key in NEEDED:
            if key not in columns:
                names = " or ".join(self.dialect.fields[key])
                raise FormatError(
                    path,
                    "",
                    f"is no {self.dialect.name}: its records have no {names}",
                    "Name the collector that wrote it: nfdump, pmacct or goflow2.",
                )
        return self._made(path, columns, count)

    def _made(self, path: Path, columns: Columns, count: int) -> FlowRecords:
        zone = self.settings.timezone
        begin_s = _times(columns["begin"], zone)
        end_s = _times(columns["end"], zone) if "end" in columns else begin_s
        end_s = np.where(np.isnan(end_s) | (end_s < begin_s), begin_s, end_s)
        if "arrived" in columns:
            begin_s, end_s, wrapped = unwrapped(begin_s, end_s, _times(columns["arrived"], zone))
            if wrapped:
                self._note(
                    f"{path.name}: {wrapped} flows seem to end days after they arrived, as the"
                    " clock of their exporter wrapped (2^32 ms): put back"
                )
        number = {
            key: _numbers(columns.get(key), count, usual)
            for key, usual in (("octets", 0), ("packets", 0), ("source_port", 0),
                               ("target_port", 0), ("sampling", 1), ("egress", 0))
        }  # fmt: skip
        missing = {"octets": -1.0, "packets": -1.0}
        whole = {
            key: np.nan_to_num(values, nan=missing.get(key, 0.0)).astype(np.int64)
            for key, values in number.items()
        }
        exporter = _names(columns.get("exporter"), count, ("0.0.0.0", "::"))
        exporter[exporter == ""] = self.settings.exporter
        sampling = np.maximum(np.nan_to_num(number["sampling"], nan=1.0), 1.0)
        for name, rate in self.settings.sampling.items():
            sampling[exporter == name] = rate
        records = FlowRecords(
            begin_s,
            end_s,
            exporter,
            _names(columns.get("in_port"), count, ("0",)),
            _names(columns.get("out_port"), count, ("0",)),
            _names(columns["source"], count),
            _names(columns["target"], count),
            _protocols(columns.get("protocol"), count),
            whole["source_port"],
            whole["target_port"],
            whole["octets"],
            whole["packets"],
            sampling,
            whole["egress"] == 1,
        )
        good = np.isfinite(begin_s) & (records.octets >= 0) & (records.packets >= 0)
        good &= (records.source != "") & (records.target != "")
        if not good.all():
            bad = int(np.count_nonzero(~good))
            self._note(f"{path.name}: {bad} records without times, addresses or octets")
            records = records.take(good)
        return records


def _times(values: list[Any], timezone: str) -> np.ndarray[Any, Any]:
    import pandas as pd

    plain = [v if isinstance(v, str | int | float) else None for v in values]
    times = seconds_of(pd.Series(plain, dtype=object), timezone=timezone)
    return np.where(np.abs(times) < LATEST_S, times, np.nan)


def _numbers(values: list[Any] | None, count: int, usual: float) -> np.ndarray[Any, Any]:
    """Numbers; NaN for what is none, is below 0 or larger than any device counts."""
    import pandas as pd

    if values is None:
        return np.full(count, float(usual))
    plain = [v if isinstance(v, str | int | float) else None for v in values]
    found = pd.to_numeric(pd.Series(plain, dtype=object), errors="coerce").to_numpy(np.float64)
    return np.where((found >= 0) & (found < LARGEST), found, np.nan)


def _names(values: list[Any] | None, count: int, none: Sequence[str] = ()) -> Any:
    """Names as one object each, however often they stand there; empty for what is none."""
    found = np.full(count, "", object)
    if values is not None:
        known: dict[Any, str] = dict.fromkeys(none, "")
        found[:] = [
            known.setdefault(v, str(v)) if isinstance(v, str | int) and v != 0 else ""
            for v in values
        ]
    return found


def _protocols(values: list[Any] | None, count: int) -> Any:
    found = _names(values, count)
    known = {name: PROTOCOLS.get(name, name.casefold()) for name in set(found)}
    found[:] = [known[name] for name in found]
    return found


_QUALITY = Quality(
    tests_connection=True,
    declares_units=True,
    documented=True,
    says_outage=True,
    back_fills=True,
)
NFDUMP_CHOICE = SourceChoice(
    "nfdump",
    "flow records of nfdump, in JSON or CSV",
    partial(FlowFiles, dialect=NFDUMP),
    replace(_QUALITY, tried_on="nfdump 1.7.1 with softflowd 1.1.0, also on emulated routers"),
)
PMACCT_CHOICE = SourceChoice(
    "pmacct",
    "flow records of pmacct (pmacctd, nfacctd, sfacctd), in JSON lines or CSV",
    partial(FlowFiles, dialect=PMACCT),
    replace(_QUALITY, tried_on="pmacct 1.7.7 with softflowd 1.1.0"),
)
GOFLOW2_CHOICE = SourceChoice(
    "goflow2",
    "flow records of goflow2, in JSON lines",
    partial(FlowFiles, dialect=GOFLOW2),
    _QUALITY,
)
