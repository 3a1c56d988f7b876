"""Columns: the paths that demands may take, priced. What column generation needs of a problem.

A demand is flows that are alike. Each starts on a path of its own, and another path is worth what
it pays less than the start when links have prices. `SegmentColumns` are paths over midpoints,
`ExplicitColumns` explicit paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_ROUNDING = 1e-9


class Cheapest(NamedTuple):
    """The best path of each demand at some prices.

    `gain` is what a unit saves on `path`, compared to its start; `most` is what it could save at
    most (the same, but where the best path under a limit is not found exactly).
    """

    gain: NDArray[np.float64]  # [demands], 0 or more
    most: NDArray[np.float64]  # [demands], `gain` or more
    path: NDArray[np.int32]  # [demands, width], padded with -1


class Columns(Protocol):
    """Demands, links and what a demand may take."""

    rate_bps: NDArray[np.float64]  # [demands]
    capacity_bps: NDArray[np.float64]  # [links]
    base_bps: NDArray[np.float64]  # [links], the load where every demand is on its start
    most_moves: int  # demands that may leave their start; -1: all

    def cheapest(self, price: NDArray[np.float64]) -> Cheapest:
        """The best path of each demand at a price of each link [links]."""

    def shift(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        """What a unit on each path changes on links, compared to the start. [links, paths]"""


class Grouped:
    """Flows as demands: those that are alike in all `kinds` are one, unless flows are counted."""

    def __init__(
        self,
        flows: NDArray[np.intp],
        rate_bps: NDArray[np.float64],
        kinds: Sequence[NDArray[Any]],
        *,
        counted: bool,
    ) -> None:
        first, demand = _alike([*kinds, flows] if counted else kinds)
        self.flow, self.demand = flows, demand  # [flows], and of each its demand
        self.first = flows[first]  # [demands], one flow of each
        self.flow_rate_bps = rate_bps[flows]
        self.rate_bps = np.zeros(len(first))
        np.add.at(self.rate_bps, demand, self.flow_rate_bps)


def bound_of(columns: Columns, price: NDArray[np.float64], cheapest: Cheapest) -> float:
    """The utilization that no answer is below, split or not: what prices of links prove.

    All demand at its start pays base * price, and each demand saves `most` a unit at most; a
    routing whose utilizations are all at most U pays at most U * capacity * price.
    """
    worth = float(columns.capacity_bps @ price)
    if not worth > 0:
        return 0.0
    saved = columns.rate_bps * cheapest.most
    if 0 <= columns.most_moves < len(saved):
        saved = np.sort(saved)[len(saved) - columns.most_moves :]
    return (float(columns.base_bps @ price) - float(saved.sum())) / worth


def gain(paid: NDArray[np.float64], within: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is saved by paying less; nothing where the difference is one of rounding."""
    return np.where(paid - within > _ROUNDING * paid, paid - within, 0.0)


def _alike(kinds: Sequence[NDArray[Any]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first of each group that is alike in all kinds, and the group of each."""
    group = np.zeros(len(kinds[0]), np.int64)
    first = group
    for kind in kinds:
        _, number = np.unique(kind, return_inverse=True)
        _, first, group = np.unique(
            group * (number.max(initial=0) + 1) + number, return_index=True, return_inverse=True
        )
    return first, group
