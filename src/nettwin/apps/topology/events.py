"""Events: what changed of a network, one a change; of both directions of a link together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from nettwin import units
from nettwin.apps.topology.matching import Matching
from nettwin.repository.tables import Document
from nettwin.scenario.changes.singles import duplex_links
from nettwin.scenario.topology import Topology

EVENT = "event"  # the kind of record
KINDS = (
    "node added",
    "node removed",
    "node renamed",
    "link added",
    "link removed",
    "link renamed",
    "link down",
    "link up",
    "cost changed",
    "capacity changed",
    "delay changed",
)
# what is told of a link that both have: the kind, its column, how it is shown
_COLUMNS = (
    ("cost changed", "link_weight", lambda value: f"{value:g}"),
    ("capacity changed", "link_capacity_bps", units.rate),
    ("delay changed", "link_delay_s", units.duration),
)


@dataclass(frozen=True)
class Event:
    """One thing that changed: its kind (of KINDS), the element, and what it was and is, in words;
    empty where there is nothing to say."""

    kind: str
    element: str
    before: str = ""
    after: str = ""

    def words(self) -> str:
        """The event in words."""
        change = f": {self.before} to {self.after}" if self.before and self.after else ""
        return f"{self.kind}: {self.element}{change}"


def events_of(before: Topology, after: Topology, same: Matching) -> tuple[Event, ...]:
    """All events that make one topology of the other, in the order of KINDS."""
    found = [*_nodes(before, after, same), *_links(before, after, same)]
    return tuple(sorted(found, key=lambda one: KINDS.index(one.kind)))


def documents(events: Iterable[Event], time_s: float) -> list[Document]:
    """Events as records of the history."""
    return [Document(time_s, EVENT, one.kind, json.dumps(asdict(one))) for one in events]


def event_of(record: Document) -> Event:
    """The event that a record keeps."""
    return Event(**json.loads(record.document))


def _nodes(before: Topology, after: Topology, same: Matching) -> Iterator[Event]:
    for name, place in zip(after.node_name, same.node.tolist(), strict=True):
        if place < 0:
            yield Event("node added", name)
    kept = set(same.node.tolist())
    for place, name in enumerate(before.node_name):
        if name in same.renamed:
            yield Event("node renamed", same.renamed[name], name, same.renamed[name])
        elif place not in kept:
            yield Event("node removed", name)


def _links(before: Topology, after: Topology, same: Matching) -> Iterator[Event]:
    kept = set(same.link.tolist())
    for name, links in duplex_links(before):
        gone = [link for link in links if link not in kept]
        if gone:
            yield Event("link removed", _called(before, name, links, gone))
    for name, links in duplex_links(after):
        new = [link for link in links if same.link[link] < 0]
        if new:
            rates = {units.rate(float(after.link_capacity_bps[link])) for link in new}
            yield Event("link added", _called(after, name, links, new), "", ", ".join(rates))
        yield from _changes(before, after, same, name, links)


def _changes(
    before: Topology, after: Topology, same: Matching, name: str, links: tuple[int, ...]
) -> Iterator[Event]:
    told: dict[tuple[str, str, str], list[int]] = {}
    for link in links:
        old = int(same.link[link])
        if old < 0:
            continue
        was, now = bool(before.link_up[old]), bool(after.link_up[link])
        if was != now:
            told.setdefault(("link up" if now else "link down", "", ""), []).append(link)
        for kind, column, shown in _COLUMNS:
            one, other = (
                float(getattr(before, column)[old]),
                float(getattr(after, column)[link]),
            )
            if not np.isclose(one, other, rtol=1e-9, atol=0.0):
                told.setdefault((kind, shown(one), shown(other)), []).append(link)
        if before.link_name[old] != after.link_name[link] and not _renamed_end(before, old, same):
            yield Event(
                "link renamed", after.link_name[link], before.link_name[old], after.link_name[link]
            )
    for (kind, old_words, new_words), mine in told.items():
        yield Event(kind, _called(after, name, links, mine), old_words, new_words)


def _renamed_end(before: Topology, link: int, same: Matching) -> bool:
    ends = before.link_source[link], before.link_target[link]
    return any(before.node_name[int(end)] in same.renamed for end in ends)


def _called(topology: Topology, name: str, links: tuple[int, ...], some: list[int]) -> str:
    """The name of a pair of links, or of the one of them that is meant."""
    if len(some) == len(links):
        return name
    return ", ".join(topology.link_name[link] for link in some)
