"""Tables: what the kernel of a router has (routes, rules, devices, ports), read at once.

Networks are watched while routes settle, many thousand entries a second; a general netlink library
takes ten times as long to take messages apart. Layouts are those of linux/rtnetlink.h,
linux/fib_rules.h, linux/pkt_sched.h and linux/seg6.h; numbers are of this machine's byte order.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from nettwin.errors import NetworkError

DUMP, REQUEST = 0x300, 0x1
ERROR, DONE = 2, 3
LINKS, ROUTES, RULES, DISCIPLINES, CLASSES, FILTERS = 18, 26, 34, 38, 42, 46
MAIN, LOCAL = 254, 255
UP = 6  # operational state
NESTED = 0x3FFF  # of an attribute's type: the rest are flags
BUFFER_BYTES = 1 << 17

Attributes = dict[int, memoryview]


class Route(NamedTuple):
    """A route over IPv4: where to (empty: anywhere), by which devices, with which segment list in
    the order of the header, where the last stands first."""

    table: int
    target: str
    devices: tuple[int, ...]
    segments: tuple[str, ...]


class Rule(NamedTuple):
    """A rule over IPv4: which table packets look in, by their source port."""

    priority: int
    table: int
    first_port: int
    last_port: int


class Class(NamedTuple):
    """A class of an HTB, and what it has carried."""

    handle: int
    ceiling_bytes: int  # a second
    priority: int
    quantum_bytes: int
    bytes: int
    packets: int
    drops: int


class Filter(NamedTuple):
    """A filter of a port: its preference and the class that it leads to."""

    preference: int
    target: int


class Tables:
    """The tables of the network namespace that this is made in. Raises NetworkError where the
    kernel refuses."""

    def __init__(self) -> None:
        self._line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._line.bind((0, 0))
        self._number = 0

    def up(self) -> dict[str, bool]:
        """Whether each device has a carrier."""
        found = {}
        for _, parts in self._dump(LINKS, struct.pack("BxHiII", 0, 0, 0, 0, 0)):
            found[bytes(parts[3]).rstrip(b"\0").decode()] = parts[16][0] == UP
        return found

    def routes(self) -> list[Route]:
        """Every route over IPv4 but those to the router itself."""
        found = []
        for body, parts in self._dump(ROUTES, struct.pack("B11x", socket.AF_INET), 12):
            if body[4] == LOCAL:
                continue
            table = _number(parts[15]) if 15 in parts else body[4]
            target = f"{socket.inet_ntoa(parts[1])}/{body[1]}" if 1 in parts else ""
            if 9 in parts:
                devices = tuple(_next_hops(parts[9]))
            else:
                devices = (_number(parts[4]),) if 4 in parts else ()
            found.append(Route(table, target, devices, _segments(parts)))
        return found

    def rules(self) -> list[Rule]:
        """Every rule over IPv4 that looks at source ports."""
        found = []
        for body, parts in self._dump(RULES, struct.pack("B11x", socket.AF_INET), 12):
            if 23 in parts:
                table = _number(parts[15]) if 15 in parts else body[4]
                priority = _number(parts[6]) if 6 in parts else 0
                found.append(Rule(priority, table, *struct.unpack_from("HH", parts[23])))
        return found

    def disciplines(self) -> dict[tuple[int, int], tuple[str, int]]:
        """The kind and limit of every queueing discipline, by device and parent; the limit of one
        that has none is 0."""
        found = {}
        for body, parts in self._dump(DISCIPLINES, _port(), 20):
            index, _, parent = struct.unpack_from("iII", body, 4)
            kind = bytes(parts[1]).rstrip(b"\0").decode()
            options = parts.get(2)
            limited = kind in ("pfifo", "bfifo") and options is not None and len(options) >= 4
            found[index, parent] = kind, _number(options) if limited and options is not None else 0
        return found

    def classes(self, index: int) -> list[Class]:
        """The classes of the HTB of a device."""
        found = []
        for body, parts in self._dump(CLASSES, _port(index), 20):
            options, counts = _attributes(parts[2]), _attributes(parts[7])
            ceiling, quantum, priority = struct.unpack_from("20xI8xI4xI", options[1])
            if 7 in options:  # more than 32 bits hold
                (ceiling,) = struct.unpack_from("Q", options[7])
            octets, packets = struct.unpack_from("QI", counts[1])
            (drops,) = struct.unpack_from("8xI", counts[3])
            handle = _number(body[8:12])
            found.append(Class(handle, ceiling, priority, quantum, octets, packets, drops))
        return found

    def filters(self, index: int, parent: int) -> list[Filter]:
        """The filters of a device below a discipline that lead to a class."""
        found = []
        for body, parts in self._dump(FILTERS, _port(index, parent), 20):
            options = _attributes(parts[2]) if 2 in parts else {}
            if 1 in options:
                found.append(Filter(_number(body[16:20]) >> 16, _number(options[1])))
        return found

    def _dump(
        self, kind: int, body: bytes, size: int = 16
    ) -> Iterator[tuple[memoryview, Attributes]]:
        """The body and the attributes of each message that answers a request for all of a kind."""
        self._number += 1
        head = struct.pack("IHHII", 16 + len(body), kind, REQUEST | DUMP, self._number, 0)
        self._line.send(head + body)
        while True:
            data = memoryview(self._line.recv(BUFFER_BYTES))
            at = 0
            while at < len(data):
                length, answer, _, number, _ = struct.unpack_from("IHHII", data, at)
                if number == self._number:
                    if answer == DONE:
                        return
                    if answer == ERROR:
                        code = struct.unpack_from("i", data, at + 16)[0]
                        raise NetworkError(f"the kernel refuses to tell its tables (error {-code})")
                    begin = at + 16
                    yield data[begin : begin + size], _attributes(data[begin + size : at + length])
                at += length + 3 & ~3


def _port(index: int = 0, parent: int = 0) -> bytes:
    return struct.pack("4xiIII", index, 0, parent, 0)


def _number(data: memoryview) -> int:
    return int.from_bytes(data[:4], "little")


def _attributes(data: memoryview) -> Attributes:
    found, at, end = {}, 0, len(data)
    while at + 4 <= end:
        length, kind = struct.unpack_from("HH", data, at)
        if length < 4:
            break
        found[kind & NESTED] = data[at + 4 : at + length]
        at += length + 3 & ~3
    return found


def _next_hops(data: memoryview) -> Iterator[int]:
    at = 0
    while at + 8 <= len(data):
        length, index = struct.unpack_from("HxxI", data, at)
        yield index
        at += length + 3 & ~3


def _segments(parts: Attributes) -> tuple[str, ...]:
    """The segments of a route that encapsulates, as they stand in the header."""
    inside = _attributes(parts[22]).get(1) if 22 in parts else None
    if inside is None:
        return ()
    header = inside[4:]  # after the mode
    return tuple(
        socket.inet_ntop(socket.AF_INET6, header[8 + 16 * k : 24 + 16 * k])
        for k in range(header[4] + 1)
    )
