"""Change: the contract of every edit, and how edits find and check what they name."""

from __future__ import annotations

from typing import ClassVar, Protocol

from nettwin.errors import ChangeError
from nettwin.quantity import Quantity
from nettwin.scenario.link_names import Links, find_links
from nettwin.scenario.scenario import Scenario


class Change(Protocol):
    """A pure edit of a scenario: a frozen dataclass of JSON types, the target's name first."""

    kind: ClassVar[str]

    def apply(self, scenario: Scenario) -> Scenario:
        """The edited scenario; the one given is untouched. Raises InputError where it cannot be."""

    def describe(self) -> str:
        """The change in words."""


def check_value(quantity: Quantity, value: float, element: str) -> None:
    """Raises ChangeError where a value is out of its quantity's range."""
    issues = quantity.check(value, element)
    if issues:
        raise ChangeError(str(issues[0]))


def with_links(scenario: Scenario, column: str, link: str | Links, value: float | bool) -> Scenario:
    """The scenario with another value in a column of links, given or those that a name stands
    for."""
    topology = scenario.topology
    array = getattr(topology, column).copy()
    array[find_links(topology, link) if isinstance(link, str) else link] = value
    return scenario.with_(topology=topology.with_arrays(**{column: array}))
