"""Event files: Influx line protocol (Telegraf), and events of gnmic in JSON.

    source: influx                     source: gnmic
    path: "telegraf/*.lp"              path: events.json
    device: agent_host                 device: source
    interface: ifName                  interface: interface_name
    quantities: {out_octets: ifHCOutOctets}

`device` and `interface` are tags. A quantity is the name of a field, alone or with the measurement
before it (`interface.ifHCOutOctets`); of gnmic it may be the end of a path (`out-octets`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_text
from nettwin.settings import settings_of
from nettwin.telemetry.columns import UP_WORDS, columns_of
from nettwin.telemetry.matching import matching
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import Opening, Quality, SourceChoice
from nettwin.telemetry.times import UNITS

_POINT = re.compile(r"((?:\\.|[^ \\])+) +((?:\"(?:\\.|[^\"\\])*\"|\\.|[^ \"\\])+)(?: +(-?\d+))?")
_SPACE = re.compile(r"\s*")
_COMMA = re.compile(r"(?<!\\),")
_EQUALS = re.compile(r"(?<!\\)=")
_FIELD = re.compile(r"((?:\\.|[^=\\])+)=(\"(?:\\.|[^\"\\])*\"|[^,\"]*)(?:,|$)")
_NUMBER = re.compile(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)[iu]?")


class Event(NamedTuple):
    """Values of one thing at one time."""

    name: str
    tags: Mapping[str, str]
    values: Mapping[str, Any]
    time_s: float


@dataclass(frozen=True)
class EventSettings:
    """What the file of the source says (see the module)."""

    path: str = ""
    device: str = "source"
    interface: str = "ifName"
    time_unit: str = "ns"
    quantities: Mapping[str, str] = field(default_factory=dict)


class EventFiles:
    """Samples in files of events; every file that matches is read, in the order of their names."""

    live = False
    what: ClassVar[str] = "an influx source"

    def __init__(self, opening: Opening) -> None:
        self.folder, self.told = opening.folder, opening.told
        self.settings = settings_of(EventSettings, opening.settings, self.what)
        if not self.settings.path:
            raise InputError("there is no path: must be such as telegraf/*.lp. Write it.")
        if not self.settings.quantities:
            raise InputError("there are no quantities: name fields under them.")
        if self.settings.time_unit not in UNITS:
            known = ", ".join(UNITS)
            raise InputError(f"time_unit is {self.settings.time_unit!r}: must be one of {known}.")
        self.columns = columns_of(self.settings.quantities)

    def test(self) -> str:
        files = matching(self.folder, self.settings.path)
        next(self._events(files[0]), None)
        return f"{len(files)} files of events in {self.folder}"

    def read(self, since_s: float, until_s: float) -> Iterator[Series]:
        found: dict[tuple[Port, str], list[tuple[float, float]]] = {}
        for path in matching(self.folder, self.settings.path):
            for event in self._events(path):
                if not since_s <= event.time_s < until_s:
                    continue
                port = Port(
                    event.tags.get(self.settings.device, ""),
                    event.tags.get(self.settings.interface, ""),
                )
                for quantity, column in self.columns.items():
                    value = _value(event, column.name)
                    if value is not None and all(port):
                        number = _number(value, quantity) * column.factor
                        found.setdefault((port, quantity), []).append((event.time_s, number))
        for (port, quantity), pairs in found.items():
            both = np.array(pairs, np.float64)
            yield Series(port, quantity, both[:, 0].copy(), both[:, 1].copy())

    def close(self) -> None:
        """Nothing is held."""

    def _events(self, path: Path) -> Iterator[Event]:
        """The points of a file in line protocol; lines that are none are counted, and said."""
        bad = 0
        first = ""
        points = 0
        for number, line in enumerate(read_text(path).split("\n"), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            event = _point(line, UNITS[self.settings.time_unit])
            if event is None:
                bad += 1
                first = first or f"line {number}"
            else:
                points += 1
                yield event
        if bad and not points:
            raise FormatError(path, first, "is no line protocol", "Give points of line protocol.")
        if bad:
            self.told.append(f"{path.name}: {bad} lines that are no points, the first {first}")


class GnmicEvents(EventFiles):
    """Events of gnmic: lists of events in JSON, one a line or one a file."""

    what: ClassVar[str] = "a gnmic source"

    def _events(self, path: Path) -> Iterator[Event]:
        text = read_text(path)
        decoder, at, number = json.JSONDecoder(), 0, 0
        while at < len(text):
            begin = at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it may be empty
            if at >= len(text):
                return
            try:
                data, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                line = text.count("\n", 0, begin) + 1
                if not number:
                    raise _no_events(path, line, "is no JSON of gnmic's events") from None
                self.told.append(f"{path.name}: from line {line} on it is no JSON")
                return
            for one in data if isinstance(data, list) else [data]:
                number += 1
                event = _gnmic(one, UNITS[self.settings.time_unit])
                if event is None:
                    line = text.count("\n", 0, begin) + 1
                    raise _no_events(path, line, "must have timestamp, tags and values")
                yield event


def _no_events(path: Path, line: int, reason: str) -> FormatError:
    return FormatError(path, f"line {line}", reason, "Write them with gnmic --format event.")


def _point(line: str, unit_s: float) -> Event | None:
    """A line of line protocol; None where it is none."""
    match = _POINT.fullmatch(line.strip())
    if not match or not match[3]:
        return None
    name, *pairs = _COMMA.split(match[1])
    tags = {}
    for pair in pairs:
        parts = _EQUALS.split(pair, maxsplit=1)
        if len(parts) != 2:
            return None
        tags[_plain(parts[0])] = _plain(parts[1])
    values = {_plain(m[1]): m[2] for m in _FIELD.finditer(match[2])}
    return Event(_plain(name), tags, values, int(match[3]) * unit_s) if values else None


def _gnmic(one: Any, unit_s: float) -> Event | None:
    if not isinstance(one, dict) or not isinstance(one.get("timestamp"), int):
        return None
    tags, values = one.get("tags", {}), one.get("values", {})
    if not isinstance(tags, dict) or not isinstance(values, dict):
        return None
    words = {str(key): str(value) for key, value in tags.items()}
    return Event(str(one.get("name", "")), words, values, one["timestamp"] * unit_s)


def _value(event: Event, name: str) -> Any:
    """The value of a field by its name, with the measurement before it, or by the end of a path."""
    if name in event.values:
        return event.values[name]
    measurement, _, plain = name.rpartition(".")
    if measurement and measurement == event.name:
        return event.values.get(plain)
    return next((v for k, v in event.values.items() if k.endswith(f"/{name}")), None)


def _number(value: Any, quantity: str) -> float:
    """A value as a number; NaN where it is none, 1 or 0 where it is a state in words."""
    text = str(value).strip('"').strip()
    if match := _NUMBER.fullmatch(text):
        try:
            return float(match[1])
        except ValueError:
            return math.nan
    if quantity == "up" and text:
        return float(text.casefold() in UP_WORDS)
    return math.nan


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


_QUALITY = Quality(
    tests_connection=True,
    declares_units=True,
    documented=True,
    says_outage=True,
    back_fills=True,
)
INFLUX = SourceChoice(
    "influx", "Influx line protocol in files, as Telegraf writes it", EventFiles, _QUALITY
)
GNMIC = SourceChoice("gnmic", "events of gnmic in JSON", GnmicEvents, _QUALITY)
