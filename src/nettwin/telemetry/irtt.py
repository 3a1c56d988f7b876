"""irtt: round trips of probes between two hosts, with the delay of each direction.

    source: irtt
    path: "probes/*.json"            # irtt client -o FILE ADDRESS
    device: Seattle                  # or by devices: {10.0.0.1: Seattle, 10.0.0.2: Denver}

The delay of one direction is as good as the clocks of both hosts (NTP or better); that of the round
trip needs none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_text
from nettwin.settings import settings_of
from nettwin.telemetry.matching import matching
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import Opening, Quality, SourceChoice

REMEDY = "Write it with irtt client -o FILE.json."
LATEST_S, LONGEST_NS = 1e11, 1e15
Samples = dict[tuple[Port, str], list[tuple[float, float]]]


@dataclass(frozen=True)
class Settings:
    """What the file of the source says; without `device` probes are from their local address."""

    path: str = ""
    device: str = ""


class Irtt:
    """Probes in files of irtt; every file that matches is read, in the order of their names."""

    live = False

    def __init__(self, opening: Opening) -> None:
        self.folder, self.told = opening.folder, opening.told
        self.settings = settings_of(Settings, opening.settings, "an irtt source")
        if not self.settings.path:
            raise InputError("there is no path: must be such as probes/*.json. Write it.")

    def test(self) -> str:
        files = matching(self.folder, self.settings.path)
        _, _, trips = _session(files[0])
        return f"{len(files)} files of irtt in {self.folder}, {len(trips)} probes in the first"

    def read(self, since_s: float, until_s: float) -> Iterator[Series]:
        found: Samples = {}
        for path in matching(self.folder, self.settings.path):
            local, remote, trips = _session(path)
            bad = sum(not self._one(found, local, remote, trip, since_s, until_s) for trip in trips)
            if bad:
                self.told.append(f"{path.name}: {bad} probes whose times cannot be read")
        for (port, quantity), pairs in found.items():
            both = np.array(pairs, np.float64)
            yield Series(port, quantity, both[:, 0].copy(), both[:, 1].copy())

    def close(self) -> None:
        """Nothing is held."""

    def _one(
        self, found: Samples, local: str, remote: str, trip: Any, since_s: float, until_s: float
    ) -> bool:
        """Add a probe; False where it cannot be read."""
        try:
            at = trip["timestamps"]["client"]["send"]["wall"] / 1e9
            lost = str(trip["lost"])
            delay = dict(trip.get("delay", {}))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
            return False
        if not abs(at) < LATEST_S:
            return False
        if not since_s <= at < until_s:
            return True
        there = Port(self.settings.device or local, remote)
        back = Port(remote, self.settings.device or local)
        up, down = lost in ("true", "true_up"), lost == "true_down"
        values = [(there, "loss_ratio", float(up)), *([] if up else [(back, "loss_ratio", down)])]
        for port, quantity, key in (
            (there, "owd_mean_s", "send"),
            (back, "owd_mean_s", "receive"),
            (there, "rtt_s", "rtt"),
        ):
            if isinstance(value := delay.get(key), int | float) and abs(value) < LONGEST_NS:
                values.append((port, quantity, value / 1e9))
        for port, quantity, value in values:
            found.setdefault((port, quantity), []).append((at, float(value)))
        return True


def _session(path: Path) -> tuple[str, str, list[Mapping[str, Any]]]:
    """Addresses of the two hosts, and the round trips. Raises FormatError."""
    try:
        data = json.loads(read_text(path))
    except (ValueError, RecursionError):
        raise FormatError(path, "", "is no JSON", REMEDY) from None
    try:
        ends = [_host(data["config"][f"{side}_address"]) for side in ("local", "remote")]
        trips = data["round_trips"]
    except (KeyError, TypeError, AttributeError):
        reason = "must have config.local_address, config.remote_address and round_trips"
        raise FormatError(path, "", reason, REMEDY) from None
    if not isinstance(trips, list):
        raise FormatError(path, "round_trips", "is no list", REMEDY)
    return ends[0], ends[1], trips


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


IRTT = SourceChoice(
    "irtt",
    "probes of irtt: delay of each direction, round-trip time and loss between two hosts",
    Irtt,
    Quality(
        tests_connection=True,
        declares_units=True,
        documented=True,
        says_outage=True,
        back_fills=True,
        tried_on="irtt 0.9.0",
    ),
)
