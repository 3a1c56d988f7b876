"""segment_lp: what segment routing with some number of midpoints can reach at best.

A flow may be split over any paths of up to that number, so that the bound holds for every answer,
and most networks have answers of whole flows that come close. It lies at or above the bound of the
multicommodity flow, and says whether more midpoints than one would help. First by `SegmentFlow`,
which is mostly enough, then by column generation from its prices.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.linear.flow_bound import FlowSearch
from nettwin.optimize.solvers.linear.flow_problem import problems_of
from nettwin.optimize.solvers.linear.generate import EXACT, Generation
from nettwin.optimize.solvers.linear.segment_columns import SegmentColumns
from nettwin.optimize.solvers.linear.segment_flow import SegmentFlow, suits

_FLOW_SHARE, _FLOW_SWEEPS = 0.5, 300  # of the time, and sweeps, for the flow by source
_SWEEPS, _EVERY = 200, 25  # towards the first prices, and how often paths are taken from them


class Relaxation(NamedTuple):
    """A bound on the highest utilization of every answer, and what a split answer reaches."""

    bound: float
    reached: float

    @property
    def exact(self) -> bool:
        """Whether both are the same, within EXACT."""
        return self.reached - self.bound <= EXACT * self.reached


def segment_lp(
    segment_problem: SegmentRoutingProblem,
    most_midpoints: int,
    seconds: float = math.inf,
    tell: Callable[[Relaxation], None] | None = None,
    *,
    begin: NDArray[np.int32] | None = None,
    rounds: int = 10**6,
) -> Relaxation:
    """The linear program over paths of up to so many midpoints, as far as time and rounds go.

    `tell` hears of every round. Midpoints of a good answer to `begin` from [flows, midpoints] make
    the first bounds much better. Flows with a delay limit that may have three midpoints or more are
    bounded as if they had no limit, which makes the bound weaker.
    """
    until = time.perf_counter() + seconds

    def left() -> float:
        return until - time.perf_counter()

    flow = _by_flow(
        segment_problem,
        most_midpoints,
        until,
        _FLOW_SHARE * seconds,
        min(rounds, _FLOW_SWEEPS),
        tell,
        begin,
    )
    if flow and (left() <= 0 or (flow.gap <= EXACT and _free(segment_problem))):
        return Relaxation(flow.bound, flow.reached)
    generation = Generation(SegmentColumns(segment_problem, most_midpoints))
    if flow:
        generation.learn(flow.price)
    states = [FlowSearch(problem) for problem in problems_of(segment_problem)]
    for sweep in range(_SWEEPS):
        worst = max(range(len(states)), key=lambda k: states[k].reached)
        if sweep % _EVERY == 0:
            price = np.zeros((len(states), segment_problem.segments.links))
            price[worst] = states[worst].now
            generation.learn(price.ravel())
        if left() <= 0 or states[worst].gap <= EXACT:
            break
        states[worst].sweep()
    best = max(range(len(states)), key=lambda k: states[k].value)
    price = np.zeros((len(states), segment_problem.segments.links))
    price[best] = states[best].lengths
    generation.learn(price.ravel())
    floor = max(states[best].value, flow.bound if flow else 0.0)

    def found() -> Relaxation:
        return Relaxation(max(generation.bound, floor), generation.value)

    for _ in range(rounds):
        if generation.done or not generation.round(left):
            break
        if tell:
            tell(found())
    return found()


def _by_flow(
    segment_problem: SegmentRoutingProblem,
    most_midpoints: int,
    until: float,
    seconds: float,
    sweeps: int,
    tell: Callable[[Relaxation], None] | None,
    begin: NDArray[np.int32] | None,
) -> SegmentFlow | None:
    """The flow by source, as far as the time goes; None where it does not fit the problem.

    From an answer on its bounds come nearer with each sweep, where column generation would take
    long to begin: all of the time is its own.
    """
    if not suits(segment_problem):
        return None
    flow = SegmentFlow(segment_problem, most_midpoints, begin)
    free = _free(segment_problem)
    if begin is None:
        until = min(until, time.perf_counter() + seconds)
    for _ in range(sweeps):
        before = flow.bound
        if flow.gap <= EXACT or not flow.sweep(lambda: until - time.perf_counter()):
            break
        if tell and flow.bound > before:
            tell(Relaxation(flow.bound, flow.reached if free else math.inf))
    return flow


def _free(segment_problem: SegmentRoutingProblem) -> bool:
    """Whether flows have no limits of their own, so that what a flow reaches may be taken."""
    limited = np.isfinite(segment_problem.limit_s).any() or (segment_problem.group >= 0).any()
    return not limited and segment_problem.most_changes < 0
