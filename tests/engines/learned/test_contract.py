"""What every architecture must keep: the torch network and the forward pass without it agree, a
network trains, and what it trains to is a model file."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.architecture import ARCHITECTURES, architecture
from nettwin.engines.learned.inputs import Inputs, inputs_of
from nettwin.engines.theory import Theory
from nettwin.formats.weight_file import Weights
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

torch = pytest.importorskip("torch", reason="needs the extra train")

from nettwin.engines.learned.training.batch import batch_of, labels_of  # noqa: E402
from nettwin.engines.learned.training.examples import Parts  # noqa: E402
from nettwin.engines.learned.training.fit import Given, fit  # noqa: E402
from nettwin.engines.learned.training.recipe import (  # noqa: E402
    TrainingRecipe,
    TrainingSchedule,
    find_recipe,
    shipped_recipes,
)
from nettwin.engines.learned.trial import trial  # noqa: E402
from tests.engines.learned.made import Made  # noqa: E402

SMALL = {"width": 8}
SCENARIOS = {
    "grid": {"kind": "grid", "nodes": 9, "load": 1.1, "classes": "three", "scheduler": "drr"},
    "ring": {"kind": "ring", "nodes": 6, "load": 0.7, "arrival": "onoff"},
    "line": {"kind": "line", "nodes": 4, "load": 0.95, "classes": "three", "scheduler": "sp"},
}


@cache
def scenario(name: str) -> Scenario:
    settings: dict[str, Any] = {"capacity_bps": 2e6, **SCENARIOS[name]}
    return generate(**settings)


@cache
def inputs(name: str) -> Inputs:
    return inputs_of(scenario(name))


def network(name: str, seed: int) -> Any:
    """A network all of whose weights are random, those too that begin at zero."""
    torch.manual_seed(seed)
    made = architecture(name).network(**SMALL)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.dim():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


def weights_of(module: Any) -> Weights:
    return {k: v.detach().numpy() for k, v in module.state_dict().items()}


@pytest.mark.parametrize("where", SCENARIOS)
@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_answer_without_torch_is_that_of_the_network(name, seed, where) -> None:
    made = network(name, seed)
    plain = getattr(made, "center", made)  # of weights that are distributions: their means
    batch = batch_of(inputs(where), labels_of(Theory().predict([scenario(where)])[0]))
    with torch.no_grad():
        said = made(batch)
    found = architecture(name).forwarded(inputs(where), [weights_of(plain)])
    arrives = np.isfinite(found.mean_s)
    assert arrives.any()
    mean = said.mean_s.numpy()
    np.testing.assert_allclose(found.mean_s[arrives], mean[arrives], rtol=1e-5)
    np.testing.assert_allclose(
        found.variance_s2[arrives], said.variance_s2.numpy()[arrives], rtol=1e-5
    )
    # a percentile may be the small difference of two delays
    levels = said.percentile_s.clamp(min=0).numpy()
    off = np.abs(found.percentile_s - levels) / np.maximum(levels, mean[:, None])
    assert off[arrives].max() < 1e-5
    passed = -np.expm1(said.ln_passing.double().numpy())
    np.testing.assert_allclose(found.loss, passed, atol=1e-5)
    np.testing.assert_allclose(found.ln_scale[arrives], said.ln_scale.numpy()[arrives], atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_several_networks_answer_together_and_say_how_far_apart_they_are(name) -> None:
    one, two = (
        weights_of(getattr(made, "center", made)) for made in (network(name, 3), network(name, 4))
    )
    answer = architecture(name).answer
    alone: Answer = answer(inputs("ring"), [one])
    twice: Answer = answer(inputs("ring"), [one, one])
    both: Answer = answer(inputs("ring"), [one, two])
    np.testing.assert_allclose(twice.mean_s, alone.mean_s, rtol=1e-5)
    assert np.all(twice.spread < 1e-5)
    assert np.all(alone.spread < 1e-5)
    assert np.median(both.spread) > 1e-3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_trains_to_a_model_that_answers(name, tmp_path) -> None:
    schedule = TrainingSchedule(steps=6, seeds=(1,), validate_every=3, checkpoint_every=3, flows=30)
    recipe = TrainingRecipe("tried", name, settings=SMALL, schedule=schedule)
    parts = Parts(test=(5, 0), calibration=(5, 1), by="sample")
    model = fit(recipe, [Given(Made(count=8), parts)], tmp_path)
    assert model.card["trial"] == trial(model)
    assert set(model.card["accuracy"]["test"]) == {"scenarios", "model", "theory", "noise"}
    assert model.ranges


def test_every_architecture_has_a_recipe() -> None:
    recipes = [find_recipe(name) for name in shipped_recipes()]
    assert {recipe.architecture for recipe in recipes} == set(ARCHITECTURES)
    for recipe in recipes:
        architecture(recipe.architecture).network(**recipe.settings)
        for data in recipe.data.values():
            assert data.parts.by == "topology"
            assert [data.parts.of(0, n) for n in (5, 6)] == ["test", "calibration"]
