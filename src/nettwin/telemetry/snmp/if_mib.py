"""IF-MIB (RFC 2863): what the ports of an agent count, in one poll.

A port is known by its name (ifName) and not by its index, which a device may shuffle when it
restarts. The names are read before and after the counters: where they differ the poll says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from nettwin.errors import SourceError

SYSTEM = "1.3.6.1.2.1.1."
UPTIME, SYSTEM_NAME = f"{SYSTEM}3.0", f"{SYSTEM}5.0"
IF_TABLE, IF_X_TABLE = "1.3.6.1.2.1.2.2.1.", "1.3.6.1.2.1.31.1.1.1."
IF_SPEED, HIGH_SPEED = f"{IF_TABLE}5", f"{IF_X_TABLE}15"
NAMES: Mapping[str, str] = {
    "ifName": f"{IF_X_TABLE}1",
    "ifDescr": f"{IF_TABLE}2",
    "ifAlias": f"{IF_X_TABLE}18",
}
# Each quantity's columns: the first that a port has is taken, so that 32-bit counters stand in
# for 64-bit ones that an agent lacks.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "out_octets": (f"{IF_X_TABLE}10", f"{IF_TABLE}16"),
    "in_octets": (f"{IF_X_TABLE}6", f"{IF_TABLE}10"),
    "out_drops": (f"{IF_TABLE}19",),
    "out_errors": (f"{IF_TABLE}20",),
    "in_errors": (f"{IF_TABLE}14",),
    "up": (f"{IF_TABLE}8",),
}
FASTEST_32_BIT = 4_294_967_295  # what ifSpeed reads where a port is faster
MAX_PORTS, MAX_WALK_S = 20_000, 60.0
Rows = dict[int, tuple[float, object]]  # by index: when it was read (s since 1970), and the value


class Session(Protocol):
    """What is asked of a session; raises SourceError where the agent does not answer."""

    def get(self, *names: str) -> Mapping[str, object]:
        """The values of objects; those that the agent has not are left out."""

    def walk(self, name: str) -> Iterator[tuple[str, object]]:
        """Everything below an object, as the agent tells it."""


class Sample(NamedTuple):
    """A value of a port at a time."""

    interface: str
    quantity: str
    time_s: float
    value: float


@dataclass(frozen=True)
class Poll:
    """What an agent answered at one time; `index` is that of each port's name."""

    system_name: str
    uptime_s: float
    index: Mapping[str, int]
    samples: tuple[Sample, ...]
    told: tuple[str, ...] = field(default=())


def poll(session: Session, name_by: str = "ifName") -> Poll:
    """One poll of an agent. Raises SourceError where it does not answer, tells no ports, or began
    anew meanwhile."""
    told: list[str] = []
    before = session.get(UPTIME, SYSTEM_NAME)
    names = _names(session, name_by, told)
    found = [(q, _first(session, columns, names, told)) for q, columns in COLUMNS.items()]
    found.append(("speed_bps", _speeds(session, names, told)))
    after = session.get(UPTIME)
    if _names(session, name_by, []) != names or _uptime_s(after) < _uptime_s(before):
        raise SourceError("began anew, or changed its ports, while it was read. Poll again.")
    if not any(rows for q, rows in found if q.endswith("octets")):
        raise SourceError(
            "tells no octets of any port. Let its view include 1.3.6.1.2.1.31 and 1.3.6.1.2.1.2."
        )
    samples = tuple(
        Sample(names[index], quantity, at, float(value))
        for quantity, rows in found
        for index, (at, value) in rows.items()
        if index in names and isinstance(value, int | float)
    )
    index = {name: number for number, name in names.items()}
    return Poll(_text(before.get(SYSTEM_NAME, b"")), _uptime_s(before), index, samples, tuple(told))


def walked(session: Session, name: str, told: list[str]) -> Rows:
    """A column by index. An agent whose walk goes back, or does not end, is cut there, and told."""
    found: Rows = {}
    last, end = -1, time.monotonic() + MAX_WALK_S
    for place, value in session.walk(name):
        tail = place.removeprefix(f"{name}.")
        if not tail.isdigit():
            break
        index = int(tail)
        if index <= last:
            told.append(f"its walk of {name} goes back from {last} to {index}: cut there")
            break
        found[index], last = (time.time(), value), index
        if len(found) >= MAX_PORTS:
            told.append(f"its walk of {name} has over {MAX_PORTS:,} rows: cut there")
            break
        if time.monotonic() > end:
            told.append(f"its walk of {name} takes over {MAX_WALK_S:g} s: cut there")
            break
    return found


def _names(session: Session, name_by: str, told: list[str]) -> dict[int, str]:
    """The name of each port by its index: ifDescr where the agent has no others."""
    for column in dict.fromkeys((name_by, "ifDescr")):
        names = {i: _text(value) for i, (_, value) in walked(session, NAMES[column], told).items()}
        names = {i: name for i, name in names.items() if name}
        if names:
            if column != name_by:
                told.append(f"it has no {name_by}: ports are named by {column}")
            break
    else:
        raise SourceError("tells no ports. Let its view include 1.3.6.1.2.1.31 and 1.3.6.1.2.1.2.")
    once: dict[str, int] = {}
    for index, name in list(names.items()):
        if name in once:
            told.append(f"ports {once[name]} and {index} are both named {name}: the second is"
                        " left out")  # fmt: skip
            del names[index]
        once.setdefault(name, index)
    return names


def _first(
    session: Session, columns: tuple[str, ...], names: Mapping[int, str], told: list[str]
) -> Rows:
    """Of each port the first of these columns that it has."""
    found: Rows = {}
    for column in columns:
        if names.keys() <= found.keys():
            break
        found = {**walked(session, column, told), **found}
    return found


def _speeds(session: Session, names: Mapping[int, str], told: list[str]) -> Rows:
    """Speeds in bit/s; 0 where the agent does not know."""
    found: Rows = {}
    for index, (at, value) in walked(session, HIGH_SPEED, told).items():
        if isinstance(value, int):
            found[index] = (at, value * 10**6)
    if any(found.get(index, (0, 0))[1] == 0 for index in names):
        for index, (at, value) in walked(session, IF_SPEED, told).items():
            if found.get(index, (0, 0))[1] == 0 and value != FASTEST_32_BIT:
                found[index] = (at, value)
    return found


def _uptime_s(answer: Mapping[str, object]) -> float:
    value = answer.get(UPTIME, 0)
    return value / 100.0 if isinstance(value, int | float) else 0.0


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip("\0 ")
    return str(value).strip("\0 ")
