"""Fit: from examples to a trained model with its card, for every architecture.

    examples -> tensors (`prepared`) -> members (`member`) -> accuracy (`scores`) -> Model

The folder holds all of it: `inputs/`, `member-SEED/` (checkpoint, curves, TensorBoard). A training
that was stopped goes on when it is called again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nettwin.engines.learned.calibration import MIN_SIMULATIONS, calibrated
from nettwin.engines.learned.coverage import ranges_of
from nettwin.engines.learned.model_file import Model
from nettwin.engines.learned.training.examples import Parts, Source
from nettwin.engines.learned.training.member import Moment, Tell, Training, train_member
from nettwin.engines.learned.training.prepared import Prepared, prepare
from nettwin.engines.learned.training.recipe import TrainingRecipe, TrainingSchedule, as_table
from nettwin.engines.learned.training.scores import accuracy
from nettwin.engines.learned.trial import trial
from nettwin.engines.theory.formulas import Formulas
from nettwin.errors import InputError
from nettwin.formats.weight_file import Weights
from nettwin.training import curves
from nettwin.training.provenance import commit, version
from nettwin.workers import process_pool

PART_NAMES = ("train", "validation", "calibration", "test")
INPUTS = "inputs"
POLL_S = 0.5


@dataclass(frozen=True)
class Given:
    """A data set for training: where it comes from, what its samples are for, and how many times
    as often as others those to train on are met."""

    source: Source
    parts: Parts
    repeat: int = 1


@dataclass(frozen=True)
class Split:
    """The prepared examples of several data sets, by what they are for."""

    train: tuple[Prepared, ...] = ()
    validation: tuple[Prepared, ...] = ()
    calibration: tuple[Prepared, ...] = ()
    test: tuple[Prepared, ...] = ()

    @property
    def every(self) -> tuple[Prepared, ...]:
        """All of them."""
        return self.train + self.validation + self.calibration + self.test


@dataclass(frozen=True)
class Machine:
    """Where training runs: processes, threads of each, and the device (auto, cpu, cuda)."""

    jobs: int = 1
    threads: int = 1
    device: str = "auto"

    def chosen_device(self) -> str:
        """The device; `auto` is CUDA where it is there. Raises InputError."""
        if self.device not in ("auto", "cpu", "cuda"):
            raise InputError(f"device is {self.device!r}: must be auto, cpu or cuda. Name one.")
        there = torch.cuda.is_available()
        if self.device == "cuda" and not there:
            raise InputError("device is cuda: there is none on this machine. Use auto or cpu.")
        return "cuda" if there and self.device != "cpu" else "cpu"


def fit(
    recipe: TrainingRecipe,
    given: Sequence[Given],
    folder: Path,
    machine: Machine | None = None,
    *,
    preparing: Callable[[str, float], None] | None = None,
    tell: Tell | None = None,
) -> Model:
    """Train a model by a recipe, or go on with it.

    `preparing` is told the data set and the share done, `tell` where the training is. Raises
    FormatError where data are damaged, InputError where training goes astray.
    """
    machine = machine or Machine()
    sets = prepare_all(given, folder / INPUTS, preparing)
    split = joined_splits(list(sets.values()))
    if not split.train:
        raise InputError("the data hold no sample to train on. Give others, or another recipe.")
    training = Training(
        recipe.architecture,
        recipe.settings,
        recipe.schedule,
        tuple(item for one in given for item in sets[one.source.name].train * one.repeat),
        split.validation,
        device=machine.chosen_device(),
        threads=machine.threads,
    )
    members = train_members(training, folder, machine.jobs, tell)
    model = ranged(Model(tuple(members), card(recipe, given, sets, split)), split)
    scored = {"accuracy": {"test": accuracy(model, split.test)}, "trial": trial(model)}
    return replace(model, card={**model.card, **scored})


def ranged(model: Model, split: Split) -> Model:
    """The model with the range of its training, and with intervals where there is enough to
    calibrate them."""
    seen = (item.inputs() for item in split.train)
    if len(split.calibration) < MIN_SIMULATIONS:
        return replace(model, ranges=ranges_of(seen))
    return calibrated(model, (item.case() for item in split.calibration), seen)


def prepare_all(
    given: Sequence[Given],
    folder: Path,
    preparing: Callable[[str, float], None] | None = None,
    formulas: Formulas = Formulas(),  # noqa: B008, frozen
) -> dict[str, Split]:
    """The examples of data sets as tensors, kept in a folder; by name and part."""
    sets: dict[str, Split] = {}
    for one in given:
        name = one.source.name
        if name in sets:
            raise InputError(f"two data sets are named {name}: names must differ. Rename one.")

        def told(share: float, name: str = name) -> None:
            if preparing:
                preparing(name, share)

        items = prepare(one.source, folder, told, formulas)
        sets[name] = divided(items, one.parts)
    return sets


def divided(items: Sequence[Prepared], parts: Parts) -> Split:
    """Examples by what they are for."""
    by_part: dict[str, list[Prepared]] = {name: [] for name in PART_NAMES}
    for item in items:
        by_part[parts.of(item.number, item.topology, item.family)].append(item)
    return Split(**{name: tuple(found) for name, found in by_part.items()})


def joined_splits(splits: Sequence[Split]) -> Split:
    """Several splits as one."""
    return Split(
        **{name: tuple(i for split in splits for i in getattr(split, name)) for name in PART_NAMES}
    )


def train_members(
    training: Training, folder: Path, jobs: int = 1, tell: Tell | None = None
) -> list[Weights]:
    """The networks of the ensemble, trained one after another, or in so many processes."""
    homes = {seed: folder / f"member-{seed}" for seed in training.schedule.seeds}
    if jobs == 1 or len(homes) == 1:
        trained = [train_member(training, seed, home, tell) for seed, home in homes.items()]
        return [weights for given in trained for weights in given]
    with process_pool(min(jobs, len(homes))) as pool:
        futures = {
            seed: pool.submit(train_member, training, seed, home) for seed, home in homes.items()
        }
        _wait(list(futures.values()), training.schedule, homes, tell)
        return [weights for future in futures.values() for weights in future.result()]


def _wait(
    futures: Sequence[Future[list[Weights]]],
    schedule: TrainingSchedule,
    homes: Mapping[int, Path],
    tell: Tell | None,
) -> None:
    """Until all are done or one has failed; tells what the curves say meanwhile."""
    told: dict[int, int] = {}
    while True:
        done, open_ones = wait(futures, POLL_S)
        if not open_ones or any(future.exception() for future in done):
            return
        for seed, home in homes.items() if tell else ():
            last = _last(home / curves.NAME)
            step = int(last.get("step", 0))
            if tell and step > told.get(seed, 0):
                told[seed] = step
                error = float(last.get("validation/owd_mean", math.nan))
                tell(Moment(seed, step, schedule.steps, len(schedule.seeds), error))


def _last(path: Path) -> dict[str, Any]:
    """The last whole line of a curve."""
    try:
        lines = path.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
        return dict(json.loads(lines[-1]))
    except (OSError, IndexError, ValueError, TypeError):
        return {}


def card(
    recipe: TrainingRecipe,
    given: Sequence[Given],
    sets: Mapping[str, Split],
    split: Split,
) -> dict[str, Any]:
    """What a model is, and what it was trained on."""
    return {
        "name": recipe.name,
        "title": recipe.title,
        "architecture": recipe.architecture,
        "settings": dict(recipe.settings),
        "formulas": asdict(Formulas()),
        "schedule": as_table(recipe.schedule),
        "data": [data_entry(one, sets[one.source.name]) for one in given],
        "range": range_words(split),
        "nettwin": version(),
        "commit": commit(),
        "license": "Apache-2.0",
    }


def data_entry(given: Given, split: Split) -> dict[str, Any]:
    """What a card says of a data set."""
    counts = {name: len(getattr(split, name)) for name in PART_NAMES}
    return {
        "name": given.source.name,
        "digest": given.source.digest,
        "samples": counts,
        "parts": given.parts.as_table(),
        "by": given.parts.by,
    }


def range_words(split: Split) -> str:
    """What the training has seen, in words."""
    items = split.train + split.validation
    nodes, flows = [i.nodes for i in items], [i.flows for i in items]
    load = [i.load for i in items]
    return (
        f"{len(items):,} networks of {min(nodes)} to {max(nodes)} nodes with {min(flows):,} to"
        f" {max(flows):,} flows; busiest links offered {min(load):.0%} to {max(load):.0%}"
    )
