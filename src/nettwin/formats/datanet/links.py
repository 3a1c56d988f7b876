"""What datanet recorded of ports: one line of `linkUsage.txt` becomes link and queue metrics.

An entry is `utilization,loss,packet_size` of the port, then
`utilization,loss,occupancy,max_occupancy,packet_size` of each of its queues; occupancies are in
bits where buffers are, else in packets.

A recorded mean occupancy is what the queue holds on average, the packet in service counted, over
the queue's utilization u: single queues of packets with little load record
1 + u (1 + c2) / 2 (1 - u), as M/G/1 with the sizes' squared variation c2 demands (1.178 at
u = 0.192), and queues that are always full record more than their buffer holds, but times u just
under it (at most 2 % over, in a queue that is nearly never served). So the packets waiting are u
times what is recorded less 1, in bits less the mean size seen by an observer, E[S2] / E[S].
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.datanet.graphs import Graph
from nettwin.metrics import LINK_METRICS, Table
from nettwin.scenario.scenario import Scenario

PORT_FIELDS, QUEUE_FIELDS = 3, 5
UTILIZATION, LOSS, OCCUPANCY, MOST, SIZE = range(5)
_REMEDY = "Give -1 where there is no link, else 3 numbers of the port and 5 of each queue."


def read_links(
    path: Path, place: str, line: bytes, graph: Graph, scenario: Scenario
) -> tuple[Table, Table]:
    """The recorded metrics of the links and of the queues of a scenario on a graph."""
    topology = scenario.topology
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
    return Table(_shares(port)), Table({**_shares(queue), **_occupancy(queue, scenario)})


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
            path, place, "has a field that is not a number, negative or too large", _REMEDY
        )
    out = np.array(values)
    out[out == -1] = np.nan
    return out


def _shares(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    high = LINK_METRICS["utilization"].high
    utilization = np.where(values[:, UTILIZATION] > high, np.nan, values[:, UTILIZATION])
    loss = np.where(values[:, LOSS] > 1, np.nan, values[:, LOSS])
    return {"utilization": utilization, "loss_ratio": loss}


def _occupancy(values: NDArray[np.float64], scenario: Scenario) -> dict[str, NDArray[np.float64]]:
    """What waits in each queue, in bits and, where the source counts packets, in packets."""
    utilization, recorded, most = values[:, UTILIZATION], values[:, OCCUPANCY], values[:, MOST]
    if np.isfinite(scenario.topology.queues.buffer_bits).any():
        waiting = np.maximum(utilization * (recorded - _observed_bits(scenario)), 0.0)
        return {"occupancy_mean_bits": waiting, "occupancy_max_bits": most}
    waiting = np.maximum(utilization * (recorded - 1), 0.0)
    return {
        "occupancy_mean_bits": waiting * values[:, SIZE],
        "occupancy_max_bits": most * values[:, SIZE],
        "occupancy_mean_packets": waiting,
    }


def _observed_bits(scenario: Scenario) -> NDArray[np.float64]:
    """Mean size of the packet in service as one who looks now and then sees it. [queues]"""
    traffic = scenario.traffic
    moment = np.array([size.second_moment_bits2 for size in traffic.sizes])[traffic.flow_size]
    flow, queue = scenario.paths.hop_flow, scenario.hop_queue
    count = len(scenario.topology.queues.link)
    bits = np.bincount(queue, traffic.flow_rate_bps[flow], count)
    squares = np.bincount(queue, (traffic.flow_packet_rate_pps * moment)[flow], count)
    return np.divide(squares, bits, out=np.zeros(count), where=bits > 0)
