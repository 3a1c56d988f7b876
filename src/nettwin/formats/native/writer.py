"""Writer: a scenario as the plain data of a network file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from nettwin.formats.native.checks import UNLIMITED
from nettwin.formats.native.fields import VERSION
from nettwin.scenario.arrivals import ArrivalProcess, arrival_to_dict
from nettwin.scenario.packet_sizes import Fixed, PacketSize, size_to_dict
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler
from nettwin.scenario.topology import Link, Topology

T = TypeVar("T")

_RATES = {"G": 1e9, "M": 1e6, "k": 1e3}
_TIMES = {"ms": 1e-3, "us": 1e-6}


def native_data(scenario: Scenario) -> dict[str, Any]:
    """A scenario as a network file's plain data, which reads back to an equal scenario."""
    topology, traffic = scenario.topology, scenario.traffic
    schedulers = _named([s.policy for s in topology.schedulers])
    sizes = _named([s.kind for s in traffic.sizes])
    arrivals = _named([a.kind for a in traffic.arrivals])
    defaults: dict[str, Any] = {}
    links = _links(topology, schedulers, defaults)
    classes, flows = _flows(scenario, sizes, arrivals, defaults)
    data: dict[str, Any] = {"nettwin": VERSION, "name": scenario.name}
    if scenario.notes:
        data["notes"] = dict(scenario.notes)
    data["defaults"] = defaults
    data["schedulers"] = {
        name: scheduler_data(s) for name, s in zip(schedulers, topology.schedulers, strict=True)
    }
    if len(sizes) > 1 or not flows:  # one alone stands in the defaults
        data["sizes"] = dict(zip(sizes, map(size_data, traffic.sizes), strict=True))
    if len(arrivals) > 1 or not flows:
        data["arrivals"] = dict(zip(arrivals, map(arrival_data, traffic.arrivals), strict=True))
    data["nodes"] = _nodes(topology)
    data["links"] = links
    data["classes"] = classes
    data["flows"] = flows
    data["routing"] = _routing(scenario)
    return {key: value for key, value in data.items() if value or key not in _DROPPED}


_DROPPED = ("defaults", "schedulers", "sizes", "arrivals", "classes")


def _named(kinds: Sequence[str]) -> list[str]:
    """A name for each entry of a table: its kind, numbered where several are of it."""
    count = Counter(kinds)
    seen: Counter[str] = Counter()
    names = []
    for kind in kinds:
        seen[kind] += 1
        names.append(kind if count[kind] == 1 else f"{kind}-{seen[kind]}")
    return names


def _commonest(values: Iterable[T]) -> T | None:
    found = Counter(values).most_common(1)
    return found[0][0] if found else None


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and repr(a) == repr(b)  # 0.0 and -0.0 are two


# values


def _number(value: float) -> int | float:
    minus_zero = value == 0 and math.copysign(1, value) < 0
    whole = value.is_integer() and abs(value) < 1e15 and not minus_zero
    return int(value) if whole else value


def with_unit(value: float, scales: Mapping[str, float]) -> str | int | float:
    """A short text with a unit where it gives exactly this number, else the number."""
    for unit, scale in scales.items():
        short = f"{value / scale:.6g}"
        if float(short) * scale == value and 1 <= float(short) < 1000:
            return short + unit
    return _number(value)


def _rate(value: float) -> str | int | float:
    return with_unit(value, _RATES)


def _bits(value: float) -> str:
    octets = value / 8
    if octets.is_integer() and 0 < octets < 1e15:
        return f"{int(octets)}B"
    return f"{_number(value)!r}bit"


def _numbers(value: Any) -> Any:
    if isinstance(value, float):
        return UNLIMITED if math.isinf(value) else _number(value)
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return value


def scheduler_data(scheduler: Scheduler) -> dict[str, Any]:
    """A scheduler as a network file writes it."""
    data = scheduler.to_dict()
    data["queues"] = [
        {name: UNLIMITED if x is None else _number(x) for name, x in queue.items()}
        for queue in data["queues"]
    ]
    return {key: _numbers(value) for key, value in data.items()}


def size_data(size: PacketSize) -> Any:
    """A size distribution as a network file writes it."""
    if isinstance(size, Fixed):
        return _bits(size.bits)
    return {key: _numbers(value) for key, value in size_to_dict(size).items()}


def arrival_data(arrival: ArrivalProcess) -> Any:
    """An arrival process as a network file writes it."""
    data = {key: _numbers(value) for key, value in arrival_to_dict(arrival).items()}
    return data["kind"] if len(data) == 1 else data


# topology


def _nodes(topology: Topology) -> list[Any]:
    nodes: list[Any] = []
    places = zip(
        topology.node_latitude_deg.tolist(), topology.node_longitude_deg.tolist(), strict=True
    )
    for i, (latitude, longitude) in enumerate(places):
        node: dict[str, Any] = {"name": topology.node_name[i]}
        if not math.isnan(latitude):
            node["latitude"] = _number(latitude)
        if not math.isnan(longitude):
            node["longitude"] = _number(longitude)
        if topology.node_srlg[i]:
            node["srlg"] = list(topology.node_srlg[i])
        if not topology.node_up[i]:
            node["up"] = False
        nodes.append(node if len(node) > 1 else node["name"])
    return nodes


def _links(topology: Topology, schedulers: list[str], defaults: dict[str, Any]) -> list[Any]:
    """The links as rows; `defaults` receives what most of them have."""
    columns: dict[str, list[Any]] = {
        "capacity": [_rate(x) for x in topology.link_capacity_bps.tolist()],
        "delay": [with_unit(x, _TIMES) for x in topology.link_delay_s.tolist()],
        "weight": [_number(x) for x in topology.link_weight.tolist()],
        "scheduler": [schedulers[k] for k in topology.link_scheduler.tolist()],
    }
    for key, values in columns.items():
        common = _commonest(values)
        many = values.count(common)
        if common is not None and (many > 2 or many == len(values)):  # more than one line has it
            defaults[key] = common
    names = own_names(topology)
    paired = _pairs(topology, names)
    halves = sum(paired)
    if 2 * halves == topology.link_count and halves:
        defaults["duplex"] = True
    links: list[Any] = []
    skip = False
    for i, duplex in enumerate(paired):
        if skip:
            skip = False
            continue
        skip = duplex
        row: list[Any] = [
            topology.node_name[topology.link_source[i]],
            topology.node_name[topology.link_target[i]],
        ]
        row += [columns[key][i] for key in ("capacity", "delay", "weight")]
        for key in ("weight", "delay", "capacity"):
            if key not in defaults or not _same(row[-1], defaults[key]):
                break
            row.pop()
        more: dict[str, Any] = {}
        if columns["scheduler"][i] != defaults.get("scheduler"):
            more["scheduler"] = columns["scheduler"][i]
        if topology.link_srlg[i]:
            more["srlg"] = list(topology.link_srlg[i])
        if not topology.link_up[i]:
            more["up"] = False
        if names[i]:
            more["name"] = names[i]
        if duplex and "duplex" not in defaults:
            more["duplex"] = True
        links.append([*row, more] if more else row)
    return links


def own_names(topology: Topology) -> list[str]:
    """The names that must be written; empty where reading makes the same name by itself."""

    def made(given: Sequence[str]) -> tuple[str, ...]:
        ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
        links = [
            Link(topology.node_name[a], topology.node_name[b], name=name)
            for (a, b), name in zip(ends, given, strict=True)
        ]
        return Topology.build(topology.node_name, links).link_name

    names = topology.link_name
    plain = made([""] * len(names))
    own = [name if name != auto else "" for name, auto in zip(names, plain, strict=True)]
    return own if made(own) == names else list(names)


def _pairs(topology: Topology, names: Sequence[str]) -> list[bool]:
    """For each link whether the next one is the same in the other direction."""
    columns = [
        np.array(column)
        for column in (
            topology.link_capacity_bps.view(np.int64),
            topology.link_delay_s.view(np.int64),
            topology.link_weight.view(np.int64),
            topology.link_scheduler,
            topology.link_up,
        )
    ]
    source, target = topology.link_source, topology.link_target
    paired = []
    taken = False
    for i in range(topology.link_count):
        same = (
            not taken
            and i + 1 < topology.link_count
            and source[i] == target[i + 1]
            and target[i] == source[i + 1]
            and not names[i]
            and not names[i + 1]
            and topology.link_srlg[i] == topology.link_srlg[i + 1]
            and all(column[i] == column[i + 1] for column in columns)
        )
        paired.append(bool(same))
        taken = bool(same)
    return paired


# traffic and routing


Kind = tuple[int, int]  # indices of a size and an arrival process


def _flows(
    scenario: Scenario, sizes: list[str], arrivals: list[str], defaults: dict[str, Any]
) -> tuple[dict[str, Any], list[Any]]:
    """The classes and the flows as rows; `defaults` receives what most of them have."""
    traffic, names = scenario.traffic, scenario.topology.node_name
    flow_class = traffic.flow_class.tolist()
    kinds = list(zip(traffic.flow_size.tolist(), traffic.flow_arrival.tolist(), strict=True))
    usual, common = _commonest(flow_class), _commonest(kinds)
    if usual is None or common is None:
        return {name: {} for name in traffic.class_name}, []
    one_size, one_arrival = len(sizes) == 1, len(arrivals) == 1
    defaults["size"] = size_data(traffic.sizes[0]) if one_size else sizes[common[0]]
    defaults["arrival"] = arrival_data(traffic.arrivals[0]) if one_arrival else arrivals[common[1]]
    defaults["class"] = traffic.class_name[usual]
    kind_of_class = _kinds_of_classes(flow_class, kinds)

    def apart(kind: Kind, expected: Kind) -> dict[str, Any]:
        raw = {"size": sizes[kind[0]], "arrival": arrivals[kind[1]]}
        return {key: raw[key] for i, key in enumerate(raw) if kind[i] != expected[i]}

    classes = {
        name: apart(kind_of_class.get(k, common), common)
        for k, name in enumerate(traffic.class_name)
    }
    plain = not traffic.given_names and not scenario.routing.steer
    flows: list[Any] = []
    columns = (traffic.flow_source.tolist(), traffic.flow_target.tolist())
    rates = traffic.flow_rate_bps.tolist()
    for i, (source, target, rate, k) in enumerate(zip(*columns, rates, flow_class, strict=True)):
        row: list[Any] = [names[source], names[target], _number(rate)]
        if k != usual:
            row.append(traffic.class_name[k])
        more = {} if kinds[i] == kind_of_class[k] else apart(kinds[i], kind_of_class[k])
        if not plain:
            more |= _flow_extras(scenario, i)
        flows.append([*row, more] if more else row)
    return classes, flows


def _kinds_of_classes(flow_class: list[int], kinds: list[Kind]) -> dict[int, Kind]:
    """The commonest size and arrival process of each class that has flows."""
    counts: dict[int, Counter[Kind]] = {}
    for k, kind in zip(flow_class, kinds, strict=True):
        counts.setdefault(k, Counter())[kind] += 1
    return {k: count.most_common(1)[0][0] for k, count in counts.items()}


def _flow_extras(scenario: Scenario, flow: int) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if name := scenario.traffic.given_names.get(flow):
        more["name"] = name
    paths = scenario.routing.steer.get(flow)
    if paths is None:
        return more
    if len(paths) == 1 and paths[0].share == 1 and (paths[0].midpoints or paths[0].links):
        return more | _candidate(scenario.topology, paths[0])
    shares = [
        _candidate(scenario.topology, path) | {"share": _number(path.share)} for path in paths
    ]
    return more | {"paths": shares}


def _candidate(topology: Topology, path: Steer) -> dict[str, Any]:
    if path.links:
        return {"path": [topology.link_name[k] for k in path.links]}
    if path.midpoints:
        return {"via": [topology.node_name[m] for m in path.midpoints]}
    return {}


def _routing(scenario: Scenario) -> dict[str, Any]:
    routing, topology = scenario.routing, scenario.topology
    data: dict[str, Any] = {"ecmp": bool(routing.ecmp)}
    if routing.next_link is not None:
        names, links = topology.node_name, topology.link_name
        data["next_hops"] = {
            names[u]: {names[t]: links[k] for t, k in enumerate(row) if k >= 0}
            for u, row in enumerate(routing.next_link.tolist())
        }
    return data
