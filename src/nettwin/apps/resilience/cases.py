"""Cases: the failures that are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import UnknownNameError
from nettwin.scenario.changes import Change, FailNode
from nettwin.scenario.changes.singles import single_failures
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

Kind = Literal["link", "node", "srlg", "pair"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Case(NamedTuple):
    """One failure: the changes that make it happen, the links that it takes down, and the nodes."""

    kind: Kind
    name: str
    changes: tuple[Change, ...]
    links: tuple[int, ...]
    nodes: tuple[int, ...] = ()


class Cases(Sequence[Case]):
    """All failures of some kinds on a network: a link is both its directions. Pairs of links are
    made as they are asked for."""

    def __init__(self, topology: Topology, kinds: Sequence[Kind] = ("link",)) -> None:
        for kind in kinds:
            if kind not in KINDS:
                raise UnknownNameError("kind of failure", kind, KINDS)
        self.kinds = tuple(dict.fromkeys(kinds))
        found = [k for k in self.kinds if k != "pair"]
        self._singles = [_case(topology, k, *one) for k in found for one in _every(topology, k)]
        self._paired: list[Case] = []
        if "pair" in self.kinds:
            self._paired = [_case(topology, "link", *one) for one in _every(topology, "link")]

    @cached_property
    def _pairs(self) -> NDArray[np.int32]:
        pairs = list(combinations(range(len(self._paired)), 2))
        return np.array(pairs, np.int32).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self._singles) + len(self._pairs)

    def __getitem__(self, number: int) -> Case:  # type: ignore[override]
        if number < len(self._singles):
            return self._singles[number]
        one, other = (self._paired[k] for k in self._pairs[number - len(self._singles)].tolist())
        return Case(
            "pair",
            f"{one.name} and {other.name}",
            one.changes + other.changes,
            one.links + other.links,
        )


def fails(scenario: Scenario, case: Case) -> NDArray[np.bool_]:
    """Flows whose own source or target fails. [flows]"""
    traffic = scenario.traffic
    return np.asarray(
        np.isin(traffic.flow_source, case.nodes) | np.isin(traffic.flow_target, case.nodes)
    )


def _every(topology: Topology, kind: str) -> list[tuple[str, tuple[Change, ...]]]:
    return single_failures(topology, kind)


def _case(topology: Topology, kind: Kind, name: str, changes: tuple[Change, ...]) -> Case:
    from nettwin.scenario.changes import FailGroup, FailLink, find_links

    links: set[int] = set()
    nodes: set[int] = set()
    for change in changes:
        if isinstance(change, FailLink):
            links |= set(find_links(topology, change.link).tolist())
        elif isinstance(change, FailNode):
            nodes.add(topology.node(change.node))
        elif isinstance(change, FailGroup):
            of_nodes, of_links = topology.srlg_members(change.srlg)
            nodes |= set(np.asarray(of_nodes).tolist())
            links |= set(np.asarray(of_links).tolist())
    at = np.isin(topology.link_source, list(nodes)) | np.isin(topology.link_target, list(nodes))
    links |= set(np.flatnonzero(at).tolist())
    live = topology.link_live
    return Case(
        kind, name, changes, tuple(k for k in sorted(links) if live[k]), tuple(sorted(nodes))
    )
