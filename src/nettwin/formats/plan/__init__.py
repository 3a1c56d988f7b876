"""Plan: nettwin's own format, YAML that people write and read, or the same as JSON.

fields      every key, declared once           schema    the JSON schema, made from the fields
document    text to plain data with lines      reader    plain data to a scenario
checks      values and faults                  parts     schedulers, sizes, arrivals
writer      a scenario to plain data           text      plain data to YAML or JSON
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nettwin.formats.files import read_text, write_text
from nettwin.formats.format import Assume, Format, Reading
from nettwin.formats.plan.document import Document
from nettwin.formats.plan.reader import read_plan
from nettwin.formats.plan.schema import plan_schema
from nettwin.formats.plan.text import encodable, json_text, yaml_text
from nettwin.formats.plan.writer import plan_data
from nettwin.scenario.scenario import Scenario

__all__ = ["Plan", "plan_from_text", "plan_schema", "plan_text"]

_YAML_KEY = re.compile(rb"""^["']?nettwin["']?[ \t]*:""", re.MULTILINE)
_JSON_KEY = re.compile(rb"""\{[^{}\[\]]*"nettwin"\s*:""")


class Plan(Format):
    """nettwin's own plan: everything a scenario can hold, for people to write."""

    name = "plan"
    title = "nettwin plan (YAML or JSON)"
    suffixes = (".nettwin.yaml", ".nettwin.json", ".yaml", ".json", ".yml")
    writes = True

    def detects(self, path: Path, head: bytes) -> bool:
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return bool((_JSON_KEY.match if text[:1] == b"{" else _YAML_KEY.search)(text))

    def read(self, path: Path, assume: Assume) -> Iterator[Reading]:
        yield read_plan(Document(path, read_text(path)), assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        data = plan_data(scenario)
        text = json_text(data) if path.name.lower().endswith(".json") else yaml_text(data)
        write_text(path, encodable(text))


def plan_text(scenario: Scenario) -> str:
    """A scenario as the JSON text of its plan."""
    return encodable(json_text(plan_data(scenario)))


def plan_from_text(text: str, origin: str) -> Scenario:
    """The inverse; `origin` is what errors name. Raises FormatError."""
    return read_plan(Document(Path(origin), text), Assume()).scenario
