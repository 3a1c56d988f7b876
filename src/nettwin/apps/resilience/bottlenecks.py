"""Bottlenecks: which flows fill a link, and what relieves it most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nettwin.apps.summary import mean_delay_s
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.changes import Change, SetCapacity, SetPath, SetWeight
from nettwin.scenario.scenario import Scenario

Progress = Callable[[float], None]  # called with the share done, 0 to 1
GROWTH = 2.0  # of a capacity
WEIGHTS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)  # times the weight of a link
MOVED, TRIED, MIDPOINTS = 3, 6, 24  # flows that move; that are tried; midpoints tried for each


class Filler(NamedTuple):
    """A flow on a link: what it puts there, and its part in the link's load."""

    flow: str
    traffic_class: str
    rate_bps: float
    share: float


class Relief(NamedTuple):
    """Something that takes load off a link; the delays are NaN without a model."""

    kind: str  # capacity, weight or paths
    changes: tuple[Change, ...]
    offered_load: float  # of the link, after it
    offered_load_max: float  # of the network, after it
    busiest_link: str
    owd_mean_s: float
    loss_ratio: float

    def describe(self) -> str:
        """The changes in words."""
        return "; ".join(change.describe() for change in self.changes)


@dataclass(frozen=True)
class Bottleneck:
    """A link, the flows that fill it, and what relieves it, the best first."""

    link: str
    capacity_bps: float
    offered_load: float
    flows: int
    fillers: tuple[Filler, ...]
    reliefs: tuple[Relief, ...]


@dataclass(frozen=True)
class Bottlenecks:
    """The links of a network with the highest offered loads."""

    scenario: Scenario
    metrics: Metrics | None
    found: tuple[Bottleneck, ...]


def bottlenecks(
    scenario: Scenario,
    model: NetworkModel | None = None,
    *,
    top: int = 3,
    fillers: int = 5,
    progress: Progress | None = None,
) -> Bottlenecks:
    """The `top` links with the highest offered loads: the flows that fill each, and what relieves
    it: twice its capacity, another weight, or other paths for up to three of its flows.

    Loads are exact. A model adds delay and loss after each, all by one engine. What is best leaves
    the network's busiest link least loaded, then the bottleneck itself.
    """
    load = np.round(scenario.link_offered_load, 9)
    links = np.argsort(-load, kind="stable")[:top]
    links = links[load[links] > 0]
    tried: list[list[tuple[str, tuple[Change, ...], Scenario]]] = []
    for number, link in enumerate(links.tolist()):
        tried.append(_reliefs(scenario, link))
        if progress:
            progress(0.5 * (number + 1) / len(links))
    every = [after for each in tried for _, _, after in each]
    answers: list[Metrics | None] = [None] * (1 + len(every))
    if model is not None:
        answers = list(model.predict([scenario, *every]))
    said = iter(zip(every, answers[1:], strict=True))
    found = []
    for link, each in zip(links.tolist(), tried, strict=True):
        reliefs = [_told(link, kind, changes, *next(said)) for kind, changes, _ in each]
        reliefs.sort(key=lambda r: (round(r.offered_load_max, 4), r.offered_load))
        filling = _fillers(scenario, link)
        found.append(
            Bottleneck(
                scenario.topology.link_name[link],
                float(scenario.topology.link_capacity_bps[link]),
                float(scenario.link_offered_load[link]),
                len(filling),
                tuple(filling[:fillers]),
                tuple(reliefs),
            )
        )
    if progress:
        progress(1.0)
    return Bottlenecks(scenario, answers[0], tuple(found))


def load_of_flows(
    scenario: Scenario, link: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What each flow puts on a link, in bit/s. [flows]"""
    paths = scenario.paths
    hops = paths.links == link
    part = paths.share[paths.hop_path[hops]]
    crossing = np.bincount(paths.hop_flow[hops], part, scenario.traffic.flow_count)
    return np.asarray(crossing * scenario.traffic.flow_rate_bps)


def _fillers(scenario: Scenario, link: int) -> list[Filler]:
    """The flows on a link, the largest first."""
    put, traffic = load_of_flows(scenario, link), scenario.traffic
    total = max(float(put.sum()), 1e-300)
    order = np.argsort(-put, kind="stable")
    return [
        Filler(
            scenario.flow_names[f],
            traffic.class_name[traffic.flow_class[f]],
            float(put[f]),
            float(put[f]) / total,
        )
        for f in order[put[order] > 0].tolist()
    ]


def _reliefs(scenario: Scenario, link: int) -> list[tuple[str, tuple[Change, ...], Scenario]]:
    """What may take load off a link, one of each kind: what helps the network most."""
    topology, name = scenario.topology, scenario.topology.link_name[link]
    more = SetCapacity(name, float(topology.link_capacity_bps[link]) * GROWTH)
    out: list[tuple[str, tuple[Change, ...], Scenario]] = [
        ("capacity", (more,), more.apply(scenario))
    ]
    if scenario.routing.next_link is None:
        weight = float(topology.link_weight[link])
        heavier = [SetWeight(name, weight * factor) for factor in WEIGHTS]
        found = [(change, change.apply(scenario)) for change in heavier]
        best = min(found, key=lambda one: _badness(one[1], link))
        if _badness(best[1], link) < _badness(scenario, link):
            out.append(("weight", (best[0],), best[1]))
    moves, after = _moved(scenario, link)
    if moves:
        out.append(("paths", moves, after))
    return out


def _badness(scenario: Scenario, link: int) -> tuple[int, float, float]:
    """Unroutable flows, the load of the busiest link, and of this link."""
    load = scenario.link_offered_load
    return 0, round(float(load.max(initial=0.0)), 6), round(float(load[link]), 6)


def _moved(scenario: Scenario, link: int) -> tuple[tuple[Change, ...], Scenario]:
    """Up to three of the largest flows on a link over a midpoint each, one after another."""
    moves: list[Change] = []
    now = scenario
    for _ in range(MOVED):
        best: tuple[tuple[int, float, float], Change, Scenario] | None = None
        for filler in _fillers(now, link)[:TRIED]:
            flow = now.flow(filler.flow)
            for node in _midpoints(now, flow, link):
                move = SetPath(filler.flow, ({"via": [node], "share": 1.0},))
                after = move.apply(now)
                badness = _badness(after, link)
                if best is None or badness < best[0]:
                    best = badness, move, after
        if best is None or best[0] >= _badness(now, link):
            break
        moves.append(best[1])
        now = best[2]
    return tuple(moves), now


def _midpoints(scenario: Scenario, flow: int, link: int) -> list[str]:
    """Nodes over which a flow may go, those of the least detour first, by weights."""
    from nettwin.scenario.shortest import shortest_path_distances

    topology, traffic = scenario.topology, scenario.traffic
    source, target = int(traffic.flow_source[flow]), int(traffic.flow_target[flow])
    nodes = np.arange(topology.node_count, dtype=np.int32)
    near = shortest_path_distances(topology, nodes).distance  # [targets, nodes]
    detour = near[nodes, source] + near[target, nodes]
    detour[[source, target]] = np.inf
    # a node whose legs take the link for sure does not help
    a, b = int(topology.link_source[link]), int(topology.link_target[link])
    over = near[a, source] + topology.link_weight[link] + near[nodes, b]
    detour[over == near[nodes, source]] = np.inf
    order = np.argsort(detour, kind="stable")[:MIDPOINTS]
    return [topology.node_name[k] for k in order[np.isfinite(detour[order])].tolist()]


def _told(
    link: int, kind: str, changes: tuple[Change, ...], after: Scenario, metrics: Metrics | None
) -> Relief:
    load = after.link_offered_load
    delay = loss = float("nan")
    if metrics is not None:
        totals = metrics.totals(after)
        delay, loss = mean_delay_s(after, metrics), totals["loss_ratio"]
    return Relief(
        kind,
        changes,
        float(load[link]),
        float(load.max()),
        after.topology.link_name[int(load.argmax())],
        delay,
        loss,
    )
