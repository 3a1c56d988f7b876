"""Agent file: a trained agent's weights with its card, in one safetensors file; no code is read.

The card, JSON in the file's metadata under `nettwin`, says what the agent decides on, what it was
trained on and how well it does. It holds a checksum of everything: an altered file is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, UnknownNameError
from nettwin.formats.files import read_bytes, write_bytes
from nettwin.optimize.reinforcement.link_graph import FEATURES, Weights

SCHEMA = "nettwin-agent-1"
SUFFIX = ".safetensors"
FOLDER = Path(__file__).parent / "agents"
LARGEST_BYTES = 16 * 2**20
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
    """The names of the agents that nettwin carries."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def find_agent(name: str, task: str) -> Agent:
    """An agent by the path of its file, or by name if nettwin carries it.

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


def write_agent(path: Path, agent: Agent) -> None:
    """Write an agent whole or not at all."""
    from safetensors.numpy import save

    tensors = {k: np.ascontiguousarray(v, np.float32) for k, v in agent.weights.items()}
    card = {**agent.card, "schema": SCHEMA, "features": list(FEATURES)}
    card["digest"] = _digest(card, tensors)
    write_bytes(path, save(tensors, {"nettwin": json.dumps(card, sort_keys=True)}))


def read_agent(path: Path) -> Agent:
    """An agent from its file. Raises FormatError where it is damaged or of another schema."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = read_bytes(path)
    try:
        card = _card(content)
        tensors = load(content)
        if card.get("digest") != _digest(card, tensors):
            raise ValueError("its checksum is another: it was altered")
        for name, values in tensors.items():
            if values.dtype != np.float32 or not np.isfinite(values).all():
                raise ValueError(f"tensor {name} holds other than finite 32-bit numbers")
        _fitting(card["task"], tensors)
        return Agent(tensors, card)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(path, "", f"is no usable agent ({error})", _AGAIN) from None


def _digest(card: Mapping[str, Any], tensors: Weights) -> str:
    """A checksum of the card, itself left out, and of every tensor."""
    rest = {k: v for k, v in card.items() if k != "digest"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name, values in sorted(tensors.items()):
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode() + values.tobytes())
    return digest.hexdigest()


def _card(content: bytes) -> dict[str, Any]:
    size = int.from_bytes(content[:8], "little")
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES >> 20} MiB")
    if len(content) < 8 or not 2 <= size <= len(content) - 8:
        raise ValueError("it is truncated")
    card = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["nettwin"])
    if not isinstance(card, dict):
        raise ValueError("its card is no table")
    if card.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {card.get('schema')!r}: must be {SCHEMA}")
    if card.get("features") != list(FEATURES):
        raise ValueError("it was trained with other features than this version computes")
    for name, kind in (("name", str), ("task", str), ("recipe", dict)):
        if not isinstance(card.get(name), kind):
            raise ValueError(f"its card has no {name}")
    return card


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
