"""Records: nodes, links and flows as flat records of named values, as CSV tables and node-link
files hold them.

Names are taken in any case and without signs (`Capacity_bps`, `capacity bps`), with the synonyms
in `SYNONYMS` and those of graph attributes. A number whose name does not tell its unit is taken in
bit/s or seconds, and the reading says so.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nettwin import units
from nettwin.errors import FormatError, InputError
from nettwin.formats.attributed_graph import (
    listed,
    place_of,
)
from nettwin.formats.edge_attributes import (
    edge_facts,
    is_number,
    origin_words,
    plain_name,
)
from nettwin.formats.native.checks import Checks, near, shown
from nettwin.formats.native.parts import InternTable, Parts
from nettwin.formats.native.writer import arrival_data, own_names, scheduler_data, size_data
from nettwin.formats.partial_network import PartialFlow, PartialLink, PartialNetwork
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler
from nettwin.scenario.topology import Node
from nettwin.scenario.traffic import BEST_EFFORT, FLOW

Record = Mapping[str, Any]

SYNONYMS: dict[str, tuple[str, ...]] = {
    "source": ("source", "src", "from", "a", "node1", "sourcenode", "origin", "ingress"),
    "target": ("target", "dst", "to", "b", "node2", "targetnode", "destination", "dest", "egress"),
    "name": ("name", "node", "link", "flow", "id", "label"),
    "class": ("class", "trafficclass"),
    "scheduler": ("scheduler", "policy"),
    "srlg": ("srlg", "srlgs", "sharedriskgroup", "sharedriskgroups"),
    "up": ("up", "enabled"),
    "duplex": ("duplex", "bidirectional"),
    "size": ("size", "packetsize"),
    "arrival": ("arrival", "arrivals"),
}
_RATE_NAME = re.compile(
    r"(?:rate|demand|traffic|volume|bandwidth|bw|load|value)(?:([kmgt]?)(?:bps|bits|bitps))?"
)
_PREFIX = {None: 1.0, "": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_BARE = {
    **dict.fromkeys(("capacity", "bandwidth", "bw"), "capacity_bps"),
    **dict.fromkeys(("delay", "latency"), "delay_s"),
}
_NATIVE = ("capacity_bps", "delay_s", "weight")
_FLAGS = {
    **dict.fromkeys(("true", "yes", "1", "up"), True),
    **dict.fromkeys(("false", "no", "0", "down"), False),
}
LARGEST_RATE_BPS = 1e18


class RecordReader:
    """Adds records to a draft. Every method raises FormatError at the place it is given."""

    def __init__(self, partial: PartialNetwork, path: Path) -> None:
        self.partial, self.path = partial, path
        self._nodes = {node.name for node in partial.nodes}
        self._unused: dict[str, set[str]] = {}
        self._origins: list[Any] = []
        self._known: dict[tuple[str, str], Any] = {}
        self._columns: dict[tuple[str, ...], dict[str, str]] = {}

    def node(self, record: Record, place: str, name: str = "") -> None:
        """Add a node; its name is the record's, if none is given."""
        columns = self._names(record, ("name", "srlg", "up"))
        attributes = {
            {"latitudedeg": "latitude", "longitudedeg": "longitude"}.get(plain_name(k), k): text
            for k, v in record.items()
            if (text := _text(v))
        }
        latitude, longitude, used = place_of(attributes, self.path, place)
        if not name:
            name = self._name(record, columns, "name", place)
        if name in self._nodes:
            reason = f"duplicate node {shown(name)}"
            raise FormatError(self.path, place, reason, "Rename or remove one.")
        self._nodes.add(name)
        self._note("nodes", attributes.keys() - used - set(columns.values()))
        self.partial.nodes.append(
            Node(
                name,
                latitude,
                longitude,
                self._groups(record, columns, place),
                self._flag(record, columns, "up", place, default=True),
            )
        )

    def link(self, record: Record, place: str, *, duplex: bool = False) -> None:
        """Add a link."""
        keys = ("source", "target", "name", "scheduler", "srlg", "up", "duplex")
        columns = self._names(record, keys)
        source, target = self._ends(record, columns, place)
        own = set(columns.values())
        attributes = {}
        for key, value in record.items():
            if key not in own and (text := _text(value)):
                number = isinstance(value, int | float) or is_number(text)
                bare = _BARE.get(plain_name(key)) if number else None
                if bare:
                    unit = "bit/s" if bare == "capacity_bps" else "seconds"
                    self.partial.assume(f"unit of {key}: {unit}, as it is not said")
                attributes[bare or key] = text
        facts = edge_facts(attributes, self.path, place)
        self._origins += [o for o in facts.origins if o.attribute not in _NATIVE]
        for doubt in facts.unclear:
            self.partial.ignore(f"a value that says nothing certain: {doubt}")
        self._note("links", attributes.keys() - facts.used)
        name = _text(_value(record, columns, "name"))
        self.partial.links.append(
            PartialLink(
                source,
                target,
                facts.capacity_bps,
                facts.delay_s,
                facts.weight,
                self._part(record, columns, "scheduler", place),
                self._groups(record, columns, place),
                name,
                self._flag(record, columns, "up", place, default=True),
                self._flag(record, columns, "duplex", place, default=duplex),
            )
        )

    def flow(self, record: Record, place: str) -> None:
        """Add a flow."""
        columns = self._names(record, ("source", "target", "name", "class", "size", "arrival"))
        own = set(columns.values())
        rates = [k for k in record if k not in own and _RATE_NAME.fullmatch(plain_name(k))]
        if not rates:
            raise FormatError(
                self.path, place, "has no rate", "Give one whose name tells its unit: rate_bps."
            )
        self._note("flows", {k for k in record if _text(record[k])} - own - set(rates[:1]))
        if self.partial.flows is None:
            self.partial.flows = []
        self.partial.flows.append(
            PartialFlow(
                *self._ends(record, columns, place),
                self._rate(rates[0], record[rates[0]], place),
                _text(_value(record, columns, "class")) or BEST_EFFORT,
                self._part(record, columns, "size", place),
                self._part(record, columns, "arrival", place),
                _text(_value(record, columns, "name")),
            )
        )

    def end(self) -> None:
        """Tell in the draft where values came from, and what was not used."""
        for words in origin_words(self._origins):
            self.partial.assume(words)
        for kind, names in self._unused.items():
            self.partial.ignore(f"attributes of {kind}: {listed(sorted(names), 20)}")

    def _note(self, kind: str, unused: set[str]) -> None:
        if unused:
            self._unused.setdefault(kind, set()).update(unused)

    def _names(self, record: Record, keys: tuple[str, ...]) -> dict[str, str]:
        """The record's own name of each of these keys that it has."""
        known = self._columns.get((*keys, "|", *record))
        if known is None:
            plain: dict[str, str] = {}
            for column in record:
                plain.setdefault(plain_name(column), column)
            known = {}
            for key in keys:
                found = next((plain[s] for s in SYNONYMS[key] if s in plain), None)
                if found is not None:
                    known[key] = found
            if len(self._columns) < 100:
                self._columns[(*keys, "|", *record)] = known
        return known

    def _name(self, record: Record, columns: Mapping[str, str], key: str, place: str) -> str:
        value = _value(record, columns, key)
        text = "" if isinstance(value, bool | float) else _text(value).strip()
        if not text:
            reason = f"has no {key}" if value in (None, "") else f"{key} is {shown(value)}"
            raise FormatError(self.path, place, reason, f"Give the {key} as text.")
        return text

    def _ends(self, record: Record, columns: Mapping[str, str], place: str) -> tuple[str, str]:
        source = self._name(record, columns, "source", place)
        target = self._name(record, columns, "target", place)
        for end in (source, target):
            if self._nodes and end not in self._nodes:
                reason = f"there is no node {shown(end)}"
                raise FormatError(self.path, place, reason, near(end, self._nodes))
        if source == target:
            reason = f"goes from {shown(source)} to itself: must join two different nodes"
            raise FormatError(self.path, place, reason, "Correct an end, or remove it.")
        return source, target

    def _rate(self, name: str, value: Any, place: str) -> float:
        match = _RATE_NAME.fullmatch(plain_name(name))
        text = _text(value)
        rate = math.nan
        if is_number(text):
            said = plain_name(name).endswith(("bps", "bits"))
            if not said:
                self.partial.assume(f"unit of {name}: bit/s, as it is not said")
            rate = float(text) * _PREFIX[match[1] if match else None]
        elif len(text) < 60:
            try:
                rate = units.rate_bps(text)
            except InputError:
                rate = math.nan
        if not 0 <= rate <= LARGEST_RATE_BPS:
            reason = f"{name} is {shown(value)}: {FLOW['rate_bps'].allowed}, a number"
            raise FormatError(self.path, place, reason, "Correct it, or remove the flow.")
        return rate

    def _groups(self, record: Record, columns: Mapping[str, str], place: str) -> tuple[str, ...]:
        value = _value(record, columns, "srlg")
        if isinstance(value, str) and value.startswith("["):
            value = self._json(value, place, columns["srlg"])
        if isinstance(value, str):
            value = [group.strip() for group in value.split(";") if group.strip()]
        if not isinstance(value, list | None) or any(not isinstance(g, str) for g in value or []):
            reason = f"{columns['srlg']} is {shown(value)}: must be names, with ; between them"
            raise FormatError(self.path, place, reason, "Write duct1;duct2.")
        return tuple(value or ())

    def _flag(
        self, record: Record, columns: Mapping[str, str], key: str, place: str, *, default: bool
    ) -> bool:
        value = _value(record, columns, key)
        if value is None or value == "":
            return default
        flag = value if isinstance(value, bool) else _FLAGS.get(_text(value).lower())
        if flag is None:
            reason = f"{columns[key]} is {shown(value)}: must be true or false"
            raise FormatError(self.path, place, reason, "Write true or false.")
        return flag

    def _part(self, record: Record, columns: Mapping[str, str], key: str, place: str) -> Any:
        """A scheduler, size or arrival process, written as in a network file, or None."""
        value = _value(record, columns, key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.startswith("{"):
            text, value = value, self._json(value, place, columns[key])
        else:
            text = json.dumps(value)
        if (key, text) not in self._known:
            checks = Checks()
            parts = Parts(checks, self.path.resolve().parent)
            getattr(parts, key)({key: (value, (columns[key],))})
            if checks.issues:
                where, reason, remedy = checks.issues[0]
                steps = ".".join(map(str, where))
                raise FormatError(self.path, f"{place}, {steps}", reason, remedy)
            tables: dict[str, InternTable[Any]] = {
                "scheduler": parts.schedulers,
                "size": parts.sizes,
                "arrival": parts.arrivals,
            }
            self._known[key, text] = tables[key].items[0]
        return self._known[key, text]

    def _json(self, text: str, place: str, column: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise FormatError(
                self.path,
                f"{place}, {column}",
                "is not valid JSON",
                "Correct its brackets and quotes.",
            ) from None


def refuse(scenario: Scenario, format: str, *, ecmp: bool) -> None:
    """Raise InputError where records cannot hold the scenario's routing; `ecmp`: whether they can
    hold that ECMP is off."""
    routing = scenario.routing
    held = (
        (routing.steer, "flows with paths of their own"),
        (routing.next_link is not None, "next-hop tables"),
        (not routing.ecmp and not ecmp, "routing without ECMP"),
    )
    for has, what in held:
        if has:
            raise InputError(f"format {format} cannot hold {what}. Write a network file (.yaml).")


def node_records(scenario: Scenario) -> list[dict[str, Any]]:
    """The nodes as records of plain JSON types; what has its default is left out."""
    topology = scenario.topology
    records: list[dict[str, Any]] = []
    for i, name in enumerate(topology.node_name):
        record: dict[str, Any] = {"name": name}
        for key in ("latitude_deg", "longitude_deg"):
            if not math.isnan(value := float(getattr(topology, f"node_{key}")[i])):
                record[key] = value
        if topology.node_srlg[i]:
            record["srlg"] = list(topology.node_srlg[i])
        if not topology.node_up[i]:
            record["up"] = False
        records.append(record)
    return records


def link_records(scenario: Scenario) -> list[dict[str, Any]]:
    """The links of a scenario as plain data, without what is usual."""
    topology = scenario.topology
    plain = Scheduler()
    parts = [s.policy if s == plain else scheduler_data(s) for s in topology.schedulers]
    names = own_names(topology)
    records: list[dict[str, Any]] = []
    for link, name in zip(topology.link_rows(), names, strict=True):
        record: dict[str, Any] = {
            "source": topology.node_name[link.source],
            "target": topology.node_name[link.target],
            "capacity_bps": link.capacity_bps,
            "delay_s": link.delay_s,
            "weight": link.weight,
            "scheduler": parts[link.scheduler],
        }
        if link.srlg:
            record["srlg"] = list(link.srlg)
        if not link.up:
            record["up"] = False
        if name:
            record["name"] = name
        records.append(record)
    return records


def flow_records(scenario: Scenario) -> list[dict[str, Any]]:
    """The flows of a scenario as plain data."""
    traffic, names = scenario.traffic, scenario.topology.node_name
    sizes = [size_data(size) for size in traffic.sizes]
    arrivals = [arrival_data(arrival) for arrival in traffic.arrivals]
    records: list[dict[str, Any]] = [
        {
            "source": names[flow.source],
            "target": names[flow.target],
            "rate_bps": flow.rate_bps,
            "class": traffic.class_name[flow.traffic_class],
            "size": sizes[flow.size],
            "arrival": arrivals[flow.arrival],
        }
        for flow in traffic.flow_rows()
    ]
    for i, name in traffic.given_names.items():
        records[i]["name"] = name
    return records


def _value(record: Record, columns: Mapping[str, str], key: str) -> Any:
    return record.get(columns[key]) if key in columns else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return shown(value) if isinstance(value, int) and abs(value) > 1e300 else repr(value)
    return shown(value)
