"""Namespaces: one network namespace a router, and what is set inside."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nettwin.errors import NetworkError
from nettwin.physical.linux.tables import Tables

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
SETTINGS = {
    "ipv4/ip_forward": 1,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv4/fib_multipath_hash_policy": 1,  # by port, so that the ports of a flow spread
    "ipv4/neigh/default/base_reachable_time_ms": 3_600_000,
    "ipv6/conf/all/forwarding": 1,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/router_solicitations": 0,
    "ipv6/conf/all/seg6_enabled": 1,
    "ipv6/conf/default/seg6_enabled": 1,
}


class Namespace:
    """A network namespace of this process, with netlink sockets inside: `netlink` sets, `tables`
    reads. `links` are the indices of its devices by name."""

    def __init__(self) -> None:
        from pyroute2 import IPRoute
        from pyroute2.netlink.rtnl.tcmsg import plugins

        plugins.setdefault("bfifo", plugins["pfifo"])  # the same but for its unit
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            if LIBC.unshare(CLONE_NEWNET):
                raise NetworkError(f"no network namespace: {os.strerror(ctypes.get_errno())}")
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.netlink: Any = IPRoute()
            self.tables = Tables()
            for name, value in SETTINGS.items():
                with suppress(FileNotFoundError):
                    Path("/proc/sys/net", name).write_text(f"{value}\n")
        finally:
            LIBC.setns(home, CLONE_NEWNET)
            os.close(home)
        self.links: dict[str, int] = {}
        self.netlink.link("set", index=1, state="up")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Whatever is opened or started inside belongs to the namespace."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        LIBC.setns(self.fd, CLONE_NEWNET)
        try:
            yield
        finally:
            LIBC.setns(home, CLONE_NEWNET)
            os.close(home)

    def socket(self, family: int, kind: int) -> socket.socket:
        """A socket inside."""
        with self.entered():
            return socket.socket(family, kind)

    def index(self, device: str) -> int:
        """The index of a device."""
        if device not in self.links:
            (self.links[device],) = self.netlink.link_lookup(ifname=device)
        return self.links[device]


def join(a: Namespace, device_a: str, b: Namespace, device_b: str, mtu: int) -> None:
    """A cable between two namespaces: a veth pair, still down."""
    a.netlink.link(
        "add",
        ifname=device_a,
        kind="veth",
        mtu=mtu,
        peer={"ifname": device_b, "net_ns_fd": b.fd, "mtu": mtu},
    )
    b.netlink.link("set", index=b.index(device_b), mtu=mtu)
