"""Tasks: what `nettwin train` does with a recipe of an agent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nettwin.formats.toml_document import load_toml
from nettwin.formats.weight_file import SUFFIX
from nettwin.optimize.solvers.reinforcement.agent_file import Agent, write_agent
from nettwin.optimize.solvers.reinforcement.training import fit
from nettwin.optimize.solvers.reinforcement.training.recipe import find_recipe, shipped_recipes

__all__ = ["is_agents", "shipped_recipes", "train"]


def is_agents(recipe: str) -> bool:
    """Whether a recipe, a file or a name, is an agent's: recipes of models name no task.

    Raises FormatError where it is not TOML.
    """
    path = Path(recipe)
    if not path.suffix:
        return recipe in shipped_recipes()
    return "task" in load_toml(path)


def train(
    recipe: str, out: Path, *, seed: int | None = None, tell: fit.Tell | None = None
) -> tuple[Agent, Path]:
    """Train by a recipe (a file, or the name of one that nettwin ships), or go on with it.

    `seed` replaces that of the recipe. Gives the agent and its file in `out`.
    """
    chosen = find_recipe(recipe)
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    agent = fit.train(chosen, out, tell=tell)
    path = out / f"{chosen.name}{SUFFIX}"
    write_agent(path, agent)
    return agent, path
