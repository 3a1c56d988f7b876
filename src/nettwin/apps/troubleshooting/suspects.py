"""Suspects: the faults that residuals point to, found by cheap fits, before the twin is asked.

Each fit asks what one more unknown (loss on a link, delay on a link, more traffic of a pair) would
explain: the fall of the sum of squared residuals. Which of the suspects did it the twin then tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.troubleshooting.evidence import Evidence
from nettwin.apps.troubleshooting.faults import Fault
from nettwin.apps.troubleshooting.incident import DELAY, DROPS, LOSS, QUEUED, RATE, SENT, SPEED, UP
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
EACH = 5  # suspects of a kind
CAPACITIES = (0.2, 0.4, 0.6, 0.8)
METRICS = (0.1, 10.0)
BUFFER = 1 / 16
SURGE = 0.1  # of the logarithm: less is no surge
SEEN = 4.0  # fall of squared residuals that is worth a look
MOST = 12.0  # standard deviations that one measurement counts at most


@dataclass(frozen=True)
class Clues:
    """Residuals of a network that is predicted to be `scenario`, with what suspects share."""

    evidence: Evidence
    scenario: Scenario
    predicted: Mapping[str, Floats]
    scores: Mapping[str, tuple[Floats, Floats]]
    few: int = EACH

    @cached_property
    def _crossing(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """Flow, link and share of each hop of the network's own flows."""
        paths = self.scenario.paths
        flow, share = paths.hop_flow, paths.share[paths.hop_path]
        mine = flow < len(self.evidence.usual_bps)
        return flow[mine].astype(np.intp), paths.links[mine].astype(np.intp), share[mine]

    def _fit(self, value: Floats, sigma: Floats) -> tuple[Floats, Floats]:
        """For each link, what flows that cross it would have more of, and what that explains."""
        flow, link, share = self._crossing
        count = self.scenario.topology.link_count
        good = np.isfinite(value) & np.isfinite(sigma) & (sigma > 0)
        sigma = np.where(good, sigma, 1.0)
        value = np.where(good, np.clip(value, -MOST * sigma, MOST * sigma), 0.0)
        weight = np.where(good, 1 / sigma**2, 0.0)
        above = np.bincount(link, share * (value * weight)[flow], count)
        below = np.bincount(link, share**2 * weight[flow], count)
        size = np.divide(above, below, out=np.zeros(count), where=below > 0)
        return size, np.where(below > 0, above * size, 0.0)

    @cached_property
    def lost(self) -> tuple[Floats, Floats]:
        """By how much each flow loses more than predicted, and the standard error of that."""
        value, count = self.evidence.measured[LOSS], self.evidence.packets
        count = count * len(self.evidence.incident.during)
        usual = np.nan_to_num(self.predicted[LOSS])
        return value - usual, np.sqrt(np.maximum(np.maximum(usual, value), 1 / count) / count)

    @cached_property
    def loss(self) -> tuple[Floats, Floats]:
        """What each link would lose, and what that explains. [links] both"""
        return self._of_loss(np.ones(len(self.evidence.usual_bps), np.bool_))

    def _of_loss(self, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        more, error = self.lost
        fit = self._fit(np.where(chosen, more, np.nan), error)
        raw = self._raw_loss(chosen)
        return np.where(fit[0] > 0, np.maximum(fit[0], raw), 0.0), np.where(fit[0] > 0, fit[1], 0.0)

    def _raw_loss(self, chosen: NDArray[np.bool_]) -> Floats:
        """The median loss of flows that cross each link wholly: large losses are not normal."""
        flow, link, share = self._crossing
        more = self.lost[0][flow]
        found = np.zeros(self.scenario.topology.link_count)
        good = np.isfinite(more) & (share > 0.99) & chosen[flow]
        order = np.argsort(link[good], kind="stable")
        links, values = link[good][order], more[good][order]
        cuts = np.flatnonzero(np.diff(links)) + 1
        for part, name in zip(np.split(values, cuts), np.split(links, cuts), strict=True):
            if len(part) > 1:
                found[name[0]] = np.median(part)
        return found

    @cached_property
    def port(self) -> Floats:
        """How odd each port is: delay of what crosses it by class, its drops and its queues."""
        topology, traffic = self.scenario.topology, self.evidence.network.traffic
        z, sigma = self.scores[DELAY]
        seen = np.exp(self.evidence.scaled(DELAY, self.evidence.measured[DELAY]))
        value, error = z * sigma * seen, sigma * seen
        gain = np.zeros(topology.link_count)
        for c in range(len(traffic.class_name)):
            mine = traffic.flow_class == c
            gain = np.maximum(gain, self._fit(np.where(mine, value, np.nan), error)[1])
        gain += _square(self.scores[DROPS][0])
        return gain + np.bincount(
            topology.queues.link, _square(self.scores[QUEUED][0]), topology.link_count
        )

    def sides(self) -> Floats:
        """Share of each flow that crosses each link, leaves each node, and enters each node.
        [links + 2 nodes, flows]"""
        flow, link, share = self._crossing
        topology, traffic = self.scenario.topology, self.evidence.network.traffic
        count = len(self.evidence.usual_bps)
        found = np.zeros((topology.link_count + 2 * topology.node_count, count))
        np.add.at(found, (link, flow), share)
        every = np.arange(count)
        found[topology.link_count + traffic.flow_source, every] = 1.0
        found[topology.link_count + topology.node_count + traffic.flow_target, every] = 1.0
        return found

    def links(self, gain: Floats, least: float = SEEN) -> list[int]:
        """The links that explain most."""
        order = np.argsort(-gain, kind="stable")[: self.few]
        return [k for k in order.tolist() if gain[k] > least]

    def both(self, k: int) -> str:
        """A link and the one back."""
        topology = self.scenario.topology
        a, b = (topology.node_name[e[k]] for e in (topology.link_source, topology.link_target))
        if len(topology.links_between(a, b)) == len(topology.links_between(b, a)) == 1:
            return f"{a}<->{b}"
        return topology.link_name[k]


def suspects(clues: Clues) -> list[Fault]:
    """What may be wrong, a few of each kind."""
    found = [fault for finder in FINDERS for fault in finder(clues)]
    return list(dict.fromkeys(found))


def _down(clues: Clues) -> Iterator[Fault]:
    scenario, topology = clues.scenario, clues.scenario.topology
    told = clues.evidence.measured[UP] < 0.5
    sent, expected = clues.evidence.measured[SENT], clues.predicted[SENT]
    silent = (sent < 0.05 * expected) & (clues.scores[SENT][0] < -3)
    dead = np.flatnonzero((told | silent) & topology.link_live)
    few = dead[np.argsort(~told[dead], kind="stable")][: 2 * clues.few]
    yield from (Fault("link_down", clues.both(k)) for k in few.tolist())
    ends = np.concatenate([topology.link_source[dead], topology.link_target[dead]])
    for node in np.unique(ends).tolist():
        touched = (topology.link_source == node) | (topology.link_target == node)
        if touched[dead].sum() >= max(2, 0.4 * touched.sum()):
            yield Fault("node_down", scenario.topology.node_name[node])


def _lossy(clues: Clues) -> Iterator[Fault]:
    topology, traffic = clues.scenario.topology, clues.evidence.network.traffic
    size, gain = clues.loss
    for k in clues.links(gain):
        part = float(np.clip(size[k], 1e-4, 0.9))
        yield Fault("random_loss", topology.link_name[k], part)
        back = clues.both(k)
        if "<->" in back:
            yield Fault("duplex_mismatch", back, part)
    if len(np.unique(traffic.flow_class)) < 2:
        return
    for c, name in enumerate(traffic.class_name):
        size, gain = clues._of_loss(traffic.flow_class[: len(clues.evidence.usual_bps)] == c)
        for k in clues.links(gain)[:3]:
            part = float(np.clip(size[k], 1e-4, 1.0))
            yield Fault("class_loss", topology.link_name[k], part, name)


def _ports(clues: Clues) -> Iterator[Fault]:
    topology, traffic = clues.scenario.topology, clues.evidence.network.traffic
    used = [traffic.class_name[c] for c in np.unique(traffic.flow_class).tolist()]
    for k in clues.links(clues.port):
        name = topology.link_name[k]
        yield from (Fault("capacity_loss", name, part) for part in CAPACITIES)
        back = clues.both(k)
        if "<->" in back:
            yield Fault("duplex_mismatch", back, max(float(clues.loss[0][k]), 0.005))
        queues = topology.queues
        first, last = int(queues.offset[k]), int(queues.offset[k + 1])
        limited = np.isfinite(queues.buffer_bits[first]) or np.isfinite(
            queues.buffer_packets[first]
        )
        if limited:
            yield Fault("small_buffer", name, BUFFER)
        if last - first > 1:
            yield from (Fault("wrong_class_map", name, detail=one) for one in used)
            if topology.policy_of(k) in ("wfq", "lsf", "drr"):
                yield Fault("wrong_weights", name)
    speed = clues.evidence.measured[SPEED] / clues.predicted[SPEED]
    slow = np.flatnonzero(np.abs(speed - 1) > 0.02)
    for k in slow[: clues.few].tolist():
        yield Fault("link_degraded", topology.link_name[k], float(speed[k]))
    for k in clues.links(clues.port)[:3]:
        if not np.isfinite(speed[k]):
            yield from (Fault("link_degraded", topology.link_name[k], p) for p in CAPACITIES)


def _rerouted(clues: Clues) -> Iterator[Fault]:
    topology = clues.scenario.topology
    square = _square(clues.scores[SENT][0])
    for k in clues.links(square, 6.0):
        name = topology.link_name[k]
        yield from (Fault("wrong_metric", name, times) for times in METRICS)
        shown = clues.evidence.measured[SENT][k] / max(clues.predicted[SENT][k], 1.0)
        if np.isfinite(shown):
            yield Fault("counter_fault", name, float(np.clip(shown, 0.0, 10.0)))
    around = np.bincount(topology.link_source, np.minimum(square, MOST**2), topology.node_count)
    paths = clues.scenario.paths
    for node in np.argsort(-around, kind="stable")[: clues.few].tolist():
        here = topology.link_source[paths.links] == node
        split = paths.share[paths.hop_path[here]] < 0.99
        links = np.unique(paths.links[here][split])
        if len(links) < 2 or around[node] < 6.0:
            continue
        gain = clues.scores[SENT][0][links]
        for k in links[np.argsort(-np.nan_to_num(gain), kind="stable")][:2].tolist():
            for part in (0.8, 1.0):
                yield Fault("ecmp_imbalance", topology.node_name[node], part, topology.link_name[k])


def _dead_ends(clues: Clues) -> Iterator[Fault]:
    """Nodes that drop all to a target, or send it in a loop: the flows to it that are lost cross
    the node, those that arrive do not."""
    scenario, traffic = clues.scenario, clues.evidence.network.traffic
    topology = scenario.topology
    more = clues.lost[0]
    flow, link, share = clues._crossing
    lost = np.nan_to_num(more) > 0.25
    targets, count = np.unique(traffic.flow_target[lost], return_counts=True)
    best: list[tuple[float, int, int]] = []
    for t in targets[np.argsort(-count, kind="stable")][: 2 * clues.few].tolist():
        mine = (traffic.flow_target == t) & np.isfinite(more)
        through = np.zeros((topology.node_count, len(more)))
        hops = mine[flow]
        np.add.at(through, (topology.link_source[link[hops]], flow[hops]), share[hops])
        there = np.minimum(through[:, mine], 1.0)
        gain = (more[mine] ** 2 - (more[mine] - there) ** 2).sum(axis=1)
        nodes = np.argsort(-gain, kind="stable")[:3].tolist()
        best += [(float(gain[n]), n, t) for n in nodes if gain[n] > 0]
    for _, n, t in sorted(best, reverse=True)[: clues.few]:
        yield Fault("black_hole", topology.node_name[n], detail=topology.node_name[t])
        toward = _next_links(scenario, t)
        for k in np.flatnonzero((topology.link_source == n) & topology.link_live).tolist():
            v = int(topology.link_target[k])
            if any(int(topology.link_target[j]) == n for j in toward.get(v, ())):
                yield Fault("loop", topology.link_name[k], detail=topology.node_name[t])


def _next_links(scenario: Scenario, target: int) -> dict[int, set[int]]:
    """The links by which each node sends to a target."""
    paths, topology = scenario.paths, scenario.topology
    found: dict[int, set[int]] = {}
    hops = scenario.traffic.flow_target[paths.hop_flow] == target
    for k in np.unique(paths.links[hops]).tolist():
        found.setdefault(int(topology.link_source[k]), set()).add(k)
    return found


def _loads(clues: Clues) -> Iterator[Fault]:
    """Pairs and targets that offer more than usual, by what they are measured to offer, or by what
    the links on their paths carry where they are not."""
    scenario, network = clues.scenario, clues.evidence.network
    traffic, topology = network.traffic, scenario.topology
    usual, now = clues.evidence.usual_bps, clues.evidence.measured[RATE]
    pair = traffic.flow_source.astype(np.int64) * topology.node_count + traffic.flow_target
    z = np.where(np.isfinite(clues.scores[RATE][0]), clues.scores[RATE][0], 0.0)
    for key, make in ((pair, True), (traffic.flow_target.astype(np.int64), False)):
        names, place = np.unique(key, return_inverse=True)
        known = np.isfinite(now)
        expected = np.bincount(place[known], usual[known], len(names))
        offered = np.bincount(place[known], now[known], len(names))
        seen = np.bincount(place[known], minlength=len(names))
        score = np.bincount(place, z, len(names)) / np.sqrt(np.maximum(seen, 1))
        for i in np.argsort(-np.abs(score), kind="stable")[: clues.few].tolist():
            if abs(score[i]) < 2.5 or expected[i] <= 0:
                continue
            flow = int(np.flatnonzero(place == i)[0])
            times = float(np.clip(offered[i] / expected[i], 0.01, 1000.0))
            if abs(math.log(times)) < SURGE:
                continue
            yield _load_fault(network, flow, times, pair=make)
    yield from _by_links(clues, pair)


def _load_fault(network: Scenario, flow: int, times: float, *, pair: bool) -> Fault:
    names, traffic = network.topology.node_name, network.traffic
    target = names[traffic.flow_target[flow]]
    if pair:
        return Fault("surge", f"{names[traffic.flow_source[flow]]}->{target}", times)
    return Fault("attack", target, times)


def _by_links(clues: Clues, pair: NDArray[np.int64]) -> Iterator[Fault]:
    """Pairs whose rates are not all known, by the links of their paths."""
    unknown = ~clues.evidence.known
    if not unknown.any():
        return
    z, sigma = clues.scores[SENT]
    good = np.isfinite(z)
    more = np.where(good, np.clip(z, -MOST, MOST) * sigma * clues.predicted[SENT], 0.0)
    error = np.where(good, sigma * np.maximum(clues.predicted[SENT], 1.0), np.inf)
    flow, link, share = clues._crossing
    rate = share * clues.evidence.usual_bps[flow] * unknown[flow]
    names, place = np.unique(pair, return_inverse=True)
    above = np.bincount(place[flow], rate * more[link] / error[link] ** 2, len(names))
    below = np.bincount(place[flow], rate**2 / error[link] ** 2, len(names))
    size = np.divide(above, below, out=np.zeros(len(names)), where=below > 0)
    gain = np.where(size > 0.3, above * size, 0.0)
    for i in np.argsort(-gain, kind="stable")[: clues.few].tolist():
        if gain[i] > 9.0:
            first = int(np.flatnonzero(place == i)[0])
            times = float(np.clip(1 + size[i], 0.01, 1000.0))
            yield _load_fault(clues.evidence.network, first, times, pair=True)


def _square(z: Floats) -> Floats:
    return np.asarray(np.minimum(np.nan_to_num(z) ** 2, MOST**2))


FINDERS: tuple[Callable[[Clues], Iterator[Fault]], ...] = (
    _down,
    _lossy,
    _ports,
    _rerouted,
    _dead_ends,
    _loads,
)
SIZED = {  # kinds whose size is searched for, and the factors tried around the best
    "capacity_loss": (0.75, 0.87, 1.15, 1.3),
    "link_degraded": (),
    "random_loss": (0.6, 0.8, 1.25, 1.6),
    "class_loss": (0.6, 0.8, 1.25, 1.6),
    "duplex_mismatch": (0.4, 0.7, 1.5, 2.5),
    "wrong_metric": (0.2, 0.5, 2.0, 5.0),
    "small_buffer": (0.25, 0.5, 2.0, 4.0),
    "ecmp_imbalance": (0.85, 0.92),
    "surge": (0.8, 1.2),
    "attack": (0.8, 1.2),
}


def resized(fault: Fault) -> list[Fault]:
    """The fault with other sizes around its own."""
    if not math.isfinite(fault.size):
        return []
    sizes = [fault.size * factor for factor in SIZED.get(fault.kind, ())]
    most = 1.0 if fault.kind not in ("wrong_metric", "surge", "attack") else math.inf
    return [fault._replace(size=size) for size in sizes if 0 < size <= most]
