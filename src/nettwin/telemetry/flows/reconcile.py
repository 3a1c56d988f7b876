"""Reconciliation: what flows add up to against what counters tell, link by link.

Where records name the ports of links, an exporter's flows are compared with what these ports
counted. Where they do not, as they are told at the edge alone, each pair's demand is routed, and
the links say together what each exporter's flows must be multiplied by (non-negative least squares,
links that are off alone count less): nothing, one factor for all, or for some another. A factor has
a cause: a sampling rate that is not told, an exporter that is counted twice, octets that the
collector multiplied already. Records count octets of IP, counters those of frames: what headers of
frames may add is no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin import units
from nettwin.scenario.fractions import Fractions, routing_fractions
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology
from nettwin.telemetry.findings import Findings
from nettwin.telemetry.flows.factors import AGREE, Links, agree, chosen
from nettwin.telemetry.flows.gathering import ANYWHERE, Gathered, Sums, nearest

Floats = NDArray[np.float64]
FRAME_OCTETS = 26.0  # that a frame adds to a packet, at most: Ethernet, VLAN tag, MPLS label
ALIKE = 0.25  # of the rate that is told, up to which a factor may differ to be due to it
MOST = 0.8  # of the exporters that links tell of: the others are taken to be as these
TWICE = (0.42, 0.6)
SAMPLED = 1.5  # times more counted than flows tell: it is sampled
LEAST = 1e-4  # of the busiest link: one that counted less is not compared


class Compared(NamedTuple):
    """A link as flows and its counter tell of it, over the intervals that both know: bit/s.
    `flows_bps` is before, `scaled_bps` after the exporters' factors; of several exporters together
    `exporter` is empty."""

    exporter: str
    link: str
    counted_bps: float
    flows_bps: float
    scaled_bps: float

    @property
    def ratio(self) -> float:
        """What was counted over what flows tell, before."""
        return self.counted_bps / self.flows_bps if self.flows_bps else float("inf")


@dataclass(frozen=True)
class Reconciled:
    """The factor of each exporter's flows, and the links that were compared."""

    factor: Floats  # [exporters]
    compared: tuple[Compared, ...]


def reconcile(
    gathered: Gathered, scenario: Scenario, link_bps: Floats, found: Findings
) -> Reconciled:
    """Compare flows with what links carried [intervals, links] in the same intervals (NaN where it
    is not known), and find the factor of each exporter."""
    factors = np.ones(len(gathered.exporter))
    compared: list[Compared] = []
    together: list[int] = []
    for k, name in enumerate(gathered.exporter):
        links = _links(_of(gathered.links, k), [k], link_bps, gathered.edges_s)
        if len(links.link):
            _judge(gathered, [k], links, factors, found)
            compared += _compared(name, links, factors[[k]], scenario.topology, found)
        else:
            together.append(k)
    if together and np.isfinite(link_bps).any():
        fractions = routing_fractions(scenario)
        nodes = scenario.topology.node_count
        use = nearest(gathered, nodes)
        sums = gathered.pairs.take(use)
        everyone = range(len(factors))
        routed = _routed(sums, fractions, nodes)
        told = _told(gathered, sums, fractions, nodes)
        links = _links(routed, everyone, link_bps, gathered.edges_s, told)
        if len(links.link):
            _judge(gathered, together, links, factors, found)
            compared += _compared("", links, factors, scenario.topology, found)
        # where others' traffic is not told, flows can be too many, but not too few
        links = _links(routed, everyone, link_bps, gathered.edges_s, ~told)
        low = links.flows @ factors * (1 - AGREE)
        links = links.take(low > links.counted)
        compared += _compared("", links, factors, scenario.topology, found)
    return Reconciled(factors, tuple(compared))


def _of(sums: Sums, exporter: int) -> Sums:
    return sums.take(sums.exporter == exporter)


def _told(gathered: Gathered, sums: Sums, fractions: Fractions, nodes: int) -> NDArray[np.bool_]:
    """The links of whose pairs each has an exporter at its source, or is told by one. [links]"""
    here = np.zeros(nodes, bool)
    here[gathered.node[gathered.node >= 0]] = True
    if ANYWHERE in gathered.node:
        here[:] = True
    pair = fractions.source.astype(np.int64) * nodes + fractions.target
    unseen = ~here[fractions.source] & ~np.isin(pair, sums.place)
    return np.asarray(fractions.link @ unseen.astype(float) < 1e-9)


def _routed(sums: Sums, fractions: Fractions, nodes: int) -> Sums:
    """What the demands of pairs put on links."""
    column = np.full(nodes * nodes, -1)
    column[fractions.source.astype(np.int64) * nodes + fractions.target] = np.arange(
        len(fractions.source)
    )
    pairs = fractions.link.tocsc()
    at = column[sums.place]
    rows = np.flatnonzero(at >= 0)
    begin, end = pairs.indptr[at[rows]], pairs.indptr[at[rows] + 1]
    number = (end - begin).astype(np.int64)
    which = np.repeat(rows, number)
    inside = np.repeat(begin, number) + (
        np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    )
    share = pairs.data[inside]
    return Sums(
        sums.exporter[which],
        sums.interval[which],
        pairs.indices[inside].astype(np.int64),
        sums.octets[which] * share,
        sums.packets[which] * share,
    )


def _links(
    sums: Sums,
    exporters: Sequence[int],
    link_bps: Floats,
    edges_s: Floats,
    told: NDArray[np.bool_] | None = None,
) -> Links:
    """The links that were counted and have flows (of those that are `told` fully)."""
    step = float(edges_s[1] - edges_s[0])
    intervals, count = link_bps.shape
    place = {k: i for i, k in enumerate(exporters)}
    mine = np.isin(sums.exporter, list(exporters)) & (sums.place >= 0)
    known = np.isfinite(link_bps[sums.interval, sums.place]) & mine
    column = np.array([place.get(k, 0) for k in range(int(sums.exporter.max(initial=0)) + 1)])
    at = (sums.place[known], column[sums.exporter[known]])
    flows, frames = np.zeros((2, count, len(place)))
    np.add.at(flows, at, sums.octets[known] * 8)
    np.add.at(frames, at, sums.packets[known] * 8 * FRAME_OCTETS)
    bits = np.zeros((intervals, count))
    np.add.at(bits, (sums.interval[known], sums.place[known]), sums.octets[known] * 8)
    counted = np.nansum(link_bps, axis=0) * step
    good = (flows.sum(axis=1) > 0) & (counted > LEAST * counted.max(initial=0.0))
    if told is not None:
        good &= told
    link = np.flatnonzero(good)
    seconds = np.isfinite(link_bps).sum(axis=0) * step
    return Links(
        link,
        counted[link],
        seconds[link],
        flows[link],
        frames[link],
        bits.max(axis=0, initial=0.0)[link] / step,
    )


def _judge(
    gathered: Gathered, exporters: list[int], links: Links, factors: Floats, found: Findings
) -> None:
    """Set the factors of exporters, and note why, where links are surely off by them."""
    several = links.flows.shape[1] > 1
    fixed = factors.copy() if several else np.ones(1)
    columns = exporters if several else [0]
    seen = [c for c in columns if links.flows[:, c].sum() > 0]
    best = chosen(links, fixed, seen)
    usual = float(np.median(best[seen])) if seen else 1.0
    if np.count_nonzero(np.abs(best[seen] / usual - 1) < ALIKE) >= max(MOST * len(seen), 2):
        best[[c for c in columns if c not in seen]] = usual  # no link tells of them: as the others
    for k, column in zip(exporters, columns, strict=True):
        if abs(best[column] - 1) > AGREE:
            many = int(np.count_nonzero(links.flows[:, column]))
            name = gathered.exporter[k] or "flows"
            factors[k] = _explained(name, best[column], gathered.sampling[k], many, found)


def _explained(name: str, factor: float, told: float, count: int, found: Findings) -> float:
    """The factor that an exporter's flows are scaled by, and why."""
    if told > 1 and abs(factor * told - 1) < ALIKE:
        found.add("flows_scaled", name, max(count, 1), f"the rate that is told is 1:{told:.6g}")
        return 1.0 / told
    if factor > SAMPLED:
        words = f"1:{factor * told:.4g} by {count} links" if count else "as the others"
        words += f", told is 1:{told:.6g}" if told > 1 else ""
        found.add("flows_sampled", name, max(count, 1), words)
        return factor
    words = f"{1 / factor:.3g} times what {count} links counted" if count else "as the others"
    count = max(count, 1)
    if TWICE[0] < factor < TWICE[1]:
        found.add("flows_twice", name, count, words)
        return 0.5
    found.add("flows_off", name, count, words)
    return factor


def _compared(
    name: str, links: Links, factor: Floats, topology: Topology, found: Findings
) -> list[Compared]:
    """The links; those that differ after all, or carry more than they can, are noted."""
    fits = agree(links, factor)
    made = []
    for i, link in enumerate(links.link.tolist()):
        before, after, counted = (
            float(bits / links.seconds[i])
            for bits in (links.flows[i].sum(), links.flows[i] @ factor, links.counted[i])
        )
        one = Compared(name, topology.link_name[link], counted, before, after)
        made.append(one)
        where = f"{one.link} by {name}" if name else one.link
        capacity = float(topology.link_capacity_bps[link])
        if links.busiest_bps[i] > (1 + AGREE) * capacity:
            words = f"{units.rate(float(links.busiest_bps[i]))} of flows on a port of"
            words += f" {units.rate(capacity)}, {units.rate(counted)} counted"
            found.add("flows_over", where, 1, words)
        elif not fits[i]:
            words = f"{units.rate(after)} of flows, {units.rate(counted)} counted"
            found.add("flows_disagree", where, 1, words)
    return made
