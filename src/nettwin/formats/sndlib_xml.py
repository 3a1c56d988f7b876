"""SNDlib networks in XML."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from nettwin.errors import FormatError, InputError
from nettwin.formats import sndlib
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.sndlib import DemandRecord, LinkRecord, SiteRecord, SNDlibNetwork
from nettwin.formats.xml_document import Element, load_xml, root_name
from nettwin.scenario.scenario import Scenario

MAX_NOTES = 20
_UNUSED = {
    "setupCost": "set-up costs of links",
    "routingCost": "routing costs of links",
    "admissiblePaths": "admissible paths of demands",
    "maxPathLength": "longest allowed paths of demands",
    "nodeConfigurations": "configurations of nodes",
}


class SNDlibXML(Format):
    """An SNDlib network in XML: nodes, links with capacity modules, demands."""

    name = "sndlib-xml"
    title = "SNDlib XML"

    def detects(self, path: Path, head: bytes) -> bool:
        plain = head.replace(b"\0", b"")
        marked = b"sndlib" in plain or b"networkStructure" in plain
        return root_name(head) == "network" and marked

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        root = load_xml(path)
        if root.name != "network":
            reason = f"the root element is <{root.name[:40]}>"
            raise FormatError(path, root.place, reason, "It must be <network>.")
        yield sndlib.reading(_network(root, path), path, self.name, assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


def _network(root: Element, path: Path) -> SNDlibNetwork:
    network = SNDlibNetwork()
    meta = root.child("meta")
    if meta is not None:
        network.unit = _text(meta, "unit")
        others = [element for element in meta.children if element.name != "unit"]
        network.ignored += [f"{e.name[:40]}: {e.text[:60]}" for e in others[:MAX_NOTES]]
    structure = _child(root, "networkStructure", path)
    nodes = _child(structure, "nodes", path)
    network.geographical = _geographical(nodes, path)
    network.sites = [_site(element, path) for element in nodes.all("node")]
    links = structure.child("links")
    network.links = [_link(element, path) for element in links.all("link")] if links else []
    demands = root.child("demands")
    network.demands = [_demand(e, path) for e in demands.all("demand")] if demands else []
    for part in (nodes, links, demands):
        for element in part.children if part else ():
            for child in element.children:
                if child.name in _UNUSED and _UNUSED[child.name] not in network.ignored:
                    network.ignored.append(_UNUSED[child.name])
    return network


def _geographical(nodes: Element, path: Path) -> bool | None:
    kind = nodes.attributes.get("coordinatesType", "")
    known = {"": None, "geographical": True, "pixel": False}
    if kind not in known:
        reason = f"coordinatesType is {kind[:40]!r}"
        raise FormatError(path, nodes.place, reason, "It must be geographical or pixel.")
    return known[kind]


def _site(element: Element, path: Path) -> SiteRecord:
    name = _id(element, path)
    at = element.child("coordinates")
    if at is None:
        return SiteRecord(name, math.nan, math.nan, element.place)
    x, y = (_number(_child(at, axis, path), path, f"coordinate {axis}") for axis in "xy")
    return SiteRecord(name, x, y, at.place)


def _link(element: Element, path: Path) -> LinkRecord:
    name = _id(element, path)
    source, target = (_child(element, end, path).text for end in ("source", "target"))
    before, more = element.child("preInstalledModule"), element.child("additionalModules")
    installed = _capacity(before, path) if before else 0.0
    modules = tuple(_capacity(m, path) for m in more.all("addModule")) if more else ()
    return LinkRecord(name, source, target, installed or math.nan, modules, element.place)


def _demand(element: Element, path: Path) -> DemandRecord:
    name = _id(element, path)
    source, target = (_child(element, end, path).text for end in ("source", "target"))
    value = _number(_child(element, "demandValue", path), path, "demandValue")
    routed = element.child("routingUnit")
    if routed is not None:
        value *= _number(routed, path, "routingUnit")
    return DemandRecord(name, source, target, value, element.place)


def _capacity(module: Element, path: Path) -> float:
    return _number(_child(module, "capacity", path), path, "capacity")


def _number(element: Element, path: Path, what: str) -> float:
    return sndlib.number(element.text, path, element.place, what)


def _id(element: Element, path: Path) -> str:
    name = " ".join(element.attributes.get("id", "").split())
    if not name:
        reason = f"the <{element.name}> has no id"
        raise FormatError(path, element.place, reason, 'Give it id="...".')
    return name


def _text(element: Element, name: str) -> str:
    child = element.child(name)
    return child.text if child else ""


def _child(element: Element, name: str, path: Path) -> Element:
    child = element.child(name)
    if child is None:
        reason = f"the <{element.name}> has no <{name}>"
        raise FormatError(path, element.place, reason, f"Add <{name}>; the file may be cut off.")
    return child
