"""The benchmark of sizes: what is drawn, what it is held against, and how flat is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.growth import chart
from benchmarks.suite import sizes
from benchmarks.suite.sizes import OWN, PUBLIC, Errors, Size
from nettwin.datasets.drawing import draw_scenario
from nettwin.datasets.generation import make_sample
from nettwin.datasets.recipe import read_recipe, shipped_recipe
from nettwin.interfaces.wiring import engine, labeler


def size(kind: str, nodes: int, *errors: float) -> Size:
    return Size(kind, nodes, [Errors({"gnn": e, "theory": 2 * e}, e / 10) for e in errors])


def test_networks_are_of_the_size_and_load_asked_and_never_of_a_training_seed() -> None:
    for nodes, load in ((10, 0.5), (20, 1.3)):
        recipe = sizes.recipe_of(nodes, load)
        scenario = draw_scenario(recipe, 3, {})
        assert scenario.topology.node_count == nodes
        assert scenario.link_offered_load.max() == pytest.approx(load)
        assert recipe.packet_hops == sizes.HOPS_A_PAIR * nodes**2
        trained = [read_recipe(shipped_recipe(name)) for name in ("general", "wide", "common")]
        assert recipe.seed not in {r.seed for r in trained}
        assert "real" not in recipe.topology["kinds"]


def test_labels_are_the_mean_of_two_runs_and_less_noisy_than_one() -> None:
    recipe = replace(sizes.recipe_of(10, 0.85), packet_hops=1e5)
    sample = make_sample(recipe, 0, labeler)
    assert sample.second is not None
    one, two = sample.metrics.flow["owd_mean_s"], sample.second.flow["owd_mean_s"]
    assert not np.array_equal(one, two)
    told = sizes.label(sample).flow["owd_mean_s"]
    assert told == pytest.approx((one + two) / 2, nan_ok=True)
    theory = engine("theory")
    found = sizes.errors_of_sample(sample, {"theory": theory})
    said = theory.predict([sample.scenario])[0].flow["owd_mean_s"]
    good = np.isfinite(told) & (sizes.label(sample).flow["loss_ratio"] < 0.99)
    assert found.engines["theory"] == pytest.approx(
        float(np.abs(said / told - 1)[good].mean()) * 100
    )
    known = np.isfinite(told)
    half = np.abs(one - two)[known] / 2 / told[known]  # of the mean of two normal variables
    assert found.noise == pytest.approx(float(half.mean()) * 100)


def test_flat_is_judged_over_all_sizes_of_all_kinds() -> None:
    found = [size(OWN, 10, 2.0, 4.0), size(OWN, 50, 2.0), size(PUBLIC, 300, 1.0)]
    assert found[0].mean("gnn") == 3.0
    assert found[0].error("gnn") == pytest.approx(1.0)
    assert np.isnan(found[1].error("gnn"))
    figures = {f.name: f for f in sizes.flatness(found)}
    both = figures["gnn, own and recorded, 10 to 300 nodes: largest over smallest"]
    assert (both.value, both.target, both.met) == (3.0, 1.5, False)
    alone = figures["gnn, own, 10 to 50 nodes: largest over smallest"]
    assert (alone.value, alone.target) == (1.5, None)
    (judged,) = [f for f in sizes.flatness(found[:2]) if f.target is not None]
    assert (judged.value, judged.met) == (1.5, True)
    assert sizes.flatness(found[:1]) == []


def test_the_chart_has_a_row_a_size_and_a_line_a_series() -> None:
    rows = sizes.rows_of([size(OWN, 50, 2.0), size(OWN, 10, 3.0), size(PUBLIC, 50, 1.0)])
    assert [row["nodes"] for row in rows] == [10, 50]
    assert rows[1]["own gnn"] == 2.0
    assert rows[1]["recorded gnn"] == 1.0
    drawing = chart(rows, sizes.SERIES, sizes.AXES)
    assert drawing.count("<polyline") == len(sizes.SERIES)
    for mark in ("0.2 %", "1 %", "5 %", "10 %"):
        assert f">{mark}<" in drawing
