"""Recipe: how an agent is trained, as TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats.toml_document import find_toml, load_toml, names_in
from nettwin.optimize.solvers.reinforcement.midpoint_environment import Order

TASKS = ("midpoints", "weights")
PRICES = "prices"
TEACHERS = (PRICES, "linear", "constraint")
FOLDER = Path(__file__).parents[1] / "recipes"
TEST = 1  # beside the seed, so that networks to test on are others
MIN_NODES, MAX_NODES = 8, 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MOST = 1e9
_FROM_1 = (
    *("episodes", "horizon", "minibatch", "validate_every", "checkpoint_every", "epochs"),
    *("instances", "validation", "width", "rounds", "channels", "hidden"),
)
_SHARES = ("discount", "trace", "clip", "smooth")
_SIZES = {
    "midpoints": ("width", "rounds", "channels", "hidden"),
    "weights": ("width", "rounds", "hidden"),
}


@dataclass(frozen=True)
class Data:
    """Synthetic networks: how many, of how many nodes, and the seed that they are drawn with.

    The best iteration is chosen by `validation` others, and by `larger` ones of `most_nodes` to
    `largest_nodes`, so that what was learned holds where networks are larger as well. What becomes
    of the agent is told by `test` others, which nothing is chosen by.
    """

    instances: int = 120
    validation: int = 24
    larger: int = 0
    test: int = 0
    least_nodes: int = 10
    most_nodes: int = 40
    largest_nodes: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        _numbers({f.name: getattr(self, f.name) for f in fields(self)}, _types(self))
        most = self.largest_nodes if self.larger else MAX_NODES
        if not MIN_NODES <= self.least_nodes <= self.most_nodes <= most <= MAX_NODES:
            raise InputError(
                f"nodes are {self.least_nodes} to {self.most_nodes}, the larger ones to"
                f" {self.largest_nodes}: must be {MIN_NODES} <= least <= most <= largest <="
                f" {MAX_NODES}. Correct them."
            )

    def sizes(self) -> list[tuple[int, int]]:
        """The least and the most nodes of each network: those to choose by first."""
        usual = (self.least_nodes, self.most_nodes)
        larger = [(self.most_nodes, self.largest_nodes)] * self.larger
        return [usual] * self.validation + larger + [usual] * self.instances

    def test_sizes(self) -> list[tuple[int, int]]:
        """The least and the most nodes of each network to test on."""
        return [(self.least_nodes, self.most_nodes)] * self.test

    def test_random(self) -> np.random.Generator:
        """What the networks to test on are drawn with."""
        return np.random.default_rng([self.seed, TEST])


@dataclass(frozen=True)
class Imitation:
    """Following a teacher: in some episodes the teacher acts, in all it says what it would do.

    `teacher` is one of TEACHERS: prices of links, or for midpoints a solver whose answers to the
    instances are followed. `steep` and `sharp` are of the prices (see `teachers`).
    """

    teacher: str = PRICES
    iterations: int = 40
    rate: float = 3e-3
    epochs: int = 2
    steep: float = 32.0
    sharp: float = 20.0


@dataclass(frozen=True)
class Practice:
    """Proximal policy optimization (Schulman et al., 2017). `smooth` is the part of the reward that
    looks at all links that are highly utilized, the rest at the highest utilization alone."""

    iterations: int = 300
    rate: float = 1e-3
    epochs: int = 3
    discount: float = 0.99
    trace: float = 0.95
    clip: float = 0.2
    entropy: float = 2e-3
    smooth: float = 0.5
    scale: float = 10.0


@dataclass(frozen=True)
class AgentRecipe:
    """How an agent is trained: what it decides on, its network, its data, and the two phases.

    An iteration plays `episodes` of at most `horizon` decisions. Half of them begin where the agent
    itself has come to after up to `ahead` decisions.
    """

    name: str
    task: str
    title: str = ""
    seed: int = 1
    episodes: int = 32
    horizon: int = 128
    ahead: int = 400
    minibatch: int = 512
    validate_every: int = 20
    checkpoint_every: int = 10
    network: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    imitation: Imitation = field(default_factory=Imitation)
    practice: Practice = field(default_factory=Practice)

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise UnknownNameError("task of an agent", self.task, TASKS)
        teacher = self.imitation.teacher
        if teacher not in TEACHERS:
            raise UnknownNameError("teacher of an agent", teacher, TEACHERS)
        if teacher != PRICES and self.task != "midpoints":
            raise InputError(
                f"teacher is {teacher!r}: must be {PRICES!r} for {self.task}, as solvers find"
                " midpoints. Leave it out."
            )
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InputError(
                f"name is {self.name!r}: must be small letters, digits, `.`, `_` or `-`, at most"
                " 64. Correct it."
            )
        for part in (self, self.data, self.imitation, self.practice):
            _numbers({f.name: getattr(part, f.name) for f in fields(part)}, _types(part))
        sizes = _SIZES[self.task]
        for name in self.network:
            if name not in sizes:
                raise UnknownNameError("size of a network", name, sizes)
        _numbers(self.network, dict.fromkeys(self.network, "int"))
        self._order()
        if not self.iterations:
            raise InputError("there are no iterations: imitation or practice must have some.")

    def _order(self) -> None:
        known = [f.name for f in fields(Order)] if self.task == "midpoints" else []
        for name in self.environment:
            if name not in known:
                raise UnknownNameError("attribute of an environment", name, known)
        _numbers(self.environment, {f.name: str(f.type) for f in fields(Order)})
        if self.task == "midpoints":
            Order(**self.environment)

    @property
    def iterations(self) -> int:
        """Of both phases."""
        return self.imitation.iterations + self.practice.iterations

    def as_table(self) -> dict[str, Any]:
        """The recipe as plain JSON types."""
        return asdict(self)


def shipped_recipes() -> list[str]:
    """The names of the recipes that nettwin ships."""
    return names_in(FOLDER)


def find_recipe(name: str) -> AgentRecipe:
    """A recipe by its file, or by name if nettwin ships it; FormatError or UnknownNameError."""
    return read_recipe(find_toml(name, FOLDER, "training recipe of an agent"))


def read_recipe(path: Path) -> AgentRecipe:
    """A recipe from a TOML file. Raises FormatError."""
    table = load_toml(path)
    try:
        table.setdefault("name", path.stem)
        kinds = {"data": Data, "imitation": Imitation, "practice": Practice}
        _known(table, AgentRecipe)
        for name, kind in kinds.items():
            if name in table:
                _known(table[name], kind)
                table[name] = kind(**table[name])
        return AgentRecipe(**table)
    except (InputError, TypeError, AttributeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, "", str(error), "Correct the recipe.") from None


def _types(part: object) -> dict[str, str]:
    return {f.name: str(f.type) for f in fields(part)}  # type: ignore[arg-type]


def _numbers(values: Mapping[str, Any], types: Mapping[str, str]) -> None:
    """Raises InputError where what is a number by its type is none, or out of range."""
    for name, value in values.items():
        if types[name] not in ("int", "float"):
            continue
        least, most = (1 if name in _FROM_1 else 0), (1 if name in _SHARES else _MOST)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least <= value <= most:
            raise InputError(
                f"{name} is {value!r}: must be a number from {least} to {most:g}. Correct it."
            )
        if types[name] == "int" and not isinstance(value, int):
            raise InputError(f"{name} is {value!r}: must be whole. Correct it.")


def _known(table: Mapping[str, Any], kind: type) -> None:
    names = [one.name for one in fields(kind)]
    for name in table:
        if name not in names:
            raise UnknownNameError("attribute of a recipe", name, names)
