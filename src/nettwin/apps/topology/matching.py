"""Matching: which nodes and links of two topologies are the same, also where they were renamed.

A node that is gone and one that is new are one that was renamed where their names differ in a
domain or in case alone; or where at least half of what they are joined to is the same, and no other
node fits as well. Links between two nodes are matched by their names, then in their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.formats.interface_names import SEPARATOR
from nettwin.scenario.topology import Topology

ALIKE = 0.5  # share of its links by which a node is known again
Joined = Counter[tuple[str, str, str]]  # far node, own port, far port


class Matching(NamedTuple):
    """`renamed`: new names of nodes by their old ones. `node` and `link` are the places in the old
    topology of each node and link of the new one, -1 for those that it lacks."""

    renamed: Mapping[str, str]
    node: NDArray[np.intp]
    link: NDArray[np.intp]


def matched(before: Topology, after: Topology) -> Matching:
    """The nodes and links that both topologies have."""
    renamed = _renamed(before, after)
    was = {new: old for old, new in renamed.items()}
    node = [before.node_index.get(was.get(name, name), -1) for name in after.node_name]
    return Matching(renamed, np.array(node, np.intp), _links(before, after, renamed))


def with_names(topology: Topology, called: Mapping[str, str]) -> Topology:
    """A topology with other names of some nodes, and of the links that are named by them. Raises
    InputError where two nodes would have one name."""
    names = [called.get(name, name) for name in topology.node_name]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"two nodes would be called {twice[0]}. Give each a name of its own.")
    links = tuple(_renamed_link(topology, link, called) for link in range(topology.link_count))
    return topology.with_arrays(node_name=tuple(names), link_name=links)


def port_of(topology: Topology, link: int) -> str:
    """The port that a link leaves from; empty where it is not named by one."""
    device = topology.node_name[int(topology.link_source[link])]
    name = topology.link_name[link]
    return name.removeprefix(f"{device}{SEPARATOR}") if name.startswith(device + SEPARATOR) else ""


def plain_name(topology: Topology, link: int) -> str:
    """The name that a link has if it is given none."""
    a, b = int(topology.link_source[link]), int(topology.link_target[link])
    return f"{topology.node_name[a]}->{topology.node_name[b]}"


def is_plain(topology: Topology, link: int) -> bool:
    """Whether a link has no name of its own."""
    return topology.link_name[link].partition("#")[0] == plain_name(topology, link)


def _renamed(before: Topology, after: Topology) -> dict[str, str]:
    gone = [name for name in before.node_name if name not in after.node_index]
    new = [name for name in after.node_name if name not in before.node_index]
    found: dict[str, str] = {}
    shorts = [Counter(map(_short, names)) for names in (gone, new)]
    by_short = {_short(name): name for name in new}
    for name in gone:
        short = _short(name)
        if shorts[0][short] == shorts[1][short] == 1:
            found[name] = by_short[short]
    known_after = _joined(after, {})
    while True:  # each that is found makes its neighbors easier to know
        open_old = [name for name in gone if name not in found]
        taken = set(found.values())
        open_new = [name for name in new if name not in taken]
        more = _alike(open_old, open_new, _joined(before, found), known_after)
        if not more:
            return found
        found |= more


def _alike(
    gone: list[str], new: list[str], before: Mapping[str, Joined], after: Mapping[str, Joined]
) -> dict[str, str]:
    """Those that are most like each other, and more so than either is like another."""
    having: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for b in new:
        for key in after[b]:
            having[key].append(b)
    scores: dict[str, dict[str, float]] = {}
    back: dict[str, dict[str, float]] = defaultdict(dict)
    for a in gone:
        near = {b for key in before[a] for b in having.get(key, ())}
        scores[a] = {b: _likeness(before[a], after[b]) for b in near}
        for b, score in scores[a].items():
            back[b][a] = score
    best = {a: _first(mine) for a, mine in scores.items()}
    return {a: b for a, b in best.items() if b and _first(back[b]) == a}


def _first(scores: Mapping[str, float]) -> str:
    """Who has the highest score, alone and enough of it; empty where nobody does."""
    ordered = sorted(scores.items(), key=lambda one: -one[1])[:2]
    if not ordered or ordered[0][1] < ALIKE:
        return ""
    return "" if len(ordered) > 1 and ordered[1][1] >= ordered[0][1] else ordered[0][0]


def _likeness(one: Joined, other: Joined) -> float:
    return (one & other).total() / max(one.total(), other.total(), 1)


def _joined(topology: Topology, renamed: Mapping[str, str]) -> dict[str, Joined]:
    """What each node is joined to, by new names."""
    names = [renamed.get(name, name) for name in topology.node_name]
    found: dict[str, Joined] = {name: Counter() for name in topology.node_name}
    ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
    for link, (a, b) in enumerate(ends):
        port = port_of(topology, link)
        found[topology.node_name[a]][names[b], port, ""] += 1
        found[topology.node_name[b]][names[a], "", port] += 1
    return found


def _links(before: Topology, after: Topology, renamed: Mapping[str, str]) -> NDArray[np.intp]:
    olds: dict[tuple[str, str], list[int]] = defaultdict(list)
    news: dict[tuple[str, str], list[int]] = defaultdict(list)
    for topology, found, names in ((before, olds, renamed), (after, news, {})):
        ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
        for link, pair in enumerate(ends):
            a, b = (topology.node_name[i] for i in pair)
            found[names.get(a, a), names.get(b, b)].append(link)
    place = np.full(after.link_count, -1, np.intp)
    for pair, mine in news.items():
        left = list(olds.get(pair, ()))
        called = {_renamed_link(before, link, renamed): link for link in left}
        for link in mine:
            old = called.get(after.link_name[link])
            if old is not None:
                place[link] = old
                left.remove(old)
        rest = [link for link in mine if place[link] < 0]
        # of names that both have, those that are left are other links
        named = [[k for k in ks if not is_plain(t, k)] for t, ks in ((before, left), (after, rest))]
        if all(named) and len(left) != len(rest):
            continue
        for link, old in zip(rest, left, strict=False):
            place[link] = old
    return place


def _renamed_link(before: Topology, link: int, renamed: Mapping[str, str]) -> str:
    """What a link is called once its nodes are renamed."""
    a, b = (before.node_name[int(i[link])] for i in (before.link_source, before.link_target))
    name, c, d = before.link_name[link], renamed.get(a, a), renamed.get(b, b)
    if is_plain(before, link):
        return name.replace(f"{a}->{b}", f"{c}->{d}", 1)
    return c + name[len(a) :] if port_of(before, link) else name


def _short(name: str) -> str:
    return name.casefold().partition(".")[0]
