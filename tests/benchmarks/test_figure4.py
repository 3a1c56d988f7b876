"""figure4: what counts as unseen, how errors are taken, and what is kept of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from benchmarks.benchmark import Options, Skipped
from benchmarks.cumulative import SHARES, draw, write_curves
from benchmarks.suite import figure4
from nettwin.datasets.store import Manifest, Sample, write_manifest, write_shard
from nettwin.engines.theory import Theory
from nettwin.metrics import Metrics, Table
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario


def network(kind: str, nodes: int) -> Scenario:
    return generate(kind, nodes=nodes, load=0.5, capacity_bps=1e6)


def data_set(folder: Path, scenarios: dict[int, Scenario]) -> Path:
    """A data set of these samples by number, labeled by theory."""
    folder.mkdir()
    answers = Theory().predict(list(scenarios.values()))
    samples = [Sample(n, s, m) for (n, s), m in zip(scenarios.items(), answers, strict=True)]
    entry = write_shard(folder / "0.npz", samples)
    write_manifest(folder, Manifest({"name": folder.name}, {"0.npz": entry}))
    return folder


def test_a_test_sample_whose_topology_was_trained_on_is_left_out(tmp_path: Path) -> None:
    first = data_set(
        tmp_path / "first",
        {
            0: network("ring", 5),
            5: network("star", 5),
            7: network("ring", 6),
            10: network("line", 4),
        },
    )
    second = data_set(tmp_path / "second", {1: network("star", 5), 2: network("grid", 4)})
    rules = {"parts": {"test": [5, 0]}, "by": "sample"}
    card = {"data": [{"name": name, **rules} for name in ("first", "second")]}
    kept, left_out = figure4.unseen([first, second], card)
    assert [sample.number for sample in kept] == [0, 10]
    assert left_out == 1


def test_errors_leave_out_what_cannot_be_compared() -> None:
    scenario = network("line", 3)
    said = Theory().predict([scenario])[0]
    mean = said.flow["owd_mean_s"] / np.array([1.0, 1.25, 2.0, 1.0, 1.0, 1.0])
    loss = np.array([0.0, 0.0, 0.0, 0.995, 0.0, 0.0])
    mean[4] = np.nan
    p90 = np.array([0.1, 0.1, 0.1, 0.1, 0.1, figure4.CENSORED_S])
    table = Table({"owd_mean_s": mean, "loss_ratio": loss, "owd_p90_s": p90})
    recorded = Metrics(table, said.link, said.queue, "simulated", "packet")
    found = figure4.measured({"theory": Theory()}, [(scenario, recorded)])
    assert found.error["theory"] == pytest.approx([0.0, 0.25, 1.0])
    assert found.hops.tolist() == [1, 2, 1]
    assert found.load == pytest.approx(np.full(3, 0.5))


def test_figures_tell_the_distribution() -> None:
    errors = np.linspace(0.0, 0.2, 1001)
    flows = figure4.Measured({"mlp": errors}, np.repeat([2.0, 7.0], [501, 500]), np.ones(1001))
    found = {f.name: f.value for f in figure4.figures_of("x", flows, "mlp")}
    assert found["x, mlp: median"] == pytest.approx(10.0)
    assert found["x, mlp: p90"] == pytest.approx(18.0)
    assert found["x, mlp: flows under 5%"] == pytest.approx(25.0, abs=0.1)
    assert found["x, mlp: mean, hops from 1"] == pytest.approx(5.0)
    assert found["x, mlp: mean, hops from 6"] == pytest.approx(15.0, abs=0.1)
    assert "x, mlp: mean, hops from 3" not in found


def test_curves_are_kept_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    random = np.random.default_rng(1)
    errors = {
        name: np.exp(random.normal(-4.0 + k, 1.0, 500)) for k, name in enumerate(figure4.ENGINES)
    }
    write_curves(tmp_path / "curves.csv", {"our": errors, "theirs": errors})
    with (tmp_path / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(SHARES)
    assert float(rows[200]["our: gnn"]) == pytest.approx(np.median(errors["gnn"]), rel=1e-3)
    draw(tmp_path / "curves.png", {"our": errors, "theirs": errors})
    content = (tmp_path / "curves.png").read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) < 150_000


def test_it_is_skipped_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure4, "engine", lambda name: Theory())
    with pytest.raises(Skipped, match="--own"):
        figure4.run(Options(None, None, {"own": None}))
