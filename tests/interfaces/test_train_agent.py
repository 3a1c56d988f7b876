"""nettwin train with a recipe of an agent: trained, gone on with, installed and used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nettwin.interfaces import wiring
from tests.interfaces.conftest import Run

RECIPE = """
name = "trial"
task = "TASK"
episodes = 4
horizon = 24
ahead = 20
minibatch = 64
validate_every = 2
checkpoint_every = 2
[network]
width = 8
rounds = 1
hidden = 8
[data]
instances = 3
validation = 2
least_nodes = 8
most_nodes = 10
seed = 3
[imitation]
iterations = 2
[practice]
iterations = 2
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETTWIN_AGENTS", str(tmp_path / "agents"))
    return tmp_path / "agents"


def written(task: str = "midpoints") -> str:
    Path("trial.toml").write_text(RECIPE.replace("TASK", task))
    return "trial.toml"


@pytest.mark.parametrize("task", ["midpoints", "weights"])
def test_an_agent_is_trained_gone_on_with_and_installed(run: Run, home: Path, task: str) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    done = run(f"train {written(task)} --out made --json")
    assert done.code == 0, done.err
    card = json.loads(done.out)["card"]
    assert (card["name"], card["task"]) == ("trial", task)
    assert "iteration 4 of 4: on networks kept apart" in done.err
    made = {path.name for path in Path("made").iterdir()} - {"tensorboard"}
    assert made == {"trial.safetensors", "checkpoint.safetensors", "curve.jsonl"}
    before = Path("made/trial.safetensors").read_bytes()
    again = run("train trial.toml --out made")
    assert again.code == 0
    assert "iteration" not in again.err
    assert Path("made/trial.safetensors").read_bytes() == before
    other = run("train trial.toml --out made --seed 5")
    assert other.code == 2
    assert "another recipe" in other.err
    installed = run("models install made/trial.safetensors")
    assert installed.code == 0
    assert f"used for {task} from now on" in installed.err
    assert (home / f"{task}.safetensors").read_bytes() == before


def test_an_installed_agent_optimizes(run: Run, home: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    assert run(f"train {written()} --out made").code == 0
    assert run("models install made/trial.safetensors").code == 0
    assert run("generate ring --nodes 8 --load 0.9 --output ring.yaml").code == 0
    line = "optimize ring.yaml --method reinforcement --seconds 1 --json"
    assert run(line).code == 0
    place = home / "midpoints.safetensors"
    place.write_bytes(place.read_bytes()[:-4])
    damaged = run(line)
    assert damaged.code == 2
    assert "midpoints.safetensors" in damaged.err
    assert "not a usable agent" in damaged.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--data x", "--data is about models"),
        ("--steps 3", "--steps is about models"),
        ("--keep x", "--keep is about models"),
        ("--name other", "--name is about models"),
        ("--from gnn", "a recipe or --from MODEL"),
    ],
)
def test_what_an_agent_does_not_take_is_told(run: Run, options: str, told: str) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    done = run(f"train {written()} --out made {options}")
    assert done.code == 2
    assert told in done.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("task = 'paths'", "midpoints, weights"),
        ("task = 'midpoints'\nepisode = 3", "did you mean: episodes"),
        ("task = 'midpoints'\n[imitation]\nteacher = 'gnn'", "teacher of an agent"),
        ("task = 'midpoints'\n[data]\nleast_nodes = 2", "nodes are 2 to 40"),
        ("task = ", "is not TOML"),
    ],
)
def test_a_wrong_recipe_is_named(run: Run, text: str, told: str) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    Path("wrong.toml").write_text(text)
    done = run("train wrong.toml --out made")
    assert done.code == 2
    assert "wrong.toml" in done.err
    assert told in done.err
    assert not Path("made").exists()


def test_an_unknown_recipe_lists_those_of_models_and_agents(run: Run) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    done = run("train nobody --out made")
    assert done.code == 2
    assert "midpoints" in done.err
    assert "gnn" in done.err


def test_a_model_needs_data(run: Run) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    done = run("train gnn --out made")
    assert done.code == 2
    assert "--data DIR" in done.err


def test_without_pytorch_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "find_spec", lambda _: None)
    done = run("train midpoints --out made")
    assert done.code == 2
    assert "pip install 'nettwin[train]'" in done.err
