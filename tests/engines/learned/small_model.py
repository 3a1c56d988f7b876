"""Small model: a gnn of random weights, for tests of what is built on models."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from nettwin.engines.learned.features import EDGE, FLOW, HOP, QUEUE, SHAPE
from nettwin.engines.learned.gnn import HEAD
from nettwin.engines.learned.model_file import Model
from nettwin.engines.theory.formulas import Formulas
from nettwin.formats.weight_file import Weights

WIDTH, HIDDEN = 8, 6


def small_model(*, members: int = 2, seed: int = 0) -> Model:
    """Networks that answer a little beside theory, each in its own way."""
    weights = tuple(_weights(seed + k) for k in range(members))
    card = {"name": "small", "architecture": "gnn", "settings": {}, "formulas": asdict(Formulas())}
    return Model(weights, card)


def _weights(seed: int) -> Weights:
    random = np.random.default_rng(seed)
    shapes = {
        "enter": (WIDTH, len(QUEUE)),
        "enter2": (WIDTH, WIDTH),
        "message": (WIDTH, WIDTH + len(EDGE)),
        "sibling": (WIDTH, WIDTH),
        "mix": (WIDTH, 4 * WIDTH),
        "update": (WIDTH, WIDTH),
        "at_queue": (WIDTH, WIDTH),
        "of_flow": (WIDTH, len(FLOW)),
        "of_hop": (WIDTH, len(HOP)),
        "inner": (HIDDEN, WIDTH),
        "correct": (3, HIDDEN),
        "head": (HEAD, HIDDEN + len(SHAPE) + 2),
        "tail": (4, HEAD),
    }
    found = {"rounds": np.array([1.0], np.float32)}
    for name, shape in shapes.items():
        found[f"{name}.weight"] = (0.1 * random.standard_normal(shape)).astype(np.float32)
        if name not in ("of_flow", "of_hop"):
            found[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    return found
