"""Source files: YAML that names a kind of source, its settings, and its names for the network's.

source: prometheus          # a name of SOURCES; the rest but COMMON is its own
url: http://127.0.0.1:9090
devices: {r1.example.net: Seattle}
links: {Seattle: {"xe-0/0/1": "Seattle->Denver"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nettwin import units
from nettwin.errors import FormatError, InputError, SourceError
from nettwin.formats.files import read_head
from nettwin.formats.yaml_document import line_of, load_yaml
from nettwin.secrets import REMEDY, is_reference, is_secret
from nettwin.telemetry.ports import Names
from nettwin.telemetry.registry import SOURCES
from nettwin.telemetry.source import Opening, Source

_SOURCE = re.compile(r"^source:\s*[\"']?([\w-]+)", re.MULTILINE)
COMMON = ("source", "devices", "links", "interval", "class")


@dataclass(frozen=True)
class SourceFile:
    """What a source file says; `interval_s` 0: as often as the source was read; `traffic_class` is
    that of probes, empty where it is not said."""

    path: Path
    kind: str
    settings: Mapping[str, Any]
    names: Names = field(default_factory=Names)
    interval_s: float = 0.0
    traffic_class: str = ""


def is_source_file(path: Path) -> bool:
    """Whether a file names a kind of source, and so is no network file."""
    if not path.is_file():
        return False
    found = _SOURCE.search(read_head(path).decode(errors="replace"))
    return found is not None and found[1] in SOURCES


def read_source_file(path: Path) -> SourceFile:
    """A source file. Raises FormatError with the line of what is wrong."""
    data = load_yaml(path)
    kind = data.get("source")
    if not isinstance(kind, str) or kind not in SOURCES:
        known = ", ".join(SOURCES)
        place = line_of(data, "source" if "source" in data else None)
        raise FormatError(path, place, f"source is {kind!r}: must be one of {known}", "Name one.")
    settings = {str(name): value for name, value in data.items() if name not in COMMON}
    for name, value in settings.items():
        if is_secret(name) and not (isinstance(value, str) and is_reference(value)):
            reason = f"{name} holds a secret: must name where it is"
            raise FormatError(path, line_of(data, name), reason, REMEDY)
    devices, links = data.get("devices") or {}, data.get("links") or {}
    if not isinstance(devices, Mapping):
        raise FormatError(path, line_of(data, "devices"), "devices must be ALIAS: NODE", "Mend it.")
    if not isinstance(links, Mapping) or not all(isinstance(v, Mapping) for v in links.values()):
        reason = "links must be DEVICE: {INTERFACE: LINK}"
        raise FormatError(path, line_of(data, "links"), reason, "Mend it.")
    try:
        interval_s = units.time_s(str(data["interval"])) if "interval" in data else 0.0
    except InputError as error:
        raise FormatError(path, line_of(data, "interval"), str(error), "") from None
    if interval_s < 0:
        raise FormatError(path, line_of(data, "interval"), "interval must be above 0", "Mend it.")
    names = Names(
        {str(alias): str(node) for alias, node in devices.items()},
        {
            str(device): {str(i): str(link or "") for i, link in mine.items()}
            for device, mine in links.items()
        },
    )
    return SourceFile(path, kind, settings, names, interval_s, str(data.get("class") or ""))


@contextmanager
def opened(
    file: SourceFile, told: list[str] | None = None, folder: Path | None = None
) -> Iterator[Source]:
    """The source of a file; paths in it start from a folder, by default the file's.

    Raises FormatError for its settings, SourceError where this machine lacks something for it.
    """
    choice = SOURCES[file.kind]
    if lacks := choice.missing():
        raise SourceError(f"the source {choice.name} cannot be read here: {lacks}")
    notes = told if told is not None else []
    try:
        source = choice.open(Opening(file.settings, folder or file.path.parent, notes))
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(file.path, "", str(error), "") from None
    try:
        yield source
    finally:
        source.close()


def with_names(path: Path, names: Names) -> str:
    """The text of a source file with other names; comments stay. Raises FormatError."""
    import io

    from ruamel.yaml import YAML

    data = load_yaml(path)
    if names.devices:
        data["devices"] = dict(names.devices)
    if names.links:
        data["links"] = {device: dict(mine) for device, mine in names.links.items()}
    text = io.StringIO()
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4096
    yaml.dump(data, text)
    return text.getvalue()
