"""SNDlib networks, whichever way they are written: nodes, links with capacity modules, demands.

An SNDlib network is a planning problem (Orlowski et al., SNDlib 1.0, Networks 55, 2010): its links
have what is installed already and a list of modules that may be added.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nettwin import units
from nettwin.errors import FormatError, UnknownNameError
from nettwin.formats import edge_attributes
from nettwin.formats.format import ImportDefaults, Reading
from nettwin.formats.partial_network import PartialFlow, PartialLink, PartialNetwork
from nettwin.quantity import Quantity
from nettwin.scenario.topology import NODE, Node

UNITS_BPS = {"BITPERSEC": 1.0, "KBITPERSEC": 1e3, "MBITPERSEC": 1e6, "GBITPERSEC": 1e9}
MAX_NODES = 10_000
MAX_LINKS = 500_000
MAX_DEMANDS = 1_000_000
_AMOUNT = Quantity("amount", "", "capacity, demand or routing unit", low=0, high=1e12)
_COORDINATE = Quantity("coordinate", "", "place in degrees or pixels", low=-1e9, high=1e9)


class SiteRecord(NamedTuple):
    """A node as written; coordinates are NaN where there are none."""

    name: str
    x: float
    y: float
    place: str


class LinkRecord(NamedTuple):
    """A link as written: capacity installed (NaN where none) and the modules to choose from."""

    name: str
    source: str
    target: str
    installed: float
    modules: tuple[float, ...]
    place: str


class DemandRecord(NamedTuple):
    """A demand as written, its routing unit multiplied in."""

    name: str
    source: str
    target: str
    value: float
    place: str


@dataclass
class SNDlibNetwork:
    """An SNDlib network as written. `geographical` None: the source does not say."""

    unit: str = ""
    geographical: bool | None = None
    sites: list[SiteRecord] = field(default_factory=list)
    links: list[LinkRecord] = field(default_factory=list)
    demands: list[DemandRecord] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def reading(network: SNDlibNetwork, path: Path, format: str, assume: ImportDefaults) -> Reading:
    """The finished scenario of an SNDlib network. Raises FormatError where it is none."""
    _check(network, path)
    partial = PartialNetwork(format, str(path), name=path.stem)
    factor = _unit_bps(network, partial, path)
    _add_sites(partial, network)
    kept = [link for link in network.links if link.source != link.target]
    for link in kept:
        partial.links.append(
            PartialLink(link.source, link.target, link.installed * factor, duplex=True)
        )
    if kept:
        partial.assume("links: each works in both directions at its full capacity")
    _add_flows(partial, network, factor)
    _install(partial, [tuple(m * factor for m in link.modules) for link in kept], assume)
    if len(kept) < len(network.links):
        partial.ignore(f"links from a node to itself: {len(network.links) - len(kept)}")
    for text in ("names of links and demands", *network.ignored):
        partial.ignore(text)
    return with_overload_told(partial.reading(assume))


def with_overload_told(found: Reading) -> Reading:
    """The reading, saying so where its demands exceed a link; nothing is scaled."""
    peak = float(found.scenario.link_offered_load.max(initial=0.0))
    if peak <= 1.0:
        return found
    told = (
        f"demands: taken as they are, though they offer the busiest link {units.percent(peak, 0)}"
        " of its capacity on shortest paths"
    )
    return replace(found, assumptions=(*found.assumptions, told))


def number(text: str, path: Path, place: str, what: str) -> float:
    """A number of an SNDlib file, at least 0 where it is not a coordinate. Raises FormatError."""
    quantity = _COORDINATE if what.startswith("coordinate") else _AMOUNT
    return edge_attributes.number(text, path, place, what, quantity)


def _check(network: SNDlibNetwork, path: Path) -> None:
    if not network.sites:
        raise FormatError(path, "the nodes", "there are none", "Add a node.")
    for what, count, most in (
        ("nodes", len(network.sites), MAX_NODES),
        ("links", len(network.links), MAX_LINKS),
        ("demands", len(network.demands), MAX_DEMANDS),
    ):
        if count > most:
            raise FormatError(path, f"the {what}", f"are {count:,}", f"Give at most {most:,}.")
    _check_unique("node", network.sites, path)
    _check_unique("link", network.links, path)
    _check_unique("demand", network.demands, path)
    names = {site.name: None for site in network.sites}
    ends = [(k.source, k.target, k.place) for k in network.links]
    ends += [(d.source, d.target, d.place) for d in network.demands]
    for source, target, place in ends:
        for end in (source, target):
            if end not in names:
                reason = str(UnknownNameError("node", end[:100], names))
                raise FormatError(path, place, reason, "Correct the name, or add the node.")
    if network.geographical:
        _check_degrees(network.sites, path)


def _check_unique(
    kind: str, records: Iterable[SiteRecord | LinkRecord | DemandRecord], path: Path
) -> None:
    first: dict[str, str] = {}
    for record in records:
        if record.name in first:
            reason = f"duplicate {kind} {record.name[:100]!r}, first in {first[record.name]}"
            raise FormatError(path, record.place, reason, f"Give every {kind} a name of its own.")
        first[record.name] = record.place


def _check_degrees(sites: list[SiteRecord], path: Path) -> None:
    for site in sites:
        for quantity, value in (("longitude_deg", site.x), ("latitude_deg", site.y)):
            if not NODE[quantity].valid(value):
                reason = f"{quantity} of node {site.name[:100]} is {value:g}"
                remedy = f"It {NODE[quantity].allowed}: correct it, or call the coordinates pixels."
                raise FormatError(path, site.place, reason, remedy)


def _unit_bps(network: SNDlibNetwork, partial: PartialNetwork, path: Path) -> float:
    if not network.unit:
        partial.assume("unit of capacities and demands: Mbit/s, as the file names none")
        return 1e6
    if network.unit not in UNITS_BPS:
        allowed = f"It must be one of {', '.join(UNITS_BPS)}."
        raise FormatError(path, "the unit", f"is {network.unit[:40]!r}", allowed)
    return UNITS_BPS[network.unit]


def _add_sites(partial: PartialNetwork, network: SNDlibNetwork) -> None:
    placed = network.geographical
    if placed is None:
        placed = all(
            NODE["longitude_deg"].valid(s.x) and NODE["latitude_deg"].valid(s.y)
            for s in network.sites
        )
        if placed and any(math.isfinite(s.x) for s in network.sites):
            partial.assume("coordinates: longitude and latitude in degrees, as all are in range")
    if placed:
        partial.nodes = [Node(s.name, s.y, s.x) for s in network.sites]
        return
    partial.nodes = [Node(s.name) for s in network.sites]
    if any(math.isfinite(s.x) for s in network.sites):
        partial.ignore("coordinates of nodes: places in a drawing, not on Earth")


def _add_flows(partial: PartialNetwork, network: SNDlibNetwork, factor: float) -> None:
    carried = [d for d in network.demands if d.value > 0 and d.source != d.target]
    if len(carried) < len(network.demands):
        idle = len(network.demands) - len(carried)
        partial.ignore(f"demands of 0 or from a node to itself: {idle}")
    # without any demand, the file does not say what the network carries
    partial.flows = [PartialFlow(d.source, d.target, d.value * factor) for d in carried] or None
    if carried:
        partial.assume("demands: each from its source to its target only, as written")


def _install(
    partial: PartialNetwork, modules: list[tuple[float, ...]], assume: ImportDefaults
) -> None:
    """Give links without capacity modules from their lists, for the load that demands offer.

    One module each would leave most networks of the library overloaded many times over, which is
    why they list modules: capacity is what is to be planned.
    """
    bare = [
        i
        for i, k in enumerate(partial.links)
        if math.isnan(k.capacity_bps) and max(modules[i] or [0])
    ]
    if sum(bool(listed) for listed in modules) > len(bare):
        partial.ignore("capacity modules that may be added to what is installed")
    if not bare:
        return
    target = min(max(assume.load or 1.0, 0.01), 1.0)
    if partial.flows:
        trial = replace(partial, assumptions=[], ignored=[]).reading(assume).scenario
        load = trial.link_load_bps.reshape(-1, 2).max(axis=1).tolist()  # of both directions
    else:
        load = [0.0] * len(partial.links)
    for i in bare:
        partial.links[i].capacity_bps = _enough(modules[i], load[i] / target)
    partial.assume(
        f"capacity of {len(bare)} of {len(partial.links)} links: none is installed, so each gets "
        "the smallest of its modules, or as many of the largest, that its load on shortest paths "
        f"fills to {units.percent(target, 0)} at most"
    )


def _enough(modules: tuple[float, ...], needed_bps: float) -> float:
    fitting = [m for m in modules if m > 0 and needed_bps <= m]
    largest = max(modules)
    return min(fitting) if fitting else largest * float(np.ceil(needed_bps / largest))
