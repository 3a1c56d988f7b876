"""Tasks: what `nettwin train` does: train a model by a recipe, or go on with one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nettwin.engines.learned.catalog import load
from nettwin.engines.learned.model_file import Model, write_model
from nettwin.engines.learned.training.adapt import Adapted, Halves
from nettwin.engines.learned.training.adapt import adapt as adapt_model
from nettwin.engines.learned.training.examples import USUAL, Source
from nettwin.engines.learned.training.fit import Given, Machine, fit
from nettwin.engines.learned.training.member import Tell
from nettwin.engines.learned.training.recipe import (
    TrainingRecipe,
    TrainingSchedule,
    find_recipe,
    shipped_recipes,
)
from nettwin.errors import InputError
from nettwin.formats.weight_file import SUFFIX

__all__ = [
    "ADAPTING",
    "Halves",
    "Machine",
    "adapt",
    "learned_from",
    "missing",
    "shipped_recipes",
    "train",
]
ADAPTING = TrainingSchedule(steps=4000, rate=5e-4, validate_every=500, checkpoint_every=500)


def train(
    recipe: str,
    sources: Sequence[Source],
    out: Path,
    *,
    steps: int | None = None,
    seed: int | None = None,
    machine: Machine | None = None,
    preparing: Callable[[str, float], None] | None = None,
    tell: Tell | None = None,
) -> tuple[Model, Path]:
    """Train by a recipe (a file, or the name of one that nettwin ships), or go on with it.

    `steps` replaces those of the recipe; its seeds become `seed`, `seed` + 1 and so on. Gives the
    model and its file in `out`.
    """
    chosen = find_recipe(recipe)
    schedule = chosen.schedule
    if steps is not None:
        schedule = replace(schedule, steps=steps)
    if seed is not None:
        schedule = replace(schedule, seeds=tuple(seed + k for k in range(len(schedule.seeds))))
    chosen = replace(chosen, schedule=schedule)
    model = fit(chosen, _given(chosen, sources), out, machine, preparing=preparing, tell=tell)
    path = out / f"{model.name}{SUFFIX}"
    write_model(path, model)
    return model, path


def adapt(
    model: str,
    sources: Sequence[Source],
    kept: Sequence[Source],
    out: Path,
    *,
    steps: int = ADAPTING.steps,
    seed: int = 1,
    margin: float = 0.1,
    force: bool = False,
    name: str = "",
    halves: Halves | None = None,
    machine: Machine | None = None,
    inputs: Path | None = None,
    preparing: Callable[[str, float], None] | None = None,
    tell: Tell | None = None,
) -> tuple[Adapted, Path | None]:
    """Train a model further on other data (see `adapt.adapt`).

    Gives what became of it and its file in `out`; None in place of the file where the old data grew
    worse by more than the margin, or nobody can tell, and it was not forced.
    """
    base = load(model)
    seeds = tuple(seed + k for k in range(len(base.members)))
    schedule = replace(ADAPTING, steps=steps, seeds=seeds)
    found = adapt_model(
        base,
        sources,
        kept,
        out,
        schedule,
        halves,
        machine,
        name=name,
        inputs=inputs,
        preparing=preparing,
        tell=tell,
    )
    path = out / f"{found.model.name}{SUFFIX}"
    if not force and not found.worse <= margin:
        return found, None
    write_model(path, found.model)
    return found, path


def learned_from(model: str) -> list[str]:
    """The names of the data sets on a model's card that have samples to test on."""
    entries = load(model).card.get("data", ())
    return [str(entry["name"]) for entry in entries if entry["samples"].get("test")]


def missing(recipe: str, sources: Sequence[Source]) -> list[str]:
    """In words, what a recipe expects and the data lack: fewer samples than it says."""
    expected = find_recipe(recipe).data
    return [
        f"{source.name} holds {len(source)} samples of the {expected[source.name].samples} that"
        " the recipe expects"
        for source in sources
        if source.name in expected and len(source) < expected[source.name].samples
    ]


def _given(recipe: TrainingRecipe, sources: Sequence[Source]) -> list[Given]:
    if not recipe.data:
        return [Given(source, USUAL) for source in sources]
    named = {source.name: source for source in sources}
    for name in named:
        if name not in recipe.data:
            raise InputError(
                f"--data gives {name}: the recipe {recipe.name} expects"
                f" {', '.join(recipe.data)}. Leave it out, or write a recipe."
            )
    for name in recipe.data:
        if name not in named:
            raise InputError(
                f"the recipe {recipe.name} expects data of {name}, and none is given. Make it with"
                f" `nettwin dataset generate {name} --out DIR`, and add --data DIR."
            )
    return [Given(named[name], data.parts, data.repeat) for name, data in recipe.data.items()]
