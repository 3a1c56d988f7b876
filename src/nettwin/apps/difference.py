"""Difference: what two networks have that is not the same, by the names of their elements."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from nettwin.apps.whatif import WhatIf
from nettwin.model import NetworkModel
from nettwin.scenario.arrivals import arrival_to_dict
from nettwin.scenario.packet_sizes import size_to_dict
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

Value = float | str | bool | None  # None: there is none
Attributes = dict[str, Value]
PRESENT = "present"  # the attribute of an element that only one of the networks has


class Difference(NamedTuple):
    """An attribute of an element that is not the same in two networks.

    `part` is network, node, link, class, flow or routing. An element that only one of them has is
    one difference, in `present`.
    """

    part: str
    element: str
    attribute: str
    before: Value
    after: Value


@dataclass(frozen=True)
class Replaced(WhatIf):
    """What a model says of one network and of another in its place."""

    def describe(self) -> str:
        """The change in words."""
        return f"{self.scenario_after.name} replaces {self.scenario_before.name}"


def differences(before: Scenario, after: Scenario) -> tuple[Difference, ...]:
    """All differences, part by part, in the order of the networks; none where they are equal."""
    found: list[Difference] = []
    for part, parts in _PARTS.items():
        found += _compared(part, parts(before), parts(after))
    return tuple(found)


def replaced(before: Scenario, after: Scenario, model: NetworkModel) -> Replaced:
    """What a model says of both networks."""
    first, second = model.predict([before, after])
    return Replaced((), before, after, first, second)


def _compared(
    part: str, before: Mapping[str, Attributes], after: Mapping[str, Attributes]
) -> Iterator[Difference]:
    silent: Attributes | None = {} if part == "routing" else None  # a rule that is not given
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, silent), after.get(name, silent)
        if old is None or new is None:
            yield Difference(part, name, PRESENT, old is not None, new is not None)
        elif old != new:
            for attribute in dict.fromkeys([*old, *new]):
                one, other = old.get(attribute), new.get(attribute)
                if one != other:
                    yield Difference(part, name, attribute, one, other)


def _network(scenario: Scenario) -> dict[str, Attributes]:
    notes = {f"note {title}": text for title, text in scenario.notes.items()}
    return {"network": {"name": scenario.name, **notes}}


def _nodes(scenario: Scenario) -> dict[str, Attributes]:
    topology = scenario.topology
    columns = (
        topology.node_name,
        topology.node_latitude_deg.tolist(),
        topology.node_longitude_deg.tolist(),
        topology.node_srlg,
        topology.node_up.tolist(),
    )
    return {
        name: {
            "latitude_deg": _known(latitude),
            "longitude_deg": _known(longitude),
            "srlg": _names(groups),
            "up": up,
        }
        for name, latitude, longitude, groups, up in zip(*columns, strict=True)
    }


def _links(scenario: Scenario) -> dict[str, Attributes]:
    topology = scenario.topology
    schedulers = [_plain(scheduler.to_dict()) for scheduler in topology.schedulers]
    return {
        link.name: {
            "source": topology.node_name[link.source],
            "target": topology.node_name[link.target],
            "capacity_bps": link.capacity_bps,
            "delay_s": link.delay_s,
            "weight": link.weight,
            "scheduler": schedulers[link.scheduler],
            "srlg": _names(link.srlg),
            "up": link.up,
        }
        for link in topology.link_rows()
    }


def _classes(scenario: Scenario) -> dict[str, Attributes]:
    return {name: {} for name in scenario.traffic.class_name}


def _flows(scenario: Scenario) -> dict[str, Attributes]:
    traffic, nodes = scenario.traffic, scenario.topology.node_name
    sizes = [_plain(size_to_dict(size)) for size in traffic.sizes]
    arrivals = [_plain(arrival_to_dict(arrival)) for arrival in traffic.arrivals]
    return {
        name: {
            "source": nodes[flow.source],
            "target": nodes[flow.target],
            "rate_bps": flow.rate_bps,
            "class": traffic.class_name[flow.traffic_class],
            "size": sizes[flow.size],
            "arrival": arrivals[flow.arrival],
        }
        for name, flow in zip(scenario.flow_names, traffic.flow_rows(), strict=True)
    }


def _routing(scenario: Scenario) -> dict[str, Attributes]:
    """ECMP, the next hops of each node, and the paths that flows were given."""
    routing, topology = scenario.routing, scenario.topology
    found: dict[str, Attributes] = {"equal-cost paths": {"split": routing.ecmp}}
    if routing.next_link is not None:
        for node, row in zip(topology.node_name, routing.next_link.tolist(), strict=True):
            found[f"next hops at {node}"] = {
                f"to {topology.node_name[target]}": topology.link_name[link]
                for target, link in enumerate(row)
                if link >= 0
            }
    words = cache(lambda steers: _steered(topology, steers))
    for flow, steers in sorted(routing.steer.items()):
        found[f"flow {scenario.flow_names[flow]}"] = {"paths": words(steers)}
    return found


def _steered(topology: Topology, steers: Iterable[Steer]) -> str:
    """The paths of a flow in words: `via B, C (75 %) and over A->B (25 %)`."""
    parts = []
    for steer in steers:
        via = ", ".join(topology.node_name[n] for n in steer.midpoints)
        over = ", ".join(topology.link_name[k] for k in steer.links)
        path = f"via {via}" if via else f"over {over}" if over else "the common path"
        parts.append(f"{path} ({steer.share:.4g})")
    return " and ".join(parts)


def _names(groups: Iterable[str]) -> Value:
    return ", ".join(groups) or None


def _known(value: float) -> Value:
    return None if math.isnan(value) else value


def _plain(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


_PARTS = {
    "network": _network,
    "node": _nodes,
    "link": _links,
    "class": _classes,
    "flow": _flows,
    "routing": _routing,
}
