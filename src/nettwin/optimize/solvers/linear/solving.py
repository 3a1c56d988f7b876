"""solving: bounds, then column generation, then whole flows; of midpoints and of explicit paths.

1. The multicommodity bound, and paths that are cheap at the lengths met while proving it.
2. Answers of those paths alone: whole flows move to what lowers a soft maximum most, the prices of
   links where that ends find more paths, and so on. No program is solved, which makes it the fast
   part: it is often within a thousandth of the bound before column generation has begun.
3. Column generation: its bound is that of the paths themselves, and every round is rounded.
4. All of it exactly where that is small; else drawn answers, and exact programs over some flows
   that matter, in turn until the search is over.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.columns import Columns
from nettwin.optimize.solvers.linear.flow_bound import FlowSearch
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem
from nettwin.optimize.solvers.linear.generate import Generation
from nettwin.optimize.solvers.linear.master import Master
from nettwin.optimize.solvers.linear.rounding import FAR, START, Rounding
from nettwin.optimize.solvers.linear.segment_milp import Exact, critical, segment_milp

_WORK = 1_500_000  # of the sweeps of a turn: sweeps * nodes * links, so that it is short
_FEW = 4  # sweeps at least: a bottleneck that is proven at once says little about paths
_NEAR = 1e-5  # relative gap of the first bound that is near enough
_SHARPNESS = (250.0, 40.0)  # of prices by utilization, relatively, in turn
_WORTH = 1e-5  # what is better by less, relatively, counts as no better
_SPARE_S = 0.05  # left at the end, for what cannot be interrupted


class FlowColumns(Columns, Protocol):
    """Columns of demands that are made of flows."""

    demand: NDArray[np.int64]  # [flows] of each flow that may move
    flow_rate_bps: NDArray[np.float64]  # [flows]


Offer = Callable[[float, NDArray[np.int64], Master], None]


class Solving:
    """All stages over the paths of flows.

    `problems` are what bounds are of, one for each state whose links stand side by side. `offer`
    takes the highest utilization, the column of each flow in the master, and the master; it is
    called with what is better than the best of the search. `know_all`, where paths are few, makes
    them known to the master, so that all flows choose at once; whether there are no other paths is
    what it returns.
    """

    def __init__(
        self,
        paths: FlowColumns,
        problems: Sequence[FlowProblem],
        search: Search[Any],
        seed: int,
        offer: Offer,
        know_all: Callable[[Master], bool] | None = None,
    ) -> None:
        self.paths, self.search, self.params = paths, search, search.params.linear
        self._offered, self._know_all = offer, know_all
        self.random = np.random.default_rng(seed)
        self.generation = Generation(paths)
        self.column = np.full(len(paths.demand), START)  # of the master, what flows take
        self.states = [FlowSearch(problem) for problem in problems]

    def run(self) -> None:
        """All stages, as far as the time goes."""
        self._begin()
        while not self.generation.done and self.search.step():
            self.generation.round(self._left)
            self.search.bounded(self.generation.bound)
            self._draw(self._rounding())
        if self._at_once():
            return
        rounding = self._rounding()
        while self.search.step():
            before = self.search.value
            for _ in range(self.params.draws):
                if self.search.step():
                    self._draw(rounding)
            if self.search.value >= before and self.search.step():
                choice = rounding.choice_of(self.column)
                free = critical(rounding, choice, self.params.free, self.random)
                self._exactly(free, self.params.free_branches)

    def _begin(self) -> None:
        """The multicommodity bound and answers of whole flows in turn."""
        size = self.states[0].problem.nodes * self.states[0].problem.links
        sweeps = int(np.clip(_WORK // max(size, 1), _FEW, self.params.sweeps))
        for _ in range(self.params.turns):
            if self.search.over or self.search.standing.gap <= _NEAR:
                return
            self._sweep(sweeps)
            self._descend()

    def _at_once(self) -> bool:
        """All flows exactly, where that is small; whether the answer is proven."""
        if not self.search.step() or not self._know_all:
            return False
        complete = self._know_all(self.generation.master)
        branches = self.params.branches if self.search.timed else self.params.untimed_branches
        exact = self._exactly(np.arange(len(self.paths.demand)), branches)
        if complete:
            self.search.bounded(exact.bound)
        return complete and exact.proven

    def _descend(self) -> None:
        """Answers of whole flows and more paths in turn, while they become better."""
        column = self.column
        tired = 0
        for sharpness in itertools.cycle(_SHARPNESS):
            if tired >= self.params.patience or not self.search.step():
                break
            before, rounding = self.search.value, self._rounding()
            choice = rounding.choice_of(column)
            value, choice = rounding.improve(choice, self._left, FAR)
            column = rounding.columns(choice)
            self._offer(value, column)
            tired = 0 if value < before * (1 - _WORTH) else tired + 1
            if self._left() > 0:
                used = rounding.used(choice)
                weight = np.exp(sharpness * (used / max(value, 1e-300) - 1.0))
                self._learn(weight / self.paths.capacity_bps)

    def _left(self) -> float:
        return 0.0 if self.search.over else max(self.search.seconds_left - _SPARE_S, 0.0)

    def _sweep(self, sweeps: int) -> None:
        """The multicommodity bound, and paths that are cheap at lengths that its search met."""
        met = []
        for sweep in range(sweeps):
            worst = max(range(len(self.states)), key=lambda k: self.states[k].reached)
            state = self.states[worst]
            if self.search.over or (sweep >= _FEW and state.gap <= _NEAR):
                break
            state.sweep()
            self.search.bounded(state.value)
            if sweep & (sweep + 1) == 0:  # 0, 1, 3, 7 ..
                met.append((worst, state.now))
        best = max(range(len(self.states)), key=lambda k: self.states[k].value)
        for k, lengths in [*met, (best, self.states[best].lengths)]:
            if self._left() > 0:
                price = np.zeros((len(self.states), len(lengths)))
                price[k] = lengths
                self._learn(price.ravel())

    def _learn(self, price: NDArray[np.float64]) -> None:
        self.generation.learn(price)
        self.search.bounded(self.generation.bound)

    def _rounding(self) -> Rounding:
        return Rounding(self.generation.master, self.paths.demand, self.paths.flow_rate_bps)

    def _exactly(self, free: NDArray[np.intp], nodes: int) -> Exact:
        """The best answer where only some flows may move, from the best answer so far."""
        rounding = self._rounding()
        choice = rounding.choice_of(self.column)
        exact = segment_milp(rounding, choice, free, self._left, nodes)
        self._offer(exact.value, rounding.columns(exact.choice))
        return exact

    def _draw(self, rounding: Rounding) -> None:
        """An answer drawn by the shares of the program, made better."""
        value, choice = rounding.improve(rounding.draw(self.random), self._left)
        self._offer(value, rounding.columns(choice))

    def _offer(self, value: float, column: NDArray[np.int64]) -> None:
        if value < self.search.value:
            self.column = column
            self._offered(value, column, self.generation.master)
