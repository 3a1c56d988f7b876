"""Failures: links, nodes and shared-risk groups that go down and come up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nettwin.scenario.changes.change import with_links
from nettwin.scenario.link_names import find_bundle
from nettwin.scenario.scenario import Scenario

WORDS = {False: "fails", True: "is restored"}


@dataclass(frozen=True)
class _LinkState:
    """A link that goes down or comes up."""

    link: str
    up: ClassVar[bool]

    def apply(self, scenario: Scenario) -> Scenario:
        return with_links(scenario, "link_up", self.link, self.up)

    def describe(self) -> str:
        return f"link {self.link} {WORDS[self.up]}"


class FailLink(_LinkState):
    """Take a link down; flows find another path where the routing allows."""

    kind: ClassVar[str] = "fail_link"
    up = False


class RestoreLink(_LinkState):
    """Bring a link up again."""

    kind: ClassVar[str] = "restore_link"
    up = True


@dataclass(frozen=True)
class _BundleState:
    """All parallel links between two nodes, that go down or come up."""

    bundle: str
    up: ClassVar[bool]

    def apply(self, scenario: Scenario) -> Scenario:
        links = find_bundle(scenario.topology, self.bundle)
        return with_links(scenario, "link_up", links, self.up)

    def describe(self) -> str:
        return f"all links {self.bundle} {'are restored' if self.up else 'fail'}"


class FailBundle(_BundleState):
    """Take down all parallel links between two nodes: `A<->B`, or from A to B: `A->B`."""

    kind: ClassVar[str] = "fail_bundle"
    up = False


class RestoreBundle(_BundleState):
    """Bring up all parallel links between two nodes."""

    kind: ClassVar[str] = "restore_bundle"
    up = True


@dataclass(frozen=True)
class _NodeState:
    """A node that goes down or comes up."""

    node: str
    up: ClassVar[bool]

    def apply(self, scenario: Scenario) -> Scenario:
        node_up = scenario.topology.node_up.copy()
        node_up[scenario.topology.node(self.node)] = self.up
        return scenario.with_(topology=scenario.topology.with_arrays(node_up=node_up))

    def describe(self) -> str:
        return f"node {self.node} {WORDS[self.up]}"


class FailNode(_NodeState):
    """Take a node down, with all its links."""

    kind: ClassVar[str] = "fail_node"
    up = False


class RestoreNode(_NodeState):
    """Bring a node up again."""

    kind: ClassVar[str] = "restore_node"
    up = True


@dataclass(frozen=True)
class _GroupState:
    """A shared-risk group that goes down or comes up."""

    srlg: str
    up: ClassVar[bool]

    def apply(self, scenario: Scenario) -> Scenario:
        topology = scenario.topology
        nodes, links = topology.srlg_members(self.srlg)
        node_up, link_up = topology.node_up.copy(), topology.link_up.copy()
        node_up[nodes] = link_up[links] = self.up
        return scenario.with_(topology=topology.with_arrays(node_up=node_up, link_up=link_up))

    def describe(self) -> str:
        return f"shared-risk group {self.srlg} {WORDS[self.up]}"


class FailGroup(_GroupState):
    """Take down every node and link of a shared-risk group."""

    kind: ClassVar[str] = "fail_srlg"
    up = False


class RestoreGroup(_GroupState):
    """Bring up every node and link of a shared-risk group."""

    kind: ClassVar[str] = "restore_srlg"
    up = True
