"""The network behind the paths of a testbed recording, which names links by numbers alone.

Each router port is wired to a port of one of two switches, joined by a trunk. A path leads from a
switch into a router, out of it to a switch and so on, and at last out of a port of 10 Gbit/s to
the tester. So the links of a path, trunks aside, go into and out of routers by turns, and what
follows what tells which ends are the same place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from nettwin.errors import FormatError
from nettwin.formats.testbed.arrays import Recording
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Node

TRUNK_BPS, TESTER_BPS = 50e9, 5e9  # what is faster is a trunk, or a port to the tester
SWITCH_BITS, ROUTER_BITS = 16e6, 140e6
COLLECTOR = "collector"
Place = tuple[str, int]


@dataclass(frozen=True)
class Wiring:
    """Nodes and links by name, and for each flow its two ends and its path by the links' names."""

    nodes: list[Node]
    found: dict[str, tuple[str, str, float, float]]  # link: source, target, capacity, buffer
    ends: list[tuple[str, str]]  # [flows]
    paths: list[list[str]]  # [flows]

    def links(self, delay_s: float) -> Iterator[Link]:
        """The links, with the propagation delay that is assumed of them."""
        for name, (source, target, capacity, buffer) in self.found.items():
            queue = Queue(buffer_packets=np.inf, buffer_bits=buffer)
            yield Link(
                source, target, capacity, delay_s, scheduler=Scheduler(queues=(queue,)), name=name
            )


class _Places:
    """Places that turn out to be the same (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[Place, Place] = {}

    def of(self, place: Place) -> Place:
        while (up := self._parent.get(place, place)) != place:
            self._parent[place] = place = self._parent.get(up, up)
        return place

    def join(self, a: Place, b: Place) -> None:
        a, b = self.of(a), self.of(b)
        # a router that has a number gives it to the place
        low, high = (a, b) if a[0] == "r" or b[0] != "r" else (b, a)
        if a != b:
            self._parent[high] = low

    def name(self, place: Place) -> str:
        kind, number = self.of(place)
        return f"{kind}{number}"


def wired(path: Path, place: str, recording: Recording) -> Wiring:
    """The wiring of a recording. Raises FormatError where the paths do not fit it."""
    trunk = recording.capacity_bps > TRUNK_BPS
    places = _Places()
    for f, candidate in enumerate(recording.paths):
        ports = [k for k in candidate if not trunk[k]]
        fast = recording.capacity_bps[ports] > TESTER_BPS
        if len(ports) % 2 == 0 or len(ports) < 3 or fast[:-1].any() or not fast[-1]:
            raise FormatError(
                path,
                f"{place}, path {f}",
                f"has {len(ports)} links without trunks",
                "Give links into and out of routers by turns, then a port of 10 Gbit/s.",
            )
        source, target = recording.ends[f]
        places.join(("r", source), ("into", ports[0]))
        places.join(("r", target), ("outof", ports[-2]))
        for enters, leaves in zip(ports[0:-1:2], ports[1::2], strict=True):
            places.join(("into", enters), ("outof", leaves))
        for before, after in pairwise(candidate):
            direct = not trunk[before] and not trunk[after]
            if direct and after != candidate[-1] and _is_out(ports, before):
                places.join(("p", before), ("q", after))
    return _named(recording, trunk.tolist(), places)


def _is_out(ports: Sequence[int], link: int) -> bool:
    """Whether a link of a path leads out of a router."""
    return ports.index(link) % 2 == 1


def _named(recording: Recording, trunk: Sequence[bool], places: _Places) -> Wiring:
    wiring = Wiring([], {}, [], [])
    names: dict[str, None] = {}
    for path in recording.paths:
        ports = [k for k in path if not trunk[k]]
        links: list[str] = []
        at = _start(path, trunk, places)
        begin = at
        for i, k in enumerate(path):
            following = path[i + 1] if i + 1 < len(path) else None
            if trunk[k] or following is None:  # shared by many, so one for each that feeds it
                target = COLLECTOR if following is None else _before(following, at, path, places)
                label, buffer = f"{k} from {at}", ROUTER_BITS
            elif _is_out(ports, k):
                target, label, buffer = places.name(("p", k)), str(k), ROUTER_BITS
            else:
                target, label, buffer = places.name(("into", k)), str(k), SWITCH_BITS
            capacity = float(recording.capacity_bps[k])
            wiring.found[f"link {label}"] = (at, target, capacity, buffer)
            names |= {at: None, target: None}
            links.append(f"link {label}")
            at = target
        wiring.ends.append((begin, at))
        wiring.paths.append(links)
    wiring.nodes.extend(Node(name) for name in names)
    return wiring


def _start(path: Sequence[int], trunk: Sequence[bool], places: _Places) -> str:
    first = path[0]
    return f"tester of {places.name(('q', path[1]))}" if trunk[first] else places.name(("q", first))


def _before(following: int, at: str, path: Sequence[int], places: _Places) -> str:
    """The switch port before a link that is reached over a trunk."""
    return f"across from {at}" if following == path[-1] else places.name(("q", following))
