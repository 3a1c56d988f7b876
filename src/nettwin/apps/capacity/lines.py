"""Lines: links in both directions as capacity is bought for them, and new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.case import M_PER_S, Candidate, Module
from nettwin.errors import InputError
from nettwin.scenario.changes.singles import duplex_links
from nettwin.scenario.generate import fiber_delay_s
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """The lines of a network: `A<->B` with the indices of its links."""

    name: tuple[str, ...]
    links: tuple[tuple[int, ...], ...]
    of_link: NDArray[np.intp]  # [links]

    @classmethod
    def of(cls, topology: Topology) -> Lines:
        """All lines of a topology."""
        pairs = duplex_links(topology)
        of_link = np.zeros(topology.link_count, np.intp)
        for k, (_, links) in enumerate(pairs):
            of_link[list(links)] = k
        return cls(tuple(n for n, _ in pairs), tuple(links for _, links in pairs), of_link)

    def most(self, of_links: Floats) -> Floats:
        """The highest of both directions. [..., links] to [..., lines]"""
        found = np.full((*of_links.shape[:-1], len(self.name)), -np.inf)
        np.maximum.at(found.T, self.of_link, of_links.T)
        return found

    def prices(self, topology: Topology, modules: Sequence[Module]) -> Floats:
        """What each module costs on each line. [lines, modules]"""
        km = np.array([topology.link_delay_s[links[0]] * M_PER_S / 1e3 for links in self.links])
        return np.array([m.cost for m in modules]) + np.outer(km, [m.cost_km for m in modules])


def with_capacity(scenario: Scenario, lines: Lines, added_bps: Floats) -> Scenario:
    """The network with capacity added to lines, in both directions. `added_bps` is [lines]."""
    topology = scenario.topology
    capacity = topology.link_capacity_bps + added_bps[lines.of_link]
    return scenario.with_(topology=topology.with_arrays(link_capacity_bps=capacity))


def with_candidates(
    scenario: Scenario, candidates: Sequence[Candidate], capacity_bps: float
) -> Scenario:
    """The network with links built, each with one module; routing takes them into use."""
    if not candidates:
        return scenario
    old = scenario.topology
    ends = np.array([[old.node(c.source), old.node(c.target)] for c in candidates], np.int32)
    source, target = (np.concatenate([ends[:, k], ends[:, 1 - k]]) for k in (0, 1))
    taken = set(old.link_name)
    names = []
    for a, b in zip(source.tolist(), target.tolist(), strict=True):
        name = base = f"{old.node_name[a]}->{old.node_name[b]}"
        number = 2
        while name in taken:
            name, number = f"{base}#{number}", number + 1
        taken.add(name)
        names.append(name)
    weights = np.array([c.weight for c in candidates])
    usual = float(np.median(old.link_weight))
    count = len(candidates)

    def joined(array: NDArray[np.generic], new: object) -> NDArray[np.generic]:
        return np.concatenate([array, np.asarray(new, array.dtype)])

    made = old.with_arrays(
        link_name=(*old.link_name, *names),
        link_source=joined(old.link_source, source),
        link_target=joined(old.link_target, target),
        link_capacity_bps=joined(old.link_capacity_bps, np.full(2 * count, capacity_bps)),
        link_delay_s=joined(old.link_delay_s, np.zeros(2 * count)),
        link_weight=joined(
            old.link_weight, np.tile(np.where(np.isnan(weights), usual, weights), 2)
        ),
        link_srlg=(*old.link_srlg, *2 * [tuple(c.srlg) for c in candidates]),
        link_up=joined(old.link_up, np.ones(2 * count)),
        link_scheduler=joined(
            old.link_scheduler, np.full(2 * count, np.bincount(old.link_scheduler).argmax())
        ),
    )
    delay = made.link_delay_s.copy()
    delay[-2 * count :] = np.tile(lengths_km(old, candidates) * 1e3 / M_PER_S, 2)
    return scenario.with_(topology=made.with_arrays(link_delay_s=delay))


def lengths_km(topology: Topology, candidates: Sequence[Candidate]) -> Floats:
    """How long candidates are, by the coordinates of their ends where it is not said. Raises
    InputError where a node has none. [candidates]"""
    found = []
    for one in candidates:
        km = one.km
        if np.isnan(km):
            a, b = topology.node(one.source), topology.node(one.target)
            km = _apart_km(topology, a, b)
        if not np.isfinite(km):
            raise InputError(
                f"how long the candidate {one.name} is, is not known: its ends have no coordinates."
                " Give it km."
            )
        found.append(km)
    return np.array(found)


def _apart_km(topology: Topology, a: int, b: int) -> float:
    pair = topology.with_arrays(link_source=[a], link_target=[b])
    return float(fiber_delay_s(pair)[0]) * M_PER_S / 1e3
