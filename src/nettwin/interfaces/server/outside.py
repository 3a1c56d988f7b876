"""Outside: which addresses a request may have the server ask.

A URL that somebody gives must not reach what is inside: this machine, its neighbors, the metadata
of a cloud. Names are resolved and every address is looked at before any socket opens; and while the
work is done, nothing else resolves, so that a name cannot turn to another address meanwhile.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from nettwin.interfaces.server.problems import ProblemError

REMEDY = "Give one that is outside, or have the server started with --inside NETWORK."


def check_url(url: str, inside: Sequence[str] = ()) -> None:
    """Raise ProblemError (403) for a URL with an address that is inside and not in one of the
    networks of `inside` (such as 10.1.0.0/16), 422 for what is no URL of a web server."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        detail = f"{url[:200]!r} is no address of a web server"
        raise ProblemError(422, "url", detail, "Write it as https://HOST:PORT.")
    for address in _addresses(host, port or (443 if parts.scheme == "https" else 80)):
        _check(address, host, inside)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = _resolve(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):
        detail = f"the name {host[:200]!r} has no address"
        raise ProblemError(422, "url", detail, "Check it.") from None
    return [str(one[4][0]) for one in found]


def _check(text: str, host: str, inside: Sequence[str]) -> None:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or _embedded(address) or address
    if any(address in ipaddress.ip_network(one, strict=False) for one in inside):
        return
    if not address.is_global or address.is_multicast:
        detail = f"{host[:200]} is an address inside ({text})"
        raise ProblemError(403, "inside", detail, REMEDY)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in one of 6to4, Teredo or NAT64."""
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


_resolve = socket.getaddrinfo


@contextmanager
def outside_only(inside: Sequence[str] = ()) -> Iterator[None]:
    """Let nothing of this process reach an address inside while the block runs."""

    def guarded(host: Any, *arguments: Any, **named: Any) -> Any:
        found = _resolve(host, *arguments, **named)
        for one in found:
            _check(str(one[4][0]), str(host), inside)
        return found

    socket.getaddrinfo = guarded
    try:
        yield
    finally:
        socket.getaddrinfo = _resolve
