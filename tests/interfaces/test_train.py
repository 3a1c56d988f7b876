"""nettwin train and nettwin models on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nettwin.datasets.generation import generate_dataset
from nettwin.datasets.labeled import Generated, Recorded, labeled
from nettwin.datasets.recipe import read_recipe, shipped_recipe
from nettwin.errors import FormatError
from nettwin.interfaces import wiring
from tests.interfaces.conftest import Run

RECIPE = """
name = "tiny"
architecture = "gnn"
title = "for tests"
[settings]
width = 6
hidden = 6
[schedule]
steps = 6
seeds = [1]
validate_every = 3
[data.tiny]
samples = 12
by = "sample"
test = [5, 0]
calibration = [5, 1]
validation = [5, 2]
"""
SMALL = replace(
    read_recipe(shipped_recipe("general")),
    name="tiny",
    samples=12,
    shard=4,
    packet_hops=1e4,
    second_seeds=0.2,
    topology={"nodes": [4, 6], "kinds": {"gabriel": 1, "ring": 1}},
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    generate_dataset(SMALL, folder, wiring.labeler)
    return folder


@pytest.fixture
def recipe(run: Run) -> str:
    Path("tiny.toml").write_text(RECIPE)
    return "tiny.toml"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETTWIN_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def model(run: Run, data: Path, recipe: str) -> Path:
    pytest.importorskip("torch", reason="needs the extra train")
    done = run(f"train {recipe} --out made", "--data", data)
    assert done.code == 0, done.err
    return Path("made/tiny.safetensors")


def test_a_model_is_trained_installed_looked_at_and_asked(run, model, home) -> None:
    assert run("models install", model).code == 0
    assert "tiny" in run("models list").out
    shown = run("models show tiny").out
    assert "for tests" in shown
    assert "4 train" in shown
    assert "mean delay" in shown
    verified = run("models verify tiny --json")
    assert verified.code == 0
    checks = json.loads(verified.out)["models"]["tiny"]
    assert [check["issue"] for check in checks] == [""] * 4
    assert run("models remove tiny").code == 0
    assert not list(home.glob("*.safetensors"))


def test_training_tells_how_it_goes_and_does_not_begin_anew(run, data, model) -> None:
    again = run("train tiny.toml --out made --json", "--data", data)
    assert again.code == 0
    assert "Wrote made/tiny.safetensors" in again.err
    card = json.loads(again.out)["card"]
    assert card["data"][0]["name"] == "tiny"
    assert card["accuracy"]["test"]["scenarios"] == 3
    other = run("train tiny.toml --out made --steps 9", "--data", data)
    assert other.code == 2
    assert "of other data, settings or steps" in other.err


def test_going_on_with_a_model(run, data, model) -> None:
    done = run(f"train --from {model} --out on --steps 2 --margin 500%", "--data", data, "--keep",
               data)  # fmt: skip
    assert done.code == 2  # the same data twice
    assert "two data sets are named tiny" in done.err
    refused = run(f"train --from {model} --out on --steps 2", "--data", data)
    assert refused.code == 2
    assert "nobody can tell" in refused.err
    assert "new networks" in refused.out
    forced = run(f"train --from {model} --out on --steps 2 --force --name odd", "--data", data)
    assert forced.code == 0
    assert Path("on/odd.safetensors").exists()


@pytest.mark.parametrize("words", ["", "tiny.toml --from gnn"])
def test_a_recipe_or_a_model_and_not_both(run, data, recipe, words) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    done = run(f"train {words} --out x", "--data", data)
    assert done.code == 2
    assert "a recipe or --from MODEL" in done.err


def test_without_pytorch_the_extra_is_named(run, data, recipe, monkeypatch) -> None:
    monkeypatch.setattr(wiring, "find_spec", lambda _: None)
    done = run(f"train {recipe} --out x", "--data", data)
    assert done.code == 2
    assert "pip install 'nettwin[train]'" in done.err


def test_data_that_a_recipe_does_not_expect(run, data) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    done = run("train gnn --out x", "--data", data)
    assert done.code == 2
    assert "--data gives tiny: the recipe gnn expects small" in done.err


def test_one_bad_shard_is_named(run, data, recipe, tmp_path) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    bad = tmp_path / "bad"
    bad.mkdir()
    for path in data.iterdir():
        (bad / path.name).write_bytes(path.read_bytes())
    shard = bad / "000004.npz"
    shard.write_bytes(shard.read_bytes()[:-50])
    done = run(f"train {recipe} --out x", "--data", bad)
    assert done.code == 2
    assert "000004.npz: has another checksum" in done.err
    (home,) = Path("x/inputs").iterdir()
    assert len(list(home.glob("*.safetensors"))) == 4  # what was made stays
    shard.write_bytes((data / shard.name).read_bytes())
    assert run(f"train {recipe} --out x", "--data", bad).code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "is not TOML"),
        ("speed = 3", 'no attribute of a training recipe "speed"'),
        ('architecture = "transformer"', 'no architecture "transformer"'),
        ("name = 'x'", "architecture"),
        (
            'architecture = "gnn"\n[schedule]\nsteps = 0',
            "steps is 0: must be a whole number from 1",
        ),
        ('architecture = "gnn"\n[schedule]\nrate = -1', "rate is -1: must be 0 to 1"),
        ('architecture = "gnn"\n[schedule]\nseeds = [1, 1]', "seeds is"),
        ('architecture = "gnn"\n[schedule]\nseeds = 3', "wrong.toml"),
        ('architecture = "gnn"\n[schedule]\nsped = 3', 'no attribute of a schedule "sped"'),
        ('architecture = "gnn"\ndata = 3', "wrong.toml"),
        ('architecture = "gnn"\n[data.a]\nsamples = 3\ntest = [5, 5]', "data.a.test"),
        ('architecture = "gnn"\n[data.a]\nsamples = 3\ntest = 5', "wrong.toml"),
        ('architecture = "gnn"\n[data.a]\ntest = [5, 0]', "data.a.samples is None"),
        ('architecture = "gnn"\n[data.a]\nsamples = 3\ntets = [5, 0]', "tets"),
    ],
)
def test_a_recipe_that_is_wrong_is_named(run, data, text, told) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    Path("wrong.toml").write_text(text)
    done = run("train wrong.toml --out x", "--data", data)
    assert done.code == 2
    assert "wrong.toml" in done.err
    assert told in done.err


def test_damaged_models_end_with_code_2(run, home) -> None:
    Path("bad.safetensors").write_bytes(b"12345678{}")
    for line in ("verify", "show", "install"):
        done = run(f"models {line} bad.safetensors")
        assert done.code == 2, line
        assert "bad.safetensors" in done.err
    assert run("models show nobody").code == 2
    assert run("models list").code == 0


def test_data_are_recognized(data, shared_data) -> None:
    assert isinstance(labeled(data), Generated)
    recorded = labeled(shared_data / "gnnet2022" / "50")
    assert isinstance(recorded, Recorded)
    assert recorded.name == "gnnet2022/50"
    first = next(iter(recorded))
    assert first.metrics.provenance["longest_delay_s"] == 20.0


def test_networks_without_recordings_are_refused(run, net) -> None:
    with pytest.raises(FormatError, match="has no recorded metrics"):
        list(labeled(net))
