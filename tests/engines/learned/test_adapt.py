"""A model that goes on with other data: it learns them, replays the old, and is refused where it
forgets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from nettwin.engines.learned.model_file import read_model, write_model  # noqa: E402
from nettwin.engines.learned.training import tasks  # noqa: E402
from nettwin.engines.learned.training.adapt import Halves  # noqa: E402
from nettwin.engines.learned.training.examples import USUAL, Parts, parts_on_card  # noqa: E402
from nettwin.engines.learned.training.fit import Given, fit  # noqa: E402
from nettwin.engines.learned.training.prepared import Prepared, prepare  # noqa: E402
from nettwin.engines.learned.training.recipe import TrainingRecipe, TrainingSchedule  # noqa: E402
from nettwin.errors import InputError  # noqa: E402
from tests.engines.learned.made import Made  # noqa: E402

PARTS = Parts(test=(5, 0), validation=(5, 1), by="sample")
OLD = Made("old", count=10, longer=1.1)
NEW = Made("new", count=12, longer=1.4, arrival="onoff", first=100)
SCHEDULE = TrainingSchedule(
    steps=150, seeds=(1,), rate=1e-2, validate_every=150, checkpoint_every=150, flows=30
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned OLD."""
    folder = tmp_path_factory.mktemp("base")
    recipe = TrainingRecipe("base", "gnn", settings={"width": 8, "hidden": 8}, schedule=SCHEDULE)
    model = fit(recipe, [Given(OLD, PARTS)], folder)
    path = folder / "base.safetensors"
    write_model(path, model)
    return path


@pytest.fixture
def boldly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule under which small networks learn in a second."""
    monkeypatch.setattr(tasks, "ADAPTING", replace(SCHEDULE, rate=5e-3))


@pytest.mark.usefixtures("boldly")
def test_it_learns_the_new_and_replays_the_old(base, tmp_path) -> None:
    found, path = tasks.adapt(str(base), [NEW], [OLD], tmp_path, steps=200, margin=0.5)
    assert path == tmp_path / "base-adapted.safetensors"
    before, after = (found.new[k]["model"]["owd_mean_s"] for k in ("before", "after"))
    assert after < before / 2
    assert found.worse < 0.5
    assert found.old["before"]["scenarios"] == 2  # as its card says of OLD
    written = read_model(path)
    assert written.card["adapted"]["from"] == "base"
    assert [data["name"] for data in written.card["data"]] == ["old", "new"]
    counts = written.card["data"][1]["samples"]
    assert counts["test"] == 6
    assert counts["train"] + counts["validation"] == 6
    assert not np.array_equal(
        written.members[0]["enter.weight"], read_model(base).members[0]["enter.weight"]
    )


@pytest.mark.usefixtures("boldly")
def test_without_replaying_it_forgets_and_is_refused_unless_forced(base, tmp_path) -> None:
    # OLD has samples for testing only, so that nothing is replayed
    card = dict(read_model(base).card)
    card["data"] = [{**card["data"][0], "parts": {"test": [1, 0]}}]
    write_model(tmp_path / "base.safetensors", replace(read_model(base), card=card))
    model = str(tmp_path / "base.safetensors")
    found, path = tasks.adapt(model, [NEW], [OLD], tmp_path / "a", steps=150, margin=0.1)
    assert found.worse > 0.1
    assert path is None
    assert not list((tmp_path / "a").glob("*.safetensors"))
    _, path = tasks.adapt(model, [NEW], [OLD], tmp_path / "a", steps=150, margin=0.1, force=True)
    assert path is not None
    assert read_model(path).name == "base-adapted"


@pytest.mark.usefixtures("boldly")
def test_where_nobody_can_tell_nothing_is_written(base, tmp_path) -> None:
    found, path = tasks.adapt(str(base), [NEW], [], tmp_path, steps=2)
    assert np.isnan(found.worse)
    assert path is None


def items(numbers: list[int]) -> list[Prepared]:
    return [Prepared(f"x/{k}", "", k, n, "", 5, 20, 0.5) for k, n in enumerate(numbers)]


def test_halves_keep_topologies_apart_and_are_each_others_rest() -> None:
    given = items([n // 3 for n in range(33)])
    one, other = Halves().split(given), Halves(other=True).split(given)
    for split in (one, other):
        tested = {item.topology for item in split.test}
        assert tested.isdisjoint(item.topology for item in split.train + split.validation)
        assert len(split.every) == len(given)
    assert {i.name for i in one.test}.isdisjoint(i.name for i in other.test)
    assert len(one.test) + len(other.test) == len(given)
    assert Halves().split(given) == one
    assert len({item.topology for item in Halves(0.2).split(given).test}) == 2


def test_one_topology_is_split_by_sample() -> None:
    split = Halves().split(items([7] * 10))
    assert len(split.test) == 5
    assert len(split.train) + len(split.validation) == 5


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_that_leaves_nothing_is_refused(share) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        Halves(share)


def test_the_parts_of_old_data_are_those_on_the_card(base) -> None:
    model = read_model(base)
    assert parts_on_card(model.card, "old") == PARTS
    assert parts_on_card(model.card, "unheard") == USUAL


def test_samples_are_numbered_by_topology_too(tmp_path) -> None:
    made = prepare(Made(count=12), tmp_path)
    assert len({item.topology for item in made}) == 6  # rings and lines of 4 to 6 nodes


def test_weights_of_another_network_are_refused(base, tmp_path) -> None:
    model = read_model(base)
    path = tmp_path / "odd.safetensors"
    write_model(path, replace(model, card={**model.card, "settings": {"width": 4}}))
    with pytest.raises(InputError, match="do not fit its architecture"):
        tasks.adapt(str(path), [NEW], [OLD], tmp_path, steps=2)
