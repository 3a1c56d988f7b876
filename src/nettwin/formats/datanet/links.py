"""What datanet recorded of ports: one line of `linkUsage.txt` becomes link and queue metrics.

An entry is `utilization,loss,packet_size` of the port, then
`utilization,loss,occupancy,max_occupancy,packet_size` of each of its queues.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.datanet.graphs import Graph
from nettwin.metrics import LINK_METRICS, Table

PORT_FIELDS, QUEUE_FIELDS = 3, 5
UTILIZATION, LOSS = 0, 1
_REMEDY = "Give -1 where there is no link, else 3 numbers of the port and 5 of each queue."


def read_links(path: Path, place: str, line: bytes, graph: Graph) -> tuple[Table, Table]:
    """The recorded metrics of the links and of the queues of a graph."""
    topology = graph.topology
    nodes, queues = topology.node_count, topology.queues
    entries = line.strip().removesuffix(b";").split(b";")
    if len(entries) != nodes**2:
        raise FormatError(
            path,
            place,
            f"has {len(entries)} entries",
            f"Give {nodes**2}, as the graph has {nodes} nodes.",
        )
    port = np.full((topology.link_count, PORT_FIELDS), np.nan)
    queue = np.full((len(queues.link), QUEUE_FIELDS), np.nan)
    pair_link = graph.pair_link.reshape(-1)
    for pair, entry in enumerate(entries):
        if entry == b"-1":
            continue
        link = int(pair_link[pair])
        where = f"{place}, entry {pair + 1}"
        if link < 0:
            ends = f"{pair // nodes}->{pair % nodes}"
            raise FormatError(
                path, where, f"tells of a link {ends} that the graph has not", "Give -1."
            )
        first, end = int(queues.offset[link]), int(queues.offset[link + 1])
        values = _numbers(path, where, entry, PORT_FIELDS + QUEUE_FIELDS * (end - first))
        port[link] = values[:PORT_FIELDS]
        queue[first:end] = values[PORT_FIELDS:].reshape(-1, QUEUE_FIELDS)
    return _table(port), _table(queue)


def _numbers(path: Path, place: str, entry: bytes, count: int) -> NDArray[np.float64]:
    words = entry.replace(b":", b",").split(b",")
    if len(words) != count:
        raise FormatError(path, place, f"has {len(words)} numbers where {count} belong", _REMEDY)
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = [math.inf]
    if not all(0 <= value < math.inf or value == -1 for value in values):
        raise FormatError(
            path, place, "has a field that is no number, negative or too large", _REMEDY
        )
    out = np.array(values)
    out[out == -1] = np.nan
    return out


def _table(values: NDArray[np.float64]) -> Table:
    high = LINK_METRICS["utilization"].high
    utilization = np.where(values[:, UTILIZATION] > high, np.nan, values[:, UTILIZATION])
    loss = np.where(values[:, LOSS] > 1, np.nan, values[:, LOSS])
    return Table({"utilization": utilization, "loss_ratio": loss})
