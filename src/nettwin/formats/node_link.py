"""Node-link JSON: the graph format of networkx and d3, `nodes` and `links` (or `edges`).

Attributes of nodes and links have the names that `records` knows; flows are records under
`graph.demands` or `graph.flows`, or under these names at the top. A graph that is not directed has
each link in both directions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError
from nettwin.formats.attributed_graph import (
    listed,
)
from nettwin.formats.files import read_text, write_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.native.checks import near, shown
from nettwin.formats.native.document import Document
from nettwin.formats.native.text import encodable
from nettwin.formats.partial_network import PartialNetwork
from nettwin.formats.records import (
    RecordReader,
    flow_records,
    link_records,
    node_records,
    refuse,
)
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario

_MARK = re.compile(rb'"(directed|multigraph|nodes|links|edges)"\s*:')
_FOREIGN = re.compile(rb'"(nettwin|ietf-network:networks|[\w-]+:networks?)"\s*:')
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ENDS = (("source", "target"), ("from", "to"))


class NodeLink(Format):
    """Node-link JSON, as networkx writes it."""

    name = "node-link"
    title = "node-link JSON (networkx, d3)"
    suffixes = (".node-link.json", ".node_link.json")
    writes = True

    def detects(self, path: Path, head: bytes) -> bool:
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return text[:1] == b"{" and bool(_MARK.search(text)) and not _FOREIGN.search(text)

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        text = read_text(path)
        document = Document(path, text)
        if _ESCAPED_HALF.search(text) and not _whole(document.data):
            raise FormatError(
                path, "", "holds half a character (\\ud800 to \\udfff alone)", "Remove it."
            )
        yield _Reader(document).reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        refuse(scenario, self.name, ecmp=True)
        graph: dict[str, Any] = {"name": scenario.name}
        if scenario.notes:
            graph["notes"] = dict(scenario.notes)
        if not scenario.routing.ecmp:
            graph["ecmp"] = False
        graph["demands"] = flow_records(scenario)
        nodes = [{"id": record.pop("name"), **record} for record in node_records(scenario)]
        encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
        parts = [
            '"directed": true',
            '"multigraph": true',
            f'"graph": {encode(graph)}',
            f'"nodes": {_lines(map(encode, nodes))}',
            f'"links": {_lines(map(encode, link_records(scenario)))}',
        ]
        write_text(path, encodable("{\n" + ",\n".join(parts) + "\n}\n"))


def _whole(data: Any) -> bool:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _lines(items: Iterator[str]) -> str:
    return "[\n  " + ",\n  ".join(items) + "\n]"


class _Reader:
    """Reads one graph."""

    def __init__(self, document: Document) -> None:
        self.document, self.path = document, document.path
        if not isinstance(document.data, dict):
            raise self._error(
                (), "is not a JSON object", 'Begin with {"nodes": [...], "links": ...}.'
            )
        self.data: dict[str, Any] = document.data
        self.graph = self._object("graph")
        self.partial = PartialNetwork("node-link", str(self.path), self.path.stem)
        self.records = RecordReader(self.partial, self.path)

    def reading(self, assume: ImportDefaults) -> Reading:
        links_key = "links" if "edges" not in self.data or "links" in self.data else "edges"
        names = self._nodes()
        self._links(links_key, names)
        self._flows(names)
        self.records.end()
        if (name := self.graph.get("name")) and isinstance(name, str):
            self.partial.name = name
        if (ecmp := self.graph.get("ecmp", True)) is not True:
            if ecmp is not False:
                raise self._error(("graph", "ecmp"), f"is {shown(ecmp)}", "Write true or false.")
            self.partial.routing = lambda topology, traffic: Routing(ecmp=False)
        known = {"directed", "multigraph", "graph", "nodes", links_key, "demands", "flows"}
        if unused := sorted(set(self.data) - known):
            self.partial.ignore(f"keys of the file: {listed(unused)}")
        if unused := sorted(set(self.graph) - {"name", "notes", "ecmp", "demands", "flows"}):
            self.partial.ignore(f"attributes of the graph: {listed(unused)}")
        reading = self.partial.reading(assume)
        notes = self._notes()
        if not notes:
            return reading
        scenario = reading.scenario.with_(notes=notes)
        return Reading(
            scenario, reading.format, reading.source, reading.assumptions, reading.ignored
        )

    def _error(self, place: tuple[str | int, ...], reason: str, remedy: str) -> FormatError:
        line = self.document.line(place)
        steps = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in place).lstrip(".")
        where = ", ".join(filter(None, (f"line {line}" if line else "", steps)))
        return FormatError(self.path, where, reason, remedy)

    def _object(self, key: str) -> dict[str, Any]:
        value = self.data.get(key, {})
        if isinstance(value, list):  # early networkx wrote the graph's attributes as pairs
            pairs = [p for p in value if isinstance(p, list) and len(p) == 2]
            value = {str(k): v for k, v in pairs} if len(pairs) == len(value) else None
        if not isinstance(value, dict):
            raise self._error((key,), f"is {shown(value)}: must be an object", "Write {...}.")
        return value

    def _flag(self, key: str) -> bool:
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self._error((key,), f"is {shown(value)}", "Write true or false.")
        return value

    def _notes(self) -> dict[str, str]:
        notes = self.graph.get("notes", {})
        if not isinstance(notes, dict) or any(not isinstance(v, str) for v in notes.values()):
            self.partial.ignore("graph.notes: no mapping of texts")
            return {}
        return dict(notes)

    def _rows(
        self, holder: dict[str, Any], place: tuple[str, ...]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        rows = holder.get(place[-1])
        if not isinstance(rows, list):
            reason = f"has no list {place[-1]}" if rows is None else f"is {shown(rows)}"
            where = place if rows is not None else place[:-1]
            raise self._error(where, reason, f'Give "{place[-1]}": [{{...}}, ...].')
        for i, row in enumerate(rows):
            if not isinstance(row, dict):
                raise self._error((*place, i), f"is {shown(row)}", "Write an object {...}.")
            yield i, row

    def _nodes(self) -> dict[Any, str]:
        """Adds the nodes; the name of each id (of each position where nodes have no id)."""
        rows = list(self._rows(self.data, ("nodes",)))
        labels = [row.get("name", row.get("label", row.get("id"))) for _, row in rows]
        by_position = bool(rows) and all("id" not in row for _, row in rows)
        ids = list(range(len(rows))) if by_position else [row.get("id") for _, row in rows]
        named = all(isinstance(t, str) and t.strip() for t in labels) and len(set(labels)) == len(
            rows
        )
        if named and not by_position and labels != ids:
            self.partial.assume("names of nodes: their name or label, not their id")
        names: dict[Any, str] = {}
        for (i, row), label, identity in zip(rows, labels, ids, strict=True):
            place = ("nodes", i)
            if isinstance(identity, bool | float | list | dict | None):
                raise self._error(place, f"has the id {shown(identity)}", "Give text or a number.")
            if identity in names:
                raise self._error(place, f"duplicate id {shown(identity)}", "Rename it.")
            names[identity] = str(label).strip() if named else str(identity).strip()
            rest = {k: v for k, v in row.items() if k not in ("id", "name", "label")}
            self._add(place, self.records.node, rest, name=names[identity])
        return names

    def _add(
        self,
        place: tuple[str | int, ...],
        add: Callable[..., None],
        record: dict[str, Any],
        **said: Any,
    ) -> None:
        """Add a record, and give the issue that it may have its line."""
        try:
            add(record, "", **said)
        except FormatError as error:
            place = (*place, *filter(None, error.place.lstrip(", ").split(".")))
            raise self._error(place, error.reason, error.remedy) from None

    def _links(self, key: str, names: dict[Any, str]) -> None:
        duplex = not self._flag("directed")
        self._flag("multigraph")
        for i, row in self._rows(self.data, (key,)):
            record = {k: v for k, v in row.items() if k not in ("key", "id")}
            record |= self._ends(row, (key, i), names)
            self._add((key, i), self.records.link, record, duplex=duplex)

    def _ends(
        self, row: dict[str, Any], place: tuple[str | int, ...], names: dict[Any, str]
    ) -> dict[str, str]:
        """The names of the nodes at both ends, under the record's own keys."""
        keys = next((pair for pair in _ENDS if pair[0] in row), _ENDS[0])
        found = {}
        for key in keys:
            end = row.get(key)
            if isinstance(end, bool | list | dict | None) or end not in names:
                known = [str(name) for name in names]
                reason = f"has the {key} {shown(end)}, which is not the id of a node"
                raise self._error((*place, key), reason, near(str(end), known))
            found[key] = names[end]
        return found

    def _flows(self, names: dict[Any, str]) -> None:
        for holder, outer in ((self.graph, ("graph",)), (self.data, ())):
            for key in ("demands", "flows"):
                if key not in holder:
                    continue
                self.partial.flows = self.partial.flows or []
                for i, row in self._rows(holder, (*outer, key)):
                    place = (*outer, key, i)
                    record = {**row, **self._ends(row, place, names)}
                    self._add(place, self.records.flow, record)
