"""An SNMP agent (v2c) that answers as it is told to, for the days on which real ones misbehave."""

from __future__ import annotations

import socket
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import NamedTuple

Oid = tuple[int, ...]
INTEGER, OCTETS, NULL, OBJECT, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
TICKS, COUNTER64, NO_OBJECT, END, RESPONSE = 0x43, 0x46, 0x80, 0x82, 0xA2
NO_SNMP = {"garbage": b"\x30\x03\x02\x01\x07 and more", "broken off": b"\x30\x84"}
GET, BULK = 0xA0, 0xA5


class Value(NamedTuple):
    """A value with its type."""

    tag: int
    content: int | bytes


Table = Mapping[Oid, Value]
IF_TABLE, IF_X_TABLE = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
SYSTEM = (1, 3, 6, 1, 2, 1, 1)


def ports(
    names: Mapping[int, str], octets: Mapping[str, int], *, mbps: int = 1000, uptime: int = 90_000,
    called: str = "r1", wide: bool = True,
) -> dict[Oid, Value]:  # fmt: skip
    """The objects of an agent: `octets` by the name of a port, `names` by its index."""
    table = {
        (*SYSTEM, 3, 0): Value(TICKS, uptime),
        (*SYSTEM, 5, 0): Value(OCTETS, called.encode()),
    }
    for index, name in names.items():
        for column in (10, 16):
            table[(*IF_TABLE, column, index)] = Value(0x41, octets[name] % 2**32)
        table[(*IF_TABLE, 2, index)] = Value(OCTETS, name.encode())
        table[(*IF_TABLE, 5, index)] = Value(0x42, min(mbps * 10**6, 2**32 - 1))
        table[(*IF_TABLE, 8, index)] = Value(INTEGER, 1)
        if wide:
            table[(*IF_X_TABLE, 1, index)] = Value(OCTETS, name.encode())
            table[(*IF_X_TABLE, 15, index)] = Value(0x42, mbps)
            for column in (6, 10):
                table[(*IF_X_TABLE, column, index)] = Value(COUNTER64, octets[name])
    return table


@contextmanager
def agent(answer: Callable[[], Table], *, broken: str = "") -> Iterator[str]:
    """An agent whose objects are `answer()` at each request; its address. `broken`: `endless` walks
    tell new rows for ever, `back` tell the same again, `garbage` is no SNMP, `broken off`
    is the beginning of some."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = Thread(target=_serve, args=(server, answer, broken), daemon=True)
        thread.start()
        host, port = server.getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", (host, port))
            thread.join()


def _serve(server: socket.socket, answer: Callable[[], Table], broken: str) -> None:
    while True:
        request, who = server.recvfrom(65535)
        if not request:
            return
        if broken in NO_SNMP:
            server.sendto(NO_SNMP[broken], who)
            continue
        version, community, (tag, number, _, most, asked) = _request(request)
        table = answer()
        order = sorted(table)
        rows: list[tuple[Oid, Value]] = []
        for oid in asked:
            if tag == GET:
                rows.append((oid, table.get(oid, Value(NO_OBJECT, b""))))
                continue
            last = oid
            for _ in range(max(most, 1) if tag == BULK else 1):
                last, value = _next(last, table, order, broken)
                rows.append((last, value))
                if value.tag == END:
                    break
        bindings = b"".join(_tlv(SEQUENCE, _oid(oid) + _value(value)) for oid, value in rows)
        body = _integer(number) + _integer(0) + _integer(0) + _tlv(SEQUENCE, bindings)
        server.sendto(_tlv(SEQUENCE, version + community + _tlv(RESPONSE, body)), who)


def _next(oid: Oid, table: Table, order: list[Oid], broken: str) -> tuple[Oid, Value]:
    column = (*IF_X_TABLE, 1)
    if broken and oid[: len(column)] == column and len(oid) > len(column) and oid[-1] >= 2:
        if broken == "endless":
            return (*column, oid[-1] + 1), Value(OCTETS, f"port {oid[-1]}".encode())
        return (*column, 1), Value(OCTETS, b"one")  # back to the first
    place = bisect_right(order, oid)
    if place == len(order):
        return oid, Value(END, b"")
    return order[place], table[order[place]]


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _integer(value: int, tag: int = INTEGER) -> bytes:
    return _tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _value(value: Value) -> bytes:
    if isinstance(value.content, int):
        return _integer(value.content, value.tag)
    return _tlv(value.tag, value.content)


def _oid(oid: Oid) -> bytes:
    content = bytearray([oid[0] * 40 + oid[1]])
    for part in oid[2:]:
        septets = [part & 127]
        while part := part >> 7:
            septets.append(part & 127 | 128)
        content += bytes(reversed(septets))
    return _tlv(OBJECT, bytes(content))


def _parts(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Tag, content and the whole of each element."""
    at = 0
    while at < len(content):
        begin, tag, size = at, content[at], content[at + 1]
        at += 2
        if size > 127:
            count = size & 127
            size = int.from_bytes(content[at : at + count], "big")
            at += count
        yield tag, content[at : at + size], content[begin : at + size]
        at += size


def _request(request: bytes) -> tuple[bytes, bytes, tuple[int, int, int, int, list[Oid]]]:
    (_, message, _) = next(_parts(request))
    version, community, pdu = _parts(message)
    number, first, second, bindings = _parts(pdu[1])
    asked = []
    for _, binding, _ in _parts(bindings[1]):
        oid = [0]
        content = next(_parts(binding))[1]
        for octet in content:
            oid[-1] = oid[-1] << 7 | octet & 127
            if octet < 128:
                oid.append(0)
        asked.append((oid[0] // 40, oid[0] % 40, *oid[1:-1]))
    numbers = (int.from_bytes(one[1], "big", signed=True) for one in (number, first, second))
    return version[2], community[2], (pdu[0], *numbers, asked)  # type: ignore[return-value]
