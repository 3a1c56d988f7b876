"""Adapt: a trained model goes on with other data, and what it could do before is looked after.

Half of the steps replay old data (rehearsal). The new data are split by topology, so that the
accuracy told is that of networks that were not trained on; old and new accuracy are measured before
and after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nettwin.engines.learned.model_file import Model
from nettwin.engines.learned.training.examples import Parts, Source, parts_on_card
from nettwin.engines.learned.training.fit import (
    INPUTS,
    Given,
    Machine,
    Split,
    data_entry,
    joined_splits,
    prepare_all,
    range_words,
    ranged,
    train_members,
)
from nettwin.engines.learned.training.member import Tell, Training
from nettwin.engines.learned.training.prepared import Prepared
from nettwin.engines.learned.training.recipe import TrainingSchedule, as_table
from nettwin.engines.learned.training.scores import accuracy
from nettwin.engines.learned.trial import trial
from nettwin.errors import InputError
from nettwin.training.provenance import commit, version

JUDGED = "owd_mean_s"  # the metric that must not grow worse
VALIDATION = 8  # every so many samples to train on are kept to validate


@dataclass(frozen=True)
class Halves:
    """How new data are split: the share of the topologies that is tested on, and which."""

    test: float = 0.5
    other: bool = False  # test on the others instead

    def __post_init__(self) -> None:
        if not 0 < self.test < 1:
            raise InputError(
                f"the share of topologies to test on is {self.test:g}: must be between"
                " 0 and 1. Give another."
            )

    def split(self, items: Sequence[Prepared]) -> Split:
        """By topology; by sample where all have the same."""
        groups = {item.topology for item in items}
        by_sample = len(groups) == 1

        def key(item: Prepared) -> str:
            name = item.name if by_sample else str(item.topology)
            return hashlib.sha256(name.encode()).hexdigest()

        order = sorted({key(item) for item in items})
        tested = set(order[: min(max(round(self.test * len(order)), 1), len(order) - 1)])
        if self.other:
            tested = set(order) - tested
        rest = [item for item in items if key(item) not in tested]
        return Split(
            train=tuple(item for k, item in enumerate(rest) if k % VALIDATION != 1),
            validation=tuple(rest[1::VALIDATION]),
            test=tuple(item for item in items if key(item) in tested),
        )


@dataclass(frozen=True)
class Adapted:
    """A model before and after: its accuracy on new networks and on the old data."""

    model: Model
    new: Mapping[str, Mapping[str, Any]]  # before, after
    old: Mapping[str, Mapping[str, Any]]  # empty where no old data were tested

    @property
    def worse(self) -> float:
        """By how much the old data have grown worse, relatively; NaN where that is not known."""
        if not self.old:
            return float("nan")
        before, after = (self.old[k]["model"][JUDGED] for k in ("before", "after"))
        return float(after / before - 1)


def adapt(
    base: Model,
    sources: Sequence[Source],
    kept: Sequence[Source],
    folder: Path,
    schedule: TrainingSchedule,
    halves: Halves | None = None,
    machine: Machine | None = None,
    *,
    name: str = "",
    inputs: Path | None = None,
    preparing: Callable[[str, float], None] | None = None,
    tell: Tell | None = None,
) -> Adapted:
    """Train a model further on `sources`, replaying `kept`; or go on with that.

    The schedule's seeds are one for each network of the model; `inputs` is where tensors are kept,
    if several trainings shall share them.
    """
    machine = machine or Machine()
    given = [Given(source, Parts()) for source in sources]
    old_given = [Given(source, parts_on_card(base.card, source.name)) for source in kept]
    home = inputs or folder / INPUTS
    prepared = prepare_all([*given, *old_given], home, preparing, base.formulas)
    news = {one.source.name: prepared[one.source.name].every for one in given}
    every = [item for items in news.values() for item in items]
    if len(every) < 2:
        raise InputError(
            "the data hold fewer than two samples: there must be one to train on and"
            " one to test on. Give more."
        )
    new = (halves or Halves()).split(every)
    old = joined_splits([prepared[one.source.name] for one in old_given])
    training = Training(
        base.architecture,
        dict(base.card["settings"]),
        schedule,
        new.train,
        new.validation,
        old.train,
        device=machine.chosen_device(),
        threads=machine.threads,
        start=base.members,
    )
    members = tuple(train_members(training, folder, machine.jobs, tell))
    both = joined_splits([old, replace(new, calibration=new.validation)])
    model = ranged(Model(members, base.card), both)
    found = {
        part: {"before": accuracy(base, items), "after": accuracy(model, items)} if items else {}
        for part, items in (("new", new.test), ("old", old.test))
    }
    counted = {k: _counted(new, k) for k in news}
    entries = [data_entry(one, counted[one.source.name]) for one in given]
    card = {
        **base.card,
        "name": name or f"{base.name}-adapted",
        "data": [*base.card.get("data", ()), *entries],
        "adapted": {
            "from": base.name,
            "digest": base.card.get("digest"),
            "schedule": as_table(schedule),
        },
        "range": f"{base.card.get('range', '')}; adapted on {range_words(new)}",
        "accuracy": {"test": found["new"]["after"], "old": found["old"].get("after", {})},
        "nettwin": version(),
        "commit": commit(),
        "trial": trial(model),
    }
    return Adapted(replace(model, card=card), found["new"], found["old"])


def _counted(split: Split, source: str) -> Split:
    """What of a split is of one data set."""
    return Split(
        **{
            part: tuple(item for item in items if item.name.rpartition("/")[0] == source)
            for part, items in vars(split).items()
        }
    )
