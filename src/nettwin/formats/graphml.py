"""GraphML, as the Internet Topology Zoo, networkx, yEd and igraph write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nettwin.errors import FormatError, InputError
from nettwin.formats.attributed_graph import (
    AttributedGraph,
    GraphEdge,
    GraphNode,
    listed,
    partial_of,
)
from nettwin.formats.edge_attributes import (
    plain_name,
    short,
)
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.xml_document import Element, load_xml, root_name
from nettwin.scenario.scenario import Scenario


class Key(NamedTuple):
    """A declared attribute: what it is for, its name and its default, if any."""

    kind: str
    name: str
    default: str


class GraphML(Format):
    """Graphs in GraphML, one or more a file; nodes, edges and what their attributes say."""

    name = "graphml"
    title = "GraphML (Topology Zoo and graph tools)"
    suffixes = (".graphml",)

    def detects(self, path: Path, head: bytes) -> bool:
        return root_name(head) == "graphml"

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        root = load_xml(path)
        if root.name != "graphml":
            reason = f"the root element is <{root.name[:40]}>"
            raise FormatError(path, root.place, reason, "It must be <graphml>.")
        keys = _keys(root, path)
        graphs = list(root.all("graph"))
        if not graphs:
            raise FormatError(path, root.place, "holds no <graph>", "Add a graph.")
        for graph in graphs:
            yield _Reader(keys, path).reading(graph, self.name, assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


def _keys(root: Element, path: Path) -> dict[str, Key]:
    keys = {}
    for element in root.all("key"):
        name = _needed(element, "id", path)
        default = element.child("default")
        kind = element.attributes.get("for", "all")
        # yEd declares its graphics without a name
        label = element.attributes.get("attr.name") or element.attributes.get("yfiles.type", name)
        keys[name] = Key(kind, label, default.text if default else "")
    return keys


def _needed(element: Element, name: str, path: Path) -> str:
    value = element.attributes.get(name, "")
    if not value:
        reason = f"the <{element.name}> has no {name}"
        raise FormatError(path, element.place, reason, f'Give it {name}="...".')
    return value


class _Reader:
    """Reads one graph, with the graphs nested in its nodes."""

    def __init__(self, keys: dict[str, Key], path: Path) -> None:
        self._keys, self._path = keys, path
        self._graph = AttributedGraph()
        self._groups: list[GraphNode] = []
        self._left_out: set[str] = set()
        self._hubs = 0
        self._arrows = False

    def reading(self, graph: Element, format: str, assume: ImportDefaults) -> Reading:
        """The finished scenario of the graph."""
        self._graph.line = graph.line
        self._graph.attributes = {k: v for k, v in self._data(graph, "graph").items() if v}
        self._collect(graph)
        used = {end for edge in self._graph.edges for end in (edge.source, edge.target)}
        kept = [node for node in self._groups if node.id in used]
        self._graph.nodes += kept
        partial = partial_of(self._graph, self._path, format)
        if self._hubs:
            partial.assume(f"nodes: {self._hubs} more, each a hub in place of a hyperedge")
        if self._arrows:
            partial.assume("directions: edges drawn with no arrow or with two go both ways")
        if len(kept) < len(self._groups):
            partial.ignore(f"groups of nodes that no edge ends at: {len(self._groups) - len(kept)}")
        if self._left_out:
            partial.ignore(f"elements {listed(sorted(self._left_out))}")
        return partial.reading(assume)

    def _collect(self, graph: Element) -> None:
        directed = self._directed(graph, "edgedefault", False)
        for element in graph.children:
            if element.name == "node":
                self._node(element)
            elif element.name == "edge":
                self._edge(element, directed)
            elif element.name == "hyperedge":
                self._hyperedge(element)
            elif element.name not in ("data", "desc"):
                self._left_out.add(element.name)

    def _node(self, element: Element) -> None:
        attributes = self._data(element, "node")
        node = GraphNode(_needed(element, "id", self._path), attributes, element.line)
        inner = element.child("graph")
        if inner is None:
            self._graph.nodes.append(node)
        else:
            self._groups.append(node)
            self._collect(inner)

    def _edge(self, element: Element, directed: bool) -> None:
        source, target = (_needed(element, end, self._path) for end in ("source", "target"))
        directed = self._directed(element, "directed", directed)
        arrows = next(element.within("Arrows"), None)
        if directed and arrows is not None:
            ends = [arrows.attributes.get(end, "none") == "none" for end in ("source", "target")]
            if ends[0] == ends[1]:
                directed, self._arrows = False, True
            elif ends[1]:
                source, target = target, source
        attributes = self._data(element, "edge")
        self._graph.edges.append(GraphEdge(source, target, attributes, element.line, directed))

    def _hyperedge(self, element: Element) -> None:
        """A hub takes its place, as a medium that several share."""
        self._hubs += 1
        attributes = self._data(element, "hyperedge")
        hub = f"hyperedge {element.attributes.get('id', self._hubs)}"
        self._graph.nodes.append(GraphNode(hub, {}, element.line))
        for end in element.all("endpoint"):
            node = _needed(end, "node", self._path)
            self._graph.edges.append(GraphEdge(hub, node, attributes, end.line))

    def _directed(self, element: Element, name: str, default: bool) -> bool:
        value = element.attributes.get(name, "")
        known = {"": default, "directed": True, "undirected": False, "true": True, "false": False}
        if value not in known:
            reason = f"{name} is {short(value)}"
            allowed = "directed or undirected" if name == "edgedefault" else "true or false"
            raise FormatError(self._path, element.place, reason, f"It must be {allowed}.")
        return known[value]

    def _data(self, element: Element, kind: str) -> dict[str, str]:
        """The attributes of an element by name, defaults included."""
        found = {
            key.name: key.default
            for key in self._keys.values()
            if key.default and key.kind in (kind, "all")
        }
        for data in element.all("data"):
            name = data.attributes.get("key", "")
            key = self._keys.get(name)
            found[key.name if key else name] = data.text
            for label in data.within("EdgeLabel" if kind == "edge" else "NodeLabel"):
                if label.text and "label" not in {plain_name(n) for n in found}:
                    found["label"] = label.text
        return found
