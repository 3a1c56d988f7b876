"""The card of the model that nettwin ships: what was measured of it, beside how it was made."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from nettwin.engines.learned import catalog
from nettwin.engines.learned.model_file import read_model, write_model

OF_MODEL = (
    *("gnnet", "odd_networks", "ordinary_networks"),
    *("calibration", "deletion", "inference"),
)


def write_card(documents: list[dict[str, Any]]) -> Path:
    """Note the figures that have targets on the card of the carried model; its file."""
    entry = catalog.find(catalog.DEFAULT)
    model = read_model(entry.path)
    card = {**model.card, "measured": measured(documents)}
    write_model(entry.path, replace(model, card=card))
    sums = {name: one.sha256 for name, one in catalog.entries().items() if one.shipped}
    sums[entry.name] = hashlib.sha256(entry.path.read_bytes()).hexdigest()
    catalog.write_index(catalog.SHIPPED, sums)
    return entry.path


def measured(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What kept results say of the carried model: commands, and figures that have targets."""
    return [
        {"command": document["command"], "figures": figures}
        for document in documents
        if document["benchmark"] in OF_MODEL and _is_of_model(document["command"])
        if (figures := [f for f in document["figures"] if f["target"] is not None])
    ]


def _is_of_model(command: str) -> bool:
    engine = catalog.DEFAULT
    if "--engine" in command:
        engine = command.split("--engine", 1)[1].split()[0]
    return engine == catalog.DEFAULT
