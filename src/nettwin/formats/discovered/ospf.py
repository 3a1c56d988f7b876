"""ospf: the link-state database of an OSPF area, as FRR shows it in JSON.

    vtysh -c 'show ip ospf database router json' > ospf.json

Routers are called by their router IDs, as the database has no other names. A router's link counts
where its neighbor tells it too, as in OSPF itself. The adjacencies of two routers are told apart by
the subnets that both ends have; what is joined by a transit network has a link to every other
router there.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats.discovered.adjacencies import Adjacencies
from nettwin.formats.discovered.link_state import Adjacency, Segment, joined
from nettwin.formats.discovered.records import Place, issue
from nettwin.formats.files import read_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.native.document import Document
from nettwin.scenario.scenario import Scenario

_MARK = re.compile(rb'"routerLinkStates"\s*:')
_MAX_AGE_S = 3600  # an LSA of that age is being removed
_REMEDY = "Give what `show ip ospf database router json` of FRR says."


class Ospf(Format):
    """An OSPF link-state database."""

    name = "ospf"
    title = "OSPF link-state database (FRR's JSON)"
    suffixes = (".ospf.json",)

    def detects(self, path: Path, head: bytes) -> bool:
        return head.lstrip()[:1] == b"{" and bool(_MARK.search(head))

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        found = Adjacencies(self.name, path)
        reader = _Reader(found)
        for document in _documents(path):
            reader.read(document)
        joined(found, reader.adjacencies, reader.segments)
        if not any(end.joined for end in found.ends):
            raise FormatError(path, "the document", "tells of no adjacencies", _REMEDY)
        yield found.partial().reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


def _documents(path: Path) -> Iterator[Document]:
    """Every JSON document of a file: vtysh writes one after another."""
    text = read_text(path)
    decoder, begin = json.JSONDecoder(), 0
    while begin < len(text) and text[begin:].strip():
        begin += len(text[begin:]) - len(text[begin:].lstrip())
        try:
            _, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            line = text.count("\n", 0, begin) + 1
            raise FormatError(path, f"line {line}", "is not JSON", _REMEDY) from None
        document = Document(path, text[begin:end])
        if not isinstance(document.data, Mapping):
            raise FormatError(path, "line 1", "is not a mapping", _REMEDY)
        yield document
        begin = end


class _Reader:
    """Router LSAs, gathered."""

    def __init__(self, found: Adjacencies) -> None:
        self.found = found
        self.adjacencies: list[Adjacency] = []
        self.segments: dict[str, Segment] = {}
        self._seen: set[tuple[str, str]] = set()

    def read(self, document: Document) -> None:
        """The router LSAs of every area of a document."""
        place: Place = ("routerLinkStates", "areas")
        data: Any = document.data
        for step in place:
            if step not in data:
                if data is document.data and "networkLinkStates" in data:
                    return  # what they tell is in the routers' own
                raise issue(document, place, "is not there", _REMEDY)
            data = data[step]
            if not isinstance(data, Mapping):
                raise issue(document, place, "must be a mapping", _REMEDY)
        for area, listed in data.items():
            if not isinstance(listed, list):
                raise issue(document, (*place, area), "must be a list of LSAs", _REMEDY)
            for i, lsa in enumerate(listed):
                self._lsa(document, (*place, area, i), area, lsa)

    def _lsa(self, document: Document, place: Place, area: str, lsa: Any) -> None:
        router = lsa.get("linkStateId") if isinstance(lsa, Mapping) else None
        if not isinstance(router, str) or not router:
            raise issue(document, place, "is no router LSA with a linkStateId", _REMEDY)
        links = lsa.get("routerLinks", {})
        if not isinstance(links, Mapping):
            raise issue(document, (*place, "routerLinks"), "must be a mapping", _REMEDY)
        if _number(lsa.get("lsaAge")) >= _MAX_AGE_S:
            self.found.ignored.append(f"the router LSA of {router}: it is as old as it may be")
            return
        if (area, router) in self._seen:
            return  # the same database once more
        self._seen.add((area, router))
        self.found.node(router)
        subnets = [
            subnet
            for link in links.values()
            if isinstance(link, Mapping) and (subnet := _subnet(link)) is not None
        ]
        for name, link in links.items():
            where = (*place, "routerLinks", name)
            if not isinstance(link, Mapping):
                raise issue(document, where, "must be a mapping", _REMEDY)
            self._link(document, where, router, link, subnets)

    def _link(
        self,
        document: Document,
        place: Place,
        router: str,
        link: Mapping[str, Any],
        subnets: list[ipaddress.IPv4Network],
    ) -> None:
        kind, cost = str(link.get("linkType", "")), _number(link.get("tos0Metric"))
        if "Stub" in kind:
            return
        if not 0 <= cost <= 65535 or "linkType" not in link:
            reason = f"has cost {link.get('tos0Metric')!r}: must be 0 to 65535"
            raise issue(document, place, reason, _REMEDY)
        own = str(link.get("routerInterfaceAddress", ""))
        if "Transit" in kind:
            segment = str(link.get("designatedRouterAddress", ""))
            self.segments.setdefault(segment, Segment(segment)).costs[router] = cost
        elif "point-to-point" in kind and isinstance(link.get("neighborRouterId"), str):
            subnet = next((str(net) for net in subnets if _address(own) in net), own)
            self.adjacencies.append(Adjacency(router, link["neighborRouterId"], cost, subnet))
        else:
            self.found.ignored.append(f"a link of {router}: {kind or 'of no kind'}")


def _subnet(link: Mapping[str, Any]) -> ipaddress.IPv4Network | None:
    """The subnet of a stub link, where several addresses are in it."""
    try:
        net = ipaddress.IPv4Network(f"{link['networkAddress']}/{link['networkMask']}")
    except (KeyError, ValueError):
        return None
    return net if net.prefixlen < 32 else None


def _address(text: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return ipaddress.IPv4Address(0)


def _number(value: Any) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else -1.0
