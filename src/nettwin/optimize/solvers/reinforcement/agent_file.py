"""Agent file: a trained agent's weights with its card: a `weight_file`, for one task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats.files import installed_in, read_bytes, write_bytes
from nettwin.formats.weight_file import SUFFIX, Kind, unpacked, write_weights
from nettwin.optimize.solvers.reinforcement.link_graph import FEATURES, Weights
from nettwin.optimize.solvers.reinforcement.midpoint_environment import Order

SCHEMA = "nettwin-agent-1"
PLACE = "NETTWIN_AGENTS"  # environment variable
FOLDER = Path(__file__).parent / "agents"
KIND = Kind(SCHEMA, list(FEATURES), {"name": str, "task": str, "recipe": dict}, 16 * 2**20)
_AGAIN = "Take the file again from where it came, or train the agent."


@dataclass(frozen=True)
class Agent:
    """A trained agent. The card has at least `name`, `task` and `recipe`."""

    weights: Weights
    card: Mapping[str, Any]

    @property
    def task(self) -> str:
        """What it decides on: `midpoints` or `weights`."""
        return str(self.card["task"])


def shipped_agents() -> list[str]:
    """The names of the agents that nettwin ships."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def find_agent(name: str, task: str) -> Agent:
    """An agent by the path of its file, or by name if nettwin ships it.

    Raises UnknownNameError, and FormatError where the file is damaged, altered, of another version
    or an agent for something else.
    """
    path = Path(name)
    if not path.suffix:
        if name not in shipped_agents():
            raise UnknownNameError("agent", name, shipped_agents())
        path = FOLDER / f"{name}{SUFFIX}"
    agent = read_agent(path)
    if agent.task != task:
        raise FormatError(path, "", f"is an agent for {agent.task}, not for {task}", _AGAIN)
    return agent


def used_agent(task: str) -> Agent:
    """The agent that decides on a task: the one that the user installed, or else nettwin's.

    Raises FormatError where the installed one is damaged.
    """
    path = installed_folder() / f"{task}{SUFFIX}"
    return find_agent(str(path) if path.exists() else task, task)


def installed_folder() -> Path:
    """Where agents are installed, each under the name of its task."""
    return installed_in(PLACE, "agents")


def install_agent(path: Path) -> Path:
    """Have an agent used for its task, in place of nettwin's; its file from now on.

    Raises FormatError where it is damaged or of another schema.
    """
    agent = read_agent(path)
    place = installed_folder() / f"{agent.task}{SUFFIX}"
    write_bytes(place, read_bytes(path))
    return place


def is_agent(path: Path) -> bool:
    """Whether a file says of itself that it is an agent; it may be damaged all the same."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            head = file.read(min(size, KIND.largest_bytes))
        return bool(json.loads(json.loads(head)["__metadata__"]["nettwin"])["schema"] == SCHEMA)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def write_agent(path: Path, agent: Agent) -> None:
    """Write an agent whole or not at all."""
    write_weights(path, KIND, agent.card, agent.weights)


def read_agent(path: Path) -> Agent:
    """An agent from its file. Raises FormatError where it is damaged or of another schema."""
    content = read_bytes(path)
    try:
        card, tensors = unpacked(content, KIND)
        _fitting(card["task"], tensors)
        if card["task"] == "midpoints":
            _order(card["recipe"])
        return Agent(tensors, card)
    except ValueError as error:
        raise FormatError(path, "", f"is not a usable agent ({error})", _AGAIN) from None


def _fitting(task: str, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Raises ValueError where tensors do not fit one another."""
    if task not in LAYERS:
        raise ValueError(f"its task is {task!r}: must be one of {', '.join(LAYERS)}")
    size: dict[str, int] = dict(FIXED)
    for name, letters in LAYERS[task].items():
        if name not in tensors:
            raise ValueError(f"tensor {name} is missing")
        shape = tensors[name].shape
        if len(shape) != len(letters):
            raise ValueError(f"tensor {name} has {len(shape)} dimensions: must be {len(letters)}")
        for letter, length in zip(letters, shape, strict=True):
            wanted = size.setdefault(letter, length)
            if letter == "heard":
                wanted = 3 * size["width"]
            if letter == "scored":
                wanted = size["channels"] + size["extras"]
            if length != wanted or length < 1:
                raise ValueError(f"tensor {name} has the shape {shape}: {letter} must be {wanted}")


def _order(recipe: Mapping[str, Any]) -> None:
    """Raises ValueError where a recipe does not say in which order demands are decided on."""
    try:
        Order(**recipe["environment"])
    except (KeyError, TypeError, InputError) as error:
        raise ValueError(f"the environment of its recipe is of no use: {error}") from None


# the dimensions of every tensor by task; equal names have equal lengths
FIXED = {"features": len(FEATURES), "extras": 5}
_LINKS = {
    "enter.weight": ("features", "width"),
    "enter.bias": ("width",),
    "rounds.weight": ("rounds", "heard", "width"),
    "rounds.bias": ("rounds", "width"),
}
LAYERS: dict[str, dict[str, tuple[str, ...]]] = {
    "midpoints": {
        **_LINKS,
        "price.weight": ("width", "channels"),
        "price.bias": ("channels",),
        "steep": ("channels",),
        "first.weight": ("scored", "hidden"),
        "first.bias": ("hidden",),
        "last.weight": ("hidden",),
    },
    "weights": {
        **_LINKS,
        "first.weight": ("width", "hidden"),
        "first.bias": ("hidden",),
        "last.weight": ("hidden",),
    },
}
