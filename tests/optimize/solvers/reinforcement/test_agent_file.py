"""Agent files: round trip; what is damaged, altered or of another kind is named and refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from nettwin.errors import FormatError, UnknownNameError
from nettwin.optimize.solvers.reinforcement.agent_file import (
    FOLDER,
    Agent,
    find_agent,
    install_agent,
    is_agent,
    read_agent,
    shipped_agents,
    used_agent,
    write_agent,
)
from tests.optimize.solvers.reinforcement.test_policies import random_weights

CARD = {"name": "trial", "task": "midpoints", "recipe": {"environment": {}}}
MAX_BYTES = 300_000


def written(folder: Path, card: dict[str, object] | None = None, **weights: object) -> Path:
    path = folder / "agent.safetensors"
    tensors = {**random_weights("midpoints"), **weights}
    write_agent(path, Agent(tensors, {**CARD, **(card or {})}))  # type: ignore[arg-type]
    return path


def test_an_agent_comes_back_as_it_was(tmp_path: Path) -> None:
    agent = read_agent(written(tmp_path))
    for name, values in random_weights("midpoints").items():
        np.testing.assert_array_equal(agent.weights[name], values)
    assert agent.card["name"] == "trial"
    assert agent.task == "midpoints"


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    content = written(tmp_path).read_bytes()
    for size in [*range(0, 40, 7), len(content) // 2, len(content) - 1]:
        path = tmp_path / "short.safetensors"
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match=r"short\.safetensors.*not a usable agent"):
            read_agent(path)


def test_an_altered_weight_or_card_is_refused(tmp_path: Path) -> None:
    content = bytearray(written(tmp_path).read_bytes())
    content[-3] ^= 1
    path = tmp_path / "altered.safetensors"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="altered"):
        read_agent(path)
    text = written(tmp_path).read_bytes().replace(b"trial", b"other")
    path.write_bytes(text)
    with pytest.raises(FormatError, match="altered"):
        read_agent(path)


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({"schema": "nettwin-agent-0"}, "schema"),
        ({"features": ["other"]}, "features"),
        ({"recipe": 3}, "no recipe"),
    ],
)
def test_another_schema_is_refused(tmp_path: Path, card: dict[str, object], told: str) -> None:
    from nettwin.optimize.solvers.reinforcement.agent_file import FEATURES, SCHEMA

    whole = {**CARD, "schema": SCHEMA, "features": list(FEATURES), **card}
    path = tmp_path / "other.safetensors"
    path.write_bytes(save(random_weights("midpoints"), {"nettwin": json.dumps(whole)}))
    with pytest.raises(FormatError, match=told):
        read_agent(path)


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("first.bias", (7,), "hidden must be 5"),
        ("rounds.weight", (2, 17, 6), "heard must be 18"),
        ("first.weight", (9, 5), "scored must be 8"),
        ("steep", (3, 1), "dimensions"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, name: str, shape: tuple[int, ...], told: str
) -> None:
    path = written(tmp_path, **{name: np.zeros(shape, np.float32)})
    with pytest.raises(FormatError, match=told):
        read_agent(path)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, steep=np.array([1.0, np.nan, 2.0], np.float32))
    with pytest.raises(FormatError, match="finite"):
        read_agent(path)


def test_an_agent_for_something_else_and_an_unknown_one_are_told(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(FormatError, match="for midpoints, not for weights"):
        find_agent(str(path), "weights")
    with pytest.raises(UnknownNameError, match="did you mean: midpoints"):
        find_agent("midpoint", "midpoints")
    with pytest.raises(FormatError, match="cannot be read"):
        find_agent(str(tmp_path / "none.safetensors"), "midpoints")


def test_an_environment_of_no_use_is_refused(tmp_path: Path) -> None:
    for environment in ({"reech": 0.1}, {"reach": 2.0}, 3):
        path = written(tmp_path, {"recipe": {"environment": environment}})
        with pytest.raises(FormatError, match="of no use"):
            read_agent(path)


def test_an_installed_agent_is_used_in_place_of_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTWIN_AGENTS", str(tmp_path / "agents"))
    assert used_agent("midpoints").card["name"] == "midpoints"
    place = install_agent(written(tmp_path))
    assert place == tmp_path / "agents" / "midpoints.safetensors"
    assert used_agent("midpoints").card["name"] == "trial"
    assert used_agent("weights").card["name"] == "weights"
    assert is_agent(place)
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(FormatError, match=r"midpoints\.safetensors.*not a usable agent"):
        used_agent("midpoints")
    place.unlink()
    assert used_agent("midpoints").card["name"] == "midpoints"
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"12345678{}")
    assert not is_agent(other)
    assert not is_agent(tmp_path / "none")
    with pytest.raises(FormatError):
        install_agent(other)
    assert not place.exists()


@pytest.mark.parametrize("name", shipped_agents())
def test_shipped_agents_are_small_and_say_what_they_are(name: str) -> None:
    path = FOLDER / f"{name}.safetensors"
    assert path.stat().st_size < MAX_BYTES
    card = read_agent(path).card
    for entry in ("title", "data", "accuracy", "license", "commit"):
        assert card[entry]
    assert set(card["accuracy"]) == {"validation", "test"}
    assert card["recipe"]["seed"] is not None


def test_both_kinds_are_shipped() -> None:
    assert shipped_agents() == ["midpoints", "weights"]
