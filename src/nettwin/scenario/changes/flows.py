"""Changes of flows: their paths, their rates, new ones and fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from nettwin.errors import ChangeError, UnknownNameError
from nettwin.quantity import Quantity
from nettwin.scenario.arrivals import arrival_from_dict
from nettwin.scenario.changes.change import check_value
from nettwin.scenario.packet_sizes import size_from_dict
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import BEST_EFFORT, FLOW, Flow, Traffic, concatenate

FACTOR = Quantity("factor", "", "what rates are multiplied by; 1 leaves them", low=0)


@dataclass(frozen=True)
class SetPath:
    """Steer a flow over paths by `via` (nodes, SR midpoints) or `links`, each with its `share`.

    No path: the flow follows the common routing again.
    """

    flow: str
    paths: tuple[Mapping[str, Any], ...] = ()
    kind: ClassVar[str] = "set_path"

    def apply(self, scenario: Scenario) -> Scenario:
        return set_paths(scenario, [self])

    def steers(self, topology: Topology) -> tuple[Steer, ...]:
        """The paths by indices. Raises UnknownNameError for a name that is not in the network."""
        steers = []
        for path in self.paths:
            unknown = set(path) - {"via", "links", "share"}
            if unknown:
                raise UnknownNameError(
                    "attribute of a path", min(unknown), ("via", "links", "share")
                )
            steers.append(
                Steer(
                    midpoints=tuple(topology.node(str(n)) for n in path.get("via", ())),
                    links=tuple(topology.link(str(n)) for n in path.get("links", ())),
                    share=float(path.get("share", 1 / len(self.paths))),
                )
            )
        return tuple(steers)

    def describe(self) -> str:
        words = [
            f"via {', '.join(map(str, w['via']))}"
            if w.get("via")
            else "over " + ", ".join(map(str, w.get("links", ())))
            for w in self.paths
        ]
        return f"flow {self.flow} goes {' and '.join(words) or 'the common path'}"


@dataclass(frozen=True)
class ScaleTraffic:
    """Multiply the rate of flows, all of them or those of a class, source or target."""

    factor: float
    traffic_class: str = ""
    source: str = ""
    target: str = ""
    kind: ClassVar[str] = "scale_traffic"

    def apply(self, scenario: Scenario) -> Scenario:
        traffic = scenario.traffic
        check_value(FACTOR, self.factor, "scale_traffic")
        chosen = np.ones(traffic.flow_count, np.bool_)
        if self.traffic_class:
            chosen &= traffic.flow_class == traffic.class_index(self.traffic_class)
        if self.source:
            chosen &= traffic.flow_source == scenario.topology.node(self.source)
        if self.target:
            chosen &= traffic.flow_target == scenario.topology.node(self.target)
        rate = np.where(chosen, traffic.flow_rate_bps * self.factor, traffic.flow_rate_bps)
        return scenario.with_(traffic=traffic.with_arrays(flow_rate_bps=rate))

    def describe(self) -> str:
        which = [
            f"{word} {value}"
            for word, value in (
                ("of class", self.traffic_class),
                ("from", self.source),
                ("to", self.target),
            )
            if value
        ]
        return " ".join(["traffic", *which, f"is multiplied by {self.factor:g}"])


@dataclass(frozen=True)
class AddFlow:
    """Add a flow; `size` and `arrival` are tables, as in a network file with SI units."""

    source: str
    target: str
    rate_bps: float
    traffic_class: str = BEST_EFFORT
    size: Mapping[str, Any] = field(default_factory=lambda: {"kind": "fixed", "bits": 8000.0})
    arrival: Mapping[str, Any] = field(default_factory=lambda: {"kind": "poisson"})
    name: str = ""
    kind: ClassVar[str] = "add_flow"

    def apply(self, scenario: Scenario) -> Scenario:
        try:
            size, arrival = size_from_dict(self.size), arrival_from_dict(self.arrival)
        except (TypeError, ValueError, OverflowError) as error:
            raise ChangeError(
                f"flow {self.source}->{self.target} cannot be read: {error}. "
                "Correct its size or arrival."
            ) from None
        flow = Flow(
            self.source, self.target, self.rate_bps, self.traffic_class, size, arrival, self.name
        )
        new = concatenate(scenario.traffic, Traffic.build(scenario.topology, [flow]))
        return scenario.with_(traffic=_named(new, scenario.flow_names, scenario.topology))

    def describe(self) -> str:
        return f"flow {self.source}->{self.target} of {self.rate_bps / 1e6:g} Mbit/s is added"


@dataclass(frozen=True)
class RemoveFlow:
    """Remove a flow."""

    flow: str
    kind: ClassVar[str] = "remove_flow"

    def apply(self, scenario: Scenario) -> Scenario:
        kept = np.delete(np.arange(scenario.traffic.flow_count), scenario.flow(self.flow))
        names = [scenario.flow_names[f] for f in kept.tolist()]
        traffic = _named(scenario.traffic.keep(kept), names, scenario.topology)
        return scenario.with_(traffic=traffic, routing=scenario.routing.keep(kept))

    def describe(self) -> str:
        return f"flow {self.flow} is removed"


@dataclass(frozen=True)
class RateLimit:
    """Police a flow at its source: it offers at most this rate."""

    flow: str
    rate_bps: float
    kind: ClassVar[str] = "rate_limit"

    def apply(self, scenario: Scenario) -> Scenario:
        check_value(FLOW["rate_bps"], self.rate_bps, f"flow {self.flow}")
        rate = scenario.traffic.flow_rate_bps.copy()
        flow = scenario.flow(self.flow)
        rate[flow] = min(rate[flow], self.rate_bps)
        return scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rate))

    def describe(self) -> str:
        return f"flow {self.flow} is limited to {self.rate_bps / 1e6:g} Mbit/s"


def set_paths(scenario: Scenario, changes: Sequence[SetPath]) -> Scenario:
    """The scenario after several flows are steered, one after another."""
    steer = dict(scenario.routing.steer)
    known: dict[int, tuple[Steer, ...]] = {}  # by the paths, which many changes may share
    for change in changes:
        flow, paths = scenario.flow(change.flow), known.get(id(change.paths))
        if paths is None:
            paths = known[id(change.paths)] = change.steers(scenario.topology)
        steer.pop(flow, None)
        if paths:
            steer[flow] = paths
    return scenario.with_(routing=replace(scenario.routing, steer=steer))


def _named(traffic: Traffic, names: Sequence[str], topology: Topology) -> Traffic:
    """The traffic whose first flows keep these names, also where other flows or classes now stand
    beside them and would give them others."""
    made = traffic.flow_names(topology.node_name)
    kept = {i: name for i, name in enumerate(names) if made[i] != name}
    return replace(traffic, given_names={**traffic.given_names, **kept})
