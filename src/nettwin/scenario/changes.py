"""Change: a pure edit Scenario -> Scenario, written as JSON, YAML or a line of text.

`CHANGES` holds every kind. A link is named as in the topology (`A->B`); `A<->B` means every link
between the two, in both directions. Elements that fail keep their place, so that the metrics of
before and after line up.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import ChangeError, InputError, UnknownNameError
from nettwin.quantity import Quantity
from nettwin.scenario.arrivals import arrival_from_dict
from nettwin.scenario.packet_sizes import size_from_dict
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import QUEUE, Scheduler
from nettwin.scenario.topology import LINK, Topology
from nettwin.scenario.traffic import BEST_EFFORT, FLOW, Flow, Traffic, concatenate
from nettwin.units import rate_bps


class Change(Protocol):
    """A pure edit of a scenario: a frozen dataclass of JSON types, the target's name first."""

    kind: ClassVar[str]

    def apply(self, scenario: Scenario) -> Scenario:
        """The edited scenario; the one given is untouched. Raises InputError where it cannot be."""

    def describe(self) -> str:
        """The change in words."""


def find_links(topology: Topology, name: str) -> NDArray[np.intp]:
    """Indices of the links that a name stands for: one (`A->B`), or all between two (`A<->B`)."""
    if name in topology.link_index:
        return np.array([topology.link_index[name]])
    for arrow, both in (("<->", True), ("->", False)):
        one, found, other = name.partition(arrow)
        ends = (one.strip(), other.strip())
        if found and all(end in topology.node_index for end in ends):
            links = topology.links_between(*ends)
            if both:
                links = np.concatenate([links, topology.links_between(*reversed(ends))])
            if len(links):
                return links
    raise UnknownNameError("link", name, topology.link_name)


def _checked(quantity: Quantity, value: float, element: str) -> None:
    faults = quantity.check(value, element)
    if faults:
        raise ChangeError(str(faults[0]))


def _with_links(scenario: Scenario, column: str, link: str, value: float | bool) -> Scenario:
    topology = scenario.topology
    array = getattr(topology, column).copy()
    array[find_links(topology, link)] = value
    return scenario.with_(topology=topology.with_arrays(**{column: array}))


def _with_group(scenario: Scenario, srlg: str, up: bool) -> Scenario:
    topology = scenario.topology
    nodes, links = topology.srlg_members(srlg)
    node_up, link_up = topology.node_up.copy(), topology.link_up.copy()
    node_up[nodes] = link_up[links] = up
    return scenario.with_(topology=topology.with_arrays(node_up=node_up, link_up=link_up))


def _with_node(scenario: Scenario, node: str, up: bool) -> Scenario:
    node_up = scenario.topology.node_up.copy()
    node_up[scenario.topology.node(node)] = up
    return scenario.with_(topology=scenario.topology.with_arrays(node_up=node_up))


@dataclass(frozen=True)
class FailLink:
    """Take a link down; flows find another way where the routing allows."""

    link: str
    kind: ClassVar[str] = "fail_link"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_links(scenario, "link_up", self.link, False)

    def describe(self) -> str:
        return f"link {self.link} fails"


@dataclass(frozen=True)
class RestoreLink:
    """Bring a link up again."""

    link: str
    kind: ClassVar[str] = "restore_link"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_links(scenario, "link_up", self.link, True)

    def describe(self) -> str:
        return f"link {self.link} is restored"


@dataclass(frozen=True)
class FailNode:
    """Take a node down, with all its links."""

    node: str
    kind: ClassVar[str] = "fail_node"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_node(scenario, self.node, False)

    def describe(self) -> str:
        return f"node {self.node} fails"


@dataclass(frozen=True)
class RestoreNode:
    """Bring a node up again."""

    node: str
    kind: ClassVar[str] = "restore_node"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_node(scenario, self.node, True)

    def describe(self) -> str:
        return f"node {self.node} is restored"


@dataclass(frozen=True)
class FailGroup:
    """Take down every node and link of a shared-risk group."""

    srlg: str
    kind: ClassVar[str] = "fail_srlg"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_group(scenario, self.srlg, False)

    def describe(self) -> str:
        return f"shared-risk group {self.srlg} fails"


@dataclass(frozen=True)
class RestoreGroup:
    """Bring up every node and link of a shared-risk group."""

    srlg: str
    kind: ClassVar[str] = "restore_srlg"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_group(scenario, self.srlg, True)

    def describe(self) -> str:
        return f"shared-risk group {self.srlg} is restored"


@dataclass(frozen=True)
class SetCapacity:
    """Give a link another capacity."""

    link: str
    capacity_bps: float
    kind: ClassVar[str] = "set_capacity"

    def apply(self, scenario: Scenario) -> Scenario:
        _checked(LINK["capacity_bps"], self.capacity_bps, f"link {self.link}")
        return _with_links(scenario, "link_capacity_bps", self.link, self.capacity_bps)

    def describe(self) -> str:
        return f"capacity of {self.link} becomes {self.capacity_bps / 1e6:g} Mbit/s"


@dataclass(frozen=True)
class SetWeight:
    """Give a link another IGP weight."""

    link: str
    weight: float
    kind: ClassVar[str] = "set_weight"

    def apply(self, scenario: Scenario) -> Scenario:
        _checked(LINK["weight"], self.weight, f"link {self.link}")
        return _with_links(scenario, "link_weight", self.link, self.weight)

    def describe(self) -> str:
        return f"weight of {self.link} becomes {self.weight:g}"


@dataclass(frozen=True)
class SetScheduler:
    """Give a link another scheduler (in the shape of `Scheduler.to_dict`)."""

    link: str
    scheduler: Mapping[str, Any]
    kind: ClassVar[str] = "set_scheduler"

    def apply(self, scenario: Scenario) -> Scenario:
        try:
            scheduler = Scheduler.from_dict(self.scheduler)
        except (TypeError, ValueError, OverflowError) as error:
            raise ChangeError(
                f"scheduler of link {self.link} cannot be read: {error}. "
                "Give policy, queues and class_queue."
            ) from None
        faults = scheduler.faults(f"link {self.link}")
        if faults:
            raise ChangeError("; ".join(map(str, faults)))
        return _with_schedulers(
            scenario, {int(k): scheduler for k in find_links(scenario.topology, self.link)}
        )

    def describe(self) -> str:
        return f"scheduler of {self.link} becomes {self.scheduler.get('policy', 'fifo')}"


@dataclass(frozen=True)
class SetBuffer:
    """Give the queues of a link another buffer; `queue` -1 means all of them.

    A buffer that is None has no limit of its kind; one that is not given stays as it is.
    """

    link: str
    buffer_packets: float | None = -1.0
    buffer_bits: float | None = -1.0
    queue: int = -1
    kind: ClassVar[str] = "set_buffer"

    def apply(self, scenario: Scenario) -> Scenario:
        new: dict[int, Scheduler] = {}
        for k in find_links(scenario.topology, self.link).tolist():
            old = scenario.topology.schedulers[scenario.topology.link_scheduler[k]]
            if not -1 <= self.queue < len(old.queues):
                raise ChangeError(
                    f"queue of link {self.link} is {self.queue}: must be 0 to "
                    f"{len(old.queues) - 1}, or -1 for all. Name one."
                )
            edit: dict[str, float] = {}
            for name in ("buffer_packets", "buffer_bits"):
                value = getattr(self, name)
                if value != -1:
                    edit[name] = np.inf if value is None else float(value)
                    _checked(QUEUE[name], edit[name], f"link {self.link}")
            queues = tuple(
                replace(q, **edit) if self.queue in (-1, i) else q for i, q in enumerate(old.queues)
            )
            new[k] = replace(old, queues=queues)
        return _with_schedulers(scenario, new)

    def describe(self) -> str:
        sizes = [
            f"{value:g} {unit}" if value is not None else f"unlimited {unit}"
            for value, unit in ((self.buffer_packets, "packets"), (self.buffer_bits, "bit"))
            if value != -1
        ]
        return f"buffer of {self.link} becomes {', '.join(sizes)}"


@dataclass(frozen=True)
class SetPath:
    """Steer a flow: each way has `via` (node names, SR midpoints) or `links` (names) and a `share`.

    No ways: the flow follows the common routing again.
    """

    flow: str
    ways: tuple[Mapping[str, Any], ...] = ()
    kind: ClassVar[str] = "set_path"

    def apply(self, scenario: Scenario) -> Scenario:
        topology, ways = scenario.topology, []
        for way in self.ways:
            unknown = set(way) - {"via", "links", "share"}
            if unknown:
                raise UnknownNameError(
                    "attribute of a way", min(unknown), ("via", "links", "share")
                )
            ways.append(
                Steer(
                    midpoints=tuple(topology.node(str(n)) for n in way.get("via", ())),
                    links=tuple(topology.link(str(n)) for n in way.get("links", ())),
                    share=float(way.get("share", 1 / len(self.ways))),
                )
            )
        flow = scenario.flow(self.flow)
        return scenario.with_(routing=scenario.routing.steered(flow, ways))

    def describe(self) -> str:
        words = [
            f"via {', '.join(map(str, w['via']))}"
            if w.get("via")
            else "over " + ", ".join(map(str, w.get("links", ())))
            for w in self.ways
        ]
        return f"flow {self.flow} goes {' and '.join(words) or 'the common way'}"


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
        _checked(FLOW["rate_bps"], self.factor, "the factor of the traffic")
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
    """Add a flow; `size` and `arrival` in the shape of `size_to_dict` and `arrival_to_dict`."""

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
        _checked(FLOW["rate_bps"], self.rate_bps, f"flow {self.flow}")
        rate = scenario.traffic.flow_rate_bps.copy()
        flow = scenario.flow(self.flow)
        rate[flow] = min(rate[flow], self.rate_bps)
        return scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rate))

    def describe(self) -> str:
        return f"flow {self.flow} is limited to {self.rate_bps / 1e6:g} Mbit/s"


CHANGES: dict[str, type[Any]] = {
    cls.kind: cls
    for cls in (
        FailLink,
        RestoreLink,
        FailNode,
        RestoreNode,
        FailGroup,
        RestoreGroup,
        SetCapacity,
        SetWeight,
        SetScheduler,
        SetBuffer,
        SetPath,
        ScaleTraffic,
        AddFlow,
        RemoveFlow,
        RateLimit,
    )
}


def apply_all(scenario: Scenario, changes: Iterable[Change]) -> Scenario:
    """The scenario after all changes, in order."""
    for change in changes:
        scenario = change.apply(scenario)
    return scenario


def change_to_dict(change: Change) -> dict[str, Any]:
    """A change as plain JSON types."""
    data = asdict(change)  # type: ignore[call-overload]
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in data.items()}
    return {"kind": change.kind, **plain}


def change_from_dict(data: Mapping[str, Any]) -> Change:
    """The inverse of `change_to_dict`; UnknownNameError or ChangeError on anything else."""
    attributes = {str(k): v for k, v in data.items()}
    kind = str(attributes.pop("kind", ""))
    if kind not in CHANGES:
        raise UnknownNameError("change", kind, CHANGES)
    known = {f.name: f for f in fields(CHANGES[kind])}
    for name in attributes:
        if name not in known:
            raise UnknownNameError(f"attribute of {kind}", name, known)
    missing = [f.name for f in known.values() if _required(f) and f.name not in attributes]
    if missing:
        raise ChangeError(
            f"{kind} lacks {', '.join(missing)}: it needs "
            f"{', '.join(f.name for f in known.values() if _required(f))}. "
            "Add what is missing."
        )
    ready = {name: _typed(kind, known[name], value) for name, value in attributes.items()}
    change: Change = CHANGES[kind](**ready)
    return change


def parse_change(text: str) -> Change:
    """A change from a line such as `fail_link A<->B` or `scale_traffic 1.5 traffic_class=voice`.

    Words fill the attributes in their order; `name=value` fills any. A way of `set_path` is written
    `via=NODE,NODE` or `links=LINK,LINK`. Raises UnknownNameError or ChangeError.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ChangeError(f"change {text!r} cannot be read: {error}. Close the quote.") from None
    if not words or words[0] not in CHANGES:
        raise UnknownNameError("change", words[0] if words else "", CHANGES)
    names = [f.name for f in fields(CHANGES[words[0]])]
    data: dict[str, Any] = {"kind": words[0]}
    place = iter(names)
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if words[0] == SetPath.kind and equals and name in ("via", "links"):
            data.setdefault("ways", []).append({name: value.split(",")})
            continue
        if not equals or name not in names:
            name, value = next(place, ""), word
            if not name:
                raise ChangeError(
                    f"change {text!r} has too many words: {words[0]} takes "
                    f"{', '.join(names)}. Remove {word!r}."
                )
        data[name] = value
    return change_from_dict(data)


def _named(traffic: Traffic, names: Sequence[str], topology: Topology) -> Traffic:
    """The traffic whose first flows keep these names, also where other flows or classes now stand
    beside them and would give them others."""
    made = traffic.flow_names(topology.node_name)
    kept = {i: name for i, name in enumerate(names) if made[i] != name}
    return replace(traffic, given_names={**traffic.given_names, **kept})


def _required(attribute: Field[Any]) -> bool:
    return attribute.default is MISSING and attribute.default_factory is MISSING


def _typed(kind: str, attribute: Field[Any], value: Any) -> Any:
    """The value in the attribute's type; text becomes a number where one is due, a rate also with
    its unit (`20G`)."""
    declared = str(attribute.type)
    try:
        if declared == "str":
            if not isinstance(value, str | int):
                raise TypeError("must be a name")
            return str(value)
        if declared.startswith("float"):
            if value is None and "None" in declared:
                return None
            if isinstance(value, bool):
                raise TypeError("must be a number")
            if isinstance(value, str) and attribute.name.endswith("_bps"):
                return rate_bps(value)
            return float(value)
        if declared == "int":
            return int(value)
        if declared.startswith("tuple"):
            if not isinstance(value, Sequence) or not all(isinstance(v, Mapping) for v in value):
                raise TypeError("must be a list of ways")
            return tuple(dict(v) for v in value)
        if not isinstance(value, Mapping):
            raise TypeError("must be a table of attributes")
        return dict(value)
    except InputError as error:
        raise ChangeError(f"{attribute.name} of {kind}: {error}") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ChangeError(
            f"{attribute.name} of {kind} is {value!r}: {error}. "
            f"Give {'a number' if 'float' in declared else declared}."
        ) from None


def _with_schedulers(scenario: Scenario, new: Mapping[int, Scheduler]) -> Scenario:
    topology = scenario.topology
    schedulers = list(topology.schedulers)
    index = topology.link_scheduler.copy()
    for k, scheduler in new.items():
        if scheduler not in schedulers:
            schedulers.append(scheduler)
        index[k] = schedulers.index(scheduler)
    return scenario.with_(
        topology=topology.with_arrays(link_scheduler=index, schedulers=tuple(schedulers))
    )
