"""Selector: which flows, links or queues a line of an intent speaks of."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError, UnknownNameError
from nettwin.intent.measures import Kind
from nettwin.scenario.link_names import find_bundle
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

Names = tuple[str, ...]
Mask = NDArray[np.bool_]
FIELDS: dict[str, Names] = {
    "flow": ("source", "target", "traffic_class", "flow", "link", "node"),
    "link": ("source", "target", "link", "node", "srlg"),
    "queue": ("source", "target", "traffic_class", "link", "node"),
    "plan": (),
}
WORDS = {"source": "from", "target": "to", "traffic_class": "class"}  # as people write them


class EmptySelectionError(InputError):
    """A line that speaks of nothing in this network."""


@dataclass(frozen=True)
class Selector:
    """Names of elements; all fields that are given must fit, one name of each is enough.

    A name may hold `*`, `?` and `[...]`; one without them must exist. For flows, `source` and
    `target` are their ends, `link` and `node` what they cross. For links, `source` and `target`
    are their ends, `node` either end, `srlg` a group of the link or of either end. Queues are those
    of such links, of a traffic class.
    """

    source: Names = ()
    target: Names = ()
    traffic_class: Names = ()
    flow: Names = ()
    link: Names = ()
    node: Names = ()
    srlg: Names = ()

    @property
    def given(self) -> dict[str, Names]:
        """The fields that are given."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}

    def describe(self) -> str:
        """The selection in words; empty where everything is meant."""
        said = {WORDS.get(k, k): " or ".join(v) for k, v in self.given.items()}
        ends = " ".join(f"{word} {said.pop(word)}" for word in ("from", "to") if word in said)
        return f"{', '.join(f'{word} {names}' for word, names in said.items())} {ends}".strip()

    def of(self) -> str:
        """The selection as it follows what is said of it: ` of class voice`, ` from Madrid`."""
        words = self.describe()
        return words and (" " if words.startswith(("from ", "to ")) else " of ") + words

    def select(self, scenario: Scenario, kind: Kind) -> Mask:
        """The elements of a kind that are meant. [flows], [links] or [queues]

        Raises UnknownNameError for a name that is not in the network and EmptySelectionError where
        nothing fits them all.
        """
        wrong = set(self.given) - set(FIELDS[kind])
        if wrong:
            field = min(wrong)
            known = [WORDS.get(name, name) for name in FIELDS[kind]]
            raise UnknownNameError(f"selector of a {kind}", WORDS.get(field, field), known)
        mask = {"flow": self._flows, "link": self._links, "queue": self._queues}[kind](scenario)
        if not mask.any():
            raise EmptySelectionError(
                f"{self.describe() or 'everything'} selects no {kind} of {scenario.name}:"
                f" must select at least one. Give names that go together."
            )
        return mask

    def _flows(self, scenario: Scenario) -> Mask:
        traffic, topology = scenario.traffic, scenario.topology
        mask = np.ones(traffic.flow_count, np.bool_)
        if self.source:
            mask &= named(self.source, topology.node_name, "node")[traffic.flow_source]
        if self.target:
            mask &= named(self.target, topology.node_name, "node")[traffic.flow_target]
        if self.traffic_class:
            known = named(self.traffic_class, traffic.class_name, "traffic class")
            mask &= known[traffic.flow_class]
        if self.flow:
            mask &= named(self.flow, scenario.flow_names, "flow")
        if self.link or self.node:
            crossed = Selector(link=self.link, node=self.node)._links(scenario)
            paths = scenario.paths
            over = np.zeros(traffic.flow_count, np.bool_)
            over[paths.hop_flow[crossed[paths.links]]] = True
            mask &= over
        return mask

    def _links(self, scenario: Scenario) -> Mask:
        topology = scenario.topology
        mask = np.ones(topology.link_count, np.bool_)
        ends = topology.link_source, topology.link_target
        if self.source:
            mask &= named(self.source, topology.node_name, "node")[ends[0]]
        if self.target:
            mask &= named(self.target, topology.node_name, "node")[ends[1]]
        if self.node:
            known = named(self.node, topology.node_name, "node")
            mask &= known[ends[0]] | known[ends[1]]
        if self.link:
            mask &= _links_named(self.link, scenario)
        if self.srlg:
            groups = topology.srlg_names
            chosen = {groups[i] for i in np.flatnonzero(named(self.srlg, groups, "srlg"))}
            at_node = np.array([not chosen.isdisjoint(g) for g in topology.node_srlg], np.bool_)
            at_link = np.array([not chosen.isdisjoint(g) for g in topology.link_srlg], np.bool_)
            mask &= at_link | at_node[ends[0]] | at_node[ends[1]]
        return mask

    def _queues(self, scenario: Scenario) -> Mask:
        topology, traffic = scenario.topology, scenario.traffic
        links = Selector(self.source, self.target, link=self.link, node=self.node)
        mask = links._links(scenario)[topology.queues.link]
        if self.traffic_class:
            known = named(self.traffic_class, traffic.class_name, "traffic class")
            mine = np.zeros(len(mask), np.bool_)
            mine[topology.class_queue(traffic.class_name)[:, known].ravel()] = True
            mask = mask & mine
        return mask


EVERYTHING = Selector()


def named(patterns: Iterable[str], names: Sequence[str], kind: str) -> Mask:
    """Which of `names` fit one of the patterns. Raises UnknownNameError for a pattern that fits
    none."""
    index = {name: i for i, name in enumerate(names)}
    mask = np.zeros(len(names), np.bool_)
    for pattern in patterns:
        if pattern in index:
            mask[index[pattern]] = True
            continue
        fits = _fits(pattern, names)
        if not len(fits):
            raise UnknownNameError(kind, pattern, names)
        mask[fits] = True
    return mask


def _fits(pattern: str, names: Sequence[str]) -> list[int]:
    if not any(sign in pattern for sign in "*?["):
        return []
    match = re.compile(fnmatch.translate(pattern)).match
    return [i for i, name in enumerate(names) if match(name)]


def _links_named(patterns: Iterable[str], scenario: Scenario) -> Mask:
    """Links by name, by both their ends, or by a pattern of either; parallel links included, other
    than where `A->B` is the name of one of them."""
    topology = scenario.topology
    mask = np.zeros(topology.link_count, np.bool_)
    for pattern in patterns:
        if pattern in topology.link_index:
            mask[topology.link_index[pattern]] = True
            continue
        fits = _links_like(pattern, topology)
        mask[fits if fits else find_bundle(topology, pattern)] = True
    return mask


def _links_like(pattern: str, topology: Topology) -> list[int]:
    """Links whose name, or whose ends, fit a pattern such as `core-*`, `A*->B` or `*<->B`."""
    if not any(sign in pattern for sign in "*?["):
        return []
    one, both, other = pattern.partition("<->")
    forms = [f"{one}->{other}", f"{other}->{one}"] if both else [pattern]
    found: set[int] = set()
    for form in forms:
        found |= set(_fits(form, topology.link_name))
        source, arrow, target = (part.strip() for part in form.partition("->"))
        if arrow:
            from_here, to_there = (_nodes_like(end, topology) for end in (source, target))
            joined = from_here[topology.link_source] & to_there[topology.link_target]
            found |= set(np.flatnonzero(joined).tolist())
    return sorted(found)


def _nodes_like(pattern: str, topology: Topology) -> Mask:
    mask = np.zeros(topology.node_count, np.bool_)
    index = topology.node_index
    mask[[index[pattern]] if pattern in index else _fits(pattern, topology.node_name)] = True
    return mask
