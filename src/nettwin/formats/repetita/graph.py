"""Graph: the nodes and edges of a REPETITA instance as a draft."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from nettwin.formats.format import Reading
from nettwin.formats.partial_network import PartialLink, PartialNetwork, unique_names
from nettwin.formats.repetita.lines import EDGE_COLUMNS, NODE_COLUMNS, Lines
from nettwin.scenario.generate import fiber_delay_s
from nettwin.scenario.topology import LINK, NODE, Node

_NUMBERED = re.compile(r"\D*\d+$")


def read_graph(path: Path) -> PartialNetwork:
    """The draft of a graph, without traffic. Raises FormatError."""
    lines = Lines.of(path)
    partial = PartialNetwork("repetita", str(path), path.stem)
    count = lines.header(0, "NODES")
    partial.nodes = _nodes(lines, count, partial)
    at = count + 2
    while at < len(lines.lines) and not lines.lines[at].strip():
        at += 1
    edges = lines.header(at, "EDGES")
    partial.links = _links(lines, range(at + 2, at + 2 + edges), partial)
    extra = [i for i in range(at + 2 + edges, len(lines.lines)) if lines.lines[i].strip()]
    if extra:
        raise lines.error(
            extra[0], f"stands after the {edges} edges that the file states", "Correct EDGES."
        )
    return partial


def _nodes(lines: Lines, count: int, partial: PartialNetwork) -> list[Node]:
    labels, places = [], []
    for i in range(2, 2 + count):
        label, *xy = lines.columns(i, NODE_COLUMNS)
        labels.append(label)
        x, y = (lines.number(i, name, text) for name, text in zip("xy", xy, strict=True))
        places.append((y, x))
    names = unique_names(labels, partial.assume)
    inside = [
        bool(NODE["latitude_deg"].valid(latitude) and NODE["longitude_deg"].valid(longitude))
        for latitude, longitude in places
    ]
    if not all(inside):
        partial.ignore("coordinates of all nodes: some are no longitude and latitude in degrees")
        places = [(math.nan, math.nan)] * count
    unknown = sum(place == (0.0, 0.0) for place in places)
    if unknown:
        partial.assume(f"coordinates of {unknown} of {count} nodes: unknown, as the file has 0, 0")
    return [
        Node(name) if place == (0.0, 0.0) else Node(name, *place)
        for name, place in zip(names, places, strict=True)
    ]


def _links(lines: Lines, rows: range, partial: PartialNetwork) -> list[PartialLink]:
    links, loops = [], 0
    names = [node.name for node in partial.nodes]
    for i in rows:
        label, source, target, weight, capacity, delay = lines.columns(i, EDGE_COLUMNS)
        link = PartialLink(
            names[lines.node(i, "src", source, len(names))],
            names[lines.node(i, "dest", target, len(names))],
            lines.quantity(i, LINK["capacity_bps"], capacity, 3),
            lines.quantity(i, LINK["delay_s"], delay, -6),
            lines.quantity(i, LINK["weight"], weight),
            name=label,
        )
        loops += link.source == link.target
        if link.source != link.target:
            links.append(link)
    if loops:
        partial.ignore(f"edges from a node to itself: {loops}")
    _names_that_tell(links, partial)
    return links


def _names_that_tell(links: list[PartialLink], partial: PartialNetwork) -> None:
    """Keep the labels of edges where they are names, not where they only count or repeat."""
    labels = [link.name for link in links]
    if len(set(labels)) == len(labels) and not all(_NUMBERED.match(label) for label in labels):
        return
    for link in links:
        link.name = ""
    if links:
        partial.ignore("labels of the edges, which only number them: links are named by their ends")


def with_delay_note(reading: Reading) -> Reading:
    """State whose the delays are: those of the Topology Zoo instances are faster than fiber."""
    topology = reading.scenario.topology
    fiber = fiber_delay_s(topology)
    known = np.isfinite(fiber) & (fiber > 0)
    fast = int((topology.link_delay_s[known] < 0.99 * fiber[known]).sum())
    note = "propagation delays: as the file states them, in µs"
    if fast:
        note += (
            f"; {fast} of the {int(known.sum())} links between known coordinates are faster than"
            " light in fiber along the great circle"
        )
    return replace(reading, assumptions=(*reading.assumptions, note))
