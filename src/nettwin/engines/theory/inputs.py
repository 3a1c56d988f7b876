"""Inputs: over which links the packets of each queue come, and in which order queues are met."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.kept import Kept
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.tables import Floats, PathTable, QueueTable, tables
from nettwin.scenario.scenario import Scenario

Whole = NDArray[np.int64]


class Joins(NamedTuple):
    """The pairs of queues that follow each other on paths, in order of appearance."""

    hop: NDArray[np.int32]  # [hops] the pair of the queue before and this one; -1 for a first hop
    before: Whole  # [pairs]
    after: Whole  # [pairs]


class InputTable(NamedTuple):
    """The links over which a port's packets come.

    A port of n queues to which packets come over m links has a block of n m cells, queue by queue.
    Traffic that begins at the port's node comes over no link and is in no cell.
    """

    offset: Whole  # [ports + 1] into `link`
    link: Whole  # [inputs] over which packets come
    block: Whole  # [ports + 1] into the cells
    cell: Whole  # [pairs] the cell of each of `Joins`
    narrow: Whole  # [cells] the slowest link behind, where it is one for all; else the last
    largest_bits: Floats  # [queues] the largest packet that comes; infinite if there is none


class HopOrder(NamedTuple):
    """The hops of each queue."""

    offset: Whole  # [queues + 1] into `hop`
    hop: Whole  # [hops] by queue, and within a queue by cell
    cell: Whole  # [hops] the cell of each of `hop`, -1 where the flow begins


_kept: Kept[InputTable] = Kept()
_kept_joins: Kept[Joins] = Kept()


def joins(scenario: Scenario) -> Joins:
    """Which queues follow each other; kept as `tables` are."""
    return _kept_joins.of(scenario, partial(_joins, scenario))


def _joins(scenario: Scenario) -> Joins:
    _, paths, ports = tables(scenario)
    return Joins(*joined(paths.offset, paths.queue, len(ports.port)))


def input_table(scenario: Scenario) -> InputTable:
    """The inputs of every port; kept as `tables` are."""
    return _kept.of(scenario, partial(_input_table, scenario))


def _input_table(scenario: Scenario) -> InputTable:
    _, paths, ports = tables(scenario)
    largest = np.array([size.max_bits for size in scenario.traffic.sizes], np.float64)
    bits = largest[scenario.traffic.flow_size] if len(largest) else np.zeros(0)
    used = scenario.traffic.flow_rate_bps > 0
    return InputTable(*_inputs(paths, ports, joins(scenario), np.where(used, bits, 0.0)))


def hop_order(inputs: InputTable, pairs: Joins, paths: PathTable, ports: QueueTable) -> HopOrder:
    """The hops of every queue, those first that no packet comes to over a link."""
    return HopOrder(*_by_queue(inputs, pairs, paths, ports))


@njit_nogil
def _inputs(paths: Any, ports: Any, pairs: Any, flow_bits: Any) -> Any:
    """The columns of InputTable."""
    path_offset, queue, path_flow = paths.offset, paths.queue, paths.flow
    port_of, ports_offset, capacity = ports.port, ports.offset, ports.capacity_bps
    hop_pair, count = pairs.hop, capacity.size
    both = np.empty(2 * pairs.before.size, np.int32)  # the two ports of each pair, a path of two
    for k in range(pairs.before.size):
        both[2 * k], both[2 * k + 1] = port_of[pairs.before[k]], port_of[pairs.after[k]]
    number, before, after = joined(np.arange(0, both.size + 1, 2), both, count)
    wide, place = np.zeros(count, np.int64), np.empty(before.size, np.int64)
    for k in range(before.size):
        place[k] = wide[after[k]]
        wide[after[k]] += 1
    offset, block = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for port in range(count):
        rows = ports_offset[port + 1] - ports_offset[port]
        offset[port + 1] = offset[port] + wide[port]
        block[port + 1] = block[port] + wide[port] * rows
    link = np.empty(before.size, np.int64)
    for k in range(before.size):
        link[offset[after[k]] + place[k]] = before[k]
    cell = np.empty(pairs.after.size, np.int64)
    for k in range(cell.size):
        q, port = pairs.after[k], both[2 * k + 1]
        cell[k] = block[port] + (q - ports_offset[port]) * wide[port] + place[number[2 * k + 1]]
    narrow, largest = np.full(block[-1], -1), np.zeros(port_of.size)
    for p in range(path_flow.size):
        slowest, least, bits = -1, np.inf, flow_bits[path_flow[p]]
        if not bits > 0.0:
            continue
        for h in range(path_offset[p], path_offset[p + 1]):
            q, k = queue[h], hop_pair[h]
            largest[q] = max(largest[q], bits)
            if k >= 0:
                one = narrow[cell[k]]
                if one != slowest:
                    narrow[cell[k]] = slowest if one < 0 else both[2 * k]
            port = port_of[q]
            if capacity[port] < least:
                slowest, least = port, capacity[port]
    return offset, link, block, cell, narrow, largest


@njit_nogil
def joined(path_offset: Any, queue: Any, count: int) -> Any:
    """Which two of `count` queues follow each other on paths, `queue` [hops].

    Gives the number of the pair of each hop and the one before [hops], -1 for a first hop, and the
    queues of each pair, in order of appearance: before, after. [pairs] each
    """
    slots = 256
    while slots < 8 * count:
        slots *= 2
    while True:
        pair, before, after, found = _pairs(path_offset, queue, count, slots)
        if found >= 0:
            return pair, before[:found].copy(), after[:found].copy()
        slots *= 4


@njit_nogil
def _pairs(path_offset: Any, queue: Any, count: int, slots: int) -> Any:
    """`joined` by a table of hashes with so many slots, a power of 2; found is -1 where they are
    too few. (Arrays that grow within such a loop make it take five times as long.)"""
    pair, last, found = np.empty(queue.size, np.int32), slots - 1, 0
    warm_start, number = np.full(slots, -1), np.empty(slots, np.int32)
    before, after = np.empty(slots // 2, np.int64), np.empty(slots // 2, np.int64)
    for p in range(path_offset.size - 1):
        behind = np.int64(-1)
        for h in range(path_offset[p], path_offset[p + 1]):
            here = np.int64(queue[h])
            pair[h] = -1
            if behind >= 0:
                key = behind * count + here
                at = (key * 0x9E3779B1 >> 15) & last
                while warm_start[at] >= 0 and warm_start[at] != key:
                    at = (at + 1) & last
                if warm_start[at] < 0:
                    if found == before.size:
                        return pair, before, after, -1
                    warm_start[at], number[at] = key, found
                    before[found], after[found] = behind, here
                    found += 1
                pair[h] = number[at]
            behind = here
    return pair, before, after, found


@njit_nogil
def _by_queue(inputs: Any, pairs: Any, paths: Any, ports: Any) -> Any:
    """The columns of HopOrder, sorted by counting."""
    queues, hops = ports.port.size, paths.queue.size
    start = np.zeros(queues + 1, np.int64)
    for q in range(queues):
        port = ports.port[q]
        start[q + 1] = start[q] + 1 + inputs.offset[port + 1] - inputs.offset[port]
    rank, place = np.zeros(start[queues] + 1, np.int64), np.empty(hops, np.int64)
    for h in range(hops):
        q, pair = paths.queue[h], pairs.hop[h]
        place[h] = start[q]
        if pair >= 0:
            port = ports.port[q]
            wide = inputs.offset[port + 1] - inputs.offset[port]
            place[h] += inputs.cell[pair] - inputs.block[port] + 1
            place[h] -= (q - ports.offset[port]) * wide
        rank[place[h] + 1] += 1
    rank = np.cumsum(rank)
    offset, at = rank[start], rank.copy()
    hop, cell = np.empty(hops, np.int64), np.empty(hops, np.int64)
    for h in range(hops):
        i, pair = at[place[h]], pairs.hop[h]
        hop[i], cell[i] = h, inputs.cell[pair] if pair >= 0 else -1
        at[place[h]] += 1
    return offset, hop, cell
