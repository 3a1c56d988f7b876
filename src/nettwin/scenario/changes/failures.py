"""Failures: links, nodes and shared-risk groups that go down and come up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nettwin.scenario.changes.change import with_links
from nettwin.scenario.link_names import find_bundle
from nettwin.scenario.scenario import Scenario


@dataclass(frozen=True)
class FailLink:
    """Take a link down; flows find another path where the routing allows."""

    link: str
    kind: ClassVar[str] = "fail_link"

    def apply(self, scenario: Scenario) -> Scenario:
        return with_links(scenario, "link_up", self.link, False)

    def describe(self) -> str:
        return f"link {self.link} fails"


@dataclass(frozen=True)
class RestoreLink:
    """Bring a link up again."""

    link: str
    kind: ClassVar[str] = "restore_link"

    def apply(self, scenario: Scenario) -> Scenario:
        return with_links(scenario, "link_up", self.link, True)

    def describe(self) -> str:
        return f"link {self.link} is restored"


@dataclass(frozen=True)
class FailBundle:
    """Take down all parallel links between two nodes: `A<->B`, or from A to B: `A->B`."""

    bundle: str
    kind: ClassVar[str] = "fail_bundle"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_bundle(scenario, self.bundle, False)

    def describe(self) -> str:
        return f"all links {self.bundle} fail"


@dataclass(frozen=True)
class RestoreBundle:
    """Bring up all parallel links between two nodes."""

    bundle: str
    kind: ClassVar[str] = "restore_bundle"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_bundle(scenario, self.bundle, True)

    def describe(self) -> str:
        return f"all links {self.bundle} are restored"


@dataclass(frozen=True)
class FailNode:
    """Take a node down, with all its links."""

    node: str
    kind: ClassVar[str] = "fail_node"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_node(scenario, self.node, False)

    def describe(self) -> str:
        return f"node {self.node} fails"


@dataclass(frozen=True)
class RestoreNode:
    """Bring a node up again."""

    node: str
    kind: ClassVar[str] = "restore_node"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_node(scenario, self.node, True)

    def describe(self) -> str:
        return f"node {self.node} is restored"


@dataclass(frozen=True)
class FailGroup:
    """Take down every node and link of a shared-risk group."""

    srlg: str
    kind: ClassVar[str] = "fail_srlg"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_group(scenario, self.srlg, False)

    def describe(self) -> str:
        return f"shared-risk group {self.srlg} fails"


@dataclass(frozen=True)
class RestoreGroup:
    """Bring up every node and link of a shared-risk group."""

    srlg: str
    kind: ClassVar[str] = "restore_srlg"

    def apply(self, scenario: Scenario) -> Scenario:
        return _with_group(scenario, self.srlg, True)

    def describe(self) -> str:
        return f"shared-risk group {self.srlg} is restored"


def _with_bundle(scenario: Scenario, bundle: str, up: bool) -> Scenario:
    return with_links(scenario, "link_up", find_bundle(scenario.topology, bundle), up)


def _with_group(scenario: Scenario, srlg: str, up: bool) -> Scenario:
    topology = scenario.topology
    nodes, links = topology.srlg_members(srlg)
    node_up, link_up = topology.node_up.copy(), topology.link_up.copy()
    node_up[nodes] = link_up[links] = up
    return scenario.with_(topology=topology.with_arrays(node_up=node_up, link_up=link_up))


def _with_node(scenario: Scenario, node: str, up: bool) -> Scenario:
    node_up = scenario.topology.node_up.copy()
    node_up[scenario.topology.node(node)] = up
    return scenario.with_(topology=scenario.topology.with_arrays(node_up=node_up))
