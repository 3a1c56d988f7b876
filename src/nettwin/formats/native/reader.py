"""Reader: a network file's plain data into a Reading."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, InputError
from nettwin.formats.format import ImportDefaults, Reading
from nettwin.formats.native.checks import Checks, shown
from nettwin.formats.native.document import Document, Place
from nettwin.formats.native.fields import ELEMENTS, VERSION
from nettwin.formats.native.parts import Parts, RawFields
from nettwin.formats.native.routes import Routes
from nettwin.formats.native.rows import Table
from nettwin.formats.partial_network import PartialFlow, PartialLink, PartialNetwork
from nettwin.quantity import Quantity, frozen
from nettwin.scenario.arrivals import arrival_from_dict
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import LINK, NODE, Node, Topology
from nettwin.scenario.traffic import BEST_EFFORT, FLOW, Traffic


class NetworkReader:
    """Reads one network file."""

    def __init__(self, document: Document, assume: ImportDefaults) -> None:
        self.document, self.assume = document, assume
        self.checks = Checks()
        self.parts = Parts(self.checks, document.path.resolve().parent)
        self.classes: dict[str, tuple[int | None, int | None]] = {}  # size, arrival
        self.nodes: set[str] = set()
        self.given: dict[str, set[str]] = {"link": set(), "flow": set()}  # names
        self.link_scheduler: list[int | None] = []
        self.flow_table: list[tuple[str, int | None, int | None]] = []  # class, size, arrival
        self.paths: dict[int, list[tuple[RawFields, Place]]] = {}
        self.partial = PartialNetwork("native", str(document.path))

    def reading(self) -> Reading:
        """The finished scenario. Raises FormatError with all its issues."""
        checks = self.checks
        if not isinstance(self.document.data, dict):
            checks.issue(
                (), "is not a mapping", "Begin with `nettwin: 1`; see docs/formats_native.md."
            )
            checks.end(self.document)
        raw = checks.entry(self.document.data, (), ELEMENTS["network"])
        self._version(raw)
        self.parts.read(raw)
        self._defaults(raw)
        self._classes(raw)
        self._nodes(raw)
        self._links(raw)
        self._flows(raw)
        routing = checks.entry(*self._part(raw, "routing"), ELEMENTS["routing"])
        ecmp = checks.flag(*routing["ecmp"]) if "ecmp" in routing else True
        notes = {
            checks.text(k, ("notes", k)): checks.text(v, ("notes", k))
            for k, v in checks.table(*self._part(raw, "notes")).items()
        }
        name = checks.text(*raw["name"]) if "name" in raw else "network"
        checks.end(self.document)
        self.partial.routing = lambda topology, traffic: self._routing(topology, ecmp, routing)
        reading = self.partial.reading(self.assume)
        scenario = self._as_written(reading.scenario, name, notes)
        return Reading(
            scenario, reading.format, reading.source, reading.assumptions, reading.ignored
        )

    def _part(self, raw: RawFields, key: str) -> tuple[Any, Place]:
        return raw.get(key, ({}, (key,)))

    def _version(self, raw: RawFields) -> None:
        version = raw.get("nettwin", (VERSION, ()))[0]
        if version is True or version != VERSION:
            reason = f"is {shown(version)}: must be {VERSION}"
            self.checks.issue(("nettwin",), reason, "Write `nettwin: 1`, or update nettwin.")

    # defaults, classes

    def _defaults(self, raw: RawFields) -> None:
        checks = self.checks
        raw = checks.entry(*self._part(raw, "defaults"), ELEMENTS["defaults"])
        self.link_default = {
            name: checks.number(*raw[name], LINK[quantity]) if name in raw else math.nan
            for name, quantity in _LINK_NUMBERS.items()
        }
        self.default_scheduler = self.parts.scheduler(raw)
        self.default_duplex = "duplex" in raw and checks.flag(*raw["duplex"])
        self.default_class = checks.text(*raw["class"]) if "class" in raw else BEST_EFFORT
        self.default_size = self.parts.size(raw)
        self.default_arrival = self.parts.arrival(raw)

    def _classes(self, raw: RawFields) -> None:
        checks = self.checks
        value, place = self._part(raw, "classes")
        if isinstance(value, list):
            value = {checks.text(item, (*place, i)): {} for i, item in enumerate(value)}
        for name, item in checks.table(value, place).items():
            where = (*place, name)
            checks.text(name, where)
            each = checks.entry({} if item is None else item, where, ELEMENTS["class"])
            self.classes[name] = (
                self.parts.size(each),
                self.parts.arrival(each),
            )

    # topology

    def _nodes(self, raw: RawFields) -> None:
        checks = self.checks
        for i, value in enumerate(checks.listing(*raw.get("nodes", (None, ())))):
            place: Place = ("nodes", i)
            row = [value] if isinstance(value, str | int) and not isinstance(value, bool) else value
            node = checks.entry(row, place, ELEMENTS["node"])
            if "name" not in node:
                continue
            name = checks.name(*node["name"])
            if name in self.nodes:
                checks.issue(place, f"duplicate node {shown(name)}", "Rename or remove one.")
            self.nodes.add(name)
            self.partial.nodes.append(
                Node(
                    name,
                    _optional(checks, node, "latitude", NODE["latitude_deg"]),
                    _optional(checks, node, "longitude", NODE["longitude_deg"]),
                    checks.names(*node["srlg"]) if "srlg" in node else (),
                    checks.flag(*node["up"]) if "up" in node else True,
                )
            )

    def _links(self, raw: RawFields) -> None:
        checks = self.checks
        for i, value in enumerate(checks.listing(*raw.get("links", (None, ())))):
            link = checks.entry(value, ("links", i), ELEMENTS["link"])
            ends = self._ends(link, ("links", i))
            if ends is None:
                continue
            numbers = {
                name: checks.number(*link[name], LINK[quantity])
                if name in link
                else self.link_default[name]
                for name, quantity in _LINK_NUMBERS.items()
            }
            index = self.parts.scheduler(link)
            index = self.default_scheduler if "scheduler" not in link else index
            duplex = checks.flag(*link["duplex"]) if "duplex" in link else self.default_duplex
            self.link_scheduler += [index] * (2 if duplex else 1)
            self.partial.links.append(
                PartialLink(
                    *ends,
                    numbers["capacity"],
                    numbers["delay"],
                    numbers["weight"],
                    None if index is None else self.parts.schedulers.items[index],
                    checks.names(*link["srlg"]) if "srlg" in link else (),
                    self._given_name(link, "link"),
                    checks.flag(*link["up"]) if "up" in link else True,
                    duplex,
                )
            )

    def _ends(self, raw: RawFields, place: Place) -> tuple[str, str] | None:
        if "source" not in raw or "target" not in raw:
            return None
        ends = []
        for key in ("source", "target"):
            end = self.checks.name(*raw[key])
            if end and end not in self.nodes:
                self.checks.unknown(raw[key][1], "node", end, self.nodes)
            ends.append(end)
        if ends[0] == ends[1]:
            reason = f"goes from {ends[0]} to itself: must join two different nodes"
            self.checks.issue(place, reason, "Correct an end, or remove it.")
        return ends[0], ends[1]

    def _given_name(self, raw: RawFields, kind: str) -> str:
        if "name" not in raw:
            return ""
        name, place = self.checks.text(*raw["name"]), raw["name"][1]
        if name and name in self.given[kind]:
            reason = f"duplicate {kind} {shown(name)}"
            self.checks.issue(place, reason, "Rename or remove one.")
        self.given[kind].add(name)
        return name

    # traffic

    def _flows(self, raw: RawFields) -> None:
        if "flows" not in raw:
            return
        self.partial.flows = []
        value, place = raw["flows"]
        if isinstance(value, Table):
            if self._flow_table(value):
                return
            value = value.rows()
        for i, row in enumerate(self.checks.listing(value, place)):
            if not self._plain_row(row):
                self._flow(row, ("flows", i))

    def _flow_table(self, table: Table) -> bool:
        """Take a table of known nodes, rates in range and known classes, as a whole."""
        node = {given.name: i for i, given in enumerate(self.partial.nodes)}
        known = {name: i for i, name in enumerate(self.classes)}
        names = [name or self.default_class for name in table.classes]
        rates = np.array(table.rates, np.float64)
        source, target, which = (
            np.array([index.get(name, -1) for name in column], np.int32)
            for index, column in ((node, table.sources), (node, table.targets), (known, names))
        )
        if min(source.min(), target.min(), which.min()) < 0 or (source == target).any():
            return False
        if not (rates < 1e300).all():
            return False
        self.partial.traffic = lambda topology: self._columns(source, target, rates, which)
        return True

    def _columns(
        self,
        source: NDArray[np.int32],
        target: NDArray[np.int32],
        rates: NDArray[np.float64],
        which: NDArray[np.int32],
    ) -> Traffic:
        """The flows of a table, [flows] each; `which` are their classes."""
        size = [self.default_size if own is None else own for own, _ in self.classes.values()]
        arrival = [self.default_arrival if own is None else own for _, own in self.classes.values()]
        count = np.bincount(which, minlength=len(size)).tolist()
        self.partial.assume_of_flows(
            sum(n for n, own in zip(count, size, strict=True) if own is None),
            sum(n for n, own in zip(count, arrival, strict=True) if own is None),
            len(which),
            self.assume,
        )
        if any(n and own is None for n, own in zip(count, size, strict=True)):
            assumed = self.parts.sizes.add(self.assume.size)
            size = [assumed if own is None else own for own in size]
        if any(n and own is None for n, own in zip(count, arrival, strict=True)):
            assumed = self.parts.arrivals.add(arrival_from_dict({}))
            arrival = [assumed if own is None else own for own in arrival]
        return Traffic(
            class_name=tuple(self.classes),
            flow_source=frozen(source, np.int32),
            flow_target=frozen(target, np.int32),
            flow_class=frozen(which, np.int32),
            flow_rate_bps=frozen(rates, np.float64),
            sizes=tuple(self.parts.sizes.items),
            flow_size=frozen(_of(size, which), np.int32),
            arrivals=tuple(self.parts.arrivals.items),
            flow_arrival=frozen(_of(arrival, which), np.int32),
        )

    def _plain_row(self, row: Any) -> bool:
        """Take a row of known nodes, a rate in range and a known class; large files have many."""
        if not isinstance(row, list) or not 3 <= len(row) <= 4:
            return False
        source, target, rate, *rest = row
        name = rest[0] if rest else self.default_class
        if (
            type(source) is not str
            or type(target) is not str
            or type(rate) not in (int, float)
            or type(name) is not str
            or source not in self.nodes
            or target not in self.nodes
            or source == target
            or name not in self.classes
            or not 0 <= rate < 1e300
        ):
            return False
        self._add_flow(source, target, float(rate), name, *self.classes[name], "")
        return True

    def _add_flow(
        self,
        source: str,
        target: str,
        rate: float,
        name: str,
        size: int | None,
        arrival: int | None,
        given: str,
    ) -> None:
        size = self.default_size if size is None else size
        arrival = self.default_arrival if arrival is None else arrival
        self.flow_table.append((name, size, arrival))
        assert self.partial.flows is not None
        self.partial.flows.append(
            PartialFlow(
                source,
                target,
                rate,
                name,
                None if size is None else self.parts.sizes.items[size],
                None if arrival is None else self.parts.arrivals.items[arrival],
                given,
            )
        )

    def _flow(self, value: Any, place: Place) -> None:
        checks = self.checks
        flow = checks.entry(value, place, ELEMENTS["flow"])
        ends = self._ends(flow, place)
        if ends is None or "rate" not in flow:
            return
        rate = checks.number(*flow["rate"], FLOW["rate_bps"])
        name = checks.text(*flow["class"]) if "class" in flow else self.default_class
        if self.classes and name not in self.classes and "class" in flow:
            checks.unknown(flow["class"][1], "class", name, self.classes)
        class_size, class_arrival = self.classes.get(name, (None, None))
        size = self.parts.size(flow)
        arrival = self.parts.arrival(flow)
        given = self._given_name(flow, "flow")
        self._flow_candidates(flow, place)
        self._add_flow(
            *ends,
            rate,
            name,
            class_size if size is None else size,
            class_arrival if arrival is None else arrival,
            given,
        )

    def _flow_candidates(self, flow: RawFields, place: Place) -> None:
        given = [key for key in ("via", "path", "paths") if key in flow]
        if len(given) > 1:
            reason = f"has {' and '.join(given)}: must have one of them"
            self.checks.issue(place, reason, "Put several paths under `paths`.")
        if not given:
            return
        if given[0] != "paths":
            entries = [({given[0]: flow[given[0]]}, flow[given[0]][1])]
        else:
            rows, where = flow["paths"]
            entries = [
                (self.checks.entry(row, (*where, i), ELEMENTS["path"]), (*where, i))
                for i, row in enumerate(self.checks.listing(rows, where))
            ]
        assert self.partial.flows is not None
        self.paths[len(self.partial.flows)] = list(entries)

    def _routing(self, topology: Topology, ecmp: bool, raw: RawFields) -> Routing:
        found = Routes(self.checks, topology).routing(ecmp, raw, self.paths)
        self.checks.end(self.document)
        return found

    # the tables in the order of the file

    def _as_written(self, scenario: Scenario, name: str, notes: Mapping[str, str]) -> Scenario:
        topology, traffic = scenario.topology, scenario.traffic
        if None in self.link_scheduler:
            assumed = self.parts.schedulers.add(self.assume.scheduler)
            self.link_scheduler = [assumed if k is None else k for k in self.link_scheduler]
        topology = topology.with_arrays(
            schedulers=tuple(self.parts.schedulers.items),
            link_scheduler=np.array(self.link_scheduler, np.int32),
        )
        if self.partial.flows is not None and self.partial.traffic is None:
            traffic = self._traffic_as_written(traffic)
        return scenario.with_(topology=topology, traffic=traffic, name=name, notes=notes)

    def _traffic_as_written(self, traffic: Traffic) -> Traffic:
        classes = {name: i for i, name in enumerate(self.classes)}
        flow_class = [classes.setdefault(name, len(classes)) for name, _, _ in self.flow_table]
        flow_size = [size for _, size, _ in self.flow_table]
        if None in flow_size:
            assumed = self.parts.sizes.add(self.assume.size)
            flow_size = [assumed if k is None else k for k in flow_size]
        flow_arrival = [arrival for _, _, arrival in self.flow_table]
        if None in flow_arrival:
            assumed = self.parts.arrivals.add(arrival_from_dict({}))
            flow_arrival = [assumed if k is None else k for k in flow_arrival]
        return traffic.with_arrays(
            class_name=tuple(classes),
            flow_class=np.array(flow_class, np.int32),
            sizes=tuple(self.parts.sizes.items),
            flow_size=np.array(flow_size, np.int32),
            arrivals=tuple(self.parts.arrivals.items),
            flow_arrival=np.array(flow_arrival, np.int32),
        )


_LINK_NUMBERS = {"capacity": "capacity_bps", "delay": "delay_s", "weight": "weight"}


def _of(numbers: list[int | None], which: NDArray[np.int32]) -> NDArray[np.int64]:
    """The number of each flow from that of its class, where flows have it."""
    return np.array([-1 if number is None else number for number in numbers])[which]


def _optional(checks: Checks, raw: RawFields, key: str, quantity: Quantity) -> float:
    return checks.number(*raw[key], quantity) if key in raw else math.nan


def read_native(document: Document, assume: ImportDefaults) -> Reading:
    """The scenario that a network file describes. Raises FormatError with all its issues."""
    try:
        return NetworkReader(document, assume).reading()
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(document.path, "", str(error), "Correct the file.") from None
