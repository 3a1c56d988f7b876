"""Ports to links: which link's load a port of a source counts.

A port is the one that a link leaves from: its device is the link's source. Where the link's name
does not say which port it is, the file of the source does (`links`, `devices`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nettwin.errors import UnknownNameError
from nettwin.formats.interface_names import SEPARATOR, same_interface
from nettwin.scenario.link_names import find_links
from nettwin.scenario.topology import Topology
from nettwin.telemetry.series import Port

NEAR = 3


@dataclass(frozen=True)
class Unmatched:
    """A port that is no link's, why, and what it may be."""

    port: Port
    why: str
    near: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matched:
    """The link that each port sends into, and the ports that are no link's."""

    link_of: Mapping[Port, int]
    unmatched: tuple[Unmatched, ...] = ()


@dataclass(frozen=True)
class Names:
    """How a source's names are those of the network: `devices` by alias; `links`, of each device
    by interface."""

    devices: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def match_ports(ports: Iterable[Port], topology: Topology, names: Names) -> Matched:
    """The link of each port. Raises UnknownNameError where `names` has a link or a node that the
    network has not."""
    found: dict[Port, int] = {}
    unmatched: list[Unmatched] = []
    nodes = NodeNames(topology, names.devices)
    leaving: dict[int, list[int]] = {}
    for k, source in enumerate(topology.link_source.tolist()):
        leaving.setdefault(source, []).append(k)
    for port in dict.fromkeys(ports):
        given = names.links.get(port.device, {}).get(port.interface)
        if given is not None:
            if given:  # an empty name: left out on purpose
                found[port] = _one_link(topology, given)
            continue
        node = nodes.find(port.device)
        if node is None:
            near = difflib.get_close_matches(port.device, topology.node_name, NEAR, 0.5)
            unmatched.append(Unmatched(port, f"{port.device} is no node", tuple(near)))
            continue
        mine = leaving.get(node, [])
        links = [k for k in mine if _is_port(topology.link_name[k], port.interface)]
        if len(links) == 1:
            found[port] = links[0]
            continue
        here = [topology.link_name[k] for k in mine]
        near = difflib.get_close_matches(port.interface, here, NEAR, 0.3) or here[:NEAR]
        unmatched.append(Unmatched(port, f"no link of {port.device} is named so", tuple(near)))
    return Matched(found, tuple(unmatched))


def _one_link(topology: Topology, name: str) -> int:
    links = find_links(topology, name)
    if len(links) != 1:
        raise UnknownNameError("link", name, topology.link_name)
    return int(links[0])


def _is_port(link: str, interface: str) -> bool:
    if link == interface:
        return True
    _, separator, port = link.partition(SEPARATOR)
    return bool(separator) and same_interface(port, interface)


class NodeNames:
    """Nodes by the names that sources have for them."""

    def __init__(self, topology: Topology, aliases: Mapping[str, str]) -> None:
        self.topology, self.aliases = topology, aliases
        self.plain: dict[str, int | None] = {}
        for i, name in enumerate(topology.node_name):
            for key in {name.casefold(), _host(name)}:
                self.plain[key] = None if key in self.plain else i  # None: of several nodes
        for i, name in enumerate(topology.node_name):
            self.plain[name.casefold()] = i

    def find(self, device: str) -> int | None:
        if device in self.aliases:
            return self.topology.node(self.aliases[device])
        if device in self.topology.node_index:
            return self.topology.node_index[device]
        return self.plain.get(device.casefold(), self.plain.get(_host(device)))


def _host(name: str) -> str:
    """A name without its domain and without the port of an address."""
    host = re.sub(r":\d+$", "", name.strip()).casefold()
    return host if re.fullmatch(r"[\d.]+|.*:.*:.*", host) else host.partition(".")[0]
