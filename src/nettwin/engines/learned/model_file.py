"""Model file: trained weights with their card, in one safetensors file; no code is ever read.

Tensors are named by part: `0/enter.weight` belongs to the first network of the ensemble,
`calibration/...` and `range/...` to what was measured of it. The card, JSON in the file's metadata
under `nettwin`, says what the model is, what it was trained on and how well it does; it holds a
checksum of everything, so that an altered file is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.features import EDGE, FLOW, HOP, QUEUE, SHAPE
from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_bytes, write_bytes

SCHEMA = "nettwin-model-1"
SUFFIX = ".safetensors"
FEATURES = {
    name: list(names)
    for name, names in (
        ("queue", QUEUE),
        ("flow", FLOW),
        ("hop", HOP),
        ("edge", EDGE),
        ("shape", SHAPE),
    )
}
Weights = Mapping[str, NDArray[np.float32]]
_AGAIN = "Install the model again (nettwin models install), or train it."


@dataclass(frozen=True)
class Model:
    """A trained model: the networks of an ensemble, what is known of them, and the card.

    `calibration` and `ranges` hold arrays by name (see `calibration` and `coverage`); both may be
    empty. The card has at least `name`, `architecture`, `settings` and `features`.
    """

    members: tuple[Weights, ...]
    card: Mapping[str, Any]
    calibration: Weights = field(default_factory=dict)
    ranges: Weights = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.card["name"])

    @property
    def architecture(self) -> str:
        """The name of the architecture that the weights belong to."""
        return str(self.card["architecture"])


def write_model(path: Path, model: Model) -> None:
    """Write a model whole or not at all."""
    from safetensors.numpy import save

    parts = [(str(k), weights) for k, weights in enumerate(model.members)]
    parts += [("calibration", model.calibration), ("range", model.ranges)]
    tensors = {
        f"{part}/{name}": np.ascontiguousarray(values, np.float32)
        for part, weights in parts
        for name, values in weights.items()
    }
    card = {**model.card, "schema": SCHEMA, "features": FEATURES}
    card["digest"] = _digest(card, tensors)
    write_bytes(path, save(tensors, {"nettwin": json.dumps(card, sort_keys=True)}))


def read_model(path: Path) -> Model:
    """A model from its file. Raises FormatError where it is damaged or of another schema."""
    return model_from_bytes(read_bytes(path), path)


def model_from_bytes(content: bytes, path: Path) -> Model:
    """A model from a file's content; `path` names it in errors. Raises FormatError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        card = _card(content)
        tensors = load(content)
        if card.get("digest") != _digest(card, tensors):
            raise ValueError("its checksum is another: it was altered")
        members: dict[int, dict[str, NDArray[np.float32]]] = {}
        others: dict[str, dict[str, NDArray[np.float32]]] = {"calibration": {}, "range": {}}
        for full, values in tensors.items():
            part, _, name = full.partition("/")
            if values.dtype != np.float32 or not np.isfinite(values).all():
                raise ValueError(f"tensor {full} holds other than finite 32-bit numbers")
            if part in others:
                others[part][name] = values
            else:
                members.setdefault(int(part), {})[name] = values
        if not members or sorted(members) != list(range(len(members))):
            raise ValueError("its networks are not numbered from 0")
        ordered = tuple(members[k] for k in range(len(members)))
        return Model(ordered, card, others["calibration"], others["range"])
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(path, "", f"is no usable model ({error})", _AGAIN) from None


def _digest(card: Mapping[str, Any], tensors: Weights) -> str:
    """A checksum of the card, itself left out, and of every tensor."""
    rest = {k: v for k, v in card.items() if k != "digest"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name, values in sorted(tensors.items()):
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode() + values.tobytes())
    return digest.hexdigest()


def _card(content: bytes) -> dict[str, Any]:
    """The card of a file, whose schema and features must be this version's."""
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= size <= len(content) - 8:
        raise ValueError("it is truncated")
    header = json.loads(content[8 : 8 + size])
    card = json.loads(header["__metadata__"]["nettwin"])
    if not isinstance(card, dict):
        raise ValueError("its card is no table")
    if card.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {card.get('schema')!r}: must be {SCHEMA}")
    if card.get("features") != FEATURES:
        raise ValueError("it was trained with other features than this version computes")
    for name, kind in (("name", str), ("architecture", str), ("settings", dict)):
        if not isinstance(card.get(name), kind):
            raise ValueError(f"its card has no {name}")
    return card


def weight(weights: Weights, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """One tensor of a network; InputError where it is not there or of another shape."""
    if name not in weights:
        raise InputError(f"the model's weights have no tensor {name}. {_AGAIN}")
    found = weights[name]
    if found.shape != shape:
        raise InputError(f"tensor {name} has the shape {found.shape}: must be {shape}. {_AGAIN}")
    return np.ascontiguousarray(found, np.float32)
