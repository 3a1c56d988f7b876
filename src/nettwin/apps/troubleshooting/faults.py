"""Faults: what may be wrong with a network, each a pure edit of what the twin takes it for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.troubleshooting.losing import losing, resplit
from nettwin.errors import InputError, UnknownNameError
from nettwin.quantity import frozen
from nettwin.scenario.changes import (
    FailLink,
    FailNode,
    ScaleTraffic,
    SetCapacity,
    SetScheduler,
    SetWeight,
)
from nettwin.scenario.link_names import find_links
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler
from nettwin.scenario.traffic import Traffic, concatenate

Floats = NDArray[np.float64]
LOOP_TURNS = 30  # of a packet between two nodes: a TTL of 64, less what it took to get there
HALF_DUPLEX = 0.5  # of the capacity that is left of each direction


class Fault(NamedTuple):
    """Something wrong: its kind, the element (a link, a node or a pair of nodes `A->B`), how much
    (see KINDS), and what else names it: a class, a next hop, a target."""

    kind: str
    place: str
    size: float = math.nan
    detail: str = ""

    def describe(self) -> str:
        """The fault in words."""
        return KINDS[self.kind].words.format(self=self)


@dataclass(frozen=True)
class Faulty:
    """A network with faults: the scenario, whose flows after the first `flows` are traffic that is
    lost; what the flows offer before anything is lost; what devices tell that is not so."""

    scenario: Scenario
    offered_bps: Floats  # [flows]
    told_capacity_bps: Floats  # [links] of the port speeds that devices tell
    counter: Floats  # [links] what counters show over what is true

    @classmethod
    def healthy(cls, scenario: Scenario) -> Faulty:
        """The network without a fault."""
        topology = scenario.topology
        return cls(
            scenario,
            scenario.traffic.flow_rate_bps,
            topology.link_capacity_bps,
            np.ones(topology.link_count),
        )

    @property
    def flows(self) -> int:
        """How many flows there are that are not what others lose."""
        return len(self.offered_bps)

    def with_faults(self, faults: Sequence[Fault]) -> Faulty:
        """The network with more faults. Raises InputError where one does not fit."""
        made = self
        for fault in faults:
            if fault.kind not in KINDS:
                raise UnknownNameError("fault", fault.kind, KINDS)
            made = KINDS[fault.kind].apply(made, fault)
        return made


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its prior probability among faults, its category, and what it does.

    `size` says what the size of a fault is; `hardening` what would have prevented it or shown it.
    """

    category: str  # load, configuration, device, measurement or attack
    prior: float
    words: str
    apply: Callable[[Faulty, Fault], Faulty]
    size: str = ""
    hardening: str = ""
    confused: tuple[str, ...] = field(default=())


def _edited(faulty: Faulty, change: object) -> Faulty:
    return replace(faulty, scenario=change.apply(faulty.scenario))  # type: ignore[attr-defined]


def _link_down(faulty: Faulty, fault: Fault) -> Faulty:
    return _edited(faulty, FailLink(fault.place))


def _node_down(faulty: Faulty, fault: Fault) -> Faulty:
    return _edited(faulty, FailNode(fault.place))


def _slower(faulty: Faulty, place: str, factor: float) -> Faulty:
    topology = faulty.scenario.topology
    for k in find_links(topology, place).tolist():
        rate = float(topology.link_capacity_bps[k]) * factor
        faulty = _edited(faulty, SetCapacity(topology.link_name[k], rate))
    return faulty


def _capacity_loss(faulty: Faulty, fault: Fault) -> Faulty:
    return _slower(faulty, fault.place, fault.size)


def _degraded(faulty: Faulty, fault: Fault) -> Faulty:
    told = faulty.told_capacity_bps.copy()
    told[find_links(faulty.scenario.topology, fault.place)] *= fault.size
    return replace(_slower(faulty, fault.place, fault.size), told_capacity_bps=told)


def _losing(faulty: Faulty, chosen: NDArray[np.bool_], part: float, *, sent: bool) -> Faulty:
    lost = np.where(chosen, part, 0.0)
    return replace(faulty, scenario=losing(faulty.scenario, lost, sent=sent, flows=faulty.flows))


def _on_links(faulty: Faulty, place: str) -> NDArray[np.bool_]:
    return np.isin(faulty.scenario.paths.links, find_links(faulty.scenario.topology, place))


def _random_loss(faulty: Faulty, fault: Fault) -> Faulty:
    return _losing(faulty, _on_links(faulty, fault.place), fault.size, sent=True)


def _class_loss(faulty: Faulty, fault: Fault) -> Faulty:
    traffic = faulty.scenario.traffic
    of_class = traffic.flow_class == traffic.class_index(fault.detail)
    mine = of_class[faulty.scenario.paths.hop_flow]
    return _losing(faulty, _on_links(faulty, fault.place) & mine, fault.size, sent=True)


def _wrong_metric(faulty: Faulty, fault: Fault) -> Faulty:
    topology = faulty.scenario.topology
    for k in find_links(topology, fault.place).tolist():
        weight = float(topology.link_weight[k]) * fault.size
        faulty = _edited(faulty, SetWeight(topology.link_name[k], weight))
    return faulty


def _with_port(faulty: Faulty, place: str, made: Callable[[Scheduler], Scheduler]) -> Faulty:
    topology = faulty.scenario.topology
    for k in find_links(topology, place).tolist():
        port = topology.schedulers[topology.link_scheduler[k]]
        change = SetScheduler(topology.link_name[k], made(port).to_dict())
        faulty = _edited(faulty, change)
    return faulty


def _wrong_weights(faulty: Faulty, fault: Fault) -> Faulty:
    """Queues that have one another's weights, the first the last's."""

    def reversed_weights(port: Scheduler) -> Scheduler:
        others = port.queues[::-1]
        return replace(
            port,
            queues=tuple(
                replace(q, weight=o.weight, quantum_bits=o.quantum_bits)
                for q, o in zip(port.queues, others, strict=True)
            ),
        )

    return _with_port(faulty, fault.place, reversed_weights)


def _wrong_class_map(faulty: Faulty, fault: Fault) -> Faulty:
    """A class that goes to the last queue, or the last queue's class to the first."""

    def remapped(port: Scheduler) -> Scheduler:
        last, mine = len(port.queues) - 1, port.queue_of(fault.detail)
        other = last if mine < last else 0
        return replace(port, class_queue={**port.class_queue, fault.detail: other})

    return _with_port(faulty, fault.place, remapped)


def _small_buffer(faulty: Faulty, fault: Fault) -> Faulty:
    topology = faulty.scenario.topology
    queues = topology.queues
    for k in find_links(topology, fault.place).tolist():
        port = topology.schedulers[topology.link_scheduler[k]]
        first = int(queues.offset[k])
        small = tuple(
            replace(
                q,
                buffer_packets=max(math.floor(queues.buffer_packets[first + i] * fault.size), 1.0)
                if math.isfinite(queues.buffer_packets[first + i])
                else math.inf,
                buffer_bits=float(queues.buffer_bits[first + i]) * fault.size,
                buffer_s=math.inf,
            )
            for i, q in enumerate(port.queues)
        )
        change = SetScheduler(topology.link_name[k], replace(port, queues=small).to_dict())
        faulty = _edited(faulty, change)
    return faulty


def _toward(faulty: Faulty, node: str, target: str) -> NDArray[np.bool_]:
    """The hops out of a node of what goes to a target. [hops]"""
    scenario = faulty.scenario
    topology, paths = scenario.topology, scenario.paths
    here = topology.link_source[paths.links] == topology.node(node)
    there = scenario.traffic.flow_target[paths.hop_flow] == topology.node(target)
    return np.asarray(here & there)


def _black_hole(faulty: Faulty, fault: Fault) -> Faulty:
    return _losing(faulty, _toward(faulty, fault.place, fault.detail), 1.0, sent=False)


def _loop(faulty: Faulty, fault: Fault) -> Faulty:
    """What a link's source sends to a target goes over the link, and comes back."""
    scenario = faulty.scenario
    topology, traffic, paths = scenario.topology, scenario.traffic, scenario.paths
    out = topology.link(fault.place)
    a, b = int(topology.link_source[out]), int(topology.link_target[out])
    back = topology.links_between(topology.node_name[b], topology.node_name[a])
    if not len(back):
        raise InputError(f"no loop over {fault.place}: no link leads back. Name another link.")
    hops = _toward(faulty, topology.node_name[a], fault.detail)
    share = np.bincount(
        paths.hop_flow[hops], paths.share[paths.hop_path[hops]], traffic.flow_count
    )[: faulty.flows]
    faulty = _losing(faulty, hops, 1.0, sent=False)
    chosen = np.flatnonzero(share > 0)
    if not len(chosen):
        return faulty
    rate = traffic.flow_rate_bps[chosen] * share[chosen] * LOOP_TURNS
    # more than both links can carry is lost there at once
    most = float(topology.link_capacity_bps[[out, int(back[0])]].min()) * 1.5
    rate = rate * min(1.0, most / max(float(rate.sum()), 1.0))
    scenario = faulty.scenario
    count, steer = scenario.traffic.flow_count, dict(scenario.routing.steer)
    both = []
    for n, (begin, end, link) in enumerate(((a, b, out), (b, a, int(back[0])))):
        part = traffic.keep(chosen)
        ends = (np.full(len(chosen), begin, np.int32), np.full(len(chosen), end, np.int32))
        both.append(
            replace(
                part.with_arrays(flow_source=ends[0], flow_target=ends[1], flow_rate_bps=rate),
                given_names={},
            )
        )
        for i in range(len(chosen)):
            steer[count + n * len(chosen) + i] = (Steer(links=(link,)),)
    joined: Traffic = concatenate(concatenate(scenario.traffic, both[0]), both[1])
    routing = replace(scenario.routing, steer=steer)
    return replace(faulty, scenario=scenario.with_(traffic=joined, routing=routing))


def _scaled(faulty: Faulty, source: str, target: str, factor: float) -> Faulty:
    scenario = ScaleTraffic(factor, source=source, target=target).apply(faulty.scenario)
    topology, traffic = scenario.topology, scenario.traffic
    chosen = traffic.flow_target[: faulty.flows] == topology.node(target)
    if source:
        chosen &= traffic.flow_source[: faulty.flows] == topology.node(source)
    offered = np.where(chosen, faulty.offered_bps * factor, faulty.offered_bps)
    return replace(faulty, scenario=scenario, offered_bps=frozen(offered, np.float64))


def _surge(faulty: Faulty, fault: Fault) -> Faulty:
    source, _, target = fault.place.partition("->")
    return _scaled(faulty, source, target, fault.size)


def _attack(faulty: Faulty, fault: Fault) -> Faulty:
    return _scaled(faulty, "", fault.place, fault.size)


def _duplex(faulty: Faulty, fault: Fault) -> Faulty:
    """Both ends collide: each direction is left a part of its capacity, and loses packets."""
    faulty = _losing(faulty, _on_links(faulty, fault.place), fault.size, sent=True)
    return _slower(faulty, fault.place, HALF_DUPLEX)


def _imbalance(faulty: Faulty, fault: Fault) -> Faulty:
    """A node that sends the part `size` of what it splits over several links to one of them."""
    scenario = faulty.scenario
    topology, paths = scenario.topology, scenario.paths
    node, favored = topology.node(fault.place), topology.link(fault.detail)
    share = paths.share.copy()
    here = topology.link_source[paths.links] == node
    at = np.full(paths.path_count, -1)
    at[paths.hop_path[here]] = paths.links[here]
    flows = paths.path_flow
    through = np.bincount(flows[at >= 0], share[at >= 0], len(paths.status))
    mine = np.bincount(flows[at == favored], share[at == favored], len(paths.status))
    split = (mine > 0) & (through - mine > 1e-9)
    more = np.where(split, fault.size * through / np.where(split, mine, 1.0), 1.0)
    rest = (1 - fault.size) * through / np.where(split, through - mine, 1.0)
    less = np.where(split, rest, 1.0)
    share = np.where(at == favored, share * more[flows], share)
    share = np.where((at >= 0) & (at != favored), share * less[flows], share)
    return replace(faulty, scenario=resplit(scenario, share))


def _counter(faulty: Faulty, fault: Fault) -> Faulty:
    counter = faulty.counter.copy()
    counter[find_links(faulty.scenario.topology, fault.place)] *= fault.size
    return replace(faulty, counter=counter)


CHECK_PEERS = "Compare what both ends of each link count, and alarm where they differ."
KINDS: dict[str, Kind] = {
    "link_down": Kind(
        "device",
        0.16,
        "link {self.place} is down",
        _link_down,
        hardening="A second link or path, and fast reroute.",
    ),
    "node_down": Kind(
        "device",
        0.04,
        "node {self.place} is down",
        _node_down,
        hardening="A second node for what it does; see nettwin failures.",
    ),
    "link_degraded": Kind(
        "device",
        0.05,
        "link {self.place} runs at {self.size:.0%} of its speed, and says so",
        _degraded,
        "share of the capacity that is left",
        "Alarm on the speed of every port; fix the speed where it is negotiated.",
    ),
    "capacity_loss": Kind(
        "device",
        0.08,
        "link {self.place} carries only {self.size:.0%} of its capacity, and does not say so",
        _capacity_loss,
        "share of the capacity that is left",
        "Measure what links really carry, with short tests or when they are full.",
    ),
    "random_loss": Kind(
        "device",
        0.12,
        "link {self.place} loses {self.size:.2%} of all packets",
        _random_loss,
        "share of packets that are lost",
        "Alarm on checksum errors and optical power of every port.",
    ),
    "class_loss": Kind(
        "configuration",
        0.05,
        "link {self.place} loses {self.size:.2%} of the packets of class {self.detail}",
        _class_loss,
        "share of packets that are lost",
        "Check filters and policers before they are applied; probe every class.",
    ),
    "wrong_metric": Kind(
        "configuration",
        0.09,
        "the metric of {self.place} is {self.size:g} times what it should be",
        _wrong_metric,
        "times the right metric",
        "Let the twin predict every change of a metric first (nettwin whatif).",
    ),
    "wrong_weights": Kind(
        "configuration",
        0.04,
        "the queues of {self.place} have one another's weights",
        _wrong_weights,
        hardening="Make schedulers from one template, and compare ports with it.",
    ),
    "wrong_class_map": Kind(
        "configuration",
        0.05,
        "class {self.detail} goes to the wrong queue of {self.place}",
        _wrong_class_map,
        hardening="Make class maps from one template, and compare ports with it.",
    ),
    "small_buffer": Kind(
        "configuration",
        0.04,
        "the buffers of {self.place} are {self.size:.1%} of what they should be",
        _small_buffer,
        "share of the right size",
        "Make buffers from one template, and compare ports with it.",
    ),
    "black_hole": Kind(
        "configuration",
        0.06,
        "node {self.place} drops everything to {self.detail}",
        _black_hole,
        hardening="Probe every pair of nodes; check routes against the topology.",
    ),
    "loop": Kind(
        "configuration",
        0.03,
        "what {self.place} sends to {self.detail} comes back: a loop",
        _loop,
        hardening="No static routes without a check; alarm on TTL that expires.",
    ),
    "surge": Kind(
        "load",
        0.08,
        "traffic {self.place} is {self.size:.1f} times the usual",
        _surge,
        "times the usual traffic",
        "Plan capacity for it (nettwin fit), or limit the rate at the edge.",
    ),
    "attack": Kind(
        "attack",
        0.05,
        "traffic to {self.place} from everywhere is {self.size:.1f} times the usual: an attack",
        _attack,
        "times the usual traffic",
        "Limit rates toward the target at the edge; have a scrubbing path.",
    ),
    "duplex_mismatch": Kind(
        "configuration",
        0.03,
        "the ends of {self.place} disagree on duplex: half the capacity, {self.size:.2%} lost",
        _duplex,
        "share of packets that are lost",
        "Negotiate duplex on both ends or on none; alarm on late collisions.",
    ),
    "ecmp_imbalance": Kind(
        "device",
        0.04,
        "node {self.place} sends {self.size:.0%} of what it splits over {self.detail}",
        _imbalance,
        "share of the link that has more than the others",
        "Other hash seeds on successive nodes; alarm where equal paths differ.",
    ),
    "counter_fault": Kind(
        "measurement",
        0.05,
        "the counter of {self.place} shows {self.size:.0%} of the truth",
        _counter,
        "what it shows over what is true",
        CHECK_PEERS,
    ),
}


def places_of(fault: Fault, network: Scenario) -> int:
    """How many places a fault of a kind could be at: its prior is spread over them."""
    nodes, links = network.topology.node_count, network.topology.link_count
    classes = len(np.unique(network.traffic.flow_class))
    if fault.kind in ("node_down", "attack"):
        return max(nodes, 1)
    if fault.kind in ("link_down", "duplex_mismatch"):
        return max(links // 2, 1)
    if fault.kind == "surge":
        pairs = network.traffic.flow_source.astype(np.int64) * nodes + network.traffic.flow_target
        return max(len(np.unique(pairs)), 1)
    if fault.kind in ("class_loss", "wrong_class_map"):
        return max(links * classes, 1)
    if fault.kind in ("black_hole", "loop"):
        return max(nodes * (nodes - 1), 1)
    return max(links, 1)
