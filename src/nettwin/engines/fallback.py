"""Fallback: an engine that asks a second one where the first should not be trusted, and says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from nettwin.metrics import Metrics
from nettwin.model import Explainable, HopSplit, NetworkModel
from nettwin.scenario.scenario import Scenario

T = TypeVar("T")


@dataclass(frozen=True)
class Fallback:
    """Answers with `primary`, and with `secondary` where the primary does not support a scenario.

    One question is answered by one of them as a whole, so that what is compared is comparable: all
    scenarios of a call of `predict`, or of a sweep (`by_one_engine`) or a search (`settled`). The
    provenance of an answer says which of them it was (`answered_by`) and, where it was the
    secondary, why (`because`).
    """

    primary: NetworkModel
    secondary: NetworkModel
    name: str = "twin"

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario, in their order; all by the secondary where the primary does
        not support one of them."""
        return self.by_one_engine(lambda engine: engine.predict(scenarios))

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why neither should be trusted with a scenario; empty where one of them may be."""
        return self.primary.unsupported(scenario) and self.secondary.unsupported(scenario)

    def settled(self, scenarios: Sequence[Scenario]) -> NetworkModel:
        """The primary if it supports all of these scenarios, otherwise the secondary."""
        for scenario in scenarios:
            if because := self.primary.unsupported(scenario):
                return _Answering(self.secondary, self.name, tuple(because))
        return _Answering(self.primary, self.name)

    def by_one_engine(self, ask: Callable[[NetworkModel], T]) -> T:
        """What `ask` gets from the primary or, as soon as that meets a scenario that it does not
        support, from the secondary."""
        try:
            return ask(_Answering(self.primary, self.name, strict=True))
        except _UnsupportedError as found:
            return ask(_Answering(self.secondary, self.name, found.reasons))

    def hops(self, scenario: Scenario) -> HopSplit | None:
        """What makes up the delays, as the engine that answers says; None where it does not."""
        model = self.settled([scenario])
        return model.hops(scenario) if isinstance(model, Explainable) else None


class _UnsupportedError(Exception):
    """The primary met a scenario that it does not support."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(reasons)
        self.reasons = reasons


@dataclass(frozen=True)
class _Answering:
    """One engine of a Fallback, which answers in the fallback's name. With `strict` it raises
    _UnsupportedError at the first scenario that it does not support."""

    engine: NetworkModel
    of: str
    because: tuple[str, ...] = ()
    strict: bool = False

    @property
    def name(self) -> str:
        """The fallback's name and the engine's."""
        return f"{self.of} ({self.engine.name})"

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The engine's metrics, signed."""
        answers = self.engine.predict(scenarios)
        if self.strict:
            for scenario, metrics in zip(scenarios, answers, strict=True):
                said = metrics.provenance.get(
                    "unsupported"
                )  # by engines that find it while they work
                because = self.engine.unsupported(scenario) if said is None else said
                if because:
                    raise _UnsupportedError(tuple(because))
        return [self._signed(metrics) for metrics in answers]

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why the engine should not be trusted with a scenario."""
        return self.engine.unsupported(scenario)

    def hops(self, scenario: Scenario) -> HopSplit | None:
        """What makes up the delays, where the engine says it."""
        return self.engine.hops(scenario) if isinstance(self.engine, Explainable) else None

    def _signed(self, metrics: Metrics) -> Metrics:
        """An answer that says which engine gave it."""
        said = {**metrics.provenance, "engine": self.of, "answered_by": metrics.engine}
        if self.because:
            said["because"] = list(self.because)
        return replace(metrics, engine=self.of, provenance=said)
