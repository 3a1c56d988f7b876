"""containerlab topologies, `.clab.yml`: nodes and the links between their interfaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nettwin.errors import InputError
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.scenario.scenario import Scenario

_TOPOLOGY = re.compile(r"^topology[ \t]*:", re.MULTILINE)
_CONTENT = re.compile(r"^[ \t{-]*(?:endpoints|kind|image|kinds)[ \t]*:", re.MULTILINE)


class Containerlab(Format):
    """A containerlab topology: its nodes and the links between them."""

    name = "containerlab"
    title = "containerlab topology"
    suffixes = (".clab.yml", ".clab.yaml")

    def detects(self, path: Path, head: bytes) -> bool:
        text = head.decode("utf-8", "ignore")
        return bool(_TOPOLOGY.search(text)) and (
            path.name.lower().endswith(self.suffixes) or bool(_CONTENT.search(text))
        )

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        from nettwin.formats.containerlab.reading import TopologyReader  # with a YAML parser

        yield TopologyReader(path).partial().reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")
