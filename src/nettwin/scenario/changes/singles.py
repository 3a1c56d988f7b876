"""Singles: every failure of one element alone, of a line, a node or a shared-risk group."""

from __future__ import annotations

from collections.abc import Iterator

from nettwin.scenario.changes.change import Change
from nettwin.scenario.changes.failures import FailGroup, FailLink, FailNode
from nettwin.scenario.link_names import pairs
from nettwin.scenario.topology import Topology

Single = tuple[str, tuple[Change, ...]]  # its name, and the changes that make it happen


def single_failures(topology: Topology, kind: str) -> list[Single]:
    """Every failure of a kind (`link`: both directions of a link at once, `node`, `srlg`) of
    elements that are up."""
    return list({"link": _lines, "node": _nodes, "srlg": _groups}[kind](topology))


def duplex_links(topology: Topology) -> list[tuple[str, tuple[int, ...]]]:
    """Both directions of every link, named `A<->B`; of parallel links `A<->B#2`, or the names that
    they were given. A link that nothing leads back from is alone, by its own name."""
    return [(_shown(topology, name, links), links) for name, links in _every_pair(topology)]


def _every_pair(topology: Topology) -> list[tuple[str, tuple[int, ...]]]:
    """All pairs in the order of their first links."""
    found: dict[str, tuple[int, ...]] = {}
    done: set[tuple[int, int]] = set()
    for a, b in zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True):
        if (a, b) not in done:
            done |= {(a, b), (b, a)}
            found |= pairs(topology, topology.node_name[a], topology.node_name[b])
    return sorted(found.items(), key=lambda pair: min(pair[1]))


def _shown(topology: Topology, name: str, links: tuple[int, ...]) -> str:
    names = [topology.link_name[k] for k in links]
    first = links[0]
    ends = topology.link_source[first], topology.link_target[first]
    a, b = (topology.node_name[i] for i in ends)
    own = name not in (f"{a}<->{b}", f"{b}<->{a}") and not all("->" in each for each in names)
    return ", ".join(names) if own or len(links) == 1 else name


def _lines(topology: Topology) -> Iterator[Single]:
    for name, links in _every_pair(topology):
        if topology.link_live[list(links)].any():
            one = name if len(links) > 1 else topology.link_name[links[0]]
            yield _shown(topology, name, links), (FailLink(one),)


def _nodes(topology: Topology) -> Iterator[Single]:
    for name, up in zip(topology.node_name, topology.node_up.tolist(), strict=True):
        if up:
            yield name, (FailNode(name),)


def _groups(topology: Topology) -> Iterator[Single]:
    for name in topology.srlg_names:
        yield name, (FailGroup(name),)
