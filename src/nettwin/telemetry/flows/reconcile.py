"""Reconciliation: what flows add up to against what counters tell, link by link.

Where records name the ports of links, an exporter's flows are compared with what these ports
counted. Where they do not, as they are told at the edge alone, each pair's demand is routed, and
the links say together what each exporter's flows must be multiplied by (non-negative least squares,
links that are off alone count less). A factor has a cause: a sampling rate that is not told, an
exporter that is counted twice, octets that the collector multiplied already. Records count octets
of IP, counters those of frames: what headers of frames may add is no difference.
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
from nettwin.telemetry.flows.gathering import ANYWHERE, Gathered, Sums, nearest

Floats = NDArray[np.float64]
FRAME_OCTETS = 26.0  # that a frame adds to a packet, at most: Ethernet, VLAN tag, MPLS label
AGREE = 0.1  # of what a link counted, up to which flows may differ
ALIKE = 0.25  # of an exporter's factor, up to which that of a link may differ, or be unsure
TWICE = (0.42, 0.6)
SAMPLED = 1.5  # times more counted than flows tell: it is sampled
LEAST = 1e-4  # of the busiest link: one that counted less is not compared
ROUNDS = 20  # of least squares
SURE = 3.0  # standard deviations
FAR = 0.3  # as a logarithm
PRICE = FAR / 2  # of a factor
MOST_TRIED = 50  # exporters, one after another


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


class Links(NamedTuple):
    """Links over the intervals in which they were counted, and what each of some exporters' flows
    put on them. In bits."""

    link: NDArray[np.int64]  # [links]
    counted: Floats  # [links]
    seconds: Floats  # [links]
    flows: Floats  # [links, exporters]
    frames: Floats  # [links, exporters] what frames add at most
    busiest_bps: Floats  # [links] all flows, in an interval


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
        links = _links(
            _routed(sums, fractions, nodes),
            range(len(factors)),
            link_bps,
            gathered.edges_s,
            _told(gathered, fractions, nodes),
        )
        if len(links.link):
            _judge(gathered, together, links, factors, found)
            compared += _compared("", links, factors, scenario.topology, found)
    return Reconciled(factors, tuple(compared))


def _of(sums: Sums, exporter: int) -> Sums:
    return sums.take(sums.exporter == exporter)


def _told(gathered: Gathered, fractions: Fractions, nodes: int) -> NDArray[np.bool_]:
    """The links all of whose pairs have an exporter at one end. [links]"""
    here = np.zeros(nodes, bool)
    here[gathered.node[gathered.node >= 0]] = True
    if ANYWHERE in gathered.node:
        here[:] = True
    unseen = ~here[fractions.source] & ~here[fractions.target]
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
    best, error = _chosen(links, fixed, [c for c in columns if links.flows[:, c].sum() > 0])
    for k, column in zip(exporters, columns, strict=True):
        off = abs(best[column] - 1) > max(AGREE, SURE * error[column])
        if off and error[column] < ALIKE * best[column]:
            many = int(np.count_nonzero(links.flows[:, column]))
            name = gathered.exporter[k] or "flows"
            factors[k] = _explained(name, best[column], gathered.sampling[k], many, found)


def _chosen(links: Links, fixed: Floats, columns: list[int]) -> tuple[Floats, Floats]:
    """Factors, and the standard deviation of each: those with the least misfit, where each that is
    not 1 must pay for itself. One link that is off alone has no factor."""

    def tried(free: list[int]) -> tuple[float, Floats, Floats]:
        best, error = fixed, np.zeros(len(fixed))
        if free:
            best, error = _fitted(links, fixed, np.isin(np.arange(len(fixed)), free))
        return _misfit(links, best) + PRICE * len(free), best, error

    answers = [(tried([]), list[int]())]
    free = list(columns)
    answers.append((tried(free), list(free)))
    for column in columns:  # those that are not needed, one after another
        fewer = [k for k in free if k != column]
        if tried(fewer)[0] <= tried(free)[0]:
            free = fewer
    answers.append((tried(free), free))
    free = []
    while len(columns) <= MOST_TRIED and len(free) < len(columns):  # those that help, likewise
        more = [(tried([*free, k])[0], k) for k in columns if k not in free]
        if min(more)[0] >= tried(free)[0]:
            break
        free = [*free, min(more)[1]]
    answers.append((tried(free), free))
    (_, best, error), _ = min(answers, key=lambda one: one[0][0])
    return best, error


def _fitted(links: Links, fixed: Floats, open_: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The factors with which flows come nearest to what links counted, as parts of that, and the
    standard deviation of each; links that are far off count less."""
    from scipy.optimize import nnls

    rows = (links.flows + links.frames / 2) / links.counted[:, None]
    target = 1.0 - rows[:, ~open_] @ fixed[~open_]
    scale = np.maximum(rows[:, open_].max(axis=0), 1e-300)
    mine = rows[:, open_] / scale
    weight = np.ones(len(rows))
    best = np.ones(mine.shape[1])
    for _ in range(ROUNDS):
        root = np.sqrt(weight)
        best, _ = nnls(mine * root[:, None], target * root)
        off = np.abs(mine @ best - target)
        weight = 1.0 / np.maximum(off, 0.02)
        weight /= weight.max()
    off = mine @ best - target
    spare = max(len(rows) - mine.shape[1], 1)
    spread = np.sqrt(max(float((weight * off**2).sum()) / spare, 0.01**2))
    normal = (mine * weight[:, None]).T @ mine
    error = spread * np.sqrt(np.maximum(np.diag(np.linalg.pinv(normal)), 0.0))
    factor, deviation = fixed.copy(), np.zeros(len(fixed))
    factor[open_], deviation[open_] = best / scale, error / scale
    return factor, deviation


def _misfit(links: Links, factor: Floats) -> float:
    """By how much links are off; of one that is far off no more than FAR."""
    low, high = links.flows @ factor, (links.flows + links.frames) @ factor
    with np.errstate(divide="ignore"):
        off = np.abs(np.log(links.counted / np.clip(links.counted, low, high)))
    return float(np.minimum(off, FAR).sum())


def _explained(name: str, factor: float, told: float, count: int, found: Findings) -> float:
    """The factor that an exporter's flows are scaled by, and why."""
    if told > 1 and abs(factor * told - 1) < ALIKE:
        found.add("flows_scaled", name, count, f"the rate that is told is 1:{told:.6g}")
        return 1.0 / told
    if factor > SAMPLED:
        words = f"1:{factor * told:.4g} by {count} links"
        words += f", told is 1:{told:.6g}" if told > 1 else ""
        found.add("flows_sampled", name, count, words)
        return factor
    words = f"{1 / factor:.3g} times what {count} links counted"
    if TWICE[0] < factor < TWICE[1]:
        found.add("flows_twice", name, count, words)
        return 0.5
    found.add("flows_off", name, count, words)
    return factor


def _agree(links: Links, factor: Floats) -> NDArray[np.bool_]:
    """Whether flows agree with each counter. [links]"""
    low, high = links.flows @ factor, (links.flows + links.frames) @ factor
    return np.asarray(
        (low * (1 - AGREE) <= links.counted) & (links.counted <= high * (1 + AGREE)), np.bool_
    )


def _compared(
    name: str, links: Links, factor: Floats, topology: Topology, found: Findings
) -> list[Compared]:
    """The links; those that differ after all, or carry more than they can, are noted."""
    agree = _agree(links, factor)
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
        elif not agree[i]:
            words = f"{units.rate(after)} of flows, {units.rate(counted)} counted"
            found.add("flows_disagree", where, 1, words)
    return made
