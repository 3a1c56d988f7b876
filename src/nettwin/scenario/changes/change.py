"""Change: the contract of every edit, and how edits find and check what they name."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import ChangeError, UnknownNameError
from nettwin.quantity import Quantity
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology


class Change(Protocol):
    """A pure edit of a scenario: a frozen dataclass of JSON types, the target's name first."""

    kind: ClassVar[str]

    def apply(self, scenario: Scenario) -> Scenario:
        """The edited scenario; the one given is untouched. Raises InputError where it cannot be."""

    def describe(self) -> str:
        """The change in words."""


def find_links(topology: Topology, name: str) -> NDArray[np.intp]:
    """Indices of the links that a name stands for: one (`A->B`), or all between two (`A<->B`)."""
    if name in topology.link_index:
        return np.array([topology.link_index[name]])
    for arrow, both in (("<->", True), ("->", False)):
        one, found, other = name.partition(arrow)
        ends = (one.strip(), other.strip())
        if found and all(end in topology.node_index for end in ends):
            links = topology.links_between(*ends)
            if both:
                links = np.concatenate([links, topology.links_between(*reversed(ends))])
            if len(links):
                return links
    raise UnknownNameError("link", name, topology.link_name)


def check_value(quantity: Quantity, value: float, element: str) -> None:
    """Raises ChangeError where a value is out of its quantity's range."""
    faults = quantity.check(value, element)
    if faults:
        raise ChangeError(str(faults[0]))


def with_links(scenario: Scenario, column: str, link: str, value: float | bool) -> Scenario:
    """The scenario with another value in a column of the links that a name stands for."""
    topology = scenario.topology
    array = getattr(topology, column).copy()
    array[find_links(topology, link)] = value
    return scenario.with_(topology=topology.with_arrays(**{column: array}))
