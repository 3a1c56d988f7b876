"""Attributes: the numbers and states of a node and of a link, from whichever leaf states them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from nettwin.errors import UnknownNameError, ValidationIssue
from nettwin.formats.ietf.tree import Part
from nettwin.formats.partial_network import PartialNetwork
from nettwin.scenario.scheduling import Scheduler
from nettwin.scenario.topology import LINK, NODE

L3_LINK = "ietf-l3-unicast-topology:l3-link-attributes"
L3_NODE = "ietf-l3-unicast-topology:l3-node-attributes"
TE = "ietf-te-topology:te"
ONE_WAY = "ietf-te-topology-packet:performance-metrics-one-way"
OWN_LINK = "nettwin:link"
OWN_NODE = "nettwin:node"
OWN_SCHEDULER = "nettwin:scheduler"

_FLOAT32 = re.compile(r"0[xX][01](\.[0-9a-fA-F]*)?[pP][-+]?[0-9]{1,3}$")
_DOWN = ("down", "testing", "maintenance")


class _Checkable(Protocol):
    def issues(self, element: str) -> list[ValidationIssue]: ...


T = TypeVar("T", bound=_Checkable)


@dataclass
class Notes:
    """What is assumed and what is left out, counted over the elements of a network."""

    assumed: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def skip(self, part: Part | None, known: tuple[str, ...], prefix: str, kind: str) -> None:
        """Count the members of a part that are not known."""
        for key in part.others(known) if part is not None else ():
            self.left_out[f"{prefix}{key} of {{}} {kind}"] += 1

    def into(self, partial: PartialNetwork) -> None:
        """Tell them in a draft; `{}` in a text is the count."""
        for text, count in self.assumed.items():
            partial.assume(_counted(text, count))
        for text, count in self.left_out.items():
            partial.ignore(_counted(text, count))


def _counted(text: str, count: int) -> str:
    return (
        text.replace("{}", str(count)).replace(" 1 nodes", " 1 node").replace(" 1 links", " 1 link")
    )


def capacity_bps(link: Part) -> float:
    """The rate of a link, NaN where nothing says it."""
    own = link.at(OWN_LINK, "capacity-bps")
    if own is not None:
        return own.within(LINK["capacity_bps"])
    bandwidth = link.at(TE, "te-link-attributes", "max-link-bandwidth")
    if bandwidth is not None and isinstance(bandwidth.value, dict):
        bandwidth = bandwidth.at("te-bandwidth", "generic")
    if bandwidth is None:
        return math.nan
    return bandwidth.within(LINK["capacity_bps"], 8 * _bytes_per_s(bandwidth))


def _bytes_per_s(part: Part) -> float:
    """A bandwidth: a number, or the IEEE float of RFC 8294 such as `0x1.2a05f2p+30`."""
    text = part.value
    if isinstance(text, str) and _FLOAT32.match(text.strip()):
        return float.fromhex(text)
    return part.number()


def delay_s(link: Part, notes: Notes) -> float:
    """The propagation delay of a link, NaN where nothing says it."""
    own = link.at(OWN_LINK, "delay-s")
    if own is not None:
        return own.within(LINK["delay_s"])
    te = link.at(TE, "te-link-attributes")
    measured = te.at(ONE_WAY, "one-way-delay") if te is not None else None
    if measured is not None:
        return measured.within(LINK["delay_s"], measured.number() / 1e6)
    metric = te.find("te-delay-metric") if te is not None else None
    if metric is None:
        return math.nan
    notes.assumed["propagation delay of {} links: te-delay-metric as µs"] += 1
    return metric.within(LINK["delay_s"], metric.number() / 1e6)


def weight(link: Part, notes: Notes) -> float:
    """The IGP metric of a link, NaN where nothing says it."""
    for chain in (
        (OWN_LINK, "weight"),
        (L3_LINK, "metric1"),
        (TE, "te-link-attributes", "te-igp-metric"),
    ):
        found = link.at(*chain)
        if found is not None:
            return found.within(LINK["weight"])
    found = link.at(TE, "te-link-attributes", "te-default-metric")
    if found is None:
        return math.nan
    notes.assumed["IGP weight of {} links: te-default-metric"] += 1
    return found.within(LINK["weight"])


def srlg(element: Part, own: str) -> tuple[str, ...]:
    """The shared-risk groups of a link or node."""
    given = element.find(own)
    if given is not None and given.find("srlg") is not None:
        return tuple(group.text() for group in given.items("srlg"))
    groups = element.at(TE, "te-link-attributes", "te-srlgs")
    return tuple(value.text() for value in groups.items("value")) if groups is not None else ()


def is_up(element: Part, attributes: str, notes: Notes, kind: str) -> bool:
    """Whether a link or node works, by its administrative and its operational state."""
    up = True
    for chain in ((TE, attributes, "admin-status"), (TE, "oper-status")):
        found = element.at(*chain)
        state = "up" if found is None else found.text().rpartition(":")[2]
        up &= state not in _DOWN
        if state not in ("up", "down"):
            word = "down" if state in _DOWN else "up"
            notes.assumed[f"state of {{}} {kind} that are {state!r:.40}: {word}"] += 1
    return up


def coordinate(node: Part, name: str) -> float:
    """The latitude or longitude of a node, NaN where nothing says it."""
    for chain in (
        (OWN_NODE, f"{name}-deg"),
        (TE, "geolocation", name),
        ("ietf-geo-location:geo-location", name),
        ("ietf-geo-location:geo-location", "location", name),
    ):
        found = node.at(*chain)
        if found is not None:
            return found.within(NODE[f"{name}_deg"])
    return math.nan


def scheduler(link: Part) -> Scheduler | None:
    """The scheduler of a link, None where nothing says it."""
    part = link.find(OWN_SCHEDULER)
    return None if part is None else build(part, Scheduler.from_dict, "scheduler")


def build(part: Part, make: Callable[[Mapping[str, Any]], T], what: str) -> T:
    """What `make` makes of an object that its inverse has written. Raises FormatError."""
    members = part.members()
    try:
        made = make(members)
        issues = made.issues(f"the {what}")
    except (TypeError, ValueError, AttributeError, OverflowError, UnknownNameError) as error:
        raise part.error(f"is no {what}: {error}", "Correct it or leave it out.") from None
    if issues:
        raise part.error("; ".join(map(str, issues)), "Correct it.")
    return made
