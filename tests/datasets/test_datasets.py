"""Data sets: draws repeat, shards resume and are verified, labels come back as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.datasets.distributions import draw_name, draw_number, draw_whole
from nettwin.datasets.drawing import draw_scenario
from nettwin.datasets.generation import generate_dataset, make_sample
from nettwin.datasets.impairments import IMPAIRMENTS
from nettwin.datasets.inspection import inspect_dataset, label_noise
from nettwin.datasets.networks import HELD_OUT, real_networks
from nettwin.datasets.recipe import Recipe, read_recipe, shipped_recipe
from nettwin.datasets.store import (
    Manifest,
    read_manifest,
    read_samples,
    write_manifest,
    write_shard,
)
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.interfaces.wiring import labeler
from nettwin.metrics import Metrics, Table
from nettwin.model import NetworkModel
from nettwin.scenario.arrivals import OnOff
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS

GENERAL = read_recipe(shipped_recipe("general"))
SMALL = replace(
    GENERAL,
    name="small",
    samples=5,
    shard=2,
    packet_hops=3e4,
    second_seeds=0.5,
    topology={"nodes": [4, 8], "kinds": {"gabriel": 1, "ring": 1}},
)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_distributions_keep_their_bounds_and_weights() -> None:
    random = generator()
    assert draw_number("x", 0.5, random) == 0.5
    uniform = [draw_number("x", [2, 4], random) for _ in range(400)]
    assert 2 <= min(uniform) < 2.1
    assert 3.9 < max(uniform) <= 4
    log = [draw_number("x", {"log": [1, 1e4]}, random) for _ in range(2000)]
    assert np.median(log) == pytest.approx(100, rel=0.5)
    assert {draw_whole("x", [1, 3], random) for _ in range(100)} == {1, 2, 3}
    names = [draw_name("x", {"a": 3, "b": 1, "c": 0}, random) for _ in range(800)]
    assert "c" not in names
    assert names.count("a") / names.count("b") == pytest.approx(3, rel=0.4)


@pytest.mark.parametrize(
    "wrong",
    [True, "5", [1], [3, 1], [1, float("nan")], {"log": [0, 1]}, {"log": 3}, {"choice": {}}, None],
)
def test_a_wrong_distribution_is_named(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"traffic\.load is .*Correct the recipe"):
        draw_number("traffic.load", wrong, generator())


@pytest.mark.parametrize("weights", [{}, {"a": -1}, {"a": 0}, {"a": "x"}, 3])
def test_wrong_weights_are_named(weights: Any) -> None:
    with pytest.raises(InputError, match="kinds"):
        draw_name("kinds", weights, generator())


def test_the_general_recipe_draws_valid_scenarios_of_every_kind() -> None:
    networks = real_networks()
    drawn = [draw_scenario(GENERAL, n, networks) for n in range(60)]
    policies = {s.topology.policy_of(k) for s in drawn for k in range(s.topology.link_count)}
    arrivals = {a.kind for s in drawn for a in s.traffic.arrivals}
    assert policies == set(SCHEDULERS)
    assert {"poisson", "cbr", "onoff", "mmpp", "autocorrelated"} <= arrivals
    assert {s.notes["impairment"] for s in drawn} <= set(IMPAIRMENTS)
    assert len({s.notes["impairment"] for s in drawn}) >= 5
    assert all(s.topology.node_count <= 60 for s in drawn)
    again = draw_scenario(GENERAL, 7, networks)
    assert again.fingerprint() == drawn[7].fingerprint() != drawn[8].fingerprint()


@pytest.mark.parametrize("name", ["broad", "small"])
def test_the_wide_recipes_draw_what_they_promise(name: str) -> None:
    recipe = read_recipe(shipped_recipe(name))
    drawn = [draw_scenario(recipe, n, real_networks()) for n in range(80)]
    families = {s.notes["family"] for s in drawn}
    assert {"line", "star", "tree", "dumbbell"} <= families
    assert len({s.notes["shape"] for s in drawn}) >= len(families)
    for scenario in drawn:
        topology, traffic = scenario.topology, scenario.traffic
        assert 2 <= topology.node_count <= 60
        capacity = topology.link_capacity_bps
        assert capacity.min() >= 6.4e4 * 0.3 and capacity.max() <= 4e11 * (1 + 1e-9)
        assert topology.link_delay_s.max() <= 0.1
        assert 1 <= traffic.flow_count <= 20_000
        for port in topology.schedulers:
            for queue in port.queues:
                assert 1 <= queue.weight <= 20
                assert queue.quantum_bits <= 10.5 * 9000 * 8
        for size in traffic.sizes:
            assert 64 * 8 <= size.mean_bits <= 9000 * 8
        for arrival in traffic.arrivals:
            if isinstance(arrival, OnOff):
                assert arrival.on_s + arrival.off_s <= 1 + 1e-9
        if scenario.notes["impairment"] == "none":
            assert scenario.link_offered_load.max() <= 3 + 1e-9
    loads = [float(s.link_offered_load.max()) for s in drawn]
    assert min(loads) < 0.3 and max(loads) > 1.5
    policies = {s.topology.policy_of(k) for s in drawn for k in range(s.topology.link_count)}
    assert policies == set(SCHEDULERS)


def test_a_mix_draws_each_of_its_distributions() -> None:
    mix = {"mix": [[3, [0, 1]], [1, {"log": [10, 100]}]]}
    drawn = np.array([draw_number("x", mix, generator(k)) for k in range(400)])
    assert set(np.flatnonzero(drawn > 1)) == set(np.flatnonzero(drawn >= 10))
    assert np.mean(drawn > 1) == pytest.approx(0.25, abs=0.08)
    for wrong in ({"mix": []}, {"mix": 3}, {"mix": [[1]]}):
        with pytest.raises(InputError, match="Correct the recipe"):
            draw_number("x", wrong, generator())


def test_networks_that_models_are_judged_on_are_held_out() -> None:
    names = [name.lower() for name in real_networks()]
    assert len(names) > 100
    assert not any(word in name for name in names for word in HELD_OUT)


@pytest.mark.parametrize("impairment", IMPAIRMENTS)
def test_every_impairment_gives_a_valid_scenario(impairment: str) -> None:
    recipe = replace(SMALL, impairments={"kinds": {impairment: 1}})
    plain = replace(SMALL, impairments={"kinds": {"none": 1}})
    changed = 0
    for number in range(6):
        scenario = draw_scenario(recipe, number, {})
        assert scenario.notes["impairment"] == impairment
        changed += scenario.fingerprint() != draw_scenario(plain, number, {}).fingerprint()
    assert changed == 0 if impairment == "none" else changed > 0


def test_a_data_set_is_complete_repeats_and_comes_back(tmp_path: Path) -> None:
    manifest = generate_dataset(SMALL, tmp_path / "a", labeler)
    assert manifest.samples == [0, 1, 2, 3, 4]
    generate_dataset(SMALL, tmp_path / "b", labeler, jobs=2)
    shards = [path.name for path in sorted((tmp_path / "a").glob("*.npz"))]
    assert shards == ["000000.npz", "000002.npz", "000004.npz"]
    for name in shards:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    samples = list(read_samples(tmp_path / "a"))
    made = make_sample(SMALL, 3, labeler)
    assert samples[3].scenario.fingerprint() == made.scenario.fingerprint()
    assert samples[3].metrics.provenance == made.metrics.provenance
    for name, values in made.metrics.flow.columns.items():
        assert np.array_equal(samples[3].metrics.flow[name], values, equal_nan=True)
    assert np.array_equal(
        samples[3].metrics.flow.low["owd_mean_s"],
        made.metrics.flow.low["owd_mean_s"],
        equal_nan=True,
    )
    assert [s.number for s in read_samples(tmp_path / "a", [4, 1])] == [1, 4]
    found = inspect_dataset(tmp_path / "a")
    assert found.samples == found.of == 5
    assert found.seconds_twice == sum(s.second is not None for s in samples) > 0


class Failing:
    """A model that is killed in its third simulation."""

    name = "failing"
    left = 2

    def __init__(self, inner: NetworkModel) -> None:
        self.inner = inner

    def predict(self, scenarios: list[Scenario]) -> list[Metrics]:
        Failing.left -= 1
        if Failing.left < 0:
            raise KeyboardInterrupt
        return self.inner.predict(scenarios)

    def unsupported(self, scenario: Scenario) -> list[str]:
        return []


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    recipe = replace(SMALL, second_seeds=0.0)
    Failing.left = 3
    with pytest.raises(KeyboardInterrupt):
        generate_dataset(recipe, tmp_path, lambda *s: Failing(labeler(*s)))  # type: ignore[arg-type,return-value]
    assert read_manifest(tmp_path).samples == [0, 1]
    assert len(list(read_samples(tmp_path))) == 2
    before = (tmp_path / "000000.npz").stat().st_mtime_ns
    done: list[float] = []
    generate_dataset(recipe, tmp_path, labeler, progress=done.append)
    assert read_manifest(tmp_path).samples == [0, 1, 2, 3, 4]
    assert (tmp_path / "000000.npz").stat().st_mtime_ns == before
    assert done == [0.8, 1.0]
    more = replace(recipe, samples=6)  # a larger set of the same recipe begins with these
    assert generate_dataset(more, tmp_path, labeler).samples == list(range(6))


def test_samples_of_another_recipe_are_not_mixed(tmp_path: Path) -> None:
    generate_dataset(replace(SMALL, samples=1), tmp_path, labeler)
    with pytest.raises(InputError, match="another recipe"):
        generate_dataset(replace(SMALL, seed=9), tmp_path, labeler)


def test_damage_is_found(tmp_path: Path) -> None:
    generate_dataset(replace(SMALL, samples=1), tmp_path, labeler)
    shard = tmp_path / "000000.npz"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(FormatError, match="checksum"):
        list(read_samples(tmp_path))
    shard.unlink()
    with pytest.raises(FormatError, match="cannot be read"):
        list(read_samples(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "other"}',
        '{"schema": "nettwin-dataset-1"}',
        '{"schema": "nettwin-dataset-1", "recipe": {}, "shards": {"../x.npz": {"samples": [1]}}}',
        '{"schema": "nettwin-dataset-1", "recipe": {"samples": "many"}, "shards": {}}',
        '{"schema": "nettwin-dataset-1", "recipe": {"samples": Infinity}, "shards": {}}',
    ],
)
def test_a_wrong_manifest_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FormatError, match="not a manifest"):
        read_manifest(tmp_path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "000000.npz"
    np.savez(path, **{"0/scenario": np.array([{"a": 1}], dtype=object)})  # type: ignore[arg-type]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    shards = {"000000.npz": {"samples": [0], "sha256": digest}}
    document = {"schema": "nettwin-dataset-1", "recipe": {}, "shards": shards}
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match="damaged"):
        list(read_samples(tmp_path))


def test_metrics_that_do_not_fit_their_scenario_are_refused(tmp_path: Path) -> None:
    sample = make_sample(replace(SMALL, second_seeds=0.0), 0, labeler)
    for table in ("flow", "link", "queue"):
        short = {k: v[:-1] for k, v in getattr(sample.metrics, table).columns.items()}
        wrong = replace(sample.metrics, **{table: Table(short)})
        entry = write_shard(tmp_path / "000000.npz", [replace(sample, metrics=wrong)])
        write_manifest(tmp_path, Manifest({}, {"000000.npz": entry}))
        with pytest.raises(FormatError, match=f"damaged.*{table} .* has shape"):
            list(read_samples(tmp_path))


def test_noise_of_labels_is_that_of_one_run() -> None:
    sample = make_sample(replace(SMALL, second_seeds=1.0), 0, labeler)
    assert sample.second is not None
    random = generator()
    truth = np.full(sample.scenario.traffic.flow_count, 0.01)
    error = 0.02

    def noisy() -> Metrics:
        drawn = truth * (1 + error * random.standard_normal(len(truth)))
        table = replace(sample.metrics.flow, columns={"owd_mean_s": drawn}, low={}, high={})
        return replace(sample.metrics, flow=table)

    found = [label_noise(replace(sample, metrics=noisy(), second=noisy())) for _ in range(200)]
    assert np.mean(found) == pytest.approx(error * np.sqrt(2 / np.pi), rel=0.05)


def test_recipes_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    for text, told in (
        ("samples = ", "is not TOML"),
        ("sample = 3", "attribute of a recipe"),
        ("samples = 0", "samples is 0"),
        ("second_seeds = 2", "second_seeds is 2"),
    ):
        path.write_text(text)
        with pytest.raises(FormatError, match=told):
            read_recipe(path)
    with pytest.raises(UnknownNameError, match="general"):
        shipped_recipe("generel")
    assert replace(GENERAL, samples=7).digest == GENERAL.digest
    assert Recipe("x", seed=2).digest != Recipe("x").digest


def test_ray_makes_the_same_samples(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra ray, which is not installed")
    generate_dataset(SMALL, tmp_path / "ray", labeler, jobs=2, ray_address="local")
    generate_dataset(SMALL, tmp_path / "here", labeler)
    for path in sorted((tmp_path / "here").glob("*.npz")):
        assert path.read_bytes() == (tmp_path / "ray" / path.name).read_bytes()
