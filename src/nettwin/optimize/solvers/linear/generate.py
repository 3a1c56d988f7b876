"""generate: column generation, the one loop behind the programs over midpoints and over paths.

Rounds: the master finds the best answer over the known paths and prices of links; prices find paths
that would pay less; what even the cheapest paths must pay proves a bound. Prices of a master jump,
so new paths are sought at a mixture of them and the prices of the best bound so far (Wentges,
"Weighted Dantzig-Wolfe decomposition for linear mixed-integer programming", 1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.solvers.linear.columns import Cheapest, Columns, bound_of
from nettwin.optimize.solvers.linear.master import Master

EXACT = 1e-6  # relative gap at which the program counts as solved
_KEEP = 0.7  # share of the best prices in the mixture
_MOST = 3000  # paths that are added in one round
_PART = 6  # or for one demand in so many, where no program is solved with them yet


class Generation:
    """The state of column generation; `round` makes it better until `done`."""

    def __init__(self, paths: Columns) -> None:
        self.paths, self.master = paths, Master(paths)
        self.bound = 0.0
        self.price = 1.0 / paths.capacity_bps  # that proved the bound
        self.done = False

    @property
    def value(self) -> float:
        """The highest utilization of the answer, in which demands may be split."""
        return self.master.value

    @property
    def gap(self) -> float:
        """How far value and bound are apart, relatively."""
        return (self.value - self.bound) / self.value if self.value > 0 else 0.0

    def prove(self, price: NDArray[np.float64]) -> Cheapest:
        """What prices of links prove, and the paths that are best at them."""
        cheapest = self.paths.cheapest(price)
        bound = bound_of(self.paths, price, cheapest)
        if bound > self.bound:
            self.bound, self.price = bound, price
        return cheapest

    def learn(self, price: NDArray[np.float64]) -> None:
        """Use prices that someone found: what they prove, and their best paths become known."""
        self._add(self.prove(price), max(_MOST, len(self.paths.rate_bps) // _PART))

    def round(self, go_on: Callable[[], float]) -> bool:
        """One round; False where the time ended. `go_on` says the seconds left."""
        if not self.master.solve(go_on):
            return False
        exact = self.master.price
        if not exact.any() or self.gap <= EXACT:
            self.done = True
            return True
        for keep in (_KEEP, _KEEP / 2, 0.0):
            if go_on() <= 0:
                return False
            if self._add(self.prove(keep * _unit(self, self.price) + (1 - keep) * exact)):
                return True
        self.done = True
        return True

    def _add(self, cheapest: Cheapest, most: int = _MOST) -> int:
        gain = self.paths.rate_bps * cheapest.gain
        better = np.flatnonzero(gain > 0)
        better = better[np.argsort(-gain[better], kind="stable")]
        for at in range(0, len(better), most):
            some = better[at : at + most]
            if added := self.master.add(some, cheapest.path[some]):
                return added
        return 0


def generate(
    generation: Generation,
    go_on: Callable[[], float] = lambda: math.inf,
    tell: Callable[[Generation], None] | None = None,
) -> bool:
    """Round after round until the program is solved; False where the time ended before."""
    while not generation.done:
        if not generation.round(go_on):
            return False
        if tell:
            tell(generation)
    return True


def _unit(generation: Generation, price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices scaled so that all capacity together is worth 1, as those of a master are."""
    return price / float(generation.paths.capacity_bps @ price)
