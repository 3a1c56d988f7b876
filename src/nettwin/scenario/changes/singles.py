"""Singles: every failure of one element alone, of a line, a node or a shared-risk group."""

from __future__ import annotations

from collections.abc import Iterator

from nettwin.errors import UnknownNameError
from nettwin.scenario.changes.change import Change, find_links
from nettwin.scenario.changes.failures import FailGroup, FailLink, FailNode
from nettwin.scenario.topology import Topology

Single = tuple[str, tuple[Change, ...]]  # its name, and the changes that make it happen


def single_failures(topology: Topology, kind: str) -> list[Single]:
    """Every failure of a kind (`link`: lines with both directions, `node`, `srlg`) of elements that
    are up."""
    return list({"link": _lines, "node": _nodes, "srlg": _groups}[kind](topology))


def duplex_links(topology: Topology) -> list[tuple[str, tuple[int, ...]]]:
    """The lines of a network: links joined with the one that leads back, with a name for each."""
    waiting: dict[tuple[int, int], list[int]] = {}
    out: list[tuple[str, tuple[int, ...]]] = []
    place: dict[int, int] = {}  # of a line that waits for the one back, by its link
    ends = list(zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True))
    parallel: dict[tuple[int, int], int] = {}
    for pair in ends:
        parallel[pair] = parallel.get(pair, 0) + 1
    for k, (a, b) in enumerate(ends):
        if waiting.get((b, a)):
            first = waiting[b, a].pop(0)
            both = f"{topology.node_name[b]}<->{topology.node_name[a]}"
            alone = parallel[a, b] == 1
            name = both if alone else f"{topology.link_name[first]}, {topology.link_name[k]}"
            out[place[first]] = (name, (first, k))
        else:
            waiting.setdefault((a, b), []).append(k)
            place[k] = len(out)
            out.append((topology.link_name[k], (k,)))
    return out


def _lines(topology: Topology) -> Iterator[Single]:
    for name, links in duplex_links(topology):
        if topology.link_live[list(links)].any():
            yield name, _failing(topology, name, links)


def _nodes(topology: Topology) -> Iterator[Single]:
    for name, up in zip(topology.node_name, topology.node_up.tolist(), strict=True):
        if up:
            yield name, (FailNode(name),)


def _groups(topology: Topology) -> Iterator[Single]:
    for name in topology.srlg_names:
        yield name, (FailGroup(name),)


def _failing(topology: Topology, name: str, links: tuple[int, ...]) -> tuple[Change, ...]:
    """One change where the line's name stands for its links, else one a link."""
    try:
        alone = set(find_links(topology, name).tolist()) == set(links)
    except UnknownNameError:
        alone = False
    return (FailLink(name),) if alone else tuple(FailLink(topology.link_name[k]) for k in links)
