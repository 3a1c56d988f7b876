"""Rounding: from shares of demands on paths to one path for each flow.

A drawn answer is close to the program's, but a few links get too much of it by chance. Flows then
move, one after another, to the known path that lowers the sum over links of exp(sharpness *
utilization) most, while that grows sharper (conditional probabilities, after Raghavan,
"Probabilistic construction of deterministic algorithms", 1988, repeated until nothing moves).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.solvers.linear.master import Master

START = -1  # the path that a flow has now
FAR = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # softness of the maximum, one after another
NEAR = FAR[2:]  # for a choice that is nearly as good as it gets
_PASSES = 6  # over all flows, at each softness


class Rounding:
    """Answers of whole flows from a master; flow f belongs to demand `flow_demand[f]`."""

    def __init__(
        self, master: Master, flow_demand: NDArray[np.int64], flow_rate: NDArray[np.float64]
    ) -> None:
        demands = len(master.paths.rate_bps)
        order = np.argsort(master.demand, kind="stable")
        counts = np.bincount(master.demand, minlength=demands)
        self.order = order  # columns of the master by demand
        self.begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)  # [demands + 1]
        self.weight = master.weight[order]
        self.shift = master.shift[:, order]
        self.flow_demand = flow_demand
        self.part = flow_rate / master.paths.rate_bps[flow_demand]  # [flows]
        self.base, self.most = master.base, master.paths.most_moves
        self._turn = np.argsort(-flow_rate, kind="stable")

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """A column (in `order`) or START for each flow, drawn by the shares. [flows]"""
        return np.asarray(
            _draw(self.begin, self.weight, self.flow_demand, random.random(len(self.flow_demand)))
        )

    def used(self, choice: NDArray[np.int64]) -> NDArray[np.float64]:
        """The utilization of links when flows take these columns. [links]"""
        moved = choice >= 0
        weight = np.bincount(choice[moved], self.part[moved], minlength=len(self.order))
        return np.asarray(self.base + self.shift @ weight)

    def improve(
        self,
        choice: NDArray[np.int64],
        go_on: Callable[[], float],
        softness: Sequence[float] = NEAR,
    ) -> tuple[float, NDArray[np.int64]]:
        """The best answer met while flows move; its highest utilization and its choice."""
        if 0 <= self.most < (choice >= 0).sum():
            moved = self._turn[choice[self._turn] >= 0]
            choice[moved[self.most :]] = START
        best, kept = math.inf, choice.copy()
        for soft in softness:
            for _ in range(_PASSES):
                used = self.used(choice)
                highest = float(used.max(initial=0.0))
                if highest < best:
                    best, kept = highest, choice.copy()
                if go_on() <= 0:
                    return best, kept
                sharpness = math.log(max(len(used), 2)) / max(soft * highest, 1e-300)
                if not self._pass(choice, used, sharpness):
                    break
        highest = float(self.used(choice).max(initial=0.0))
        return (highest, choice) if highest < best else (best, kept)

    def _pass(self, choice: NDArray[np.int64], used: NDArray[np.float64], sharpness: float) -> int:
        return int(
            _pass(
                self._turn,
                choice,
                used,
                sharpness,
                self.begin,
                self.flow_demand,
                self.part,
                self.shift.indptr,
                self.shift.indices,
                self.shift.data,
                self.most if self.most >= 0 else len(choice),
            )
        )

    def columns(self, choice: NDArray[np.int64]) -> NDArray[np.int64]:
        """Columns of the master for a choice; START where flows stay. [flows]"""
        return np.append(self.order, START)[choice]

    def choice_of(self, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """The choice that stands for columns of the master. [flows]"""
        place = np.full(len(self.order) + 1, START)
        place[self.order] = np.arange(len(self.order))
        return np.asarray(place[columns])


@compiled
def _draw(begin: Any, weight: Any, flow_demand: Any, chance: Any) -> Any:
    choice = np.full(flow_demand.size, START)
    for f in range(flow_demand.size):
        left = chance[f]
        for c in range(begin[flow_demand[f]], begin[flow_demand[f] + 1]):
            left -= weight[c]
            if left < 0.0:
                choice[f] = c
                break
    return choice


@compiled
def _pass(
    turn: Any,
    choice: Any,
    used: Any,
    sharpness: float,
    begin: Any,
    flow_demand: Any,
    part: Any,
    offset: Any,
    link: Any,
    shift: Any,
    most: int,
) -> int:
    """Let every flow take the column that is best now; how many moved."""
    moved, away = 0, 0
    for f in range(choice.size):
        away += choice[f] >= 0
    top = used.max()
    weight = np.exp(sharpness * (used - top))
    for f in turn:
        d, old = flow_demand[f], choice[f]
        if begin[d] == begin[d + 1]:
            continue
        for j in range(offset[old], offset[old + 1]) if old >= 0 else range(0):
            used[link[j]] -= part[f] * shift[j]
            weight[link[j]] = np.exp(sharpness * (used[link[j]] - top))
        best, least, kept = START, 0.0, 0.0
        if old >= 0 or away < most:
            for c in range(begin[d], begin[d + 1]):
                change = 0.0
                for j in range(offset[c], offset[c + 1]):
                    e = link[j]
                    change += weight[e] * (np.exp(sharpness * part[f] * shift[j]) - 1.0)
                if c == old:
                    kept = change
                if change < least:
                    best, least = c, change
            if kept <= least + 1e-12 * abs(least):
                best = old
        if best != old:
            moved += 1
            away += (best >= 0) * 1 - (old >= 0) * 1
        choice[f] = best
        for j in range(offset[best], offset[best + 1]) if best >= 0 else range(0):
            used[link[j]] += part[f] * shift[j]
            weight[link[j]] = np.exp(sharpness * (used[link[j]] - top))
    return moved
