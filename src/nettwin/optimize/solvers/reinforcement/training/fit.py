"""Fit: from a recipe to a trained agent with its card; imitation first, practice after it.

The folder holds a checkpoint and `curve.jsonl`. What is random in an iteration follows from the
seed and the number of the iteration, so that a training that was stopped and continued ends with
the same agent as one that was not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from nettwin.errors import InputError
from nettwin.optimize.solvers.reinforcement.agent_file import Agent
from nettwin.optimize.solvers.reinforcement.training.checkpoint import (
    CHECKPOINT,
    read_checkpoint,
    write_checkpoint,
)
from nettwin.optimize.solvers.reinforcement.training.learn import imitate, practice
from nettwin.optimize.solvers.reinforcement.training.midpoint_task import MidpointTask
from nettwin.optimize.solvers.reinforcement.training.networks import LinkNetwork
from nettwin.optimize.solvers.reinforcement.training.recipe import AgentRecipe
from nettwin.optimize.solvers.reinforcement.training.steps import Task
from nettwin.optimize.solvers.reinforcement.training.weight_task import WeightTask
from nettwin.training.curves import Curves
from nettwin.training.provenance import commit, version

GUIDED = 0.5  # share of the episodes of the first imitation in which the teacher acts
VALUES_FIRST = 5  # iterations of practice after imitation in which only values are learned
VALIDATED, TESTED = "validation", "test"


class Moment(NamedTuple):
    """Where a training is: told after every iteration."""

    iteration: int
    iterations: int
    values: dict[str, float | str]


Tell = Callable[[Moment], None]


def train(
    recipe: AgentRecipe,
    out: Path,
    resume: bool = True,
    tell: Tell | None = None,
    task: Task | None = None,
) -> Agent:
    """Train an agent, or go on with it where the folder holds its checkpoint.

    The agent is that of the iteration that did best on the networks kept apart. Raises InputError
    where the folder holds another training, or any while `resume` is off.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    identity = json.dumps(recipe.as_table(), sort_keys=True)
    path = out / CHECKPOINT
    if path.exists() and not resume:
        raise InputError(f"{path} is there already. Remove it, or choose another folder.")
    task = task or task_of(recipe)
    network = task.network()
    optimizer = torch.optim.Adam(network.parameters(), recipe.practice.rate)
    begin, best = 0, float("inf")
    weights = network.exported()
    if path.exists():
        begin, best, weights = read_checkpoint(path, identity, network, optimizer)
    with Curves(out, begin) as curves:
        for iteration in range(begin, recipe.iterations):
            clock = time.process_time()
            values = _iteration(task, network, optimizer, recipe, iteration)
            done = iteration + 1
            if done % recipe.validate_every == 0 or done in (1, recipe.iterations):
                found = task.validate(network.exported())
                values[VALIDATED] = found
                if found < best:
                    best, weights = found, network.exported()
            values["cpu_s"] = time.process_time() - clock
            curves.add(done, values)
            if tell:
                tell(Moment(done, recipe.iterations, values))
            if done % recipe.checkpoint_every == 0 or done == recipe.iterations:
                write_checkpoint(path, identity, network, optimizer, done, best, weights)
    accuracy = {VALIDATED: best}
    if recipe.data.test:
        accuracy[TESTED] = task.test(weights)
    return Agent(weights, card_of(recipe, accuracy))


def task_of(recipe: AgentRecipe) -> Task:
    """What an agent of this recipe learns."""
    return MidpointTask(recipe) if recipe.task == "midpoints" else WeightTask(recipe)


def _iteration(
    task: Task,
    network: LinkNetwork,
    optimizer: torch.optim.Optimizer,
    recipe: AgentRecipe,
    iteration: int,
) -> dict[str, float | str]:
    seed = recipe.seed * 1_000_003 + iteration
    random = np.random.default_rng([seed, 1])
    first = recipe.imitation.iterations
    guided = iteration < first
    share = GUIDED * (1 - iteration / max(first, 1)) if guided else None
    steps = task.play(network.exported(), seed, share)
    gain = float(sum(step.reward for step in steps)) / recipe.episodes
    values: dict[str, float | str] = {
        "phase": "imitation" if guided else "practice",
        "decisions": len(steps),
        "gain": gain,
    }
    if guided:
        _at_rate(optimizer, recipe.imitation.rate)
        epochs = recipe.imitation.epochs
        told = imitate(task, network, optimizer, steps, epochs, recipe.minibatch, random)
    else:
        turn = iteration - first
        left = 1 - turn / max(recipe.practice.iterations, 1)
        _at_rate(optimizer, recipe.practice.rate * max(left, 0.05))
        warming = first > 0 and turn < VALUES_FIRST
        told = practice(
            task, network, optimizer, steps, recipe.practice, recipe.minibatch, random, warming
        )
    return {**values, **told}


def _at_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def card_of(recipe: AgentRecipe, accuracy: Mapping[str, float]) -> dict[str, Any]:
    """What an agent is, what it was trained on, and how far it ends from the reference (see
    `Task.validate`)."""
    data = recipe.data
    tested = f"; {data.test} others to test on" if data.test else ""
    return {
        "name": recipe.name,
        "task": recipe.task,
        "title": recipe.title,
        "recipe": recipe.as_table(),
        "data": f"{data.instances} synthetic networks"
        f" of {data.least_nodes} to {data.most_nodes} nodes,"
        f" seed {data.seed}; {data.validation + data.larger} others to choose the best iteration"
        f" by{tested}",
        "accuracy": dict(accuracy),
        "nettwin": version(),
        "commit": commit(),
        "license": "Apache-2.0",
    }
