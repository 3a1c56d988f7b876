"""Reading a containerlab topology: YAML to a PartialNetwork."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from nettwin.errors import FormatError, UnknownNameError
from nettwin.formats.attributed_graph import (
    listed,
    place_of,
)
from nettwin.formats.edge_attributes import (
    EdgeFacts,
    Origin,
    edge_facts,
    origin_words,
)
from nettwin.formats.partial_network import PartialLink, PartialNetwork
from nettwin.formats.yaml_document import line_of, load_yaml
from nettwin.scenario.topology import Node

MAX_NODES = 10_000
_OUTSIDE = ("host", "macvlan", "mgmt-net")  # first words of endpoints that are no nodes
_OTHER_TYPES = ("host", "macvlan", "mgmt-net", "vxlan", "vxlan-stitch", "dummy")
_BRIDGES = ("bridge", "ovs-bridge")


class Endpoint(NamedTuple):
    """An end of a link: a node and one of its interfaces."""

    node: str
    interface: str


class TopologyReader:
    """Reads one topology file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = PartialNetwork("containerlab", str(path), name=path.name.split(".")[0])
        self._kind: dict[str, str] = {}
        self._taken: dict[Endpoint, str] = {}
        self._origins: list[Origin] = []
        self._unclear: set[str] = set()
        self._unused: set[str] = set()

    def partial(self) -> PartialNetwork:
        """The network that the file describes."""
        document = load_yaml(self._path)
        topology = self._mapping(document, "topology")
        if isinstance(name := document.get("name"), str) and name.strip():
            self._draft.name = " ".join(name.split())[:100]
        self._add_nodes(topology)
        links = topology.get("links")
        if links is not None and not isinstance(links, list):
            self._fail(
                line_of(topology, "links"), "links is not a list", "Write `- endpoints: ...`."
            )
        for i, link in enumerate(links or []):
            self._add_link(link, line_of(links, i))
        self._tell(document, topology)
        return self._draft

    def _add_nodes(self, topology: Mapping[str, Any]) -> None:
        nodes = self._mapping(topology, "nodes")
        if not 0 < len(nodes) <= MAX_NODES:
            reason = f"there are {len(nodes)} nodes"
            self._fail(line_of(topology, "nodes"), reason, f"Give 1 to {MAX_NODES:,}.")
        defaults = topology.get("defaults")
        usual = defaults.get("kind") if isinstance(defaults, dict) else None
        for name, settings in nodes.items():
            place = line_of(nodes, name)
            if settings is not None and not isinstance(settings, dict):
                self._fail(place, f"node {name} is not a mapping", "Write `kind: ...` below it.")
            settings = settings or {}
            labels = self._texts(settings.get("labels"))
            latitude, longitude, _ = place_of(labels, self._path, place)
            text = " ".join(str(name).split())
            if text in self._kind or not text:
                self._fail(place, f"duplicate or empty node {text!r}", "Rename it.")
            self._kind[text] = str(settings.get("kind") or usual or "")
            self._draft.nodes.append(Node(text, latitude, longitude))

    def _add_link(self, link: Any, place: str) -> None:
        if not isinstance(link, dict):
            self._fail(
                place, "the link is not a mapping", 'Write `endpoints: ["a:eth1", "b:eth1"]`.'
            )
        kind = str(link.get("type", "veth"))
        if kind in _OTHER_TYPES:
            self._draft.ignore(f"links to outside the lab: type {kind}")
            return
        if kind != "veth":
            allowed = ", ".join(("veth", *_OTHER_TYPES))
            self._fail(place, f"type of the link is {kind[:40]!r}", f"It must be one of {allowed}.")
        ends = link.get("endpoints")
        if not isinstance(ends, list) or len(ends) != 2:
            reason = "the link has no list of two endpoints"
            self._fail(place, reason, 'Write `endpoints: ["a:eth1", "b:eth1"]`.')
        pair = [self._endpoint(end, place) for end in ends]
        outside = [end.node for end in pair if end.node in _OUTSIDE and end.node not in self._kind]
        if outside:
            self._draft.ignore(f"links to outside the lab: {outside[0]}:")
            return
        for end in pair:
            self._check_end(end, place)
        if pair[0].node == pair[1].node:
            self._draft.ignore("links from a node to itself")
            return
        facts = self._facts(link, place)
        self._draft.links.append(
            PartialLink(
                pair[0].node,
                pair[1].node,
                facts.capacity_bps,
                facts.delay_s,
                facts.weight,
                duplex=True,
            )
        )

    def _endpoint(self, end: Any, place: str) -> Endpoint:
        if isinstance(end, dict):
            node, interface = end.get("node"), end.get("interface")
        elif isinstance(end, str):
            node, _, interface = end.partition(":")
        else:
            node = interface = None
        if node in (None, "") or interface in (None, ""):
            reason = f"endpoint {str(end)[:40]!r} does not name a node and an interface"
            self._fail(place, reason, "Write `node:interface`.")
        return Endpoint(" ".join(str(node).split()), str(interface).strip())

    def _check_end(self, end: Endpoint, place: str) -> None:
        if end.node not in self._kind:
            reason = str(UnknownNameError("node", end.node[:100], self._kind))
            self._fail(place, reason, "Correct the endpoint, or add the node.")
        if end in self._taken:
            reason = f"interface {end.interface} of {end.node} has a link in {self._taken[end]}"
            self._fail(place, reason, "Give every link interfaces of its own.")
        self._taken[end] = place

    def _facts(self, link: Mapping[str, Any], place: str) -> EdgeFacts:
        said = self._texts(link.get("labels")) | self._texts(link.get("vars"))
        facts = edge_facts(said, self._path, place)
        self._origins += facts.origins
        self._unclear |= set(facts.unclear)
        self._unused |= said.keys() - facts.used
        return facts

    def _tell(self, document: Mapping[str, Any], topology: Mapping[str, Any]) -> None:
        for text in origin_words(self._origins):
            self._draft.assume(text.replace("edge", "link"))
        bridges = [name for name, kind in self._kind.items() if kind in _BRIDGES]
        if bridges:
            self._draft.assume(f"nodes: the bridges are kept as nodes ({', '.join(bridges[:5])})")
        if self._unclear:
            self._draft.ignore(f"values that say nothing certain: {listed(sorted(self._unclear))}")
        if self._unused:
            self._draft.ignore(f"labels and vars of links: {listed(sorted(self._unused))}")
        self._draft.ignore("kinds, images and settings of nodes; names of interfaces")
        others = sorted(str(k) for k in topology if k not in ("nodes", "links"))
        others += sorted(str(k) for k in document if k not in ("name", "topology"))
        if others:
            self._draft.ignore(f"sections {listed(others)}")

    def _mapping(self, container: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = container.get(name)
        if not isinstance(found, dict):
            place = line_of(container, name) if name in container else line_of(container)
            what = "is not a mapping" if name in container else "is missing"
            self._fail(place, f"{name} {what}", f"Write `{name}:` and what belongs to it below.")
        return found

    def _texts(self, mapping: Any) -> dict[str, str]:
        """The single values of a mapping as text."""
        if not isinstance(mapping, dict):
            return {}
        single = (str, int, float)
        return {str(k): str(v) for k, v in mapping.items() if isinstance(v, single)}

    def _fail(self, place: str, reason: str, remedy: str) -> NoReturn:
        raise FormatError(self._path, place, reason, remedy)
