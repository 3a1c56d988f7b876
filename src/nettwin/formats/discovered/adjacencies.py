"""Adjacencies: ports joined in pairs, as one end or both ends tell it, to a network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from nettwin.formats.interface_names import port_name, same_interface, speed_of, split_interface
from nettwin.formats.partial_network import PartialLink, PartialNetwork
from nettwin.scenario.topology import Node


@dataclass(eq=False)
class End:
    """A port: its device, its name where one is told, and what is known of it."""

    device: str
    port: str
    speed_bps: float = math.nan
    up: bool = True
    weight: float = math.nan
    delay_s: float = math.nan
    joined: End | None = None
    told: int = 0  # how often the pair was told by this end


@dataclass
class Adjacencies:
    """Ports that are joined, gathered; then a network of them."""

    format: str
    source: Path
    nodes: dict[str, Node] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)  # what is left out, and how often
    _by_port: dict[tuple[str, str], list[End]] = field(default_factory=dict)
    _canonical: dict[str, str] = field(default_factory=dict)

    def node(self, name: str, latitude: float = math.nan, longitude: float = math.nan) -> str:
        """A device by its name, with or without a domain: the name that the network gives it."""
        short = name.casefold().partition(".")[0]
        known = self._canonical.setdefault(short, name)
        if known.casefold() != name.casefold() and "." in known and "." in name:
            known = name  # two domains: two devices
        if known not in self.nodes:
            self.nodes[known] = Node(known, latitude, longitude)
        return known

    def end(self, device: str, port: str) -> End:
        """The port of a device, by its name in full or abbreviated; without a name a new one."""
        device = self.node(device)
        key = (device, split_interface(port)[1])
        if port:
            for one in self._by_port.get(key, ()):
                if same_interface(one.port, port):
                    if len(port) > len(one.port):
                        one.port = port
                    return one
        made = End(device, port)
        self.ends.append(made)
        if port:
            self._by_port.setdefault(key, []).append(made)
        return made

    def join(self, near: End, far: End) -> None:
        """Note that `near` tells that it is joined to `far`."""
        if near.joined is far:
            near.told += 1
            return
        if near.joined is None and far.joined is None:
            near.joined, far.joined, near.told = far, near, 1
            return
        words = " and ".join(
            f"{port_name(*e)}" for e in sorted({(x.device, x.port) for x in (near, far)})
        )
        self.ignored.append(f"the adjacency of {words}: one of them is joined elsewhere already")

    def left_out(self, words: str) -> None:
        """Count something that is left out."""
        self.left[words] = self.left.get(words, 0) + 1

    def leave(self, end: End | None) -> None:
        """Leave a port out that stands for others, or that others stand for."""
        if end in self.ends:
            self.ends.remove(end)

    def drop_alone(self, words: str) -> None:
        """Leave out the nodes that nothing is joined to; they are told of in these words."""
        joined = {end.device for end in self.ends if end.joined is not None}
        alone = [name for name in self.nodes if name not in joined]
        for name in alone:
            del self.nodes[name]
        if alone:
            self.ignored.append(f"{len(alone)} {words}, such as {alone[0]}")

    def partial(self) -> PartialNetwork:
        """The network: two links for each pair, named by the ports that they leave from."""
        made = PartialNetwork(self.format, str(self.source), name=self.source.stem)
        made.nodes = list(self.nodes.values())
        counts = [f"{count} {words}" for words, count in self.left.items()]
        made.ignored, made.assumptions = [*self.ignored, *counts], self.assumptions
        done: set[int] = set()
        named = one_sided = 0
        for near in self.ends:
            far = near.joined
            if far is None or id(near) in done:
                continue
            done |= {id(near), id(far)}
            if near.device == far.device:
                made.ignore(
                    f"the port {port_name(near.device, near.port)}: joined to its own device"
                )
                continue
            one_sided += not (near.told and far.told)
            for here, there in ((near, far), (far, near)):
                capacity = here.speed_bps if here.speed_bps > 0 else there.speed_bps
                if not capacity > 0:
                    guess = speed_of(here.port) or speed_of(there.port)
                    named += guess is not None
                    capacity = guess or math.nan
                made.links.append(
                    PartialLink(
                        here.device,
                        there.device,
                        capacity,
                        here.delay_s,
                        here.weight,
                        name=port_name(here.device, here.port) if here.port else "",
                        up=near.up and far.up,
                    )
                )
        if named:
            made.assume(f"capacity of {named} of {len(made.links)} links: as their ports are named")
        if one_sided:
            pairs = len(made.links) // 2
            made.assume(f"{one_sided} of {pairs} links: joined as one of their ends tells")
        alone = [e for e in self.ends if e.joined is None]
        if alone:
            made.ignore(f"{len(alone)} ports: joined to nothing that is told")
        return made
