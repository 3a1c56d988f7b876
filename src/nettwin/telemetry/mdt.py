"""Model-driven telemetry of Cisco IOS-XR, recorded as files: what ports count, and who is where.

A recording is a folder: `cdp_map.json` says which port is connected to which; below `yang_models`
each device that reports has a CSV file a sensor path. Read are counters of interfaces, their state
and forwarding drops, and nothing else.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, InputError

Floats = NDArray[np.float64]
COUNTERS = "*infra-statsd-oper*generic-counters.csv"
BRIEFS = "*pfi-im-cmd-oper*interface-brief.csv"
DROPS = "*fib-common-oper*drops.csv"
ERRORS = ("crc-errors", "input-errors", "output-errors", "output-drops", "input-drops")


class Port(NamedTuple):
    """A port of a device."""

    device: str
    name: str


@dataclass(frozen=True)
class PortCounts:
    """What a port counted since it came up, at the times at which its device told it."""

    times_s: Floats
    sent_octets: Floats
    received_octets: Floats
    errors: Floats


@dataclass(frozen=True)
class Recording:
    """Ports of the devices that report, what is at their other ends, their states over time (1 up,
    0 down), and packets that devices dropped."""

    ports: Mapping[Port, PortCounts]
    neighbor: Mapping[Port, Port]
    states: Mapping[Port, tuple[Floats, Floats]]
    drops: Mapping[str, tuple[Floats, Floats]]


def read_recording(folder: Path) -> Recording:
    """A recording in a folder. Raises FormatError, and InputError where no device reports."""
    devices = sorted(p for p in (folder / "yang_models").glob("*") if p.is_dir())
    ports: dict[Port, PortCounts] = {}
    states: dict[Port, tuple[Floats, Floats]] = {}
    drops: dict[str, tuple[Floats, Floats]] = {}
    for device in devices:
        for file in sorted(device.glob(COUNTERS)):
            for name, rows in _by_interface(file).items():
                ports[Port(device.name, name)] = _counts(rows)
        for file in sorted(device.glob(BRIEFS)):
            for name, rows in _by_interface(file).items():
                up = [float(row.get("state", "") == "im-state-up") for _, row in rows]
                states[Port(device.name, name)] = _times(rows), np.array(up)
        for file in sorted(device.glob(DROPS)):
            found = list(_rows(file))
            total = [_number(row, "total-number-of-drop-packets") for _, row in found]
            total = [
                max(
                    t,
                    sum(_number(row, k) for k in row if k.endswith("packets") and "total" not in k),
                )
                for t, (_, row) in zip(total, found, strict=True)
            ]
            drops[device.name] = _times(found), np.array(total)
    if not ports:
        raise InputError(
            f"{folder}: no device reports counters: there must be yang_models/DEVICE/"
            f"{COUNTERS.replace('*', '...')}. Give a folder with a recording."
        )
    return Recording(ports, _neighbors(folder / "cdp_map.json"), states, drops)


def _neighbors(file: Path) -> dict[Port, Port]:
    """Who is connected to whom, both ways; empty where it is not told."""
    if not file.exists():
        return {}
    try:
        devices = json.loads(file.read_text())["devices"]
        told = {
            Port(device, name): Port(str(one["target_device"]), str(one["target_port"]))
            for device, known in devices.items()
            for name, one in known.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            file, "", f"a neighbor is missing or malformed ({error})", "Record it anew."
        ) from None
    return {there: here for here, there in told.items()} | told


def _by_interface(file: Path) -> dict[str, list[tuple[float, dict[str, str]]]]:
    found: dict[str, list[tuple[float, dict[str, str]]]] = defaultdict(list)
    for time_s, row in _rows(file):
        if name := row.get("interface-name"):
            found[name].append((time_s, row))
    return found


def _rows(file: Path) -> Iterator[tuple[float, dict[str, str]]]:
    """The rows of a file with their times, in order of time; lines without one are left out."""
    found = []
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            try:
                time_s = datetime.fromisoformat(row.get("") or "").timestamp()
            except ValueError:
                continue
            found.append((time_s, row))
    return iter(sorted(found, key=lambda one: one[0]))


def _times(rows: list[tuple[float, dict[str, str]]]) -> Floats:
    return np.array([time_s for time_s, _ in rows])


def _counts(rows: list[tuple[float, dict[str, str]]]) -> PortCounts:
    def column(name: str) -> Floats:
        return np.array([_number(row, name) for _, row in rows])

    errors = sum((np.nan_to_num(column(name)) for name in ERRORS), np.zeros(len(rows)))
    return PortCounts(_times(rows), column("bytes-sent"), column("bytes-received"), errors)


def _number(row: Mapping[str, str], name: str) -> float:
    try:
        return float(row.get(name) or "nan")
    except ValueError:
        return float("nan")
