"""Segments: local search over SR midpoints, led by prices of links.

In rounds: prices by the loads, each flow's cheapest move at these prices, and these moves one after
another where they truly help (see `kernels`). Prices begin gentle, where they spread traffic all
over the network, and get steeper as moves run out, until only the busiest links count. Then the
search begins anew from gentler prices with some noise in them.

Gentle to steep prices are those of multiplicative-weight methods for flow problems (Garg and
Könemann, 1998); kicks and the return to the best are those of iterated local search, as in SRLS
(Gay, Hartert and Vissicchio, 2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.local_search.fewest import fewest
from nettwin.optimize.local_search.moves import Moves
from nettwin.optimize.search import Search
from nettwin.optimize.steering import Steering

GENTLE, STEEP = 20.0, 5000.0
STEEPER = 1.5  # from one round to the next
ASTRAY = 0.01  # how far above the best a search may go on, relatively
FEW_MOVES = 0.02  # of those that prices suggest


def segments(steering: Steering, search: Search[NDArray[np.int32]], seed: int = 0) -> None:
    """Search midpoints of the lowest highest utilization, and offer what is found.

    A start that breaks limits is mended first, as far as single midpoints can.
    """
    moves = Moves(steering, search.step)
    best = moves.midpoints
    _offer(steering, search, moves.top, best)
    if not moves.flows.size:
        return
    random = np.random.default_rng(seed)
    steepness, noise = GENTLE, np.ones(steering.capacity_bps.size)
    while not search.over:
        suggested, made = moves.round(steepness, noise)
        if moves.top < search.value:
            best = moves.midpoints
            _offer(steering, search, moves.top, best)
        if made >= max(FEW_MOVES * suggested, 1):
            continue
        if steepness < STEEP:
            steepness *= STEEPER
            noise[:] = 1.0
            continue
        if moves.top > search.value * (1.0 + ASTRAY):
            moves.restore(best)
        steepness = GENTLE * 10.0 ** random.uniform(0.0, 1.5)
        noise = random.lognormal(0.0, 0.5, noise.size)


def _offer(
    steering: Steering,
    search: Search[NDArray[np.int32]],
    value: float,
    midpoints: NDArray[np.int32],
) -> None:
    search.offer(value, lambda: fewest(steering, midpoints))
