"""isis: the link-state database of an IS-IS level, as FRR shows it.

    vtysh -c 'show isis hostname' -c 'show isis database detail' > isis.txt

LSPs are called by host names, but their neighbors by system IDs: the first command tells which is
which. Where it is left out, who tells whom as a neighbor has to settle it. The JSON of newer FRR
(`show isis database detail json`) is read too; that of 8.4 holds the last LSP alone and is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats.discovered.adjacencies import Adjacencies
from nettwin.formats.discovered.link_state import Adjacency, Segment, joined
from nettwin.formats.discovered.records import issue, load, text_of
from nettwin.formats.discovered.system_ids import Unsettled, names_of
from nettwin.formats.files import read_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.scenario.scenario import Scenario

_TITLE = re.compile(r"IS-IS Level-(\d) link-state database")
_LSP = re.compile(r"(\S+)\.([0-9A-Fa-f]{2})-([0-9A-Fa-f]{2})\s+(\*?)\s*\d+\s+0x[0-9a-fA-F]+\s")
_REACH = re.compile(r"\s+(?:(?:Extended|MT|IS|Old) )*Reachability: (\S+) \(Metric: (\d+)\)(.*)")
_PREFIX = re.compile(r"\s+(?:Extended |MT )?IP Reachability: (\S+)/(\d+) ")
_BANDWIDTH = re.compile(r"\s+Maximum Bandwidth: ([0-9.e+]+) \(Bytes/sec\)")
_HOSTNAME = re.compile(r"\s*(?:\d|\*)?\s*([0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2})\s+(\S+)\s*")
_REMEDY = "Give what `show isis hostname` and `show isis database detail` of FRR say."


class IsIs(Format):
    """An IS-IS link-state database."""

    name = "isis"
    title = "IS-IS link-state database (FRR's text or JSON)"
    suffixes = (".isis.txt",)

    def detects(self, path: Path, head: bytes) -> bool:
        if head.lstrip()[:1] == b"{":
            return b'"lsps"' in head or (b'"lsp"' in head and b'"pdu-len"' in head)
        return bool(_TITLE.search(head.decode(errors="replace")))

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        text = read_text(path)
        base = _of_json(path) if text.lstrip()[:1] == "{" else _of_text(path, text)
        found = Adjacencies(self.name, path)
        try:
            base.into(found)
        except Unsettled as error:
            raise FormatError(path, "the database", str(error), _REMEDY) from None
        if not any(end.joined for end in found.ends):
            raise FormatError(path, "the database", "tells of no adjacencies", _REMEDY)
        yield found.partial().reading(assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


@dataclass
class Lsp:
    """What a router, or the pseudonode of one (its circuit is not 00), tells."""

    name: str
    circuit: str
    reach: list[list[Any]] = field(default_factory=list)  # system ID and circuit, cost, capacity
    prefixes: set[str] = field(default_factory=set)


@dataclass
class _Database:
    """LSPs by level, router and circuit, and host names by system IDs."""

    lsps: dict[tuple[str, str, str], Lsp] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)

    def lsp(self, level: str, name: str, circuit: str) -> Lsp:
        """The LSP that a fragment belongs to."""
        return self.lsps.setdefault((level, name, circuit), Lsp(name, circuit))

    def into(self, found: Adjacencies) -> None:
        """Join what is adjacent. Raises Unsettled."""
        routers = self._routers()
        hosts = names_of(
            {one.name: [id.rpartition(".") for id, *_ in one.reach] for one in routers},
            {one.name: one.prefixes for one in routers},
            self.hosts,
        )
        for one in routers:
            found.node(one.name)
        told: list[Adjacency] = []
        segments: dict[str, Segment] = {}
        for one in routers:
            for id, cost, capacity in one.reach:
                system, _, circuit = id.rpartition(".")
                neighbor = hosts.get(system) or self.hosts.get(system, system)
                if circuit == "00":
                    told.append(Adjacency(one.name, neighbor, cost, capacity_bps=capacity))
                    continue
                name = f"{neighbor}.{circuit}"
                segments.setdefault(name, Segment(name)).costs[one.name] = cost
        known = {one.name for one in routers}
        silent = {one.neighbor for one in told} - known
        if silent:
            found.ignored.append(f"adjacencies with {', '.join(sorted(silent))}: they have no LSP")
        joined(found, [one for one in told if one.neighbor in known], segments)

    def _routers(self) -> list[Lsp]:
        """The LSP of each router; of one in both levels that with more neighbors, as links that are
        in both are told twice."""
        found: dict[str, Lsp] = {}
        for lsp in self.lsps.values():
            if lsp.circuit == "00":
                other = found.get(lsp.name)
                if other is None or len(lsp.reach) > len(other.reach):
                    found[lsp.name] = lsp
        return list(found.values())


def _of_text(path: Path, text: str) -> _Database:
    base, level, lsp = _Database(), "", None
    for line in text.split("\n"):
        if match := _TITLE.search(line):
            level, lsp = match[1], None
        elif match := _LSP.match(line):
            lsp = base.lsp(level, match[1], match[2])
        elif lsp is None:
            if match := _HOSTNAME.fullmatch(line):
                base.hosts[match[1].lower()] = match[2]
        elif match := _REACH.match(line):
            if "ipv6" not in match[3]:
                lsp.reach.append([match[1].lower(), float(match[2]), float("nan")])
        elif match := _PREFIX.match(line):
            if int(match[2]) < 32:
                lsp.prefixes.add(f"{match[1]}/{match[2]}")
        elif (match := _BANDWIDTH.match(line)) and lsp.reach:
            lsp.reach[-1][2] = float(match[1]) * 8
    if not base.lsps:
        raise FormatError(path, "the document", "holds no LSPs", _REMEDY)
    return base


def _of_json(path: Path) -> _Database:
    document, base = load(path), _Database()
    areas = document.data.get("areas") if isinstance(document.data, Mapping) else None
    if not isinstance(areas, list):
        raise issue(document, ("areas",), "must be a list", _REMEDY)
    for a, area in enumerate(areas):
        levels = area.get("levels") if isinstance(area, Mapping) else None
        for k, level in enumerate(levels if isinstance(levels, list) else []):
            place = ("areas", a, "levels", k)
            if not isinstance(level, Mapping):
                raise issue(document, place, "must be a mapping", _REMEDY)
            if "lsps" not in level and "lsp" in level:
                reason = "holds the last LSP alone, as FRR 8.4 writes JSON"
                raise issue(document, place, reason, _REMEDY)
            for i, one in enumerate(level.get("lsps") or []):
                if reason := _lsp_of(base, str(level.get("id", k)), one):
                    raise issue(document, (*place, "lsps", i), reason, _REMEDY)
    if not base.lsps:
        raise FormatError(path, "the document", "holds no LSPs", _REMEDY)
    return base


def _lsp_of(base: _Database, level: str, data: Any) -> str:
    """Take what an LSP of JSON tells; what is wrong with it, empty where nothing is."""
    inner = data.get("lsp") if isinstance(data, Mapping) else None
    id = text_of(inner, ("id",)) if isinstance(inner, Mapping) else ""
    match = re.fullmatch(r"(.+)\.([0-9A-Fa-f]{2})-[0-9A-Fa-f]{2}", id)
    if not match:
        return "is no LSP with an id"
    lsp = base.lsp(level, match[1], match[2])
    for key, value in data.items():
        plain = key.replace("-", "").replace("_", "").lower()
        listed = value if isinstance(value, list) else [value]
        if plain in ("extreach", "oldreach", "mtreach", "reach"):
            for one in listed:
                cost = one.get("metric") if isinstance(one, Mapping) else None
                if not isinstance(cost, int | float) or not text_of(one, ("id",)):
                    return f"has a neighbor without id and metric: {json.dumps(one)[:60]}"
                if "ipv6" not in str(one.get("mtId", one.get("mt-id", ""))).lower():
                    lsp.reach.append([str(one["id"]).lower(), float(cost), float("nan")])
        elif plain in ("extipreach", "oldipreach", "ipreach"):
            for one in listed:
                prefix = text_of(one, ("ipReach", "ip-reach")) if isinstance(one, Mapping) else ""
                if prefix and not prefix.endswith("/32"):
                    lsp.prefixes.add(prefix)
    return ""
