"""Topologies of datanet: GML with a scheduling policy a node, applied to each of its ports."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.files import read_bytes
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Topology

POLICIES = {"FIFO": "fifo", "SP": "sp", "WFQ": "lsf", "DRR": "drr"}
MAX_NODES = 5000
MAX_QUEUES = 64
MAX_PORTS = 5000  # numbers of ports are below it
# written so that no text makes them backtrack for long
_BLOCK = re.compile(r"^[ \t]*+(node|edge)[ \t]*+\[([^\[\]]*+)\]", re.MULTILINE)
_ITEM = re.compile(r'(?<!\w)(\w++)\s++(?:"([^"]*+)"|(\S++))')
_GRAPH = re.compile(r"^[ \t]*+graph[ \t]*+\[", re.MULTILINE)


class Graph(NamedTuple):
    """A topology and, for routing by port numbers, the link of each (node, port)."""

    topology: Topology
    port_link: Mapping[tuple[int, int], int]
    pair_link: NDArray[np.int32]  # [nodes, nodes], -1 where there is none
    assumptions: tuple[str, ...]


def read_graph(path: Path, round_s: float) -> Graph:
    """The topology in a GML file; DRR weights become quanta of that share of `round_s` seconds."""
    text = read_bytes(path).decode("utf-8", "replace")
    if not _GRAPH.search(text[:65536]):
        raise FormatError(path, "line 1", "there is no `graph [`", "Give a GML file.")
    nodes: dict[int, dict[str, str]] = {}
    edges: list[tuple[int, dict[str, str]]] = []
    line, counted = 1, 0
    for block in _BLOCK.finditer(text):
        line += text.count("\n", counted, block.start(1))
        counted = block.start(1)
        items = {key: quoted or bare for key, quoted, bare in _ITEM.findall(block[2])}
        if block[1] == "edge":
            edges.append((line, items))
            continue
        number = _whole(path, line, items, "id")
        if number in nodes:
            raise FormatError(
                path,
                f"line {line}",
                f"duplicate node {number}",
                "Give every node an id of its own.",
            )
        nodes[number] = {**items, "": str(line)}
    n = len(nodes)
    if not 0 < n <= MAX_NODES or sorted(nodes) != list(range(n)):
        raise FormatError(
            path,
            "the nodes",
            f"are {n} with ids that are not 0 to {n - 1}",
            f"Number 1 to {MAX_NODES} nodes from 0.",
        )
    schedulers: dict[tuple[int, float], Scheduler] = {}
    links: list[Link] = []
    port_link: dict[tuple[int, int], int] = {}
    pair_link = np.full((n, n), -1, np.int32)
    for line, items in edges:
        source, target = _whole(path, line, items, "source"), _whole(path, line, items, "target")
        if not (source < n and target < n and source != target):
            raise FormatError(
                path,
                f"line {line}",
                f"the edge joins {source} and {target}",
                f"It must join two different nodes 0 to {n - 1}.",
            )
        port = _whole(path, line, items, "port") if "port" in items else len(links)
        if "port" in items and port >= MAX_PORTS:
            raise FormatError(
                path, f"line {line}", f"port is {port}", f"Number ports below {MAX_PORTS}."
            )
        if (source, port) in port_link:
            raise FormatError(
                path,
                f"line {line}",
                f"port {port} of node {source} is used twice",
                "Give every port of a node a number of its own.",
            )
        if pair_link[source, target] >= 0:
            raise FormatError(
                path,
                f"line {line}",
                f"a second edge from {source} to {target}: usage is recorded by pair",
                "Keep one edge a pair.",
            )
        port_link[source, port] = pair_link[source, target] = len(links)
        capacity = _bandwidth(path, line, items)
        kind = (source, capacity)
        if kind not in schedulers:
            schedulers[kind] = _scheduler(path, nodes[source], capacity * round_s)
        links.append(Link(str(source), str(target), capacity, scheduler=schedulers[kind]))
    found = {scheduler.policy for scheduler in schedulers.values()}
    assumed = []
    if "lsf" in found:
        assumed.append(
            "WFQ ports: read as least served first (lsf), which recorded delays of classes show"
        )
    if "drr" in found:
        assumed.append(
            "DRR ports: a queue's quantum is its weight in percent of what the port sends in"
            f" {round_s:g} s (the files give weights only; recorded shares and occupancies show it)"
        )
    topology = Topology.build([str(i) for i in range(n)], links)
    return Graph(topology, port_link, pair_link, tuple(assumed))


def with_bandwidths(path: Path, graph: Graph) -> Graph:
    """The graph with the capacities of a file of lines `source;target;bits per time unit`."""
    capacity = graph.topology.link_capacity_bps.copy()
    nodes = graph.topology.node_count
    for line, text in enumerate(read_bytes(path).split(b"\n"), 1):
        words = text.decode("utf-8", "replace").strip().split(";")
        if words == [""]:
            continue
        items = dict(zip(("source", "target", "bandwidth"), words, strict=False))
        source, target = (_whole(path, line, items, end) for end in ("source", "target"))
        link = graph.pair_link[source, target] if max(source, target) < nodes else -1
        if link < 0:
            raise FormatError(
                path,
                f"line {line}",
                f"there is no link {source}->{target}",
                "Name a link of the graph.",
            )
        capacity[link] = _bandwidth(path, line, items)
    return graph._replace(topology=graph.topology.with_arrays(link_capacity_bps=capacity))


def _scheduler(path: Path, node: Mapping[str, str], round_bits: float) -> Scheduler:
    """A node's policy: its queues with buffers, weights or quanta, and which ToS goes where."""
    line = int(node[""])
    place = f"line {line}"
    word = node.get("schedulingPolicy", "FIFO")
    if word not in POLICIES:
        raise FormatError(
            path,
            place,
            f"schedulingPolicy is {word[:40]!r}",
            "Give one of " + ", ".join(POLICIES) + ".",
        )
    policy = POLICIES[word]
    count = 1 if policy == "fifo" else _whole(path, line, node, "levelsQoS")
    if not 1 <= count <= MAX_QUEUES:
        raise FormatError(path, place, f"levelsQoS is {count}", f"Give 1 to {MAX_QUEUES} queues.")
    bits = _list(path, place, node, "bufferSizes", count, math.inf)
    packets = _list(
        path, place, node, "queueSizes", count, math.inf if "bufferSizes" in node else 32.0
    )
    weights = _list(path, place, node, "schedulingWeights", count, 100 / count)
    if "tosToQoSqueue" in node:
        groups = [group.split(",") for group in node["tosToQoSqueue"].split(";")]
        if len(groups) != count:
            raise FormatError(
                path,
                place,
                f"tosToQoSqueue has {len(groups)} groups",
                f"Give one for each of the {count} queues.",
            )
        class_queue = {
            f"tos{tos.strip()}": q for q, group in enumerate(groups) for tos in group if tos.strip()
        }
    else:
        class_queue = {f"tos{tos}": tos for tos in range(count)}
    return Scheduler(
        policy,
        tuple(
            Queue(
                buffer_packets=packets[q],
                buffer_bits=bits[q],
                weight=weights[q] if policy == "lsf" else 1.0,
                quantum_bits=round_bits * weights[q] / 100 if policy == "drr" else 12000.0,
            )
            for q in range(count)
        ),
        class_queue,
        buffer_counts_service=True,
    )


def _whole(path: Path, line: int, items: Mapping[str, str], key: str) -> int:
    word = items.get(key, "")
    if not word.isascii() or not word.isdigit() or len(word) > 9:
        raise FormatError(
            path,
            f"line {line}",
            f"{key} is {word[:40]!r}",
            f"Give {key} as a whole number, 0 or more.",
        )
    return int(word)


def _bandwidth(path: Path, line: int, items: Mapping[str, str]) -> float:
    word = items.get("bandwidth", "")
    scale = 1.0
    if word.endswith("kbps"):
        word, scale = word[:-4], 1000.0
    try:
        value = float(word) * scale
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise FormatError(
            path,
            f"line {line}",
            f"bandwidth is {word[:40]!r}",
            "Give the bits per time unit, above 0.",
        )
    return value


def _list(
    path: Path, place: str, node: Mapping[str, str], key: str, count: int, default: float
) -> list[float]:
    """Numbers separated by commas, one a queue; a single one stands for all queues."""
    word = node.get(key, "-").strip()
    if word in ("-", ""):
        return [default] * count
    try:
        values = [float(part) for part in word.split(",")]
    except ValueError:
        values = []
    values = values * count if len(values) == 1 else values
    if len(values) != count or not all(0 < value < math.inf for value in values):
        raise FormatError(
            path,
            place,
            f"{key} is {word[:60]!r}",
            f"Give {count} numbers above 0, separated by commas.",
        )
    return values
