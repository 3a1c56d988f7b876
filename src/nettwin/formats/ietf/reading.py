"""Reading: the networks of a file as drafts, with what is assumed and left out."""

from __future__ import annotations

from collections.abc import Iterator

from nettwin.errors import UnknownNameError
from nettwin.formats.ietf import attributes
from nettwin.formats.ietf.attributes import Notes
from nettwin.formats.ietf.traffic import ROUTING, TRAFFIC, add_traffic
from nettwin.formats.ietf.tree import Part
from nettwin.formats.partial_network import PartialLink, PartialNetwork
from nettwin.scenario.topology import Node

LINK = "ietf-network-topology:link"
POINT = "ietf-network-topology:termination-point"
_TE_TOPOLOGY = "ietf-te-topology"
_NETWORK = ("network-id", "network-types", "supporting-network", "node", LINK, TRAFFIC, ROUTING)
_NODE = (
    "node-id",
    POINT,
    attributes.TE,
    attributes.OWN_NODE,
    "ietf-geo-location:geo-location",
)
_LINK = (
    "link-id",
    "source",
    "destination",
    attributes.L3_LINK,
    attributes.TE,
    attributes.OWN_LINK,
    attributes.OWN_SCHEDULER,
)
_TE_LINK = (
    "admin-status",
    "max-link-bandwidth",
    "te-igp-metric",
    "te-delay-metric",
    "te-srlgs",
    attributes.ONE_WAY,
)


def drafts(whole: Part) -> Iterator[PartialNetwork]:
    """A draft of each network that has links; where none has, of each that has nodes."""
    networks = _networks(whole)
    used = [n for n in networks if any(True for _ in n.items(LINK))]
    used = used or [n for n in networks if any(True for _ in n.items("node"))]
    if not used:
        raise whole.error("holds no network with nodes", "Give a file with a network in it.")
    for network in used:
        partial = _draft(network)
        for other in networks:
            if other not in used:
                partial.ignore(f"network {other.need('network-id').text()}, which has no links")
        yield partial


def _networks(whole: Part) -> list[Part]:
    content = whole.at("ietf-yang-instance-data:instance-data-set", "content-data") or whole
    top = content.find("ietf-network:networks")
    if top is not None:
        return list(top.items("ietf-network:network"))
    return list(content.items("ietf-network:network"))


def _draft(network: Part) -> PartialNetwork:
    name = network.need("network-id").text()
    partial = PartialNetwork("ietf-network", str(network.path), name)
    notes = Notes()
    partial.nodes, points = _nodes(network, notes)
    partial.links = _links(network, points, notes)
    add_traffic(network, partial)
    for below in network.items("supporting-network"):
        under = below.need("network-ref").text()
        partial.ignore(f"supporting-network {under} of network {name}: each is read by itself")
    for key in network.others(_NETWORK):
        partial.ignore(f"{key} of network {name}")
    notes.into(partial)
    return partial


def _nodes(network: Part, notes: Notes) -> tuple[list[Node], dict[str, set[str]]]:
    """The nodes, and the termination points of each."""
    nodes: list[Node] = []
    points: dict[str, set[str]] = {}
    for part in network.items("node"):
        name = part.need("node-id").text()
        if name in points:
            raise part.error(f"is a second node {name}", "Give every node an id of its own.")
        points[name] = {point.need("tp-id").text() for point in part.items(POINT)}
        nodes.append(
            Node(
                name,
                attributes.coordinate(part, "latitude"),
                attributes.coordinate(part, "longitude"),
                attributes.srlg(part, attributes.OWN_NODE),
                attributes.is_up(part, "te-node-attributes", notes, "nodes"),
            )
        )
        notes.skip(part, _NODE, "", "nodes")
        te = part.find(attributes.TE)
        notes.skip(te, ("te-node-attributes", "oper-status", "geolocation"), "te/", "nodes")
    return nodes, points


def _links(network: Part, points: dict[str, set[str]], notes: Notes) -> list[PartialLink]:
    links: list[PartialLink] = []
    seen: set[str] = set()
    for part in network.items(LINK):
        name = part.need("link-id").text()
        if name in seen:
            raise part.error(f"is a second link {name}", "Give every link an id of its own.")
        seen.add(name)
        source = _end(part.need("source"), "source", points)
        target = _end(part.need("destination"), "dest", points)
        _note_link(part, notes)
        if source == target:
            notes.left_out["links from a node to itself: {}"] += 1
            continue
        links.append(
            PartialLink(
                source,
                target,
                attributes.capacity_bps(part),
                attributes.delay_s(part, notes),
                attributes.weight(part, notes),
                attributes.scheduler(part),
                attributes.srlg(part, attributes.OWN_LINK),
                "" if name == f"{source}->{target}" else name,
                attributes.is_up(part, "te-link-attributes", notes, "links"),
            )
        )
    return links


def _end(part: Part, prefix: str, points: dict[str, set[str]]) -> str:
    """The node at an end of a link, which must be in the network, as its termination point."""
    place = part.need(f"{prefix}-node")
    node = place.text()
    if node not in points:
        unknown = UnknownNameError("node", node, points)
        raise place.error(str(unknown), "Add the node to the network, or correct the name.")
    point = part.find(f"{prefix}-tp")
    if point is not None and points[node] and point.text() not in points[node]:
        unknown = UnknownNameError("termination point", point.text(), sorted(points[node]))
        raise point.error(str(unknown), f"Add it to node {node}, or correct the name.")
    return node


def _note_link(part: Part, notes: Notes) -> None:
    notes.skip(part, _LINK, "", "links")
    notes.skip(part.find(attributes.L3_LINK), ("metric1",), "l3-link-attributes/", "links")
    te = part.find(attributes.TE)
    notes.skip(te, ("te-link-attributes", "oper-status"), "te/", "links")
    inner = te.find("te-link-attributes") if te is not None else None
    default = () if part.at(attributes.L3_LINK, "metric1") else ("te-default-metric",)
    notes.skip(inner, (*_TE_LINK, *default), "te-link-attributes/", "links")
