"""Dry run: an actuator that changes nothing, and says and writes what it would do."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nettwin.formats.files import write_text
from nettwin.physical.actuator import ActuatorChoice
from nettwin.physical.devices import devices_of
from nettwin.scenario.changes import Change, SetBuffer, SetPath, SetScheduler, SetWeight
from nettwin.scenario.scenario import Scenario

KINDS = (SetPath, SetWeight, SetScheduler, SetBuffer)


class DryRun:
    """Changes nothing: it writes the changes of each router to a file ROUTER.txt."""

    name = "dry_run"

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self._scenario, self._folder = scenario, folder
        self._lines: dict[str, list[str]] = {}

    def refuses(self, change: Change) -> str:
        known = isinstance(change, KINDS)
        return "" if known else f"{change.describe()}: no router is told {change.kind}"

    def configured(self, devices: Collection[str] = ()) -> Scenario:
        return self._scenario

    def make(self, change: Change) -> None:
        for device in devices_of(change, self._scenario) or ("network",):
            lines = self._lines.setdefault(device, [])
            lines.append(f"{change.describe()}\n")
            write_text(self._folder / f"{device}.txt", "".join(lines))
        self._scenario = change.apply(self._scenario)

    def settle(self) -> None:
        """Nothing moves."""


DRY_RUN = ActuatorChoice(
    "dry_run", "changes nothing; writes what each router would be told", DryRun
)
