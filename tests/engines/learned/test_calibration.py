"""Calibration: the theory of split conformal prediction on synthetic data, and the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nettwin.engines.learned.calibration import (
    CONFIDENCES,
    LOADS,
    Compared,
    calibrate,
    quantile,
    quantiles,
)
from nettwin.engines.learned.engine import Learned
from nettwin.engines.learned.inputs import inputs_of
from nettwin.engines.learned.intervals import (
    QUANTITIES,
    SMALL_LOSS,
    Known,
    bounds,
    flagged,
    half_width,
    highest_load,
)
from nettwin.engines.learned.model_file import Model, model_from_bytes, write_model
from nettwin.engines.learned.recorded import recorded
from nettwin.engines.theory import Theory
from nettwin.errors import InputError
from nettwin.metrics import Metrics, Table
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from tests.engines.learned.small_model import small_model

Floats = NDArray[np.float64]
Simulation = Compared


def simulations(count: int, seed: int, *, most_flows: int = 60) -> list[Simulation]:
    """Synthetic simulations whose flows err together, each more or less than was expected of it."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        flows = int(random.integers(5, most_flows))
        load = random.uniform(0, 1.3, flows)
        scale = np.exp(random.normal(-4, 0.5, flows)) * (1 + 3 * load)
        mean = np.exp(random.normal(0, 1, flows))
        together = np.exp(random.normal(0, 0.5))  # of a simulation
        error = scale * together * (1 + load) * random.standard_normal(flows)
        loss = np.where(random.random(flows) < 0.5, 0.0, random.uniform(0, 0.3, flows))
        told = np.clip(loss * np.exp(0.1 * random.standard_normal(flows)), 0, 1)
        delays = [name for name in QUANTITIES if name.startswith("owd")]
        predicted = {**dict.fromkeys(delays, mean), "pdv_s2": mean**2, "loss_ratio": told}
        truth = mean * np.exp(error)
        known = {**dict.fromkeys(delays, truth), "pdv_s2": truth**2, "loss_ratio": loss}
        parts = {name: np.full(flows, 0.5) for name in (*delays, "pdv_s2")}
        found.append(Compared(Known(load, predicted, scale, parts), known))
    return found


@cache
def usual() -> dict[str, NDArray[np.float32]]:
    return quantiles(simulations(1000, seed=1))


def held(found: list[Simulation], calibration: Mapping[str, NDArray[np.float32]], name: str,
         confidence: float = 0.9) -> list[float]:  # fmt: skip
    """The share of flows in their intervals, simulation by simulation."""
    shares = []
    for known, truth, _ in found:
        low, high = bounds(calibration, known, confidence)[name]
        shares.append(float(((truth[name] >= low) & (truth[name] <= high)).mean()))
    return shares


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_a_quantile_holds_a_flow_of_a_new_simulation(level: float) -> None:
    """Over many repetitions, within binomial bounds of the level and of what finite samples add."""
    random = np.random.default_rng(1)
    simulations, repeats, inside = 40, 1500, 0
    for _ in range(repeats):
        count = random.integers(1, 8, simulations + 1)
        shift = np.repeat(random.normal(size=simulations + 1), count)
        scores = shift + random.normal(size=count.sum())
        number = np.repeat(np.arange(simulations + 1), count)
        limit = quantile(scores[number < simulations], number[number < simulations], [level])[0]
        inside += random.choice(scores[number == simulations]) <= limit
    error = 3 * np.sqrt(level * (1 - level) / repeats)
    assert level - error <= inside / repeats <= level + 2 / (simulations + 1) + error


def test_every_simulation_weighs_alike() -> None:
    scores = np.concatenate([np.full(1000, 5.0), np.arange(1, 100) / 100])
    number = np.concatenate([np.zeros(1000), np.arange(1, 100)]).astype(np.int64)
    assert quantile(scores, number, [0.9])[0] == pytest.approx(0.91)  # 91 of 101
    assert quantile(scores, number, [0.985])[0] == 5.0
    assert quantile(scores, number, [0.995])[0] == np.inf  # one of 101 is not known


@pytest.mark.parametrize("name", ["owd_mean_s", "owd_p90_s", "pdv_s2"])
@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_intervals_hold_what_they_say(name: str, confidence: float) -> None:
    calibration = usual()
    each = held(simulations(1000, seed=2), calibration, name, confidence)
    error = np.std(each) * (1 / np.sqrt(len(each)) + 1 / np.sqrt(1000))
    assert np.mean(each) == pytest.approx(confidence, abs=3 * error + 0.01)
    assert 3 * error < 0.05


def test_intervals_hold_what_they_say_in_each_class_of_load() -> None:
    calibration = quantiles(simulations(300, seed=3))
    assert calibration["owd_mean_s/edges"].tolist() == pytest.approx(LOADS)
    hits: list[list[float]] = [[] for _ in range(len(LOADS) + 1)]
    for known, truth, _ in simulations(600, seed=4):
        low, high = bounds(calibration, known)["owd_mean_s"]
        inside = (truth["owd_mean_s"] >= low) & (truth["owd_mean_s"] <= high)
        kind = np.searchsorted(LOADS, known.load)
        for k in np.unique(kind):
            hits[k].append(float(inside[kind == k].mean()))
    assert [np.mean(h) for h in hits] == pytest.approx([0.9] * len(hits), abs=0.03)


def test_loss_is_held_at_least_and_none_is_among_it_where_none_is_likely() -> None:
    calibration = quantiles(simulations(300, seed=5))
    each = held(simulations(300, seed=6), calibration, "loss_ratio")
    assert np.mean(each) >= 0.88
    known = simulations(1, seed=7)[0].known
    low, high = bounds(calibration, known)["loss_ratio"]
    none = known.predicted["loss_ratio"] == 0
    assert none.any()
    assert (low[none] == 0).all()
    assert (high[none] < SMALL_LOSS).all()
    assert ((low >= 0) & (high <= 1)).all()


def test_more_confidence_is_never_narrower_and_the_point_lies_inside() -> None:
    calibration = quantiles(simulations(100, seed=8))
    known = simulations(1, seed=9)[0].known
    before = None
    for confidence in CONFIDENCES:
        found = bounds(calibration, known, confidence)
        assert set(found) == set(QUANTITIES)
        for name, (low, high) in found.items():
            point = known.predicted[name]
            assert (low <= point * (1 + 1e-9)).all()
            assert (high >= point * (1 - 1e-9)).all()
            if before:
                assert (low <= before[name].low).all()
                assert (high >= before[name].high).all()
        before = found


def test_a_confidence_between_two_is_the_higher_one() -> None:
    calibration = quantiles(simulations(60, seed=10))
    known = simulations(1, seed=11)[0].known
    between, above = (bounds(calibration, known, c)["owd_mean_s"] for c in (0.87, 0.9))
    assert np.array_equal(between.high, above.high)


@pytest.mark.parametrize("confidence", [0.0, 0.99, 1.0, -1.0, float("nan")])
def test_a_confidence_out_of_reach_is_refused(confidence: float) -> None:
    calibration = quantiles(simulations(60, seed=10))
    with pytest.raises(InputError, match=r"at most 0\.95"):
        bounds(calibration, simulations(1, seed=11)[0].known, confidence)


def test_classes_of_few_simulations_join_their_neighbors() -> None:
    found = [
        Compared(known._replace(load=np.minimum(known.load, 0.4)), truth)
        for known, truth, _ in simulations(40, seed=12)
    ]
    rare = simulations(3, seed=13)
    edges = quantiles([*found, *rare])["owd_mean_s/edges"]
    assert len(edges) == 0


def test_too_few_simulations_are_refused() -> None:
    with pytest.raises(InputError, match="18 simulations to calibrate with: must be 19 or more"):
        quantiles(simulations(18, seed=14))


def test_what_was_not_recorded_has_no_interval() -> None:
    unknown = [
        Compared(known, {**truth, "owd_p99_s": np.full_like(truth["owd_p99_s"], np.nan)})
        for known, truth, _ in simulations(30, seed=15)
    ]
    assert set(QUANTITIES) - set(bounds(quantiles(unknown), unknown[0].known)) == {"owd_p99_s"}


def test_recorded_leaves_out_delays_that_say_nothing() -> None:
    columns = {
        "owd_mean_s": np.array([1.0, 2.0, np.nan, 3.0]),
        "owd_p90_s": np.array([2.0, 3.0, np.nan, 20.0]),
        "loss_ratio": np.array([0.0, 0.995, 1.0, 0.2]),
    }
    metrics = Metrics(Table(columns), Table({}), Table({}), "simulated", "other")
    mean = recorded(metrics)["owd_mean_s"]
    assert np.isnan(mean).tolist() == [False, True, True, False]
    cut = recorded(replace(metrics, provenance={"longest_delay_s": 20.0}))["owd_mean_s"]
    assert np.isnan(cut).tolist() == [False, True, True, True]
    assert recorded(metrics)["loss_ratio"].tolist() == [0.0, 0.995, 1.0, 0.2]
    assert np.isnan(recorded(metrics)["owd_p50_s"]).all()


# With a model and real scenarios


@cache
def scenarios() -> tuple[Scenario, ...]:
    return tuple(
        generate("ring", nodes=4 + k % 3, load=0.2 + 0.045 * k, seed=k, capacity_bps=2e6)
        for k in range(24)
    )


@cache
def examples() -> tuple[tuple[Scenario, Metrics], ...]:
    """Theory, moved at random, as the truth."""
    found = []
    for k, (scenario, metrics) in enumerate(
        zip(scenarios(), Theory().predict(scenarios()), strict=True)
    ):
        noise = np.exp(0.1 * np.random.default_rng(k).standard_normal(len(metrics.flow)))
        columns = {
            name: values if name in ("loss_ratio", "throughput_bps") else values * noise
            for name, values in metrics.flow.columns.items()
        }
        found.append((scenario, replace(metrics, flow=Table(columns))))
    return tuple(found)


@pytest.fixture(scope="module", params=[1, 2])
def model(request: pytest.FixtureRequest) -> Model:
    """Of one member, whose spread is 0, and of two."""
    return calibrate(small_model(members=request.param), examples())


def test_the_engine_gives_intervals_around_what_it_predicts(model: Model) -> None:
    engine = Learned(model)
    for scenario in scenarios()[:4]:
        metrics = engine.predict([scenario])[0]
        assert metrics.confidence == 0.9
        assert set(metrics.flow.low) == set(metrics.flow.high) == set(QUANTITIES)
        for name in QUANTITIES:
            values = metrics.flow[name]
            known = np.isfinite(values)
            assert (metrics.flow.low[name][known] <= values[known] * (1 + 1e-9) + 1e-9).all()
            assert (metrics.flow.high[name][known] >= values[known] * (1 - 1e-9) - 1e-9).all()


def test_the_engine_takes_another_confidence(model: Model) -> None:
    scenario = scenarios()[0]
    wide, narrow = (Learned(model, c).predict([scenario])[0] for c in (0.95, 0.5))
    assert (wide.confidence, narrow.confidence) == (0.95, 0.5)
    assert (wide.flow.high["owd_mean_s"] > narrow.flow.high["owd_mean_s"]).all()


def test_a_flow_of_which_nothing_arrives_has_no_interval_of_delay(model: Model) -> None:
    ring = scenarios()[0]
    down = ring.topology.with_arrays(node_up=np.arange(ring.topology.node_count) != 0)
    broken = ring.with_(topology=down)
    metrics = Learned(model).predict([broken])[0]
    gone = np.isnan(metrics.flow["owd_mean_s"])
    assert gone.any()
    assert not gone.all()
    assert np.isnan(metrics.flow.low["owd_mean_s"][gone]).all()
    assert np.isfinite(metrics.flow.high["owd_mean_s"][~gone]).all()
    assert (metrics.flow.high["loss_ratio"][gone] == 1).all()
    assert not Learned(model).flagged(broken)[gone].any()


def test_without_calibration_there_are_no_intervals() -> None:
    metrics = Learned(small_model()).predict(scenarios()[:1])[0]
    assert not metrics.flow.low
    assert not Learned(small_model()).flagged(scenarios()[0]).any()


def test_calibration_is_the_same_after_writing_and_reading(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, model)
    again = model_from_bytes(path.read_bytes(), path)
    here, there = (Learned(m).predict(scenarios()[:1])[0] for m in (model, again))
    for name in QUANTITIES:
        assert np.array_equal(here.flow.high[name], there.flow.high[name], equal_nan=True)
    assert set(again.ranges) == set(model.ranges)


def test_flagged_flows_are_those_of_wide_intervals(model: Model) -> None:
    scenario = scenarios()[20]
    inputs = inputs_of(scenario)
    engine = Learned(model)
    found = bounds(model.calibration, _known(engine, scenario))
    assert highest_load(inputs).max() > 0.5
    width = half_width(found)
    marked = flagged(model.calibration, found)
    assert marked.tolist() == (width >= model.calibration["doubt"][0]).tolist()
    assert engine.flagged(scenario).tolist() == marked.tolist()


def _known(engine: Learned, scenario: Scenario) -> Known:
    from nettwin.engines.learned.intervals import known

    inputs = inputs_of(scenario)
    return known(inputs, engine.architecture.answer(inputs, engine.model.members))
