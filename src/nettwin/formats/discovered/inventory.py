"""netbox: devices, interfaces and cables as NetBox exports them.

Taken is what its REST API answers, one page or all, alone or in one document by kind:

    {"count": 2, "results": [{...}, ...]}               GET /api/dcim/cables/, /interfaces/, ...
    [{...}, ...]                                        the results alone
    {"devices": ..., "interfaces": ..., "cables": ..., "sites": ...}     several at once

or a folder of such files; or cables as CSV (`cable_tables`). What a record is shows by what it
holds, not by its name. A cable joins the ports at its ends; through patch panels goes what
`connected_endpoints` of interfaces tells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats.discovered.adjacencies import Adjacencies, End
from nettwin.formats.discovered.cable_tables import cables_of, is_table
from nettwin.formats.discovered.records import Place, issue, load, text_of
from nettwin.formats.files import read_head
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.native.document import Document
from nettwin.scenario.generate import LIGHT_IN_FIBER_M_PER_S
from nettwin.scenario.scenario import Scenario

KINDS = ("sites", "devices", "interfaces", "cables")  # in the order in which they are needed
_MARK = re.compile(
    rb'"(a_terminations|termination_a|termination_a_id|connected_endpoints?|cable_peer'
    rb'|link_peers?|device_role|device_type|device_count)"\s*:'
)
_FOREIGN = re.compile(rb'"(nettwin|ietf-network:\w+|directed|multigraph)"\s*:')
_METERS = {"km": 1e3, "m": 1.0, "cm": 0.01, "mi": 1609.344, "ft": 0.3048, "in": 0.0254}
_PORTS = ("interface", "frontport", "rearport", "circuittermination")
_TYPE = re.compile(r"(\d+(?:\.\d+)?)(g|m)?base")  # 10gbase-x-sfpp, 1000base-t
_DOWN = ("offline", "failed", "planned", "decommissioning", "staged", "inventory")


class NetBox(Format):
    """A NetBox inventory."""

    name = "netbox"
    title = "NetBox devices, interfaces and cables (REST JSON)"
    suffixes = (".netbox.json",)

    def detects(self, path: Path, head: bytes) -> bool:
        if path.is_dir():
            files = sorted(path.glob("*.json"))
            return bool(files) and any(self.detects(one, read_head(one)) for one in files)
        if is_table(head):
            return True
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return text[:1] in (b"{", b"[") and bool(_MARK.search(text)) and not _FOREIGN.search(text)

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        found = _Inventory(Adjacencies(self.name, path))
        for file in files:
            if is_table(read_head(file)):
                rows = cables_of(file)
                found.records["cables"] += [(Document(file, "{}"), (n,), one) for n, one in rows]
            else:
                found.gather(load(file))
        found.build()
        if not any(end.joined for end in found.found.ends):
            raise FormatError(
                path,
                "the document",
                "joins no interfaces",
                "Give /api/dcim/cables/, or interfaces with their connected_endpoints.",
            )
        yield found.found.partial().reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


Record = Mapping[str, Any]
Held = tuple[Document, Place, Record]


@dataclass
class _Inventory:
    """Records gathered from all files; then what they join."""

    found: Adjacencies
    records: dict[str, list[Held]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    _place: dict[int, tuple[float, float]] = field(default_factory=dict)  # of sites
    _ends: dict[int, End] = field(default_factory=dict)  # of interfaces
    _lags: dict[str, int] = field(default_factory=dict)

    def gather(self, document: Document) -> None:
        """The records of a document, by their kinds."""
        data = document.data
        if isinstance(data, Mapping) and "results" not in data:
            parts: list[tuple[Place, Any]]
            parts = [((key,), value) for key, value in data.items() if key in KINDS]
            if not parts and "id" in data:
                parts = [((), [data])]
        else:
            parts = [((), data)]
        for place, value in parts:
            inner = place
            if isinstance(value, Mapping):
                if "results" not in value:
                    reason = "must be a list, or hold one under results"
                    raise issue(document, place, reason, "Give what NetBox's API answers.")
                value, inner = value["results"], (*place, "results")
                if isinstance(document.data, Mapping) and document.data.get("next"):
                    self.found.left_out("pages that follow, which are not here: ask with limit=0")
            if not isinstance(value, list):
                raise issue(document, inner, "must be a list", "Give what NetBox's API answers.")
            for i, record in enumerate(value):
                where = (*inner, i)
                if not isinstance(record, Mapping):
                    raise issue(document, where, "must be a mapping", "Correct it.")
                if kind := _kind(record):
                    self.records[kind].append((document, where, record))
                else:
                    self.found.left_out("records that are no site, device, interface or cable")

    def build(self) -> None:
        """Devices with their places, ports with their speeds, and what joins them."""
        for _, _, site in self.records["sites"]:
            if isinstance(site.get("id"), int):
                self._place[site["id"]] = _coordinates(site)
        for document, place, device in self.records["devices"]:
            name = text_of(device, ("name", "display"))
            if not name:
                raise issue(document, place, "is a device without a name", "Name it.")
            here = _coordinates(device)
            where = device.get("site")
            if math.isnan(here[0]) and isinstance(where, Mapping):
                here = self._place.get(_id(where), here)
            if _value(device.get("status")) in _DOWN:
                self.found.left_out(f"devices that are not active, such as {name}")
                continue
            self.found.node(name, *here)
        for document, place, interface in self.records["interfaces"]:
            self._interface(document, place, interface)
        for document, place, cable in self.records["cables"]:
            self._cable(document, place, cable)
        for document, place, interface in self.records["interfaces"]:
            self._endpoint(document, place, interface)
        for lag, count in self._lags.items():
            self.found.assumptions.append(f"the {count} members of the LAG {lag}: each a link")
        self.found.drop_alone("devices that no cable joins to another")

    def _interface(self, document: Document, place: Place, interface: Record) -> None:
        device, name = _owner(interface), text_of(interface, ("name", "display"))
        if not device or not name:
            raise issue(document, place, "is an interface without device or name", "Add them.")
        kind = str(_value(interface.get("type")))
        if kind in ("lag", "virtual", "bridge"):
            self.found.left_out("virtual, bridge and LAG interfaces: their members are the links")
            return
        end = self.found.end(device, name)
        speed = interface.get("speed")
        if isinstance(speed, int | float) and not isinstance(speed, bool) and speed > 0:
            end.speed_bps = float(speed) * 1e3
        elif match := _TYPE.match(kind):
            end.speed_bps = float(match[1]) * {"g": 1e9, "m": 1e6, None: 1e6}[match[2]]
        end.up = interface.get("enabled") is not False
        if isinstance(interface.get("id"), int):
            self._ends[interface["id"]] = end
        if isinstance(interface.get("lag"), Mapping):
            lag = f"{device} {text_of(interface['lag'], ('name', 'display'))}"
            self._lags[lag] = self._lags.get(lag, 0) + 1

    def _cable(self, document: Document, place: Place, cable: Record) -> None:
        """Join the ports at both ends of a cable; one that ends elsewhere is left out."""
        sides = [self._terminations(document, place, cable, side) for side in "ab"]
        if not all(sides) or len(sides[0]) != len(sides[1]):
            self.found.left_out("cables that do not join two interfaces")
            return
        length, unit = cable.get("length"), str(_value(cable.get("length_unit")) or "m").lower()
        for near, far in zip(*sides, strict=True):
            self.found.join(near, far)
            self.found.join(far, near)
            if _value(cable.get("status")) in _DOWN:
                near.up = False
            if isinstance(length, int | float) and length > 0 and unit in _METERS:
                near.delay_s = far.delay_s = length * _METERS[unit] / LIGHT_IN_FIBER_M_PER_S

    def _terminations(
        self, document: Document, place: Place, cable: Record, side: str
    ) -> list[End]:
        listed = cable.get(f"{side}_terminations")
        if listed is None:  # before NetBox 3.3
            old = cable.get(f"termination_{side}")
            kind = cable.get(f"termination_{side}_type")
            listed = [{"object_type": kind, "object": old}]
        if not isinstance(listed, list):
            raise issue(document, (*place, f"{side}_terminations"), "must be a list", "Correct it.")
        ends = []
        for one in listed:
            if not isinstance(one, Mapping):
                raise issue(document, (*place, f"{side}_terminations"), "no mapping", "Correct it.")
            kind = str(one.get("object_type") or "dcim.interface").rpartition(".")[2].lower()
            if kind != "interface":
                continue
            told = one.get("object")
            thing: Record = told if isinstance(told, Mapping) else {}
            number = one.get("object_id", thing.get("id"))
            end = self._ends.get(number) if isinstance(number, int) else None
            device, name = _owner(thing), text_of(thing, ("name", "display"))
            if end is None and device and name:
                end = self.found.end(device, name)
            if end is not None:
                ends.append(end)
        return ends

    def _endpoint(self, document: Document, place: Place, interface: Record) -> None:
        """Join an interface to where its path through cables and panels ends."""
        end = self._ends.get(_id(interface))
        if end is None or end.joined is not None:
            return
        if interface.get("connected_endpoints_reachable") is False:
            return
        told = interface.get("connected_endpoints", interface.get("connected_endpoint"))
        listed = told if isinstance(told, list) else [told]
        for one in listed:
            if isinstance(one, Mapping):
                device, name = _owner(one), text_of(one, ("name", "display"))
                if device and name:
                    far = self._ends.get(_id(one)) or self.found.end(device, name)
                    if far.joined is None and far is not end:
                        self.found.join(end, far)
                        self.found.join(far, end)
                        return


def _kind(record: Record) -> str:
    """What a record of NetBox is, by what it holds; empty for another."""
    if "a_terminations" in record or "termination_a" in record:
        return "cables"
    if "device" in record and "name" in record:
        return "interfaces"
    if "device_type" in record:
        return "devices"
    if {"slug", "name"} <= record.keys() and {"latitude", "longitude"} & record.keys():
        return "sites"
    return ""


def _owner(record: Record) -> str:
    """The name of the device that a port belongs to; empty where it has none."""
    device = record.get("device")
    return text_of(device, ("name", "display")) if isinstance(device, Mapping) else ""


def _coordinates(record: Record) -> tuple[float, float]:
    values = []
    for name in ("latitude", "longitude"):
        try:
            values.append(float(record.get(name) or math.nan))
        except (TypeError, ValueError):
            values.append(math.nan)
    return values[0], values[1]


def _id(record: Record) -> int:
    number = record.get("id")
    return number if isinstance(number, int) else -1


def _value(choice: Any) -> Any:
    """The value of a choice: NetBox writes {value, label}."""
    return choice.get("value") if isinstance(choice, Mapping) else choice
