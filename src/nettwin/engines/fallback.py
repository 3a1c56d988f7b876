"""Fallback: an engine that asks a second one where the first should not be trusted, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nettwin.metrics import Metrics
from nettwin.model import Explainable, HopSplit, NetworkModel
from nettwin.scenario.scenario import Scenario


@dataclass(frozen=True)
class Fallback:
    """Answers with `primary`, and with `secondary` where the primary does not support a scenario.

    The provenance of an answer says who gave it (`answered_by`) and, where it was the secondary,
    why (`because`). A scenario is answered by one of them as a whole, so that its flows, links and
    queues agree.
    """

    primary: NetworkModel
    secondary: NetworkModel
    name: str = "twin"

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario, in their order."""
        reasons = [self.primary.unsupported(scenario) for scenario in scenarios]
        trusted = [s for s, why in zip(scenarios, reasons, strict=True) if not why]
        others = [s for s, why in zip(scenarios, reasons, strict=True) if why]
        first, second = iter(self.primary.predict(trusted)), iter(self.secondary.predict(others))
        return [self._signed(next(second if why else first), why) for why in reasons]

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why neither should be trusted with a scenario; empty where one of them may be."""
        return self.primary.unsupported(scenario) and self.secondary.unsupported(scenario)

    def hops(self, scenario: Scenario) -> HopSplit | None:
        """What makes up the delays, as the one that answers says; None where it does not know."""
        model = self.secondary if self.primary.unsupported(scenario) else self.primary
        return model.hops(scenario) if isinstance(model, Explainable) else None

    def _signed(self, metrics: Metrics, because: list[str]) -> Metrics:
        """An answer that says whose it is."""
        said = {**metrics.provenance, "engine": self.name, "answered_by": metrics.engine}
        if because:
            said["because"] = because
        return replace(metrics, engine=self.name, provenance=said)
