"""segment_lp: what segment routing with some number of midpoints can reach at best.

A flow may be split over any ways of up to that number, so that the bound holds for every answer,
and most networks have answers of whole flows that come close. It lies at or above the bound of the
multicommodity flow, and says whether more midpoints than one would help.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nettwin.optimize.linear.flow_bound import FlowSearch
from nettwin.optimize.linear.flow_problem import problems_of
from nettwin.optimize.linear.generate import EXACT, Generation, generate
from nettwin.optimize.linear.ways import SegmentWays
from nettwin.optimize.steering import Steering

_SWEEPS, _EVERY = 200, 25  # towards the first prices, and how often ways are taken from them


class Relaxation(NamedTuple):
    """A bound on the highest utilization of every answer, and what a split answer reaches."""

    bound: float
    reached: float

    @property
    def exact(self) -> bool:
        """Whether both are the same, within EXACT."""
        return self.reached - self.bound <= EXACT * self.reached


def segment_lp(
    steering: Steering,
    most_midpoints: int,
    seconds: float = math.inf,
    tell: Callable[[Relaxation], None] | None = None,
) -> Relaxation:
    """The linear program over ways of up to so many midpoints, as far as the time goes.

    `tell` hears of every round. Flows with a delay limit that may have three midpoints or more are
    bounded as if they had no limit, which makes the bound weaker.
    """
    until = time.perf_counter() + seconds

    def left() -> float:
        return until - time.perf_counter()

    generation = Generation(SegmentWays(steering, most_midpoints))
    states = [FlowSearch(problem) for problem in problems_of(steering)]
    for sweep in range(_SWEEPS):
        worst = max(range(len(states)), key=lambda k: states[k].reached)
        if sweep % _EVERY == 0:
            price = np.zeros((len(states), steering.segments.links))
            price[worst] = states[worst].now
            generation.learn(price.ravel())
        if left() <= 0 or states[worst].gap <= EXACT:
            break
        states[worst].sweep()
    best = max(range(len(states)), key=lambda k: states[k].value)
    price = np.zeros((len(states), steering.segments.links))
    price[best] = states[best].lengths
    generation.learn(price.ravel())
    floor = max(states[best].value, 0.0)

    def found() -> Relaxation:
        return Relaxation(max(generation.bound, floor), generation.value)

    generate(generation, left, (lambda _: tell(found())) if tell else None)
    return found()
