"""Native: nettwin's own format, YAML that people write and read, or the same as JSON.

fields      every key, declared once           schema    the JSON schema, made from the fields
document    text to plain data with lines      reader    plain data to a scenario
checks      values and issues                  parts     schedulers, sizes, arrivals
writer      a scenario to plain data           text      plain data to YAML or JSON
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nettwin.formats.files import read_text, write_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.native.document import Document
from nettwin.formats.native.reader import read_native
from nettwin.formats.native.schema import native_schema
from nettwin.formats.native.text import encodable, json_text, yaml_text
from nettwin.formats.native.writer import native_data
from nettwin.scenario.scenario import Scenario

__all__ = ["Native", "native_from_text", "native_schema", "native_text"]

_YAML_KEY = re.compile(rb"""^["']?nettwin["']?[ \t]*:""", re.MULTILINE)
_JSON_KEY = re.compile(rb"""\{[^{}\[\]]*"nettwin"\s*:""")


class Native(Format):
    """nettwin's own network file: everything a scenario can hold, for people to write."""

    name = "native"
    title = "nettwin network file (YAML or JSON)"
    suffixes = (".nettwin.yaml", ".nettwin.json", ".yaml", ".json", ".yml")
    writes = True

    def detects(self, path: Path, head: bytes) -> bool:
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return bool((_JSON_KEY.match if text[:1] == b"{" else _YAML_KEY.search)(text))

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        yield read_native(Document(path, read_text(path)), assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        data = native_data(scenario)
        text = json_text(data) if path.name.lower().endswith(".json") else yaml_text(data)
        write_text(path, encodable(text))


def native_text(scenario: Scenario) -> str:
    """A scenario as the JSON text of its network file."""
    return encodable(json_text(native_data(scenario)))


def native_from_text(text: str, origin: str) -> Scenario:
    """The inverse; `origin` is what errors name. Raises FormatError."""
    return read_native(Document(Path(origin), text), ImportDefaults()).scenario
