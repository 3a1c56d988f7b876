"""The catalog: models by name or file; damaged, altered and foreign ones are named and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from nettwin.engines.learned import catalog, model_file
from nettwin.engines.learned.model_file import Model, model_from_bytes, read_model, write_model
from nettwin.engines.learned.trial import trial
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats import weight_file
from tests.engines.learned.small_model import small_model


@pytest.fixture(scope="module")
def model() -> Model:
    """Small, with the answer of a trial on its card."""
    found = small_model()
    return replace(found, card={**found.card, "trial": trial(found)})


@pytest.fixture
def file(tmp_path: Path, model: Model) -> Path:
    path = tmp_path / "given.safetensors"
    write_model(path, model)
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for installed models, and none that nettwin ships."""
    monkeypatch.setenv(catalog.PLACE, str(tmp_path / "models"))
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path / "shipped")
    return tmp_path / "models"


def content(model: Model) -> bytes:
    path = Path("in-memory")
    written: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weight_file, "write_bytes", lambda _, content: written.append(content))
        write_model(path, model)
    return written[0]


def same(one: Model, other: Model) -> bool:
    return dict(one.card) == dict(other.card) and all(
        a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
        for a, b in zip(one.members, other.members, strict=True)
    )


@given(data=st.data())
def test_a_byte_that_was_altered_is_noticed_or_says_nothing(data, model) -> None:
    good = content(model)
    # the header and its end are rarer than weights, but matter more
    place = data.draw(st.one_of(st.integers(0, 4000), st.integers(0, len(good) - 1)))
    bit = data.draw(st.integers(0, 7))
    bad = bytearray(good)
    bad[place] ^= 1 << bit
    try:
        found = model_from_bytes(bytes(bad), Path("bad"))
    except FormatError as error:
        assert str(error).startswith("bad: is not a usable model")
    else:
        assert same(found, read(good))


@given(kept=st.floats(0, 1, exclude_max=True), tail=st.binary(max_size=20))
def test_a_truncated_or_longer_file_is_refused(kept, tail, model) -> None:
    good = content(model)
    with pytest.raises(FormatError, match="not a usable model"):
        model_from_bytes(good[: int(kept * len(good))], Path("bad"))
    if tail:
        with pytest.raises(FormatError, match="not a usable model"):
            model_from_bytes(good + tail, Path("bad"))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(content) -> None:
    with pytest.raises(FormatError, match="not a usable model"):
        model_from_bytes(content, Path("bad"))


def read(good: bytes) -> Model:
    return model_from_bytes(good, Path("good"))


def test_installed_loaded_verified_and_removed(file, home, model) -> None:
    assert catalog.entries() == {}
    entry = catalog.install(file)
    assert (entry.name, entry.path.parent, entry.shipped) == ("small", home, False)
    assert entry.path.read_bytes() == file.read_bytes()
    assert same(catalog.load("small"), read_model(file))
    assert [check.issue for check in catalog.verify("small")] == [""] * 4
    assert catalog.install(file) == entry  # once more is no harm
    assert catalog.remove("small") == entry
    assert catalog.entries() == {}
    assert not entry.path.exists()
    with pytest.raises(UnknownNameError, match='no model "small"'):
        catalog.load("small")


def test_a_model_is_found_by_its_file(file, model) -> None:
    assert same(catalog.load(str(file)), read_model(file))
    assert [check.issue for check in catalog.verify(str(file))] == [""] * 3


def test_what_nettwin_carries_stays(file, tmp_path, model) -> None:
    entry = catalog.install(file)
    entry.path.parent.rename(tmp_path / "shipped")
    (shipped,) = catalog.entries().values()
    assert shipped.shipped
    assert catalog.install(file) == shipped  # the same content under the same name
    with pytest.raises(InputError, match="comes with nettwin"):
        catalog.remove("small")
    other = replace(small_model(seed=7), card={**model.card, "title": "another"})
    write_model(file, other)
    with pytest.raises(InputError, match="a model small nettwin ships"):
        catalog.install(file)


def test_another_model_of_the_same_name_is_refused_and_the_old_one_stays(file, model) -> None:
    entry = catalog.install(file)
    before = entry.path.read_bytes()
    write_model(file, small_model(seed=5))
    with pytest.raises(InputError, match="is installed already"):
        catalog.install(file)
    assert entry.path.read_bytes() == before


def test_an_installed_file_that_was_changed_is_named(file) -> None:
    entry = catalog.install(file)
    entry.path.write_bytes(entry.path.read_bytes()[:-4])
    with pytest.raises(FormatError, match=r"models/small\.safetensors: has another checksum"):
        catalog.load("small")
    (check,) = catalog.verify("small")
    assert "truncated or was altered" in check.issue


def test_verify_holds_the_answer_against_the_card(tmp_path, model) -> None:
    path = tmp_path / "odd.safetensors"
    wrong = [value * 1.01 for value in model.card["trial"]["owd_mean_s"]]
    said = {**model.card["trial"], "owd_mean_s": wrong}
    write_model(path, replace(model, card={**model.card, "trial": said}))
    assert catalog.load(str(path)).name == "small"  # it is whole, only not as told
    assert "answers owd_mean_s 0.99% off" in catalog.verify(str(path))[-1].issue
    write_model(path, replace(model, card={k: v for k, v in model.card.items() if k != "trial"}))
    assert "no answer to compare" in catalog.verify(str(path))[-1].issue


Edit = Callable[[dict[str, Any]], Any]


def without(name: str) -> Edit:
    return lambda weights: weights.pop(name)


def with_(name: str, values: Any) -> Edit:
    return lambda weights: weights.update({name: np.asarray(values, np.float32)})


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (without("rounds"), "rounds"),
        (without("enter.bias"), "enter.bias"),
        (without("head.weight"), "head.weight"),
        (with_("rounds", [1e9]), "must be one number, 0 to 16"),
        (with_("rounds", []), "must be one number"),
        (with_("enter.weight", np.zeros((8, 3))), r"enter\.weight has the shape \(8, 3\)"),
        (with_("enter.bias", np.zeros((3, 3))), "enter"),
        (with_("tail.bias", np.zeros(9)), "tail.bias"),
        (with_("inner.bias", np.zeros(0)), "inner"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, model, edit, told) -> None:
    weights = dict(model.members[0])
    edit(weights)
    path = tmp_path / "foreign.safetensors"
    write_model(path, replace(model, members=(weights, weights)))
    with pytest.raises(FormatError, match=told) as caught:
        catalog.load(str(path))
    assert str(path) in str(caught.value)
    with pytest.raises(FormatError):
        catalog.install(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, model, value) -> None:
    weights = {**model.members[0], "enter.bias": np.full(8, value, np.float32)}
    path = tmp_path / "nan.safetensors"
    write_model(path, replace(model, members=(weights,)))
    with pytest.raises(FormatError, match=r"0/enter\.bias holds other than finite"):
        catalog.load(str(path))


def test_weights_so_large_that_the_answer_is_none_are_refused(tmp_path, model) -> None:
    weights = {k: v * np.float32(1e30) if k != "rounds" else v for k, v in model.members[0].items()}
    path = tmp_path / "huge.safetensors"
    write_model(path, replace(model, members=(weights,)))
    with pytest.raises(FormatError, match="is not a number for every flow"):
        catalog.load(str(path))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "nettwin-model-0"}, "its schema is 'nettwin-model-0': must be nettwin-model-1"),
        ({"features": {"queue": []}}, "other features"),
        ({"architecture": "alexnet"}, "alexnet"),
        ({"settings": 3}, "its card has no settings"),
    ],
)
def test_a_card_of_another_kind_is_refused(tmp_path, model, change, told) -> None:
    path = tmp_path / "card.safetensors"
    card = {**model.card, "schema": model_file.SCHEMA, "features": model_file.FEATURES, **change}
    tensors = {f"0/{k}": np.asarray(v, np.float32) for k, v in model.members[0].items()}
    card["digest"] = weight_file._digest(card, tensors)
    path.write_bytes(save(tensors, {"nettwin": json.dumps(card)}))
    with pytest.raises(FormatError, match=told):
        catalog.load(str(path))


def test_a_file_that_is_too_large_is_not_even_read(tmp_path, monkeypatch) -> None:
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.truncate(catalog.LARGEST_MODEL_BYTES + 1)
    monkeypatch.setattr(catalog, "read_bytes", None)
    with pytest.raises(FormatError, match="is larger than 64 MiB"):
        catalog.load(str(path))


@pytest.mark.parametrize("name", ["../../etc/passwd", "Large", "", "a b", ".hidden", "a" * 65])
def test_a_name_that_is_no_file_name_is_refused(tmp_path, model, home, name) -> None:
    path = tmp_path / "named.safetensors"
    write_model(path, replace(model, card={**model.card, "name": name}))
    with pytest.raises(InputError, match="small letters"):
        catalog.install(path)
    assert not home.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "x"}',
        '{"schema": "nettwin-models-1", "models": 3}',
        '{"schema": "nettwin-models-1", "models": {"../x": "00"}}',
    ],
)
def test_an_index_that_is_none_is_named(home, text) -> None:
    home.mkdir()
    (home / "index.json").write_text(text)
    with pytest.raises(FormatError, match=r"index\.json: is not an index of models"):
        catalog.entries()


def test_where_models_are_installed(tmp_path, monkeypatch) -> None:
    assert catalog.installed_folder() == tmp_path / "models"
    monkeypatch.delenv(catalog.PLACE)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert catalog.installed_folder() == Path("/data/nettwin/models")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert catalog.installed_folder() == Path.home() / ".local" / "share" / "nettwin" / "models"
