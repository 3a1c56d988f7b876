"""GML, the Graph Modelling Language, as the Internet Topology Zoo and graph tools write it.

Keys and values, a value being a number, a quoted string or a list in brackets (M. Himsolt, GML: a
portable graph file format, 1997).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nettwin.errors import FormatError, InputError
from nettwin.formats.attributed_graph import (
    AttributedGraph,
    GraphEdge,
    GraphNode,
    partial_of,
)
from nettwin.formats.edge_attributes import (
    short,
)
from nettwin.formats.files import read_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.scenario.scenario import Scenario

LARGEST_CHARACTERS = 64 * 2**20
MAX_ITEMS = 4_000_000
DEEPEST = 30
# written so that no text makes them backtrack for long
_TOKEN = re.compile(r'\s++|#[^\n]*+|"([^"]*+)"|([\[\]])|([^\s\[\]"]++)|(")')
_KEY = re.compile(r"[A-Za-z_][\w.:-]*+")
# (a possessive group, `(...)*+`, does not match as it should in Python 3.11.2, that of Debian 12)
_BEGINNING = re.compile(
    r'(?:\s++|#[^\n]*+|[A-Za-z]\w*+\s++(?:"[^"]*+"|[-+.\w]++)(?=\s))*graph\s*+\['
)


class Item(NamedTuple):
    """A key with its value: text, or a list of items."""

    key: str
    value: str | list[Item]
    line: int


class GML(Format):
    """Graphs in GML, one or more a file; nodes, edges and what their attributes say."""

    name = "gml"
    title = "GML (Topology Zoo and graph tools)"
    suffixes = (".gml",)

    def detects(self, path: Path, head: bytes) -> bool:
        return bool(_BEGINNING.match(head.decode("utf-8-sig", "ignore")))

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        graphs = [item for item in parse(read_text(path), path) if item.key == "graph"]
        if not graphs:
            raise FormatError(path, "line 1", "there is no `graph [`", "Give a GML file.")
        for graph in graphs:
            yield partial_of(_graph(graph, path), path, self.name).reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


def parse(text: str, path: Path) -> list[Item]:
    """The items of a GML text. Raises FormatError with the line."""
    if len(text) > LARGEST_CHARACTERS:
        raise FormatError(path, "", f"is larger than {LARGEST_CHARACTERS >> 20} MiB", "Split it.")
    top: list[Item] = []
    open_lists: list[tuple[list[Item], int]] = [(top, 1)]
    key, key_line, count = "", 1, 0
    for line, kind, value in _tokens(text, path):
        if kind == "]":
            if key or len(open_lists) == 1:
                reason = f"key {short(key)} has no value" if key else "`]` closes nothing"
                raise FormatError(path, f"line {line}", reason, "Correct the brackets.")
            open_lists.pop()
            continue
        if not key:
            if kind != "word" or not _KEY.fullmatch(value):
                reason = f"there is {short(value)} where a key should be"
                raise FormatError(path, f"line {line}", reason, "Write a key and its value.")
            key, key_line = value, line
            continue
        count += 1
        if count > MAX_ITEMS:
            reason = f"there are more than {MAX_ITEMS:,} values"
            raise FormatError(path, f"line {line}", reason, "Give a smaller network.")
        items = open_lists[-1][0]
        if kind == "[":
            if len(open_lists) > DEEPEST:
                reason = f"lists are nested deeper than {DEEPEST} levels"
                raise FormatError(path, f"line {line}", reason, "Give a network file.")
            inner: list[Item] = []
            items.append(Item(key, inner, key_line))
            open_lists.append((inner, line))
        else:
            items.append(Item(key, value, key_line))
        key = ""
    if key:
        reason = f"key {short(key)} has no value"
        raise FormatError(path, f"line {key_line}", reason, "The file may be cut off: restore it.")
    if len(open_lists) > 1:
        place = f"line {open_lists[-1][1]}"
        reason = "this list is never closed"
        raise FormatError(path, place, reason, "The file may be cut off: restore it, or add `]`.")
    return top


def _tokens(text: str, path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, kind (word, text or a bracket) and value of each token."""
    line = 1
    for match in _TOKEN.finditer(text):
        quoted, bracket, word, stray = match.groups()
        if bracket:
            yield line, bracket, bracket
        elif word is not None:
            yield line, "word", word
        elif quoted is not None:
            yield line, "text", html.unescape(quoted)
        elif stray:
            reason = "a quoted text is never closed"
            raise FormatError(path, f"line {line}", reason, 'Add the closing `"`.')
        line += text.count("\n", match.start(), match.end())


def _graph(graph: Item, path: Path) -> AttributedGraph:
    if isinstance(graph.value, str):
        reason = f"graph is {short(graph.value)}, not a list"
        raise FormatError(path, f"line {graph.line}", reason, "Write `graph [ ... ]`.")
    made = AttributedGraph(line=graph.line)
    loose: list[Item] = []
    for item in graph.value:
        if item.key not in ("node", "edge"):
            loose.append(item)
        elif isinstance(item.value, str):
            reason = f"{item.key} is {short(item.value)}, not a list"
            raise FormatError(path, f"line {item.line}", reason, f"Write `{item.key} [ ... ]`.")
        elif item.key == "node":
            made.nodes.append(_node(item, _attributes(item.value), path))
        else:
            made.edges.append(_edge(item, _attributes(item.value), path))
    attributes = _attributes(loose)
    directed = attributes.pop("directed", "0")
    if directed not in ("0", "1"):
        reason = f"directed is {short(directed)}"
        raise FormatError(path, f"line {graph.line}", reason, "It must be 0 or 1.")
    attributes.pop("multigraph", None)
    for edge in made.edges:
        edge.directed = directed == "1"
    made.attributes = attributes
    return made


def _attributes(items: list[Item]) -> dict[str, str]:
    """The attributes in a list, the first where one repeats; of lists only that they are there."""
    found: dict[str, str] = {}
    for item in items:
        found.setdefault(item.key, item.value if isinstance(item.value, str) else "")
    return found


def _node(item: Item, attributes: dict[str, str], path: Path) -> GraphNode:
    return GraphNode(_needed(attributes, "id", item, path), attributes, item.line)


def _edge(item: Item, attributes: dict[str, str], path: Path) -> GraphEdge:
    source = _needed(attributes, "source", item, path)
    target = _needed(attributes, "target", item, path)
    return GraphEdge(source, target, attributes, item.line)


def _needed(attributes: dict[str, str], name: str, item: Item, path: Path) -> str:
    value = attributes.pop(name, "")
    if not value:
        place, reason = f"line {item.line}", f"the {item.key} has no {name}"
        raise FormatError(path, place, reason, f"Give its {name}.")
    return value
