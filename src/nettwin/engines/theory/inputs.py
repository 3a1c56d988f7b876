"""Inputs: over which links the packets of each queue come, and in which order queues are met."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.loops import without_interpreter
from nettwin.engines.theory.tables import Floats, tables
from nettwin.scenario.scenario import Scenario

Whole = NDArray[np.int64]


class InputTable(NamedTuple):
    """The links over which a port's packets come, and the hops of each of its queues.

    A port of n queues to which packets come over m links has a block of n m cells, queue by queue.
    Traffic that begins at the port's node comes over no link and is in no cell.
    """

    offset: Whole  # [ports + 1] into `link`
    link: Whole  # [inputs] over which packets come
    block: Whole  # [ports + 1] into the cells
    cell: Whole  # [hops] the cell of each hop; -1 where the flow begins
    hop_offset: Whole  # [queues + 1] into `hop`
    hop: Whole  # [hops] by queue, and within a queue by cell
    narrow: Whole  # [cells] the slowest link behind, where it is one for all; else the last
    largest_bits: Floats  # [queues] the largest packet that comes; infinite if there is none


def input_table(scenario: Scenario) -> InputTable:
    """The inputs of every port."""
    _, paths, ports = tables(scenario)
    largest = np.array([size.max_bits for size in scenario.traffic.sizes], np.float64)
    bits = largest[scenario.traffic.flow_size] if len(largest) else np.zeros(0)
    used = scenario.traffic.flow_rate_bps > 0
    return InputTable(*_inputs(paths, ports, np.where(used, bits, 0.0)))


@without_interpreter
def _inputs(paths: Any, ports: Any, flow_bits: Any) -> Any:
    """The columns of InputTable."""
    hops, queues, count = paths.queue.size, ports.port.size, ports.offset.size - 1
    before = np.full(hops, -1)  # the link before each hop
    path = np.empty(hops, np.int64)
    largest = np.zeros(queues)
    by_port = np.zeros(count + 1, np.int64)
    for p in range(paths.flow.size):
        for h in range(paths.offset[p], paths.offset[p + 1]):
            path[h] = p
            q = paths.queue[h]
            largest[q] = max(largest[q], flow_bits[paths.flow[p]])
            by_port[ports.port[q] + 1] += 1
            if h > paths.offset[p]:
                before[h] = ports.port[paths.queue[h - 1]]
    by_port = np.cumsum(by_port)
    at, order = by_port[:-1].copy(), np.empty(hops, np.int64)
    for h in range(hops):
        port = ports.port[paths.queue[h]]
        order[at[port]] = h
        at[port] += 1
    seen, number = np.full(count, -1), np.empty(count, np.int64)
    offset, block = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    link, found = np.empty(hops, np.int64), 0
    cell = np.full(hops, -1)
    for port in range(count):
        for i in range(by_port[port], by_port[port + 1]):
            k = before[order[i]]
            if k >= 0 and seen[k] != port:
                seen[k], number[k] = port, found - offset[port]
                link[found] = k
                found += 1
        offset[port + 1] = found
        wide = found - offset[port]
        first = ports.offset[port]
        block[port + 1] = block[port] + wide * (ports.offset[port + 1] - first)
        for i in range(by_port[port], by_port[port + 1]):
            h = order[i]
            if before[h] >= 0:
                row = paths.queue[h] - first
                cell[h] = block[port] + row * wide + number[before[h]]
    # by queue and cell: those without a cell first
    rank = np.zeros(queues + block[-1] + 1, np.int64)
    start = np.zeros(queues + 1, np.int64)
    for q in range(queues):
        port = ports.port[q]
        wide = offset[port + 1] - offset[port]
        start[q + 1] = start[q] + 1 + wide
    narrow = np.full(block[-1], -1)
    for p in range(paths.flow.size):
        slowest = -1
        for h in range(paths.offset[p], paths.offset[p + 1]):
            k = ports.port[paths.queue[h]]
            if cell[h] >= 0 and flow_bits[paths.flow[p]] > 0.0:
                one = narrow[cell[h]]
                narrow[cell[h]] = slowest if one < 0 or one == slowest else before[h]
            if slowest < 0 or ports.capacity_bps[k] < ports.capacity_bps[slowest]:
                slowest = k
    place = np.empty(hops, np.int64)
    for h in range(hops):
        q = paths.queue[h]
        port = ports.port[q]
        wide = offset[port + 1] - offset[port]
        own = cell[h] - block[port] - (q - ports.offset[port]) * wide + 1 if cell[h] >= 0 else 0
        place[h] = start[q] + own
        rank[place[h] + 1] += 1
    rank = np.cumsum(rank)
    hop_offset = np.empty(queues + 1, np.int64)
    for q in range(queues + 1):
        hop_offset[q] = rank[start[q]]
    at, hop = rank.copy(), np.empty(hops, np.int64)
    for h in range(hops):
        hop[at[place[h]]] = h
        at[place[h]] += 1
    return offset, link[:found].copy(), block, cell, hop_offset, hop, narrow, largest
