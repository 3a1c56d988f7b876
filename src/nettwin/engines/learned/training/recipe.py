"""Recipe: how a model is trained, as TOML: architecture, settings, schedule, the data expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.training.examples import Parts
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats.toml_document import find_toml, load_toml, names_in


@dataclass(frozen=True)
class TrainingSchedule:
    """How long and how boldly to train. Each member of the ensemble has a seed of its own.

    One step sees so many `scenarios`, at most `flows` flows of each. The learning rate rises to
    `rate` over the share `rise` of the steps and falls to nothing.
    """

    steps: int = 20_000
    seeds: tuple[int, ...] = (1, 2)
    rate: float = 3e-3
    rise: float = 0.1
    scenarios: int = 1
    flows: int = 1500
    decay: float = 1e-4
    clip: float = 1.0
    validate_every: int = 2000
    checkpoint_every: int = 1000

    def __post_init__(self) -> None:
        for name in ("steps", "scenarios", "flows", "validate_every", "checkpoint_every"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} is {value!r}: must be a whole number from 1. Correct it.")
        for name, most in (("rate", 1.0), ("rise", 0.9), ("decay", 1.0), ("clip", 1e9)):
            value = getattr(self, name)
            known = isinstance(value, int | float) and not isinstance(value, bool)
            if not known or not 0 <= value <= most or (value == 0 and name in ("rate", "clip")):
                raise InputError(f"{name} is {value!r}: must be 0 to {most:g}. Correct it.")
        good = [isinstance(s, int) and not isinstance(s, bool) and s >= 0 for s in self.seeds]
        if not good or not all(good) or len(set(self.seeds)) < len(good):
            raise InputError(
                f"seeds is {list(self.seeds)}: must be different whole numbers, one for each member"
                " of the ensemble. Correct them."
            )


@dataclass(frozen=True)
class Data:
    """A data set that a recipe expects: how many samples, and what they are for.

    Those to train on are met `repeat` times as often as those of a data set that is not repeated.
    """

    samples: int
    parts: Parts
    repeat: int = 1


@dataclass(frozen=True)
class TrainingRecipe:
    """How a model is trained. `data` is by the name of the data set's own recipe; where it is empty
    any data will do."""

    name: str
    architecture: str
    title: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    schedule: TrainingSchedule = field(default_factory=TrainingSchedule)
    data: Mapping[str, Data] = field(default_factory=dict)

    def __post_init__(self) -> None:
        architecture(self.architecture)


FOLDER = Path(__file__).parents[1] / "recipes"


def shipped_recipes() -> list[str]:
    """The names of the recipes that nettwin ships."""
    return names_in(FOLDER)


def find_recipe(name: str) -> TrainingRecipe:
    """A recipe by its file, or by name if nettwin ships it; FormatError or UnknownNameError."""
    return read_recipe(find_toml(name, FOLDER, "training recipe"))


def read_recipe(path: Path) -> TrainingRecipe:
    """A recipe from a TOML file. Raises FormatError."""
    table = load_toml(path)
    try:
        _known(table, TrainingRecipe, "training recipe")
        schedule = dict(table.pop("schedule", {}))
        _known(schedule, TrainingSchedule, "schedule")
        if "seeds" in schedule:
            schedule["seeds"] = tuple(schedule["seeds"])
        data = {str(name): _data(name, entry) for name, entry in table.pop("data", {}).items()}
        table.setdefault("name", path.stem)
        return TrainingRecipe(**table, schedule=TrainingSchedule(**schedule), data=data)
    except (InputError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(path, "", str(error), "Correct the recipe.") from None


def _data(name: str, entry: Mapping[str, Any]) -> Data:
    rules: dict[str, tuple[int, int]] = {}
    others = {"samples", "repeat", "by", "unseen"}
    _known({k: v for k, v in entry.items() if k not in ("samples", "repeat")}, Parts, "data set")
    for part in entry.keys() - others:
        modulus, remainder = entry[part]
        if (
            not all(isinstance(v, int) for v in (modulus, remainder))
            or not modulus > remainder >= 0
        ):
            raise InputError(
                f"data.{name}.{part} is {entry[part]}: must be [modulus, remainder]. Correct it."
            )
        rules[part] = (modulus, remainder)
    samples, repeat = entry.get("samples"), entry.get("repeat", 1)
    for word, value in (("samples", samples), ("repeat", repeat)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"data.{name}.{word} is {value!r}: must be a whole number from 1.")
    by, unseen = str(entry.get("by", "topology")), tuple(map(str, entry.get("unseen", ())))
    return Data(entry["samples"], Parts(**rules, by=by, unseen=unseen), repeat)


def _known(table: Mapping[str, Any], kind: type, words: str) -> None:
    names = [f.name for f in fields(kind)]
    for name in table:
        if name not in names:
            raise UnknownNameError(f"attribute of a {words}", name, names)


def as_table(schedule: TrainingSchedule) -> dict[str, Any]:
    """A schedule as plain JSON types."""
    return {**asdict(schedule), "seeds": list(schedule.seeds)}
