"""The benchmark of intervals on recordings made up for it: coverage, width, flags."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.benchmark import Options, Skipped
from benchmarks.suite import calibration as benchmark
from nettwin.datasets.store import Manifest, Sample, write_manifest, write_shard
from nettwin.engines.learned.calibration import calibrate
from nettwin.engines.learned.engine import Learned
from nettwin.engines.learned.model_file import Model, write_model
from nettwin.metrics import Metrics, Table
from nettwin.scenario.generate import generate
from tests.engines.learned.small_model import small_model

NOISE = 0.1


@cache
def samples() -> tuple[Sample, ...]:
    """Networks whose delays are those of a model, times lognormal noise; every fifth is a test."""
    engine, random, found = Learned(small_model()), np.random.default_rng(1), []
    for number in range(60):
        load = 0.1 + 0.4 * (number % 7) / 6
        scenario = generate("ring", nodes=5, load=load, seed=number, capacity_bps=2e6)
        told = engine.predict([scenario])[0]
        noise = np.exp(NOISE * random.standard_normal(len(told.flow)))
        columns = {
            name: values * (noise if name.startswith("owd") else 1.0)
            for name, values in told.flow.columns.items()
        }
        metrics = Metrics(Table(columns), Table({}), Table({}), "simulated", "made up")
        found.append(Sample(number, scenario, metrics))
    return tuple(found)


@cache
def model() -> Model:
    made = small_model()
    entry = {"name": "made up", "parts": {"test": [5, 0]}, "by": "sample"}
    made = replace(made, card={**made.card, "data": [entry]})
    return calibrate(made, ((s.scenario, s.metrics) for s in samples() if s.number % 5))


def measured(folder: Path, calibrated: Model) -> dict[str, float]:
    own = folder / "own"
    own.mkdir()
    entry = write_shard(own / "0.npz", samples())
    write_manifest(own, Manifest({"name": "made up"}, {"0.npz": entry}))
    write_model(folder / "model.safetensors", calibrated)
    extra = {"own": own, "model": str(folder / "model.safetensors"), "bayesian": None}
    outcome = benchmark.run(Options(extra=extra))
    assert "own: 12 simulations." in outcome.remarks
    return {figure.name: figure.value for figure in outcome.figures}


def test_coverage_and_width_are_those_of_the_noise(tmp_path: Path) -> None:
    found = measured(tmp_path, model())
    assert found["own: gnn, mean delay: coverage"] == pytest.approx(90, abs=5)
    width = np.expm1(1.645 * NOISE) * 100  # holds 90 % of the noise
    assert found["own: gnn, mean delay: width"] == pytest.approx(width, rel=0.15)
    assert found["own: gnn, mean delay, up to 20 nodes: width"] == pytest.approx(
        found["own: gnn, mean delay: width"]
    )
    assert found["own: gnn, p90: coverage"] == pytest.approx(90, abs=5)
    assert found["own: spread, mean delay: coverage"] < 50
    assert not any("gnn, recording noise" in name for name in found)  # of recordings alone


def test_intervals_that_are_too_narrow_miss_their_target(tmp_path: Path) -> None:
    narrow = {
        name: values * (0.5 if name.endswith("quantiles") else 1.0)
        for name, values in model().calibration.items()
    }
    found = measured(tmp_path, replace(model(), calibration=narrow))
    assert found["own: gnn, mean delay: coverage"] < 75


@pytest.mark.parametrize(("value", "met"), [(87.9, False), (88.1, True), (92.1, False)])
def test_a_coverage_is_met_from_both_sides(value: float, met: bool) -> None:
    assert benchmark.within("x", value).met is met
    assert benchmark.within("x", float("nan")).met is False


def test_flags_are_counted() -> None:
    flows, large = benchmark._flagged("x", np.array([200, 20, 4, 10, 9]))[::3]
    assert (flows.value, flows.met) == (10.0, True)
    assert (large.value, large.met) == (90.0, False)
    assert benchmark._flagged("x", np.array([200, 20, 4, 0, 0]))[-1].met is None


def test_it_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(Skipped, match="--own"):
        benchmark.run(Options(extra={"own": None, "model": "gnn", "bayesian": None}))
    write_model(tmp_path / "bare.safetensors", small_model())
    extra = {"own": tmp_path, "model": str(tmp_path / "bare.safetensors"), "bayesian": None}
    with pytest.raises(Skipped, match="not calibrated"):
        benchmark.run(Options(extra=extra))
