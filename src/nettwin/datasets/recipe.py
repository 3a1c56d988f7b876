"""Recipe: the distributions that scenarios of a data set are drawn from; a TOML file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats.toml_document import find_toml, load_toml

FOLDER = Path(__file__).parent / "recipes"

Table = Mapping[str, Any]


def table_of(table: Table, name: str, default: Any) -> Any:
    """A distribution of a table, or the default where it has none."""
    return table.get(name, default)


@dataclass(frozen=True)
class Recipe:
    """What a data set is drawn from. Every table holds distributions (see `distributions`).

    `packet_hops` is how much of each scenario is simulated, `precision` when a simulation may stop
    earlier; `second_seeds` is the share of samples that are simulated twice, to know the noise of
    the labels.
    """

    name: str
    seed: int = 1
    samples: int = 100
    packet_hops: float = 5e7
    precision: float = 0.003
    second_seeds: float = 0.1
    shard: int = 8
    topology: Table = field(default_factory=dict)
    links: Table = field(default_factory=dict)
    routing: Table = field(default_factory=dict)
    ports: Table = field(default_factory=dict)
    traffic: Table = field(default_factory=dict)
    impairments: Table = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in (("samples", 1), ("shard", 1), ("packet_hops", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or value < least:
                raise InputError(f"{name} is {value!r}: must be a number from {least}. Correct it.")
        if not 0 <= self.second_seeds <= 1:
            raise InputError(f"second_seeds is {self.second_seeds}: must be 0 to 1. Correct it.")

    @property
    def digest(self) -> str:
        """Names everything that decides on a sample (how many there are does not)."""
        kept = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("samples", "shard", "name")
        }
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def shipped_recipe(name: str) -> Path:
    """The file of a recipe that nettwin ships. Raises UnknownNameError."""
    return find_toml(name, FOLDER, "recipe")


def read_recipe(path: Path) -> Recipe:
    """A recipe from a TOML file. Raises FormatError."""
    data = load_toml(path)
    known = {f.name for f in fields(Recipe)}
    for name in data:
        if name not in known:
            reason = str(UnknownNameError("attribute of a recipe", name, known))
            raise FormatError(path, name, reason, "Correct the name.")
    data.setdefault("name", path.stem)
    try:
        return Recipe(**data)
    except InputError as error:
        raise FormatError(path, "", str(error), "Correct the recipe.") from None
