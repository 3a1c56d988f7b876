"""NetworkModel: the contract of everything that answers how a network behaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario


@runtime_checkable
class NetworkModel(Protocol):
    """Scenarios in, Metrics out."""

    @property
    def name(self) -> str:
        """The engine's name in the registry."""

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario, in their order. Rows follow the scenario's elements."""

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why this model should not be trusted with a scenario; empty where it may be."""
