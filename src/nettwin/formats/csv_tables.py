"""CSV tables: a folder with `links.csv`, `flows.csv` and `nodes.csv`, or a links table with the
other two beside it.

links   source, target, capacity_bps, delay_s, weight; optional scheduler, srlg, up, duplex, name
flows   source, target, rate_bps; optional class, size, arrival, name (also called demands.csv)
nodes   name; optional latitude_deg, longitude_deg, srlg, up (without it: the ends of the links)

Columns may stand in any order, between commas, semicolons or tabs; `records` tells which other
names they may have. A scheduler, size or arrival is written as in a network file, in full as JSON.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats.edge_attributes import (
    plain_name,
)
from nettwin.formats.files import read_text, write_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.partial_network import PartialNetwork
from nettwin.formats.records import (
    SYNONYMS,
    RecordReader,
    flow_records,
    link_records,
    node_records,
    refuse,
)
from nettwin.scenario.scenario import Scenario

_TIMES = {"time", "times", "timestamp"}  # of demands over time, which are no network
_PLAIN_GROUP = re.compile(r"[^;\s](?:[^;\r\n]*[^;\s])?")
_ENDINGS = (".csv", ".tsv", ".txt")
_ROLES = {"links": ("links", "edges"), "flows": ("flows", "demands"), "nodes": ("nodes",)}
_COLUMNS = {
    "links": (
        *("source", "target", "capacity_bps", "delay_s", "weight"),
        *("scheduler", "srlg", "up", "name"),
    ),
    "flows": ("source", "target", "rate_bps", "class", "size", "arrival", "name"),
    "nodes": ("name", "latitude_deg", "longitude_deg", "srlg", "up"),
}


class CsvTables(Format):
    """Tables of links, flows and nodes as CSV."""

    name = "csv"
    title = "CSV tables (links, flows, nodes)"
    suffixes = (".csv",)
    writes = True

    def detects(self, path: Path, head: bytes) -> bool:
        if path.is_dir():
            return _in_folder(path, "links") is not None
        line = _header(head.decode("utf-8-sig", "ignore"))
        names = {plain_name(name) for name in line.split(_delimiter(line))}
        return not names & _TIMES and all(
            names & set(SYNONYMS[end]) for end in ("source", "target")
        )

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        links, flows, nodes = _files(path)
        partial = PartialNetwork(self.name, str(path), name=path.stem)
        if nodes is not None:
            _read(nodes, partial, "nodes")
        _read(links, partial, "links")
        if nodes is None:
            ends = (end for link in partial.links for end in (link.source, link.target))
            reader = RecordReader(partial, links)
            for name in dict.fromkeys(ends):
                reader.node({}, "", name)
        if flows is not None:
            partial.flows = []
            _read(flows, partial, "flows")
        yield partial.reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        refuse(scenario, self.name, ecmp=False)
        texts = {
            "links": _table(link_records(scenario), "links"),
            "flows": _table(flow_records(scenario), "flows"),
            "nodes": _table(node_records(scenario), "nodes"),
        }
        for role, text in texts.items():
            write_text(_written(path, role), text)


# which file is which


def _files(path: Path) -> tuple[Path, Path | None, Path | None]:
    """The tables of links, flows and nodes."""
    if path.is_dir():
        links = _in_folder(path, "links")
        if links is None:
            raise FormatError(path, "", "holds no links.csv", "Add one, or name the file.")
        return links, _in_folder(path, "flows"), _in_folder(path, "nodes")
    return path, _beside(path, "flows"), _beside(path, "nodes")


def _in_folder(folder: Path, role: str) -> Path | None:
    candidates = (folder / f"{word}{end}" for word in _ROLES[role] for end in _ENDINGS)
    return next((file for file in candidates if file.is_file()), None)


def _beside(path: Path, role: str) -> Path | None:
    prefix = _prefix(path)
    candidates = (path.with_name(f"{prefix}{word}{path.suffix}") for word in _ROLES[role])
    return next((file for file in candidates if file.is_file() and file != path), None)


def _prefix(path: Path) -> str:
    """What the names of the tables have in common: `net.` for net.csv and for net.links.csv."""
    for word in _ROLES["links"]:
        if path.stem.lower().endswith(word):
            return path.stem[: -len(word)]
    return f"{path.stem}."


def _written(path: Path, role: str) -> Path:
    if path.suffix.lower() not in _ENDINGS:
        return path / f"{role}.csv"
    return path if role == "links" else path.with_name(f"{_prefix(path)}{role}{path.suffix}")


# reading


def _read(path: Path, partial: PartialNetwork, role: str) -> None:
    reader = RecordReader(partial, path)
    add = {"links": reader.link, "flows": reader.flow, "nodes": reader.node}[role]
    for line, record in _records(path, role):
        add(record, f"line {line}")
    reader.end()


def _records(path: Path, role: str) -> Iterator[tuple[int, dict[str, str]]]:
    rows = _rows(path)
    line, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    needed = ("name",) if role == "nodes" else ("source", "target")
    plain = [plain_name(name) for name in names]
    for key in needed:
        if not set(plain) & set(SYNONYMS[key]):
            reason = f"the header has no column {key}"
            remedy = f"Begin with a header such as {','.join(_COLUMNS[role][:3])}."
            raise FormatError(path, f"line {line}", reason, remedy)
    if role == "links" and _of_demands(plain):
        raise FormatError(
            path,
            f"line {line}",
            "is a table of demands, not of links",
            "Give the folder that holds links.csv too, or the links table.",
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        reason = f"the header has the column {twice[0][:40]} twice"
        raise FormatError(path, f"line {line}", reason, "Rename or remove one.")
    for line, row in rows:
        if len(row) > len(names) or len(row) < len(needed):
            reason = f"has {len(row)} values, the header {len(names)}"
            remedy = "Give one value a column, in quotes where it holds the separator."
            raise FormatError(path, f"line {line}", reason, remedy)
        yield line, {name: value.strip() for name, value in zip(names, row, strict=False) if name}


def _of_demands(names: list[str]) -> bool:
    def some(*words: str) -> bool:
        return any(word in name for name in names for word in words)

    return some("rate", "demand", "traffic") and not some("capacity", "bandwidth", "weight", "bw")


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows with the line on which each begins; empty ones and comments are passed over."""
    text = read_text(path)
    delimiter = _delimiter(_header(text))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins, begun = 1, False
    try:
        for row in reader:
            comment = not begun and row and row[0].startswith("#")
            if any(value.strip() for value in row) and not comment:
                begun = True
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise FormatError(
            path, f"line {begins}", f"is not valid CSV: {error}", "Check its quotes and commas."
        ) from None


def _header(text: str) -> str:
    """The first line that is neither empty nor a comment."""
    lines = (line.strip() for line in text.split("\n"))
    return next((line for line in lines if line and line[0] != "#"), "")


def _delimiter(header: str) -> str:
    """The separator of a header: the one of comma, semicolon and tab that it has most of."""
    return max(",;\t", key=header.count)


# writing


def _table(records: list[dict[str, Any]], role: str) -> str:
    columns = [
        name
        for i, name in enumerate(_COLUMNS[role])
        if i < 3 or any(name in record for record in records)
    ]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for record in records:
        writer.writerow([_cell(record[name], name) if name in record else "" for name in columns])
    return out.getvalue()


def _cell(value: Any, column: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        fits = value == value.strip() and value and "\r" not in value
        try:
            value.encode()
        except UnicodeEncodeError:
            fits = False
        if not fits:
            raise InputError(
                f"{column} {value!r} cannot stand in a CSV table: a name must not be empty, begin"
                " or end with a space, or hold a carriage return or half a character. Rename it,"
                " or write a network file."
            )
        return value
    if isinstance(value, list) and all(_PLAIN_GROUP.fullmatch(group) for group in value):
        joined = ";".join(value)
        return joined if joined[0] != "[" else json.dumps(value)
    return repr(value) if isinstance(value, float) else json.dumps(value)
