"""Impairments: what goes wrong in a network: failures, misconfigurations, congestion, attacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nettwin.datasets.distributions import draw_name
from nettwin.errors import UnknownNameError
from nettwin.scenario.changes import (
    FailBundle,
    FailLink,
    FailNode,
    ScaleTraffic,
    SetCapacity,
    SetScheduler,
    SetWeight,
)
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue

Random = np.random.Generator


def with_impairment(table: Mapping[str, Any], scenario: Scenario, random: Random) -> Scenario:
    """The scenario after what the table draws; its note `impairment` says what went wrong."""
    kind = draw_name("impairments.kinds", table.get("kinds", {"none": 1}), random)
    if kind not in IMPAIRMENTS:
        raise UnknownNameError("impairment", kind, IMPAIRMENTS)
    return IMPAIRMENTS[kind](scenario, random).with_(notes={**scenario.notes, "impairment": kind})


def _none(scenario: Scenario, random: Random) -> Scenario:
    return scenario


def _used_link(scenario: Scenario, random: Random) -> str:
    used = np.flatnonzero(scenario.link_load_bps > 0)
    return scenario.topology.link_name[int(random.choice(used))] if len(used) else ""


def _line_failure(scenario: Scenario, random: Random) -> Scenario:
    name = _used_link(scenario, random)
    if not name:
        return scenario
    k = scenario.topology.link(name)
    ends = scenario.topology.link_source[k], scenario.topology.link_target[k]
    names = [scenario.topology.node_name[int(i)] for i in ends]
    return FailBundle("<->".join(names)).apply(scenario)


def _interface_failure(scenario: Scenario, random: Random) -> Scenario:
    name = _used_link(scenario, random)
    return FailLink(name).apply(scenario) if name else scenario


def _node_failure(scenario: Scenario, random: Random) -> Scenario:
    node = int(random.integers(scenario.topology.node_count))
    return FailNode(scenario.topology.node_name[node]).apply(scenario)


def _wrong_weight(scenario: Scenario, random: Random) -> Scenario:
    name = _used_link(scenario, random)
    if not name:
        return scenario
    weight = float(scenario.topology.link_weight[scenario.topology.link(name)])
    factor = float(random.choice(np.array([0.1, 10.0])))
    return SetWeight(name, weight * factor).apply(scenario)


def _wrong_capacity(scenario: Scenario, random: Random) -> Scenario:
    name = _used_link(scenario, random)
    if not name:
        return scenario
    capacity = float(scenario.topology.link_capacity_bps[scenario.topology.link(name)])
    return SetCapacity(name, capacity * random.uniform(0.3, 0.8)).apply(scenario)


def _wrong_queues(scenario: Scenario, random: Random) -> Scenario:
    """A port whose classes go to the wrong queues, or whose buffers are far too small."""
    name = _used_link(scenario, random)
    if not name:
        return scenario
    topology = scenario.topology
    port = topology.schedulers[topology.link_scheduler[topology.link(name)]]
    if random.random() < 0.5 and len(port.queues) > 1:
        last = len(port.queues) - 1
        port = replace(port, class_queue={c: last - q for c, q in port.class_queue.items()})
    else:
        first = topology.queues.offset[topology.link(name)]
        bits = topology.queues.buffer_bits[first : first + len(port.queues)].tolist()
        queues = tuple(
            Queue(max(2.0, np.floor(q.buffer_packets / 8)), room / 8, q.weight, q.quantum_bits)
            for q, room in zip(port.queues, bits, strict=True)
        )
        port = replace(port, queues=queues)
    return SetScheduler(name, port.to_dict()).apply(scenario)


def _congestion(scenario: Scenario, random: Random) -> Scenario:
    return ScaleTraffic(float(random.uniform(1.2, 2.0))).apply(scenario)


def _attack(scenario: Scenario, random: Random) -> Scenario:
    """Many sources flood one target."""
    target = int(random.choice(scenario.traffic.flow_target))
    name = scenario.topology.node_name[target]
    return ScaleTraffic(float(random.uniform(2, 8)), target=name).apply(scenario)


IMPAIRMENTS: dict[str, Callable[[Scenario, Random], Scenario]] = {
    "none": _none,
    "line-failure": _line_failure,
    "interface-failure": _interface_failure,
    "node-failure": _node_failure,
    "wrong-weight": _wrong_weight,
    "wrong-capacity": _wrong_capacity,
    "wrong-queues": _wrong_queues,
    "congestion": _congestion,
    "attack": _attack,
}
