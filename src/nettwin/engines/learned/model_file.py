"""Model file: trained weights with their card, in one safetensors file; no code is ever read.

Tensors are named by part: `0/enter.weight` belongs to the first network of the ensemble,
`calibration/...` and `range/...` to what was measured of it. What makes a file whole, and its card,
are those of every `weight_file`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.features import EDGE, FLOW, HOP, QUEUE, QUEUE_BURSTS, SHAPE
from nettwin.engines.theory.formulas import Formulas, formulas_of
from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_bytes
from nettwin.formats.weight_file import Kind, Weights, unpacked, write_weights

SCHEMA = "nettwin-model-1"
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
# Before bursts were told: such models give what they do not know no weight, and have no range of it
EARLIER = {**FEATURES, "queue": [name for name in QUEUE if name not in QUEUE_BURSTS]}
ENTRIES: dict[str, type] = {"name": str, "architecture": str, "settings": dict}
KIND = Kind(SCHEMA, FEATURES, ENTRIES, 256 * 2**20, (EARLIER,))
ANY = 1e9  # a bound of a feature that no range is known of
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
    def formulas(self) -> Formulas:
        """The formulas of theory that the model was trained with."""
        return formulas_of(self.card)

    @property
    def architecture(self) -> str:
        """The name of the architecture that the weights belong to."""
        return str(self.card["architecture"])


def write_model(path: Path, model: Model) -> None:
    """Write a model whole or not at all."""
    parts = [(str(k), weights) for k, weights in enumerate(model.members)]
    parts += [("calibration", model.calibration), ("range", model.ranges)]
    tensors = {
        f"{part}/{name}": values for part, weights in parts for name, values in weights.items()
    }
    write_weights(path, KIND, model.card, tensors)


def read_model(path: Path) -> Model:
    """A model from its file. Raises FormatError where it is damaged or of another schema."""
    return model_from_bytes(read_bytes(path), path)


def model_from_bytes(content: bytes, path: Path) -> Model:
    """A model from a file's content; `path` names it in errors. Raises FormatError."""
    try:
        card, tensors = unpacked(content, KIND)
        members: dict[int, dict[str, NDArray[np.float32]]] = {}
        others: dict[str, dict[str, NDArray[np.float32]]] = {"calibration": {}, "range": {}}
        for full, values in tensors.items():
            part, _, name = full.partition("/")
            if part in others:
                others[part][name] = values
            else:
                members.setdefault(int(part), {})[name] = values
        if not members or sorted(members) != list(range(len(members))):
            raise ValueError("its networks are not numbered from 0")
        if card["features"] == EARLIER:
            _widen(members.values(), others["range"])
        ordered = tuple(members[k] for k in range(len(members)))
        return Model(ordered, card, others["calibration"], others["range"])
    except ValueError as error:
        raise FormatError(path, "", f"is not a usable model ({error})", _AGAIN) from None


def _widen(
    members: Iterable[dict[str, NDArray[np.float32]]], ranges: dict[str, NDArray[np.float32]]
) -> None:
    """Give a model of EARLIER features the columns of those that came since."""
    more = len(QUEUE) - len(EARLIER["queue"])
    for weights in members:
        known = weights.get("enter.weight")
        if known is not None and known.ndim == 2 and known.shape[1] == len(EARLIER["queue"]):
            weights["enter.weight"] = np.pad(known, ((0, 0), (0, more)))
    if "queue" in ranges:
        unbounded = np.array([[-ANY], [ANY]], np.float32).repeat(more, axis=1)
        ranges["queue"] = np.concatenate([ranges["queue"], unbounded], axis=1)


def weight(weights: Weights, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """One tensor of a network; InputError where it is not there or of another shape."""
    if name not in weights:
        raise InputError(f"the model's weights have no tensor {name}. {_AGAIN}")
    found = weights[name]
    if found.shape != shape:
        raise InputError(f"tensor {name} has the shape {found.shape}: must be {shape}. {_AGAIN}")
    return np.ascontiguousarray(found, np.float32)
