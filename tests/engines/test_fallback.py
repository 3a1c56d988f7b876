"""Fallback: which engine answers, one for each question, and what the answer says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from nettwin.apps.whatif import what_if
from nettwin.engines.fallback import Fallback
from nettwin.engines.theory import Theory
from nettwin.metrics import Metrics, Table
from nettwin.model import NetworkModel, by_one_engine, settled
from nettwin.scenario.changes import ScaleTraffic
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario


@dataclass
class Limited:
    """An engine that supports loads up to `most`, and counts how often it is asked."""

    name: str
    most: float
    asked: list[int] = field(default_factory=list)

    def unsupported(self, scenario: Scenario) -> list[str]:
        high = scenario.link_offered_load.max() > self.most
        return [f"{self.name} knows loads up to {self.most}"] if high else []

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        self.asked.append(len(scenarios))
        return [self._one(scenario) for scenario in scenarios]

    def _one(self, scenario: Scenario) -> Metrics:
        delay = np.full(scenario.traffic.flow_count, scenario.link_offered_load.max())
        table = Table({"owd_mean_s": delay, "loss_ratio": np.zeros_like(delay)})
        said = {"engine": self.name, "scenario": scenario.fingerprint()}
        return Metrics(table, Table({}), Table({}), "predicted", self.name, said)


def network(load: float) -> Scenario:
    return generate("ring", nodes=4, load=load, capacity_bps=2e6)


def test_it_is_a_network_model() -> None:
    assert isinstance(Fallback(Theory(), Theory()), NetworkModel)
    assert Fallback(Theory(), Theory()).predict([]) == []


@pytest.mark.parametrize(
    ("loads", "engine"), [((0.3, 0.2, 0.1), "first"), ((0.3, 0.9, 0.2), "second")]
)
def test_all_scenarios_of_a_question_are_answered_by_one_engine(loads, engine) -> None:
    twin = Fallback(Limited("first", 0.5), Limited("second", 2.0))
    answers = twin.predict([network(load) for load in loads])
    assert [answer.answered_by for answer in answers] == [engine] * 3
    assert [a.flow["owd_mean_s"][0] for a in answers] == pytest.approx(loads)


def test_a_sweep_in_several_calls_is_answered_by_one_engine() -> None:
    first, second = Limited("first", 0.5), Limited("second", 2.0)

    def sweep(engine: NetworkModel) -> list[str]:
        parts = [(0.3, 0.2), (0.9, 0.1), (0.1,)]
        return [m.answered_by for p in parts for m in engine.predict([network(x) for x in p])]

    assert by_one_engine(Fallback(first, second), sweep) == ["second"] * 5
    assert first.asked == [2, 2]  # it is told as soon as it is known
    assert by_one_engine(second, sweep) == ["second"] * 5


def test_a_search_keeps_the_engine_that_supports_what_it_begins_with() -> None:
    twin = Fallback(Limited("first", 0.5), Limited("second", 2.0))
    engine = settled(twin, [network(0.3)])
    (answer,) = engine.predict([network(0.9)])
    assert (answer.answered_by, answer.because) == ("first", ())
    assert engine.unsupported(network(0.9)) == ["first knows loads up to 0.5"]
    (answer,) = settled(twin, [network(0.3), network(0.9)]).predict([network(0.3)])
    assert (answer.answered_by, answer.label) == ("second", "twin (second)")
    assert answer.because == ("first knows loads up to 0.5",)


def test_a_what_if_compares_one_engine_with_itself() -> None:
    twin = Fallback(Limited("first", 0.5), Limited("second", 2.0))
    answer = what_if(network(0.3), [ScaleTraffic(2.0)], twin)
    assert answer.before.answered_by == answer.after.answered_by == "second"


def test_the_answer_says_who_gave_it_and_why() -> None:
    twin = Fallback(Limited("first", 0.5), Limited("second", 2.0))
    (inside,), (beyond,) = twin.predict([network(0.3)]), twin.predict([network(0.9)])
    assert inside.engine == beyond.engine == twin.name == "twin"
    assert "because" not in inside.provenance
    assert beyond.provenance["because"] == ["first knows loads up to 0.5"]
    assert beyond.provenance["scenario"] == network(0.9).fingerprint()


@pytest.mark.parametrize(
    ("load", "reasons"), [(0.3, []), (0.9, []), (2.5, ["second knows loads up to 2.0"])]
)
def test_unsupported_is_what_neither_supports(load: float, reasons: list[str]) -> None:
    twin = Fallback(Limited("first", 0.5), Limited("second", 2.0))
    assert twin.unsupported(network(load)) == reasons


def test_a_primary_of_wider_range_is_not_held_back_by_the_secondary() -> None:
    assert Fallback(Limited("first", 3.0), Limited("second", 0.5)).unsupported(network(0.9)) == []


def test_delays_are_taken_apart_by_the_one_that_answers() -> None:
    twin = Fallback(Theory(), Limited("second", 2.0))
    calm = network(0.3)
    assert twin.hops(calm).waiting_s == pytest.approx(Theory().hops(calm).waiting_s)
    assert Fallback(Limited("first", 0.2), Limited("second", 2.0)).hops(calm) is None
    assert Fallback(Limited("first", 0.2), Theory()).hops(calm) is not None
