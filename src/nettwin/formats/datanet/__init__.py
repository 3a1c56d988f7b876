"""Datanet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nettwin.errors import FormatError
from nettwin.formats.format import Assume, Format, Reading
from nettwin.scenario.scenario import Scenario


class Datanet(Format):
    """Datanet."""

    name = "datanet"
    title = "datanet"

    def detects(self, path: Path, head: bytes) -> bool:
        return False

    def read(self, path: Path, assume: Assume) -> Iterator[Reading]:
        raise FormatError(path, "", "", "")

    def write(self, scenario: Scenario, path: Path) -> None:
        raise FormatError(path, "", "", "")
