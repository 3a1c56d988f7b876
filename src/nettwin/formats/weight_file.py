"""Weight file: tensors with a card in one safetensors file; no code is ever read.

The card, JSON in the file's metadata under `nettwin`, says what the weights are, what they were
trained on and how well they do. It holds a checksum of everything, so that an altered file is
refused, and the schema and the features that the weights were made for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.formats.files import write_bytes

SUFFIX = ".safetensors"
Weights = Mapping[str, NDArray[np.float32]]


class Kind(NamedTuple):
    """A kind of weight file: its schema, the features its weights see, what a card must have; and
    features of earlier versions, whose files are read as well."""

    schema: str
    features: object  # of JSON types
    entries: Mapping[str, type]
    largest_bytes: int
    earlier: tuple[object, ...] = ()


def write_weights(path: Path, kind: Kind, card: Mapping[str, Any], tensors: Weights) -> None:
    """Write tensors and their card whole or not at all."""
    from safetensors.numpy import save

    ready = {name: np.ascontiguousarray(values, np.float32) for name, values in tensors.items()}
    full = {**card, "schema": kind.schema, "features": kind.features}
    full["digest"] = _digest(full, ready)
    write_bytes(path, save(ready, {"nettwin": json.dumps(full, sort_keys=True)}))


def unpacked(content: bytes, kind: Kind) -> tuple[dict[str, Any], Weights]:
    """The card and the tensors of a file's content. Raises ValueError, also for what safetensors or
    JSON find wrong, where it is truncated, altered or of another kind."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        card = _card(content, kind)
        tensors: Weights = load(content)
    except (SafetensorError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if card.get("digest") != _digest(card, tensors):
        raise ValueError("its checksum is another: it was altered")
    for name, values in tensors.items():
        if values.dtype != np.float32 or not np.isfinite(values).all():
            raise ValueError(f"tensor {name} holds other than finite 32-bit numbers")
    return card, tensors


def _digest(card: Mapping[str, Any], tensors: Weights) -> str:
    """A checksum of the card, itself left out, and of every tensor."""
    rest = {k: v for k, v in card.items() if k != "digest"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name, values in sorted(tensors.items()):
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode() + values.tobytes())
    return digest.hexdigest()


def metadata(content: bytes) -> Any:
    """What nettwin has written of a safetensors file into its head.

    Raises ValueError or KeyError where there is none.
    """
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= size <= len(content) - 8:
        raise ValueError("it is truncated")
    return json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["nettwin"])


def _card(content: bytes, kind: Kind) -> dict[str, Any]:
    """The card of a file, whose schema must be this version's, and whose features known."""
    if len(content) > kind.largest_bytes:
        raise ValueError(f"it is larger than {kind.largest_bytes >> 20} MiB")
    card = metadata(content)
    if not isinstance(card, dict):
        raise ValueError("its card is not a table")
    if card.get("schema") != kind.schema:
        raise ValueError(f"its schema is {card.get('schema')!r}: must be {kind.schema}")
    if card.get("features") not in (kind.features, *kind.earlier):
        raise ValueError("it was trained with other features than this version computes")
    for name, type_ in kind.entries.items():
        if not isinstance(card.get(name), type_):
            raise ValueError(f"its card has no {name}")
    return card
