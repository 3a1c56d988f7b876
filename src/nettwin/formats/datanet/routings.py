"""Routings of datanet: a matrix of output ports by destination, or a path of nodes a line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.datanet.graphs import Graph
from nettwin.formats.files import read_bytes
from nettwin.scenario.routing import Routing, Steer

_REMEDY = "Correct the routing file, or give the one that belongs to this graph."


class Routes(NamedTuple):
    """Next hops, and explicit paths (links) of pairs where one table cannot hold them."""

    next_link: NDArray[np.int32]  # [nodes, nodes]
    paths: dict[tuple[int, int], tuple[int, ...]]

    def routing(self, source: NDArray[np.int32], target: NDArray[np.int32]) -> Routing:
        """The routing of flows between these nodes. [flows] each"""
        if not self.paths:
            return Routing(ecmp=False, next_link=self.next_link)
        pairs = enumerate(zip(source.tolist(), target.tolist(), strict=True))
        steer = {f: (Steer(links=self.paths[pair]),) for f, pair in pairs if pair in self.paths}
        return Routing(ecmp=False, next_link=self.next_link, steer=steer)


def read_routing(path: Path, graph: Graph) -> Routes:
    """The paths in a routing file of either kind."""
    lines = read_bytes(path).split(b"\n")
    first = next((line for line in lines if line.strip()), b"")
    if b"," in first:
        return Routes(_ports(path, lines, graph), {})
    return _node_lists(path, lines, graph)


def _numbers(path: Path, line: int, parts: list[bytes]) -> list[int]:
    try:
        if any(len(part) > 9 for part in parts):
            raise ValueError
        return [int(part) for part in parts]
    except ValueError:
        shown = b",".join(parts)[:40].decode("ascii", "replace")
        raise FormatError(
            path, f"line {line}", f"holds something that is not a whole number: {shown!r}", _REMEDY
        ) from None


def _ports(path: Path, lines: list[bytes], graph: Graph) -> NDArray[np.int32]:
    """The link of each port in a matrix [nodes, nodes]; -1 where there is no path."""
    from nettwin.formats.datanet import scan

    n = graph.topology.node_count
    rows = [(at, line.strip().rstrip(b",")) for at, line in enumerate(lines, 1) if line.strip()]
    text = np.frombuffer(b";".join(row for _, row in rows), np.uint8)
    ports, _, _, bad, why = scan.numbers(text, 0, len(text), n)
    if bad >= 0:
        reason = f"{scan.REASONS[why]} (row {bad + 1} of {n} by {n} ports)"
        raise FormatError(path, f"line {rows[bad][0]}", reason, _REMEDY)
    if len(ports) != n:
        raise FormatError(path, "the matrix", f"has {len(ports)} rows", f"Give {n}, one a node.")
    most = max((port for _, port in graph.port_link), default=0)
    link = np.full((n, most + 2), -1, np.int32)  # the last column is for "no path"
    for (node, port), k in graph.port_link.items():
        link[node, port] = k
    np.fill_diagonal(ports, -1)
    with np.errstate(invalid="ignore"):
        column = np.where((ports >= 0) & (ports <= most), ports, -1).astype(np.int64)
    next_link: NDArray[np.int32] = link[np.arange(n)[:, None], column]
    wrong = (ports >= 0) & (next_link < 0) | (ports != np.floor(ports))
    if wrong.any():
        row, target = divmod(int(np.argmax(wrong)), n)
        reason = f"node {row} has no port {ports[row, target]:g} (toward {target})"
        raise FormatError(path, f"line {rows[row][0]}", reason, _REMEDY)
    return next_link


def _node_lists(path: Path, lines: list[bytes], graph: Graph) -> Routes:
    """Paths as lists of nodes; those that a destination table reproduces go into the table."""
    n = graph.topology.node_count
    paths: dict[tuple[int, int], tuple[int, ...]] = {}
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        nodes = _numbers(path, at, line.strip().rstrip(b";").split(b";"))
        if not all(0 <= node < n for node in nodes) or len(set(nodes)) != len(nodes):
            raise FormatError(
                path,
                f"line {at}",
                "names a node twice or one that is not there",
                f"Give different nodes 0 to {n - 1}.",
            )
        if len(nodes) < 2 or (nodes[0], nodes[-1]) in paths:
            raise FormatError(
                path,
                f"line {at}",
                "is a second path of its pair, or no path",
                "Give one path of two or more nodes a pair.",
            )
        links = graph.pair_link[nodes[:-1], nodes[1:]]
        if (links < 0).any():
            k = int(np.flatnonzero(links < 0)[0])
            raise FormatError(
                path, f"line {at}", f"there is no link {nodes[k]}->{nodes[k + 1]}", _REMEDY
            )
        paths[nodes[0], nodes[-1]] = tuple(links.tolist())
    next_link = np.full((n, n), -1, np.int32)
    for (source, target), links_ in paths.items():
        next_link[source, target] = links_[0]
    end = graph.topology.link_target
    own = {}
    for (source, target), links_ in paths.items():
        at, followed = source, True
        for link in links_:
            followed = followed and next_link[at, target] == link
            at = int(end[link])
        if not followed:
            own[source, target] = links_
    return Routes(next_link, own)
