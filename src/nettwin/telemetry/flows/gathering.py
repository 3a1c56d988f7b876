"""Gathering: flow records summed by interval: of each exporter, by pairs of nodes and by links.

A flow is spread evenly over its time. Octets are multiplied by the sampling rate that is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.scenario.changes.singles import duplex_links
from nettwin.scenario.topology import Topology
from nettwin.telemetry.findings import Findings
from nettwin.telemetry.flows.records import FlowRecords, FlowSource, cleaned
from nettwin.telemetry.ports import Names, NodeNames, match_ports
from nettwin.telemetry.series import Port

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
MAX_PIECES = 50_000_000
ANYWHERE, NOWHERE = -2, -1  # the node of records without an exporter, of one that is no node


class Pieces(NamedTuple):
    """Records cut at the edges of intervals: which record, in which interval, how many octets.
    [pieces] each"""

    record: Ints
    interval: Ints
    share: Floats  # of the record
    octets: Ints  # as they were counted; those of a record add up to its own


class Sums(NamedTuple):
    """Octets and packets, multiplied by the sampling rate, by exporter and interval at some place:
    a pair (source node * nodes + target node), or the link that flows were told at. [sums] each"""

    exporter: Ints
    interval: Ints
    place: Ints
    octets: Floats
    packets: Floats

    def take(self, rows: Bools) -> Sums:
        """Some of them."""
        return Sums(
            self.exporter[rows],
            self.interval[rows],
            self.place[rows],
            self.octets[rows],
            self.packets[rows],
        )


@dataclass(frozen=True)
class Gathered:
    """Flow records of a network, summed."""

    edges_s: Floats
    exporter: tuple[str, ...]
    node: Ints  # [exporters]; ANYWHERE, NOWHERE
    sampling: Floats  # [exporters] the rate that is told, weighted by octets
    pairs: Sums
    links: Sums
    records: FlowRecords
    pieces: Pieces
    findings: Findings

    @property
    def intervals(self) -> int:
        """How many there are."""
        return len(self.edges_s) - 1


def cut(begin_s: Floats, end_s: Floats, octets: Ints, edges_s: Floats) -> Pieces:
    """Flows cut at the edges of regular intervals; what lies outside is left out. Raises InputError
    where that is too many pieces."""
    step, count = float(edges_s[1] - edges_s[0]), len(edges_s) - 1
    first = np.floor((begin_s - edges_s[0]) / step)
    last = np.maximum(np.ceil((end_s - edges_s[0]) / step) - 1, first)
    first, last = np.maximum(first, 0).astype(np.int64), np.minimum(last, count - 1)
    number = np.maximum(last.astype(np.int64) - first + 1, 0)
    if number.sum() > MAX_PIECES:
        raise InputError(
            f"these flows last {number.sum():,} intervals of {step:g} s together: must be at most"
            f" {MAX_PIECES:,}. Give a longer interval."
        )
    record = np.repeat(np.arange(len(number)), number)
    place = np.arange(len(record)) - np.repeat(np.cumsum(number) - number, number)
    interval = first[record] + place
    length = (end_s - begin_s)[record]
    right = np.minimum(edges_s[interval + 1], end_s[record]) - begin_s[record]
    left = np.maximum(edges_s[interval], begin_s[record]) - begin_s[record]
    instant = length <= 0
    with np.errstate(invalid="ignore", divide="ignore"):
        upto = np.where(instant, 1.0, right / length)
        before = np.where(instant, 0.0, left / length)
    whole = octets[record]
    exact = np.rint(upto * whole).astype(np.int64) - np.rint(before * whole).astype(np.int64)
    return Pieces(record, interval, upto - before, exact)


def gather(
    records: FlowRecords,
    source: FlowSource,
    topology: Topology,
    names: Names,
    edges_s: Floats,
    found: Findings,
) -> Gathered:
    """Records of a source summed by interval. Raises UnknownNameError where a prefix is of a node
    that the network has not."""
    import pandas as pd

    records = cleaned(records, found)
    pieces = cut(records.begin_s, records.end_s, records.octets, edges_s)
    code, exporters = pd.factorize(records.exporter)
    code = code.astype(np.int64)
    octets = pieces.octets * records.sampling[pieces.record]
    packets = records.packets[pieces.record] * pieces.share * records.sampling[pieces.record]
    pair = _pairs(records, source, topology, found)[pieces.record]
    parts = (code[pieces.record], pieces.interval)
    link = _links(records, topology, names)[pieces.record]
    nodes = NodeNames(topology, names.devices)
    weight = np.maximum(np.bincount(code, records.octets, len(exporters)), 1e-9)
    return Gathered(
        edges_s,
        tuple(map(str, exporters)),
        np.array([_node(str(name), nodes) for name in exporters], np.int64),
        np.maximum(
            np.bincount(code, records.octets * records.sampling, len(exporters)) / weight, 1.0
        ),
        _sums(*parts, pair, octets, packets),
        _sums(*parts, link, octets, packets),
        records,
        pieces,
        found,
    )


def _node(exporter: str, nodes: NodeNames) -> int:
    if not exporter:
        return ANYWHERE
    found = nodes.find(exporter)
    return NOWHERE if found is None else int(found)


def _sums(exporter: Ints, interval: Ints, place: Ints, octets: Floats, packets: Floats) -> Sums:
    """Sums by exporter, interval and place; a place below 0 is none."""
    import pandas as pd

    good = place >= 0
    frame = pd.DataFrame(
        {"e": exporter[good], "t": interval[good], "p": place[good], "o": octets[good],
         "n": packets[good]}
    )  # fmt: skip
    summed = frame.groupby(["e", "t", "p"], sort=True, as_index=False).sum()
    return Sums(
        *(summed[name].to_numpy(np.int64) for name in "etp"),
        *(summed[name].to_numpy(np.float64) for name in "on"),
    )


def _pairs(records: FlowRecords, source: FlowSource, topology: Topology, found: Findings) -> Ints:
    """The pair of nodes of each record; -1 where an end is of no node, or both are of one."""
    import pandas as pd

    ends = []
    for addresses in (records.source, records.target):
        code, unique = pd.factorize(addresses)
        names = source.node_of([str(one) for one in unique])
        place = np.array([topology.node(name) if name else -1 for name in names], np.int64)
        lost = np.array([not name for name in names], bool)
        ends.append((place[code] if len(unique) else np.zeros(0, np.int64), lost, unique))
    (one, _, _), (other, _, _) = ends
    unknown = (one < 0) | (other < 0)
    if unknown.any():
        octets = float(records.octets[unknown].sum())
        part = octets / max(float(records.octets.sum()), 1.0)
        strange = [str(name) for _, lost, unique in ends for name in unique[lost][:2]]
        detail = f"{part:.1%} of the octets, such as of {', '.join(dict.fromkeys(strange))}"
        found.add("flows_unknown", "records", int(np.count_nonzero(unknown)), detail)
    pair = one * topology.node_count + other
    return np.where(unknown | (one == other), -1, pair)


def _links(records: FlowRecords, topology: Topology, names: Names) -> Ints:
    """The link that each record came by, or left by where it was made there; -1 where that is not
    told, or is no link of the network."""
    back = _back(topology)
    port = np.where(records.egress, records.out_port, records.in_port)
    keys = list(zip(records.exporter, port, records.egress, strict=True))
    known = {key: Port(str(key[0]), str(key[1])) for key in set(keys) if key[0] and key[1]}
    link_of = match_ports(known.values(), topology, names).link_of
    place = {
        key: link if key[2] else back.get(link, -1)
        for key, port in known.items()
        if (link := link_of.get(port, -1)) >= 0
    }
    return np.array([place.get(key, -1) for key in keys], np.int64)


def nearest(gathered: Gathered, nodes: int) -> Bools:
    """Which sums of pairs tell their demand: of each pair those of the exporter at its source, else
    at its target, the one with the most octets; those on the way of it do not. [sums]"""
    sums, count = gathered.pairs, max(len(gathered.exporter), 1)
    at = gathered.node[sums.exporter]
    rank = np.where((at == sums.place // nodes) | (at == ANYWHERE), 0, 2)
    rank[(rank == 2) & (at == sums.place % nodes)] = 1
    key, where = np.unique(sums.place * count + sums.exporter, return_inverse=True)
    octets = np.bincount(where, sums.octets, len(key))
    ranks = np.full(len(key), 2)
    ranks[where] = rank
    pair = key // count
    order = np.lexsort((-octets, ranks, pair))
    first = np.append(True, np.diff(pair[order]) > 0)[: len(order)]
    chosen = np.zeros(len(key), bool)
    chosen[order[first]] = True
    return np.asarray((chosen & (ranks < 2))[where], np.bool_)


def _back(topology: Topology) -> Mapping[int, int]:
    """The link in the other direction of each that has one."""
    both = (pair for _, pair in duplex_links(topology) if len(pair) == 2)
    return {a: b for pair in both for a, b in (pair, pair[::-1])}


def grid(times_s: Sequence[float] | Floats, interval_s: float) -> Floats:
    """The edges of whole intervals around times. [intervals + 1]"""
    first = np.floor(np.min(times_s) / interval_s)
    last = max(np.ceil(np.max(times_s) / interval_s), first + 1)
    return np.asarray(np.arange(first, last + 1) * interval_s, np.float64)
