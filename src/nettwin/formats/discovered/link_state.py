"""Link state: adjacencies with costs, each told by the router it leaves from, to joined ports.

An adjacency counts where both of its ends tell it. Between two routers with several, those of one
subnet are a pair; the others are paired in the order of their costs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from nettwin.formats.discovered.adjacencies import Adjacencies, End


@dataclass(frozen=True)
class Adjacency:
    """What a router tells of a neighbor; `subnet` is empty where it is not known."""

    router: str
    neighbor: str
    cost: float
    subnet: str = ""
    capacity_bps: float = math.nan


@dataclass
class Segment:
    """A network that several routers are attached to, with the cost of each toward it."""

    name: str
    costs: dict[str, float] = field(default_factory=dict)


def joined(
    found: Adjacencies, told: Iterable[Adjacency], segments: Mapping[str, Segment] | None = None
) -> None:
    """Join the ports of adjacencies that both ends tell; say which are left out."""
    between: dict[tuple[str, str], list[Adjacency]] = defaultdict(list)
    for one in told:
        between[one.router, one.neighbor].append(one)
    alone = 0
    for near, far in sorted({(min(pair), max(pair)) for pair in between}):
        pairs, left = _paired(between.get((near, far), []), between.get((far, near), []))
        alone += left
        for here, there in pairs:
            _join(found, here, there)
    if alone:
        found.ignored.append(f"{alone} adjacencies that one of their ends alone tells")
    for segment in (segments or {}).values():
        _mesh(found, segment)


def _paired(
    mine: list[Adjacency], theirs: list[Adjacency]
) -> tuple[list[tuple[Adjacency, Adjacency]], int]:
    """Adjacencies of two routers as pairs, and how many have no other half."""
    pairs = []
    rest = list(theirs)
    open_ = []
    for one in mine:
        other = next((o for o in rest if o.subnet and o.subnet == one.subnet), None)
        if other is None:
            open_.append(one)
        else:
            rest.remove(other)
            pairs.append((one, other))
    by_cost = sorted(open_, key=lambda o: o.cost), sorted(rest, key=lambda o: o.cost)
    pairs += zip(*by_cost, strict=False)
    return pairs, len(mine) + len(theirs) - 2 * len(pairs)


def _join(found: Adjacencies, here: Adjacency, there: Adjacency) -> None:
    ends = []
    for one in (here, there):
        end = found.end(one.router, "")
        end.weight, end.speed_bps = _weight(found, one.cost), one.capacity_bps
        ends.append(end)
    _both(found, *ends)


def _mesh(found: Adjacencies, segment: Segment) -> None:
    """A link between every two routers of a network: they hear each other without a hop between."""
    routers = segment.costs
    if len(routers) < 2:
        return  # nothing goes through
    for a, b in combinations(routers, 2):
        ends = []
        for router in (a, b):
            end = found.end(router, "")
            end.weight = _weight(found, routers[router])
            ends.append(end)
        _both(found, *ends)
    if len(routers) > 2:
        found.assumptions.append(
            f"the network {segment.name} of {len(routers)} routers: a link between every two"
        )


def _both(found: Adjacencies, near: End, far: End) -> None:
    found.join(near, far)
    found.join(far, near)


def _weight(found: Adjacencies, cost: float) -> float:
    """A cost as the weight of a link, which is above 0."""
    if cost > 0:
        return cost
    words = "costs of 0: 0.001, as a link must cost something"
    if words not in found.assumptions:
        found.assumptions.append(words)
    return 1e-3
