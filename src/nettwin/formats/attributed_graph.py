"""Attributed graphs: nodes and edges with named attributes, as graph tools write them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nettwin.errors import FormatError, UnknownNameError
from nettwin.formats.edge_attributes import (
    Origin,
    edge_facts,
    number,
    origin_words,
    plain_name,
    short,
)
from nettwin.formats.partial_network import PartialLink, PartialNetwork, unique_names
from nettwin.scenario.topology import NODE, Node

MAX_NODES = 10_000
MAX_EDGES = 500_000
_LATITUDE = ("latitude", "lat", "graphgeocoordinatelat")
_LONGITUDE = ("longitude", "lon", "lng", "long", "graphgeocoordinatelng")


@dataclass(slots=True)
class GraphNode:
    """A node as written: its id, its attributes and its line."""

    id: str
    attributes: Mapping[str, str]
    line: int


@dataclass(slots=True)
class GraphEdge:
    """An edge as written, between two ids; one that is not directed goes both ways."""

    source: str
    target: str
    attributes: Mapping[str, str]
    line: int
    directed: bool = False


@dataclass
class AttributedGraph:
    """A graph as written in a file."""

    nodes: list[GraphNode] = field(default_factory=list)
    edges: list[GraphEdge] = field(default_factory=list)
    attributes: Mapping[str, str] = field(default_factory=dict)
    line: int = 1


def partial_of(graph: AttributedGraph, path: Path, format: str) -> PartialNetwork:
    """The network that a graph describes. Raises FormatError where it is none."""
    partial = PartialNetwork(format, str(path), name=_title(graph.attributes) or path.stem)
    if not graph.nodes:
        raise FormatError(path, f"line {graph.line}", "the graph holds no nodes", "Add a node.")
    if len(graph.nodes) > MAX_NODES or len(graph.edges) > MAX_EDGES:
        raise FormatError(
            path,
            f"line {graph.line}",
            f"the graph holds {len(graph.nodes):,} nodes and {len(graph.edges):,} edges",
            f"Give one of at most {MAX_NODES:,} nodes and {MAX_EDGES:,} edges.",
        )
    names = _add_nodes(partial, graph.nodes, path)
    _add_links(partial, graph.edges, names, path)
    if unused := sorted(graph.attributes.keys() - {"Network", "label", "name"}):
        partial.ignore(f"attributes of the graph: {listed(unused)}")
    return partial


def place_of(
    attributes: Mapping[str, str], path: Path, place: str
) -> tuple[float, float, set[str]]:
    """Latitude, longitude (NaN where unknown) and the names of the attributes that said so."""
    plain = {plain_name(name): name for name in attributes}
    values, used = [], set()
    for known, quantity in ((_LATITUDE, "latitude_deg"), (_LONGITUDE, "longitude_deg")):
        name = next((plain[k] for k in known if k in plain), None)
        values.append(math.nan)
        if name is not None and attributes[name].strip():
            values[-1] = number(attributes[name], path, place, name, NODE[quantity])
            used.add(name)
    return values[0], values[1], used


def _title(attributes: Mapping[str, str]) -> str:
    names = ("Network", "label", "name")
    title = next((attributes[k] for k in names if attributes.get(k, "").strip()), "")
    return " ".join(title.split())[:100]


def _add_nodes(partial: PartialNetwork, nodes: list[GraphNode], path: Path) -> dict[str, str]:
    """Adds the nodes; the name of each id."""
    first: dict[str, int] = {}
    labels, places, unused = [], [], set()
    outside = hubs = 0
    for node in nodes:
        where = f"line {node.line}"
        if node.id in first:
            raise FormatError(
                path,
                where,
                f"duplicate node {short(node.id)}, first in line {first[node.id]}",
                "Give every node an id of its own.",
            )
        first[node.id] = node.line
        latitude, longitude, used = place_of(node.attributes, path, where)
        label = next((n for n in node.attributes if plain_name(n) in ("label", "name")), "")
        labels.append(" ".join(node.attributes.get(label, "").split()) or node.id)
        places.append((latitude, longitude))
        outside += node.attributes.get("Internal", "").strip() in ("0", "0.0", "false")
        hubs += node.attributes.get("hyperedge", "").strip() in ("1", "1.0", "true")
        unused |= node.attributes.keys() - used - {label, "Internal", "hyperedge"}
    names = unique_names(labels, partial.assume)
    partial.nodes = [Node(name, *place) for name, place in zip(names, places, strict=True)]
    if outside:
        partial.assume(f"nodes: the {outside} that belong to other networks (Internal 0) are kept")
    if hubs:
        partial.assume(f"nodes: the {hubs} that stand for a shared medium (hyperedge) are kept")
    if unused:
        partial.ignore(f"attributes of nodes: {listed(sorted(unused))}")
    return {node.id: name for node, name in zip(nodes, names, strict=True)}


def _add_links(
    partial: PartialNetwork, edges: list[GraphEdge], names: dict[str, str], path: Path
) -> None:
    origins: list[Origin] = []
    unclear: Counter[str] = Counter()
    unused: set[str] = set()
    loops = 0
    for edge in edges:
        place = f"line {edge.line}"
        for end in (edge.source, edge.target):
            if end not in names:
                raise FormatError(
                    path,
                    place,
                    str(UnknownNameError("node", end[:100], names)),
                    "Correct the edge, or add the node.",
                )
        facts = edge_facts(edge.attributes, path, place)
        if edge.source == edge.target:
            loops += 1
            continue
        origins += facts.origins
        unclear.update(facts.unclear)
        unused |= edge.attributes.keys() - facts.used
        partial.links.append(
            PartialLink(
                names[edge.source],
                names[edge.target],
                facts.capacity_bps,
                facts.delay_s,
                facts.weight,
                duplex=not edge.directed,
            )
        )
    for text in origin_words(origins):
        partial.assume(text)
    if partial.links and not _any_path_back(partial.links):
        partial.assume(
            "directions: one way only, as the graph is directed and no edge has one back"
        )
    if loops:
        partial.ignore(f"edges from a node to itself: {loops}")
    if unclear:
        partial.ignore(f"values that say nothing certain: {listed(list(unclear))}")
    if unused:
        partial.ignore(f"attributes of edges: {listed(sorted(unused), 20)}")


def _any_path_back(links: list[PartialLink]) -> bool:
    pairs = {(link.source, link.target) for link in links}
    return any(link.duplex or (link.target, link.source) in pairs for link in links)


def listed(words: Sequence[str], shown: int = 12) -> str:
    """Words in a row, cut where there are many."""
    more = f" and {len(words) - shown} more" if len(words) > shown else ""
    return ", ".join(word[:60] for word in words[:shown]) + more
