"""SNDlib networks in the native text format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nettwin.errors import FormatError, InputError
from nettwin.formats import sndlib
from nettwin.formats.attributed_graph import (
    listed,
)
from nettwin.formats.files import read_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.sndlib import DemandRecord, LinkRecord, SiteRecord, SNDlibNetwork
from nettwin.scenario.scenario import Scenario

LARGEST_CHARACTERS = 64 * 2**20
MAX_TOKENS = 10_000_000
DEEPEST = 4
MAX_NOTES = 20
_HEADER = re.compile(r"\?SNDlib native format;\s*type:\s*(\w+);\s*version:\s*([\d.]+)")
_META = re.compile(r"^META[ \t]*\(\n((?:(?![ \t]*\)).*\n)*)[ \t]*\)[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(r"[()]|[^\s()]+")
_SHAPES = {
    "NODES": "name ( longitude latitude )",
    "LINKS": "name ( source target ) installed cost routing-cost set-up-cost ( capacity cost ... )",
    "DEMANDS": "name ( source target ) routing-unit value longest-path",
}


class Part(NamedTuple):
    """A word, or a group in parentheses (`parts` is then a list), with its line."""

    word: str
    line: int
    parts: list[Part] | None = None

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"line {self.line}"


class SNDlibNative(Format):
    """An SNDlib network as native text: nodes, links with capacity modules, demands."""

    name = "sndlib"
    title = "SNDlib native text"

    def detects(self, path: Path, head: bytes) -> bool:
        return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"?SNDlib native format")

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        yield sndlib.reading(_network(read_text(path), path), path, self.name, assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


def _network(text: str, path: Path) -> SNDlibNetwork:
    if len(text) > LARGEST_CHARACTERS:
        raise FormatError(path, "", f"is larger than {LARGEST_CHARACTERS >> 20} MiB", "Split it.")
    header = _HEADER.match(text.lstrip())
    if header is None or header[1] != "network":
        found = f"the header tells of a {header[1]}" if header else "the header is not complete"
        remedy = "Begin with `?SNDlib native format; type: network; version: 1.0`."
        raise FormatError(path, "line 1", found, remedy)
    network = SNDlibNetwork()
    meta = _META.search(text)
    if meta is not None:
        _read_meta(meta[1], network)
        blank = "\n" * meta[0].count("\n")
        text = text[: meta.start()] + blank + text[meta.end() :]
    sections = _sections(text, path)
    if "NODES" not in sections:
        raise FormatError(path, "the sections", "there is no NODES", "Add `NODES ( ... )`.")
    network.sites = [_site(r, path) for r in _records(sections.pop("NODES"), "NODES", path)]
    for name, read in (("LINKS", _link), ("DEMANDS", _demand)):
        if name in sections:
            records = _records(sections.pop(name), name, path)
            found_list = [read(record, path) for record in records]
            setattr(network, name.lower(), found_list)
    if sections:
        network.ignored.append(f"sections {listed(list(sections))}")
    return network


def _read_meta(text: str, network: SNDlibNetwork) -> None:
    for line in text.splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        if name == "unit":
            network.unit = value
        elif name and not name.startswith("#") and len(network.ignored) < MAX_NOTES:
            network.ignored.append(f"{name[:40]}: {value[:60]}")


def _sections(text: str, path: Path) -> dict[str, Part]:
    """The group in parentheses of each section, by the section's name."""
    sections: dict[str, Part] = {}
    parts = _nested(text, path)
    for name, group in zip(parts[::2], parts[1::2], strict=False):
        if name.parts is not None or group.parts is None:
            stray = group if group.parts is None else name
            reason = f"there is {stray.word[:40]!r} where a section should begin"
            raise FormatError(path, stray.place, reason, "Write `NAME (`, the lines and `)`.")
        if name.word in sections:
            reason = f"duplicate section {name.word}"
            raise FormatError(path, name.place, reason, "Make one section of both.")
        sections[name.word] = group
    if len(parts) % 2:
        reason = f"nothing follows {parts[-1].word[:40]!r}"
        raise FormatError(path, parts[-1].place, reason, "The file may be cut off: restore it.")
    return sections


def _nested(text: str, path: Path) -> list[Part]:
    """The words of the text, in groups where it has parentheses; header and comments left out."""
    stack = [Part("(", 1, [])]
    count = 0
    for number, line in enumerate(text.split("\n"), 1):
        content = "" if line.lstrip().startswith("?") else line.partition("#")[0]
        for token in _TOKEN.findall(content):
            count += 1
            inner = stack[-1].parts
            if inner is None or len(stack) > DEEPEST or count > MAX_TOKENS:
                reason = "there are too many words or parentheses in parentheses"
                raise FormatError(path, f"line {number}", reason, "Give an SNDlib network.")
            if token == "(":
                stack.append(Part("(", number, []))
                inner.append(stack[-1])
            elif token != ")":
                inner.append(Part(token, number))
            elif len(stack) == 1:
                raise FormatError(path, f"line {number}", "`)` closes nothing", "Remove it.")
            else:
                stack.pop()
    if len(stack) > 1:
        reason = "this parenthesis is never closed"
        raise FormatError(path, stack[-1].place, reason, "The file may be cut off: restore it.")
    return stack[0].parts or []


def _records(section: Part, kind: str, path: Path) -> Iterator[list[Part]]:
    """The records of a section, one a line."""
    record: list[Part] = []
    for part in section.parts or []:
        if record and part.line != record[-1].line and part.parts is None:
            yield _whole(record, kind, path)
            record = []
        record.append(part)
    if record:
        yield _whole(record, kind, path)


def _whole(record: list[Part], kind: str, path: Path) -> list[Part]:
    """The record, if it has the shape of its kind."""
    shape = "".join("w" if part.parts is None else "g" for part in record)
    allowed = {"NODES": "wg?g?g?", "LINKS": "wgwwwwg", "DEMANDS": "wgwww"}[kind]
    pairs = [len(part.parts or []) for part in record[1:2]]
    if re.fullmatch(allowed, shape) and (pairs in ([], [2]) or (kind == "NODES" and pairs == [0])):
        return record
    reason = f"{record[0].word[:40]!r} is not a whole record of {kind}"
    raise FormatError(path, record[0].place, reason, f"Write `{_SHAPES[kind]}`.")


def _site(record: list[Part], path: Path) -> SiteRecord:
    x = y = math.nan
    if len(record) > 1 and record[1].parts:
        x, y = (_number(part, path, "coordinate") for part in record[1].parts)
    return SiteRecord(record[0].word, x, y, record[0].place)


def _link(record: list[Part], path: Path) -> LinkRecord:
    source, target = record[1].parts or []
    installed = _number(record[2], path, "installed capacity")
    listed = record[6].parts or []
    if len(listed) % 2:
        reason = f"the modules of link {record[0].word[:40]} are no pairs"
        raise FormatError(path, record[6].place, reason, "Write capacity and cost of each.")
    modules = tuple(_number(part, path, "capacity of a module") for part in listed[::2])
    return LinkRecord(
        record[0].word, source.word, target.word, installed or math.nan, modules, record[0].place
    )


def _demand(record: list[Part], path: Path) -> DemandRecord:
    source, target = record[1].parts or []
    unit = _number(record[2], path, "routing unit")
    value = _number(record[3], path, "demand") * unit
    return DemandRecord(record[0].word, source.word, target.word, value, record[0].place)


def _number(part: Part, path: Path, what: str) -> float:
    return sndlib.number(part.word, path, part.place, what)
