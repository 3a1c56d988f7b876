"""DrainLink: the change `drain_link`, as before work on a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nettwin import Scenario
from nettwin.extend import find_links

DRAINED_WEIGHT = 1e6  # more than any path that goes around


@dataclass(frozen=True)
class DrainLink:
    """Give a link so high an IGP weight that traffic takes other paths where there are any."""

    link: str
    kind: ClassVar[str] = "drain_link"

    def apply(self, scenario: Scenario) -> Scenario:
        """The scenario with the weight; the one given is untouched."""
        weight = scenario.topology.link_weight.copy()
        weight[find_links(scenario.topology, self.link)] = DRAINED_WEIGHT
        return scenario.with_(topology=scenario.topology.with_arrays(link_weight=weight))

    def describe(self) -> str:
        """The change in words."""
        return f"link {self.link} is drained"
