"""neighbors: LLDP and CDP neighbors in JSON, of one device or of many.

Taken are, alone or one file a device in a folder:

    {DEVICE: {PORT: {target_device, target_port}}}      also under `devices`; lists for the record
    [{local_device, local_port, remote_device, remote_port}]
    lldpcli show neighbors -f json                      of the device that the file is named after
    OpenConfig lldp and interfaces                      speed and state of ports, members of LAGs
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats.discovered.adjacencies import Adjacencies
from nettwin.formats.discovered.openconfig import is_openconfig, read_openconfig
from nettwin.formats.discovered.records import (
    FAR_DEVICE,
    FAR_PORT,
    Place,
    has,
    issue,
    load,
    text_of,
)
from nettwin.formats.files import read_head
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.interface_names import is_management
from nettwin.formats.native.document import Document
from nettwin.scenario.scenario import Scenario

DEVICE = ("local_device", "local_host", "local_hostname", "source_device", "device", "host")
PORT = ("local_port", "local_interface", "source_port", "interface", "local_intf")
_MARK = re.compile(
    rb'"(target_device|remote_device|remote_system_name|remote_host(name)?|neighbor(_name)?'
    rb'|destination_host|local_interface|(openconfig-)?lldp(:lldp)?)"\s*:'
    rb'|\{\s*"hostname"\s*:\s*"[^"]*"\s*,\s*"port"\s*:'
)
_FOREIGN = re.compile(rb'"(nettwin|ietf-network:\w+|directed|multigraph|a_terminations)"\s*:')


class Neighbors(Format):
    """LLDP or CDP neighbors."""

    name = "neighbors"
    title = "LLDP and CDP neighbors in JSON, OpenConfig lldp"
    suffixes = (".neighbors.json",)

    def detects(self, path: Path, head: bytes) -> bool:
        if path.is_dir():
            files = sorted(path.glob("*.json"))
            return bool(files) and all(self.detects(one, read_head(one)) for one in files)
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return text[:1] in (b"{", b"[") and bool(_MARK.search(text)) and not _FOREIGN.search(text)

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise FormatError(path, "", "holds no JSON files", "Give a file of neighbors.")
        found = Adjacencies(self.name, path)
        for file in files:
            _Reader(load(file), found).read()
        if not any(end.joined for end in found.ends):
            raise FormatError(
                path, "the document", "tells of no neighbors", "Give LLDP or CDP neighbors."
            )
        yield found.partial().reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


class _Reader:
    """One document of neighbors."""

    def __init__(self, document: Document, found: Adjacencies) -> None:
        self.document, self.found = document, found
        self.own = document.path.name.partition(".")[0]

    def read(self) -> None:
        data = self.document.data
        if isinstance(data, list):
            self._records(data, ())
            return
        if "lldp" in data and has(data["lldp"], ("interface",)):
            self._lldpcli(data["lldp"]["interface"])
            return
        if is_openconfig(data):
            read_openconfig(self.document, self.found, self.own)
            return
        for key in ("neighbors", "devices"):
            if isinstance(data.get(key), list):
                self._records(data[key], (key,))
                return
        inside = data.get("devices")
        place: Place = ("devices",) if isinstance(inside, Mapping) else ()
        self._devices(inside if isinstance(inside, Mapping) else data, place)

    def _devices(self, devices: Mapping[str, Any], place: Place) -> None:
        for device, ports in devices.items():  # as they call themselves, not as neighbors do
            if isinstance(ports, Mapping):
                self.found.node(device)
        for device, ports in devices.items():
            if not isinstance(ports, Mapping):
                if place:
                    raise self._not(place, device, "must be PORT: {target_device, target_port}")
                continue  # beside the devices: errors, a version
            for port, told in ports.items():
                for record in told if isinstance(told, list) else [told]:
                    if not isinstance(record, Mapping):
                        raise self._not((*place, device), port, "must be a mapping of a neighbor")
                    self._adjacent(device, port, record, (*place, device, port))

    def _records(self, records: list[Any], place: Place) -> None:
        for i, record in enumerate(records):
            if not isinstance(record, Mapping):
                raise self._not(place, i, "must be a mapping of a neighbor")
            device, port = text_of(record, DEVICE) or self.own, text_of(record, PORT)
            if not port:
                raise self._not(
                    place, i, f"names no local port: must have one of {', '.join(PORT)}"
                )
            self._adjacent(device, port, record, (*place, i))

    def _adjacent(self, device: str, port: str, record: Mapping[str, Any], place: Place) -> None:
        if not has(record, FAR_DEVICE):
            reason = f"names no neighbor: must have one of {', '.join(FAR_DEVICE[:4])}"
            raise issue(self.document, place, reason, "Add it, or remove the port.")
        far = text_of(record, FAR_DEVICE)
        if not far:
            if any(isinstance(record.get(name), dict | list) for name in FAR_DEVICE):
                raise issue(self.document, place, "its neighbor is no name", "Correct it.")
            self.found.ignored.append(f"the neighbor of {device} {port}: it has no name")
            return
        far_port = text_of(record, FAR_PORT)
        if is_management(port) or is_management(far_port):
            self.found.node(device)
            self.found.left_out("adjacencies of ports for management, which forward nothing")
            return
        self.found.join(self.found.end(device, port), self.found.end(far, far_port))

    def _lldpcli(self, interfaces: Any) -> None:
        """What `lldpcli show neighbors -f json` says: a mapping, or a list of mappings of one."""
        listed = interfaces if isinstance(interfaces, list) else [interfaces]
        for i, one in enumerate(listed):
            if not isinstance(one, Mapping):
                raise self._not(("lldp", "interface"), i, "must be a mapping of an interface")
            for port, told in one.items():
                place: Place = ("lldp", "interface", i, port)
                if not has(told, ("chassis",)) or not isinstance(told["chassis"], Mapping):
                    raise issue(self.document, place, "has no chassis", "Give lldpcli's JSON.")
                chassis = told["chassis"]
                plain = "id" in chassis and not isinstance(chassis.get("name"), Mapping)
                name = text_of(chassis, ("name",)) if plain else next(iter(chassis), "")
                far_port = told.get("port") if isinstance(told.get("port"), Mapping) else {}
                ids = far_port.get("id")
                value = text_of(ids, ("value",)) if isinstance(ids, Mapping) else ""
                if isinstance(ids, Mapping) and ids.get("type") == "mac":
                    value = text_of(far_port, ("descr",)) or value
                self._adjacent(self.own, port, {"neighbor": name, "port": value}, place)

    def _not(self, place: Place, key: str | int, what: str) -> FormatError:
        return issue(self.document, (*place, key), what, "Correct it.")
