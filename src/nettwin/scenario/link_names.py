"""Link names: which links a name stands for.

    A->B        the link of that name; else the only link from A to B
    A<->B       the only links between A and B, in both directions
    A<->B#2     one pair of several parallel links: A->B#2 and the link back of that number

Parallel links are numbered from 1: a link named `A->B#2` is number 2, one named `A->B` number 1;
those with names of their own take the numbers left, in the order of the network. All links between
two nodes are their bundle.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import AmbiguousNameError, UnknownNameError
from nettwin.scenario.topology import Topology

Links = NDArray[np.intp]
REMEDY = "Name one of them; fail_bundle and restore_bundle take all."
_NUMBER = re.compile(r"(.*)#([1-9]\d*)", re.DOTALL)


def find_links(topology: Topology, name: str) -> Links:
    """Indices of the links that a name stands for: one, or a pair of both directions.

    Raises AmbiguousNameError where that would be more, UnknownNameError where it is none.
    """
    if name in topology.link_index:
        return np.array([topology.link_index[name]])
    ends = _ends(topology, name)
    if ends is None:
        return _pair(topology, name)
    paths = [topology.links_between(*e) for e in _directions(*ends)]
    if not any(map(len, paths)):
        raise UnknownNameError("link", name, topology.link_name)
    if max(map(len, paths)) > 1:
        raise AmbiguousNameError("link", name, _choices(topology, *ends), REMEDY)
    return np.concatenate(paths)


def find_bundle(topology: Topology, name: str) -> Links:
    """Indices of every link between the two nodes of `A<->B`, or from A to B of `A->B`.

    Any other name stands for what `find_links` finds. Raises UnknownNameError where there is none.
    """
    ends = _ends(topology, name)
    if ends is None:
        return find_links(topology, name)
    found = np.concatenate([topology.links_between(*e) for e in _directions(*ends)])
    if not len(found):
        raise UnknownNameError("link", name, topology.link_name)
    return found


def numbered(topology: Topology, source: str, target: str) -> dict[int, int]:
    """The links from one node to another, each by its number among them."""
    links = topology.links_between(source, target).tolist()
    base = f"{source}->{target}"
    taken: dict[int, int] = {}
    for k in links:
        name = topology.link_name[k]
        match = _NUMBER.fullmatch(name)
        if name == base:
            taken[1] = k
        elif match and match[1] == base:
            taken[int(match[2])] = k
    named = set(taken.values())
    free = (n for n in range(1, len(links) + len(taken) + 1) if n not in taken)
    found = {**taken, **{next(free): k for k in links if k not in named}}
    return dict(sorted(found.items()))


def pairs(topology: Topology, a: str, b: str) -> dict[str, tuple[int, ...]]:
    """The links between two nodes by the names of their pairs: `A<->B`, or where there are several
    `A<->B#1`, `A<->B#2`. A link that nothing leads back from is a pair alone."""
    there, back = numbered(topology, a, b), numbered(topology, b, a)
    numbers = sorted({*there, *back})
    plain = f"{a}<->{b}"
    names = [plain] if len(numbers) == 1 else [f"{plain}#{n}" for n in numbers]
    halves = [[side[n] for side in (there, back) if n in side] for n in numbers]
    return dict(zip(names, map(tuple, halves), strict=True))


def _pair(topology: Topology, name: str) -> Links:
    """The pair of a number. Raises UnknownNameError."""
    match = _NUMBER.fullmatch(name)
    ends = match and _ends(topology, match[1])
    if not match or not ends or not ends[2]:
        raise UnknownNameError("link", name, topology.link_name)
    sides = [numbered(topology, *e) for e in _directions(*ends)]
    found = [side[int(match[2])] for side in sides if int(match[2]) in side]
    if not found:
        raise UnknownNameError("link", name, [*pairs(topology, *ends[:2]), *topology.link_name])
    return np.array(found, np.intp)


def _ends(topology: Topology, name: str) -> tuple[str, str, bool] | None:
    """The two nodes of `A<->B` or `A->B`, and whether both directions are meant."""
    for arrow, both in (("<->", True), ("->", False)):
        one, found, other = (part.strip() for part in name.partition(arrow))
        if found and one in topology.node_index and other in topology.node_index:
            return one, other, both
    return None


def _directions(one: str, other: str, both: bool) -> list[tuple[str, str]]:
    return [(one, other), (other, one)] if both else [(one, other)]


def _choices(topology: Topology, one: str, other: str, both: bool) -> list[str]:
    """The names of the links, or pairs, that a name could mean; of pairs also the names of their
    links where these are not made of the ends."""
    if not both:
        return [topology.link_name[k] for k in topology.links_between(one, other)]
    choices = []
    for name, links in pairs(topology, one, other).items():
        names = [topology.link_name[k] for k in links]
        own = "" if all("->" in each for each in names) else f" ({', '.join(names)})"
        choices.append(f"{name}{own}")
    return choices
