"""Update: the network as a source tells it now; what it does not tell stays as it was.

Which values a source tells shows by reading it twice with other defaults: what differs was assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin import units
from nettwin.apps.topology.events import Event, events_of
from nettwin.apps.topology.matching import Matching, is_plain, matched, plain_name
from nettwin.errors import InputError
from nettwin.formats.format import ImportDefaults, Reading
from nettwin.scenario.element_names import numbered
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import Traffic

Bools = NDArray[np.bool_]
Read = Callable[[ImportDefaults], Reading]


@dataclass(frozen=True)
class Updated:
    """The network now, what changed since before, and what could not be taken along. `reading` is
    the source, with assumptions as they hold for the network now."""

    reading: Reading
    scenario: Scenario
    events: tuple[Event, ...]
    left_out: tuple[str, ...] = ()


def update(before: Scenario, read: Read, assume: ImportDefaults) -> Updated:
    """The network that a source tells, against the one before. `read` reads the source.

    Raises FormatError where it cannot be read, InputError where it tells another network each time.
    """
    assume = replace(assume, load=None)
    reading, silent = _read(read, assume)
    told = reading.scenario.topology
    same = matched(before.topology, told)
    if not (same.node >= 0).any():
        theirs, ours = (", ".join(t.node_name[:3]) for t in (told, before.topology))
        raise InputError(
            f"{reading.source} has no node of the network before: it has {theirs}, the network"
            f" {ours}. Say which is which: --names FILE."
        )
    topology = _merged(before.topology, told, same, silent)
    events = events_of(before.topology, topology, same)
    traffic, lost = _traffic(before, same)
    routing, unrouted = _routing(before, topology, lost)
    scenario = Scenario(topology, traffic, routing, name=before.name, notes=before.notes)
    words = [f"{lost} flows whose nodes are gone"] if lost else []
    assumed = _assumed(reading, same, silent, assume)
    reading = replace(reading, scenario=scenario, assumptions=assumed)
    return Updated(reading, scenario, events, (*words, *unrouted))


def _read(read: Read, assume: ImportDefaults) -> tuple[Reading, dict[str, Bools]]:
    """The source, and which values of each column it does not tell. [links]"""
    other = replace(
        assume,
        capacity_bps=assume.capacity_bps * 3,
        delay_s=assume.delay_s + 1e-3,
        weight=assume.weight + 1,
        scheduler=Scheduler(queues=(Queue(buffer_packets=12345.0),)),
    )
    first, second = read(assume), read(other)
    one, two = first.scenario.topology, second.scenario.topology
    if one.link_name != two.link_name:
        raise InputError(
            f"{first.source} tells another network each time that it is read. Give a file that"
            " stays as it is."
        )
    silent = {
        column: np.asarray(getattr(one, column) != getattr(two, column))
        for column in ("link_capacity_bps", "link_delay_s", "link_weight")
    }
    ports = [[t.schedulers[k] for k in t.link_scheduler.tolist()] for t in (one, two)]
    silent["scheduler"] = np.array([a != b for a, b in zip(*ports, strict=True)], np.bool_)
    return first, silent


def _assumed(
    reading: Reading, same: Matching, silent: Mapping[str, Bools], assume: ImportDefaults
) -> tuple[str, ...]:
    """What was assumed, where values that the source does not tell stay as they were."""
    usual = {
        "link_capacity_bps": ("capacity", units.rate(assume.capacity_bps)),
        "link_delay_s": ("propagation delay", units.duration(assume.delay_s)),
        "link_weight": ("IGP weight", f"{assume.weight:g}"),
        "scheduler": ("scheduler", assume.scheduler.policy),
    }
    noted = tuple(f"{noun} of " for noun, _ in usual.values())
    found = [
        words
        for words in reading.assumptions
        if not (words.startswith(noted) and " link" in words) and not words.startswith("traffic:")
    ]
    for column, (noun, value) in usual.items():
        kept = int((silent[column] & (same.link >= 0)).sum())
        new = int((silent[column] & (same.link < 0)).sum())
        found += [f"{noun} of {kept} links: as it was"] if kept else []
        found += [f"{noun} of {new} new links: {value}"] if new else []
    return tuple(found)


def _merged(
    before: Topology, told: Topology, same: Matching, silent: Mapping[str, Bools]
) -> Topology:
    """The topology that was told, with the old values where it tells none."""
    kept = same.link >= 0
    place = np.maximum(same.link, 0)
    columns: dict[str, Any] = {}
    for column in ("link_capacity_bps", "link_delay_s", "link_weight"):
        old, new = getattr(before, column), getattr(told, column)
        columns[column] = np.where(kept & silent[column], old[place], new) if len(old) else new
    for axis in ("latitude", "longitude"):
        column = f"node_{axis}_deg"
        old, new = getattr(before, column), getattr(told, column)
        columns[column] = np.where(np.isnan(new) & (same.node >= 0), old[same.node], new)
    groups = zip(told.node_srlg, same.node.tolist(), strict=True)
    columns["node_srlg"] = tuple(g or (before.node_srlg[k] if k >= 0 else ()) for g, k in groups)
    groups = zip(told.link_srlg, same.link.tolist(), strict=True)
    columns["link_srlg"] = tuple(g or (before.link_srlg[k] if k >= 0 else ()) for g, k in groups)
    schedulers: dict[Scheduler, int] = {}
    index = []
    for link, old in enumerate(same.link.tolist()):
        mine = told.schedulers[int(told.link_scheduler[link])]
        if old >= 0 and silent["scheduler"][link]:
            mine = before.schedulers[int(before.link_scheduler[old])]
        index.append(schedulers.setdefault(mine, len(schedulers)))
    columns["schedulers"], columns["link_scheduler"] = tuple(schedulers), index
    columns["link_name"] = _names(before, told, same)
    return told.with_arrays(**columns)


def _names(before: Topology, told: Topology, same: Matching) -> tuple[str, ...]:
    """The names of links: those that a source does not name keep theirs, where no end was
    renamed."""
    names = []
    for link, old in enumerate(same.link.tolist()):
        name = "" if is_plain(told, link) else told.link_name[link]
        if not name and old >= 0 and not is_plain(before, old):
            ends = before.link_source[old], before.link_target[old]
            if not any(before.node_name[int(end)] in same.renamed for end in ends):
                name = before.link_name[old]
        names.append((name, plain_name(told, link)))
    return tuple(numbered(names, [name for name, _ in names if name]))


def _traffic(before: Scenario, same: Matching) -> tuple[Traffic, int]:
    """The flows, between nodes that are still there; how many are lost."""
    now = np.full(before.topology.node_count, -1, np.int64)
    now[same.node[same.node >= 0]] = np.flatnonzero(same.node >= 0)
    traffic = before.traffic
    source, target = now[traffic.flow_source], now[traffic.flow_target]
    stay = (source >= 0) & (target >= 0)
    kept = traffic.keep(stay)
    return kept.with_arrays(flow_source=source[stay], flow_target=target[stay]), int((~stay).sum())


def _routing(before: Scenario, topology: Topology, lost: int) -> tuple[Routing, list[str]]:
    """The rules of routing; paths that name nodes and links hold for the same ones alone."""
    routing, old = before.routing, before.topology
    same = old.link_name == topology.link_name and old.node_name == topology.node_name and not lost
    if same or (not routing.steer and routing.next_link is None):
        return routing, []
    return Routing(ecmp=routing.ecmp), ["paths that flows were given: the network is another one"]
