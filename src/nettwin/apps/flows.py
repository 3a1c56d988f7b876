"""Flows: flow records of a source, reconciled with counters, as demands and as history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.formats.counters import Counters
from nettwin.formats.format import DemandSeries
from nettwin.repository.repository import Repository
from nettwin.repository.talkers import Talkers, talkers_of
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.findings import Findings
from nettwin.telemetry.flows.gathering import ANYWHERE, Gathered, gather, grid, nearest
from nettwin.telemetry.flows.reconcile import Reconciled, reconcile
from nettwin.telemetry.flows.records import FlowSource
from nettwin.telemetry.source_file import SourceFile

Floats = NDArray[np.float64]
INTERVAL_S = 300.0
MARGIN_S = 1800.0  # that exporters keep a flow before they tell of it, at most
MAX_INTERVALS = 200_000


@dataclass(frozen=True)
class FlowReading:
    """Flow records of a time, summed by interval, and how they fit counters."""

    gathered: Gathered
    reconciled: Reconciled
    interval_s: float

    @property
    def times_s(self) -> Floats:
        """The ends of the intervals."""
        return self.gathered.edges_s[1:]

    @property
    def findings(self) -> Findings:
        """What is wrong with the records."""
        return self.gathered.findings


@dataclass(frozen=True)
class CollectedFlows:
    """What was read, and how much of it is in the history now."""

    reading: FlowReading
    intervals: int
    talkers: int
    flows: int  # of the network, whose rates are known
    strange: int  # pairs with demand of which the network has no flow


def read_flows(
    source: FlowSource,
    file: SourceFile,
    scenario: Scenario,
    since_s: float,
    until_s: float,
    *,
    counters: Counters | None = None,
    repository: Repository | None = None,
) -> FlowReading:
    """Flow records of a time by interval, reconciled with counters or with what the history has of
    links. Raises SourceError, FormatError, InputError."""
    records = source.flows(since_s - MARGIN_S, until_s)
    if not len(records):
        raise InputError("the source has no flows of that time. Give another --since and --until.")
    kept_s = 0.0 if repository is None else repository.interval_s()
    interval_s = file.interval_s or kept_s or INTERVAL_S
    span = np.array([records.begin_s.min(), records.end_s.max()])
    edges = grid(np.clip(span, since_s, until_s), interval_s)
    if len(edges) > MAX_INTERVALS:
        raise InputError(
            f"that would be {len(edges) - 1:,} intervals: must be at most {MAX_INTERVALS:,}. Give a"
            " longer interval, or a shorter time."
        )
    found = Findings()
    gathered = gather(records, source, scenario.topology, file.names, edges, found)
    link_bps = np.full((gathered.intervals, scenario.topology.link_count), np.nan)
    if counters is not None:
        _fill(link_bps, edges, counters.times_s, counters.link_bps)
    elif repository is not None:
        for k, name in enumerate(scenario.topology.link_name):
            series = f"link/{name}/throughput_bps"
            times, rates = repository.series(series, float(edges[0]), float(edges[-1]))
            _fill(link_bps[:, k : k + 1], edges, times, rates[:, None])
    return FlowReading(gathered, reconcile(gathered, scenario, link_bps, found), interval_s)


def _fill(link_bps: Floats, edges: Floats, times_s: Floats, rates: Floats) -> None:
    """Put the means of what was counted, in intervals that end at times, into those of flows."""
    if not len(times_s):
        return
    place = np.ceil((times_s - edges[0]) / (edges[1] - edges[0]) - 1e-6).astype(np.int64) - 1
    inside = (place >= 0) & (place < len(link_bps))
    total, count = np.zeros_like(link_bps), np.zeros_like(link_bps)
    known = np.isfinite(rates[inside])
    np.add.at(total, place[inside], np.where(known, rates[inside], 0.0))
    np.add.at(count, place[inside], known)
    np.divide(total, count, out=link_bps, where=count > 0)


def demands_of(reading: FlowReading, scenario: Scenario) -> DemandSeries:
    """The demands of the pairs that an exporter at one of their ends tells, the source's first; all
    others are not known, also those that are seen only on their way."""
    gathered = reading.gathered
    topology = scenario.topology
    nodes = topology.node_count
    sums = gathered.pairs
    use = nearest(gathered, nodes)
    source, target = sums.place[use] // nodes, sums.place[use] % nodes
    scale = 8 * reading.reconciled.factor[sums.exporter[use]] / reading.interval_s
    demand = np.zeros((gathered.intervals, nodes, nodes))
    np.add.at(demand, (sums.interval[use], source, target), sums.octets[use] * scale)
    listed = np.zeros((nodes, nodes), bool)
    listed[source, target] = True
    transit = len(np.unique(sums.place)) - int(listed.sum())
    notes = [f"{transit} pairs are seen only on their way: estimated"] if transit else []
    if ANYWHERE in gathered.node[sums.exporter[use]]:
        notes.append("records without an exporter: taken to see all traffic of their pairs")
    return DemandSeries(reading.times_s, demand, topology.node_name, tuple(notes), (), listed)


def collect_flows(
    reading: FlowReading, scenario: Scenario, repository: Repository
) -> CollectedFlows:
    """Keep flows: the largest of each interval and a sketch of the rest, and the rates of the
    network's flows whose pairs are known. What was kept of these intervals is replaced."""
    series = demands_of(reading, scenario)
    traffic = scenario.traffic
    assert series.listed is not None
    known = series.listed[traffic.flow_source, traffic.flow_target]
    of_pair = traffic.matrix(scenario.topology.node_count)
    planned = of_pair[traffic.flow_source, traffic.flow_target]
    share = np.divide(traffic.flow_rate_bps, planned, out=np.zeros_like(planned), where=planned > 0)
    known &= planned > 0
    rates = series.demand_bps[:, traffic.flow_source, traffic.flow_target] * share
    if known.any():
        rates[:, ~known] = np.nan
        repository.measured_flows(scenario, series.times_s, reading.interval_s, {"rate_bps": rates})
    kept = 0
    for time_s, talkers in talkers_over_time(reading):
        repository.talked(time_s, talkers)
        kept += len(talkers.key)
    strange = int((series.demand_bps.any(axis=0) & ~(of_pair > 0)).sum())
    return CollectedFlows(reading, len(series.times_s), kept, int(known.sum()), strange)


def talkers_over_time(reading: FlowReading) -> list[tuple[float, Talkers]]:
    """The talkers of each interval that has any, by the end of the interval."""
    gathered = reading.gathered
    records, pieces = gathered.records, gathered.pieces
    keys = np.array(records.keys(), object)
    code = {name: k for k, name in enumerate(gathered.exporter)}
    factor = reading.reconciled.factor[[code[name] for name in records.exporter]]
    scaled = np.rint(pieces.octets * (records.sampling * factor)[pieces.record]).astype(np.int64)
    order = np.argsort(pieces.interval, kind="stable")
    begins = np.flatnonzero(np.diff(pieces.interval[order], prepend=-1))
    return [
        (
            float(reading.times_s[pieces.interval[rows[0]]]),
            talkers_of(keys[pieces.record[rows]], scaled[rows]),
        )
        for rows in (np.split(order, begins[1:]) if len(order) else [])
    ]
