"""Addresses: what the routers of an emulated network and their interfaces are called.

Router i is `r<i>`, with the loopback address 10.255.x.y. Link k is the device `e<k>` of its source;
a link and its reverse are one veth pair with a /30 and an IPv6 /64. The segment fc00:a:b::c stands
for "came by link a, goes on by link b" (b = ffff: has arrived), c for the traffic class and one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.scenario.topology import Topology

LOOPBACKS = "10.255.0.0/16"
ARRIVED = 0xFFFF
MAX_LINKS, MAX_NODES, MAX_CLASSES = 0xFFFF, 62500, 47
PORT = 9000  # where every router receives
FIRST_SOURCE_PORT, PORTS_A_FLOW = 10000, 16


def router(node: int) -> str:
    """The name of a router."""
    return f"r{node}"


def device(link: int) -> str:
    """The device of a link, in the namespace of its source."""
    return f"e{link}"


def loopback(node: int) -> str:
    """The address that stands for a router."""
    return f"10.255.{node // 250}.{node % 250 + 1}"


def node_of(address: str) -> int | None:
    """The router that a loopback address stands for; None for another address."""
    a, b, c, d = address.partition("/")[0].split(".")
    return int(c) * 250 + int(d) - 1 if (a, b) == ("10", "255") else None


def reverses(topology: Topology) -> NDArray[np.int64]:
    """The link in the other direction of each link. [links] Raises InputError for one that has
    none: a cable has two directions."""
    found = np.full(topology.link_count, -1, np.int64)
    waiting: dict[tuple[int, int], list[int]] = {}
    ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
    for k, (source, target) in enumerate(ends):
        others = waiting.get((target, source))
        if others:
            other = others.pop(0)
            found[k], found[other] = other, k
        else:
            waiting.setdefault((source, target), []).append(k)
    alone = np.flatnonzero(found < 0)
    if len(alone):
        raise InputError(
            f"link {topology.link_name[alone[0]]} has no link in the other direction: a cable of"
            " the linux network has both. Add the other."
        )
    return found


def ends(link: int, reverse: int) -> tuple[str, str, str, str]:
    """The IPv4 and IPv6 addresses of a link's device and of its neighbor, without the lengths of
    their prefixes (30 and 64)."""
    pair = min(link, reverse)
    mine, other = (1, 2) if link == pair else (2, 1)
    net = pair * 4
    four = f"10.{net >> 16}.{net >> 8 & 255}."
    return (
        f"{four}{(net & 255) + mine}",
        f"{four}{(net & 255) + other}",
        f"fd00:{pair:x}::{mine}",
        f"fd00:{pair:x}::{other}",
    )


def tos(traffic_class: int) -> int:
    """The type-of-service byte of a class's packets."""
    return (traffic_class + 1) << 2


def segment(link: int, onward: int = ARRIVED, traffic_class: int = -1) -> str:
    """A segment (see above); without a class the prefix of all of them, /48."""
    last = f"{traffic_class + 1:x}" if traffic_class >= 0 else ""
    return f"fc00:{link:x}:{onward:x}::{last}"


def segments(links: list[int], traffic_class: int) -> list[str]:
    """The segment list of a path, the first first."""
    return [
        segment(link, onward, traffic_class)
        for link, onward in zip(links, [*links[1:], ARRIVED], strict=True)
    ]


def encapsulation_bytes(hops: int) -> int:
    """What the segment list of a path adds to a packet: an IPv6 header and one of segments."""
    return 40 + 8 + 16 * hops
