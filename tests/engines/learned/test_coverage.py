"""Coverage: what a model was trained on is in range; other networks are named."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from nettwin.engines.learned.coverage import JUST_BEYOND, NAMES, flows_beyond, outside, ranges_of
from nettwin.engines.learned.engine import Learned
from nettwin.engines.learned.features import QUEUE
from nettwin.engines.learned.inputs import Inputs, inputs_of
from nettwin.engines.learned.model_file import Model
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.engines.learned.small_model import small_model


@cache
def trained() -> tuple[Scenario, ...]:
    """Rings and grids of FIFO and WFQ ports, Poisson, loads from 0.2 to 0.9."""
    return tuple(
        generate(
            ("ring", "grid")[k % 2],
            nodes=5 + k % 4,
            load=0.2 + 0.7 * k / 19,
            classes="three",
            scheduler=("fifo", "wfq")[k // 2 % 2],
            seed=k,
            capacity_bps=2e6,
        )
        for k in range(20)
    )


@cache
def inputs() -> tuple[Inputs, ...]:
    return tuple(inputs_of(scenario) for scenario in trained())


@cache
def engine() -> Learned:
    model: Model = replace(small_model(), ranges=ranges_of(inputs()))
    return Learned(model)


def like(**settings: object) -> Scenario:
    usual = {"nodes": 6, "load": 0.6, "classes": "three", "scheduler": "wfq", "seed": 4}
    return generate("grid", capacity_bps=2e6, **{**usual, **settings})


@pytest.mark.parametrize("k", range(20))
def test_what_was_trained_on_is_in_range(k: int) -> None:
    assert engine().unsupported(trained()[k]) == []
    assert not engine().flagged(trained()[k]).any()


@pytest.mark.parametrize(
    ("settings", "feature"),
    [
        ({"load": 2.5}, "load"),
        ({"scheduler": "drr"}, "drr"),
        ({"scheduler": "sp"}, "sp"),
        ({"arrival": "cbr"}, "periodic"),
        ({"arrival": "onoff"}, "modulat"),
        ({"buffer_packets": 100_000}, "ln_buffer"),
    ],
)
def test_what_was_never_seen_is_flagged(settings: dict[str, object], feature: str) -> None:
    scenario = like(**settings)
    found = outside(engine().model.ranges, inputs_of(scenario))
    beyond = {
        name
        for one in found
        for name, bad in zip(NAMES[one.kind], one.excess.any(axis=0), strict=True)
        if bad
    }
    assert any(feature in name for name in beyond)
    said = engine().unsupported(scenario)
    assert 1 <= len(said) <= 5
    assert all("trained on" in sentence and "Ask another engine" in sentence for sentence in said)
    assert engine().flagged(scenario).any()


def test_a_sentence_names_the_worst_element_its_value_and_the_range() -> None:
    """One link of three times its capacity in an otherwise quiet line."""
    links = [Link(a, b, 2e6, 1e-3) for a, b in ("AB", "BC", "BA", "CB")]
    topology = Topology.build("ABC", links)
    flows = [Flow("A", "B", 5.5e6), Flow("B", "C", 2e5), Flow("C", "A", 2e5)]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    ranges = {"queue": engine().model.ranges["queue"]}
    said = Learned(replace(engine().model, ranges=ranges)).unsupported(scenario)
    assert len(said) == 1
    assert said[0].startswith("queue A->B: ")
    low, high = ranges["queue"][:, QUEUE.index("load")]
    assert high < 2.7
    assert low > 0


def test_only_flows_that_meet_it_are_marked() -> None:
    links = [Link(a, b, 2e6, 1e-3) for a, b in ("AB", "BC", "BA", "CB")]
    topology = Topology.build("ABC", links)
    flows = [Flow("A", "B", 5.5e6), Flow("B", "C", 2e5), Flow("A", "C", 1e5)]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    ranges = {"queue": np.zeros((2, len(QUEUE)), np.float32)}
    ranges["queue"][0], ranges["queue"][1] = -100, 100
    ranges["queue"][:, QUEUE.index("load")] = 0.0, 1.0
    inputs = inputs_of(scenario)
    marked = flows_beyond(ranges, inputs) > JUST_BEYOND
    assert marked.tolist() == [True, False, True]


def test_what_carries_nothing_does_not_count() -> None:
    """An idle network has features like no other, and nothing to be wrong about."""
    ring = like()
    idle = ring.with_(
        traffic=ring.traffic.with_arrays(flow_rate_bps=np.zeros(ring.traffic.flow_count))
    )
    assert engine().unsupported(idle) == []
    assert not engine().flagged(idle).any()
    assert ranges_of([inputs_of(idle)]) == {}


def test_a_range_leaves_out_a_rare_outlier() -> None:
    odd = inputs_of(like(load=2.5))
    among_many = ranges_of([*inputs() * 1000, odd])
    alone = ranges_of([*inputs(), odd])
    column = QUEUE.index("load")
    assert among_many["queue"][1, column] < alone["queue"][1, column]


def test_without_ranges_only_what_no_model_can_is_unsupported() -> None:
    assert Learned(small_model()).unsupported(like(load=2.5)) == []


def test_a_port_that_is_offered_more_than_features_tell_is_named() -> None:
    said = Learned(small_model()).unsupported(like(load=4.0))
    assert len(said) == 1
    assert "is offered 400% of its capacity, above 300%" in said[0]


def test_networks_that_disagree_as_never_in_calibration_are_named() -> None:
    scenario = like()
    model = small_model(members=2)
    inputs = inputs_of(scenario)
    spread = Learned(model).architecture.answer(inputs, model.members).spread
    second = np.sort(spread)[-2]

    def unsupported(most: float) -> list[str]:
        limited = replace(model, calibration={"spread": np.array([most], np.float32)})
        return Learned(limited, confidence=0.9).unsupported(scenario)

    assert unsupported(float(spread.max())) == []
    flow = scenario.flow_names[int(spread.argmax())]
    (said,) = unsupported(float(second + spread.max()) / 2)
    assert said.startswith(f"flow {flow}: the model's networks differ by ")
    assert "more flows" not in said
    assert f"({len(spread) - 1} more flows)" in unsupported(0.0)[0]
