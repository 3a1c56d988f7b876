"""Prefixes: the node that an address belongs to, by the longest prefix that has it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network

from nettwin.errors import InputError


class Prefixes:
    """Nodes by prefixes such as `10.1.0.0/16` or `2001:db8:1::/48`; an address alone is one."""

    def __init__(self, nodes: Mapping[str, str]) -> None:
        self._tables: dict[int, dict[int, dict[int, str]]] = {4: {}, 6: {}}
        for text, node in nodes.items():
            try:
                one = ip_network(str(text).strip())
            except ValueError as error:
                raise InputError(
                    f"the prefix {text!r} is wrong: {error}. Write one such as 10.1.0.0/16."
                ) from None
            table = self._tables[one.version].setdefault(one.prefixlen, {})
            shift = one.max_prefixlen - one.prefixlen
            table[int(one.network_address) >> shift] = str(node)
        self._known: dict[str, str] = {}

    def __bool__(self) -> bool:
        return any(self._tables.values())

    def find(self, address: str) -> str:
        """The node of an address; empty where no prefix has it, or it is none."""
        if address not in self._known:
            self._known[address] = self._found(address)
        return self._known[address]

    def _found(self, address: str) -> str:
        try:
            one = ip_address(address)
        except ValueError:
            return ""
        if isinstance(one, IPv6Address) and one.ipv4_mapped:
            one = one.ipv4_mapped
        number = int(one)
        for length, table in sorted(self._tables[one.version].items(), reverse=True):
            node = table.get(number >> (one.max_prefixlen - length))
            if node is not None:
                return node
        return ""
