"""Levers: what may be changed, and the moves each of them offers where something hurts.

move_context   what hurts and where
links    weights, capacities
paths    midpoints, explicit paths   ports    schedulers
rates    limits at the source
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nettwin.optimize.model_guided.levers.links import capacities, weights
from nettwin.optimize.model_guided.levers.move_context import MoveContext
from nettwin.optimize.model_guided.levers.paths import along_paths, over_midpoints
from nettwin.optimize.model_guided.levers.ports import schedulers
from nettwin.optimize.model_guided.levers.rates import rates
from nettwin.optimize.problem import Changes

MOVES: dict[str, Callable[[MoveContext], Iterator[Changes]]] = {
    "segments": over_midpoints,
    "paths": along_paths,
    "weights": weights,
    "schedulers": schedulers,
    "capacities": capacities,
    "rates": rates,
}

__all__ = ["MOVES", "MoveContext"]
