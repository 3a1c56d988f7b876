"""Formats: network files in and out. One module a format, one registry, detected from content.

read        the first (or n-th) scenario of a source, with everything assumed and ignored
read_all    all of them, lazily                write    a scenario to a file
format      the contract and what reading gives
draft       a network with gaps, filled by stated assumptions
files       limited reading, atomic writing
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_head
from nettwin.formats.format import DemandSeries, Format, ImportDefaults, Reading
from nettwin.registry import Registry
from nettwin.scenario.scenario import Scenario

__all__ = [
    "FORMATS",
    "DemandSeries",
    "Format",
    "ImportDefaults",
    "Reading",
    "detect",
    "read",
    "read_all",
    "write",
]


def _adopted(name: str, loaded: Any) -> Format:
    """The instance of a class of formats."""
    made: Format = loaded() if isinstance(loaded, type) else loaded
    if getattr(made, "name", None) != name:
        raise ValueError(f"its name is {getattr(made, 'name', None)!r}, must be {name!r}")
    for attribute in ("title", "suffixes", "prefix", "writes", "detects", "read"):
        if not hasattr(made, attribute):
            raise TypeError(f"it lacks {attribute}; inherit nettwin.extend.Format")
    return made


# The order in which formats are asked whether a file is theirs: the more particular ones first,
# those of other packages last
FORMATS: Registry[Format] = Registry(
    "format",
    "nettwin.formats",
    {
        "datanet": "nettwin.formats.datanet:Datanet",
        "testbed": "nettwin.formats.testbed:Testbed",
        "topohub": "nettwin.formats.topohub:TopoHub",
        "repetita": "nettwin.formats.repetita:Repetita",
        "sndlib-xml": "nettwin.formats.sndlib_xml:SNDlibXML",
        "sndlib": "nettwin.formats.sndlib_native:SNDlibNative",
        "graphml": "nettwin.formats.graphml:GraphML",
        "ietf-network": "nettwin.formats.ietf:IetfNetwork",
        "ospf": "nettwin.formats.discovered.ospf:Ospf",
        "isis": "nettwin.formats.discovered.isis:IsIs",
        "netbox": "nettwin.formats.discovered.inventory:NetBox",
        "neighbors": "nettwin.formats.discovered.neighbors:Neighbors",
        "node-link": "nettwin.formats.node_link:NodeLink",
        "containerlab": "nettwin.formats.containerlab:Containerlab",
        "native": "nettwin.formats.native:Native",
        "gml": "nettwin.formats.gml:GML",
        "csv": "nettwin.formats.csv_tables:CsvTables",
    },
    _adopted,
)


def detect(source: str | Path) -> Format:
    """The format of a source, from its content. Raises FormatError where none knows it."""
    text = str(source)
    if ":" in text:
        for known in FORMATS.values():
            if known.prefix and text.startswith(known.prefix):
                return known
    path = Path(source)
    if not path.exists():
        raise FormatError(
            path, "", "does not exist", "Give an existing file or folder, or topohub:NAME."
        )
    head = read_head(path)
    if path.is_file() and not head.strip():
        raise FormatError(path, "", "is empty", "Give a network file.")
    for known in FORMATS.values():
        if not known.prefix and known.detects(path, head):
            return known
    names = ", ".join(FORMATS)
    raise FormatError(
        path, "", f"is in none of the known formats ({names})", "Name its format, or convert it."
    )


def read_all(
    source: str | Path, *, format: str | None = None, assume: ImportDefaults | None = None
) -> Iterator[Reading]:
    """Every scenario in a source, read lazily. Raises FormatError, and UnknownNameError for a
    format that is not in FORMATS."""
    known = detect(source) if format is None else FORMATS.named(format)
    text = str(source)
    if known.prefix:
        text = text.removeprefix(known.prefix)
    elif not Path(text).exists():
        raise FormatError(text, "", "does not exist", "Give an existing file or folder.")
    yield from known.read(Path(text), assume or ImportDefaults())


def read(
    source: str | Path,
    *,
    format: str | None = None,
    assume: ImportDefaults | None = None,
    index: int = 0,
) -> Reading:
    """The scenario number `index` (from 0) in a source. Raises what `read_all` raises."""
    if index < 0:
        raise InputError(f"index is {index}: must be at least 0. Count the scenarios from 0.")
    found = next(islice(read_all(source, format=format, assume=assume), index, None), None)
    if found is None:
        reason = f"holds no scenario number {index}" if index else "holds no scenario"
        raise FormatError(source, "", reason, "Give a smaller index, or another file.")
    return found


def write(scenario: Scenario, path: str | Path, *, format: str | None = None) -> None:
    """Write a scenario in a format, by default the one of the path's suffix.

    Raises InputError where no format that writes has that suffix, the format cannot hold the
    scenario, or the place cannot be written.
    """
    target = Path(path)
    known = _by_suffix(target) if format is None else FORMATS.named(format)
    if not known.writes:
        able = ", ".join(f.name for f in FORMATS.values() if f.writes)
        raise InputError(f"format {known.name} can only be read: must be one of {able}. Name one.")
    known.write(scenario, target)


def _by_suffix(path: Path) -> Format:
    matches = [
        (len(suffix), known)
        for known in FORMATS.values()
        if known.writes
        for suffix in known.suffixes
        if path.name.lower().endswith(suffix)
    ]
    if not matches:
        able = ", ".join(s for f in FORMATS.values() if f.writes for s in f.suffixes)
        raise InputError(f"{path} has no suffix of a format that writes: {able}. Name the format.")
    return max(matches, key=lambda match: match[0])[1]
