"""flow_bound: how low the highest utilization can be when demand may be split over any paths.

Both ends close in on the optimum. A flow is kept for each source; one source after another moves
part of its demand to the paths that are shortest now, where a link is the longer the more it is
used: exp(sharpness * utilization) / capacity. The step is the one that lowers the soft maximum of
utilizations most. This is the Frank-Wolfe method, by blocks, on the potential function of Bienstock
("Potential Function Methods for Approximately Solving Linear Programming Problems", 2002), with the
immediate updates of Garg and Könemann (2007). The lengths prove a bound (see `flow_problem`); the
gap between bound and flow sets how sharp the soft maximum is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem
from nettwin.scenario.shortest import grow, tree_of

EXACT = 1e-6  # relative gap at which a bound counts as exact
_SMOOTHNESS = 1.5  # how much the soft maximum may hide, times the gap
_SHARPEST = 1e8
_SHRINKS, _PATIENCE, _FORWARD = 0.99, 40, 1.5  # so many sweeps without shrinking: sharper


class Bound(NamedTuple):
    """A proven lower bound on the highest utilization, and what proves it."""

    value: float
    lengths: NDArray[np.float64]  # [links], see FlowProblem.toll
    reached: float  # the highest utilization of a flow that was found
    state: int = 0  # of which state, where there are several

    @property
    def exact(self) -> bool:
        """Whether no better bound exists, within EXACT."""
        return self.reached - self.value <= EXACT * self.reached


class FlowSearch:
    """The two ends of the optimum of a FlowProblem; every `sweep` brings them nearer."""

    def __init__(self, problem: FlowProblem, seed: int = 0) -> None:
        self.problem = problem
        self.value, self.lengths = _best_node(problem)
        first = problem.toll(1.0 / problem.capacity_bps)
        highest = float((first.load_bps / problem.capacity_bps).max(initial=0.0))
        self._sharpness = sharpness(1.0, problem.links, highest)
        self._fixed = problem.fixed_bps / problem.capacity_bps
        self._part = np.zeros((problem.nodes, problem.links))  # utilization by each source
        self._used = np.array(self._fixed)
        self._waited, self._gap_then = 0, math.inf
        self._random = np.random.default_rng(seed)
        self.reached = highest
        self._prove(1.0 / problem.capacity_bps)
        self.sweep()

    @property
    def bound(self) -> Bound:
        """The bound so far."""
        return Bound(self.value, self.lengths, self.reached)

    @property
    def gap(self) -> float:
        """How far the ends are apart, relatively."""
        return (self.reached - self.value) / self.reached if self.reached > 0 else 0.0

    def flow_bps(self) -> NDArray[np.float64]:
        """The flow of each source on each link. [nodes, links]"""
        return np.asarray(self._part * self.problem.capacity_bps)

    @property
    def now(self) -> NDArray[np.float64]:
        """The lengths of links as they are used now, whatever they prove. [links]"""
        weight = np.exp(self._sharpness * (self._used - self.reached))
        return np.asarray(weight / self.problem.capacity_bps)

    def sweep(self) -> None:
        """Let every source move once, and prove what the lengths then prove."""
        p = self.problem
        _sweep(
            self._random.permutation(p.nodes),
            p.offset,
            p.out,
            p.link_source,
            p.link_target,
            p.capacity_bps,
            p.demand_bps,
            self._sharpness,
            self._used,
            self._part,
        )
        self._used = self._fixed + self._part.sum(axis=0)  # no rounding errors gather
        self.reached = float(self._used.max(initial=0.0))
        self._prove(self.now)
        if self.gap > 0.0:
            sharper = sharpness(_SMOOTHNESS * self.gap, p.links, self.reached)
            self._sharpness = max(self._sharpness, sharper)
        self._waited += 1
        if self.gap < _SHRINKS * self._gap_then:
            self._waited, self._gap_then = 0, self.gap
        elif self._waited >= _PATIENCE:
            sharpest = _SHARPEST / max(self.reached, 1e-12)  # beyond it sums lose all but one link
            self._waited = 0
            self._sharpness = max(self._sharpness, min(self._sharpness * _FORWARD, sharpest))

    def _prove(self, lengths: NDArray[np.float64]) -> None:
        bound = self.problem.toll(lengths).bound
        if bound > self.value:
            self.value, self.lengths = bound, lengths


def flow_bound(problem: FlowProblem, seconds: float = math.inf, **how: Any) -> Bound:
    """The best bound that is proven for one network (see `worst_bound`)."""
    return worst_bound([problem], seconds, **how)


def worst_bound(
    problems: Sequence[FlowProblem],
    seconds: float = math.inf,
    *,
    sweeps: int = 2000,
    gap: float = EXACT,
    tell: Callable[[Bound], None] | None = None,
    seed: int = 0,
) -> Bound:
    """The best bound on the highest utilization over several states of a network that is proven
    within some seconds, sweeps or up to a relative gap.

    Each state may be routed on its own here, so that no answer, whether it adapts or not, is
    lower. The state whose flow is worst goes on first: where its bound is above what another state
    has reached, that one cannot matter any more. `Bound.state` says which state it is. `tell`
    hears of every better bound, so that a search may use it while this goes on.
    """
    until = time.perf_counter() + seconds
    states = [FlowSearch(problem, seed) for problem in problems]
    best = _of_states(states)
    if tell:
        tell(best)
    for _ in range(sweeps * len(states)):
        worst = max(states, key=lambda state: state.reached)
        if worst.reached - best.value <= gap * worst.reached or time.perf_counter() >= until:
            break
        worst.sweep()
        found = _of_states(states)
        if tell and found.value > best.value:
            tell(found)
        best = found
    return best


def _of_states(states: Sequence[FlowSearch]) -> Bound:
    best = max(range(len(states)), key=lambda k: states[k].value)
    reached = max(state.reached for state in states)
    return states[best].bound._replace(reached=reached, state=best)


def _best_node(problem: FlowProblem) -> tuple[float, NDArray[np.float64]]:
    """What the links into or out of one node prove: what it sends or receives must pass them."""
    live = np.zeros(problem.links, np.bool_)
    live[problem.out] = True
    best, lengths = 0.0, np.zeros(problem.links)
    ends = ((problem.link_source, 1), (problem.link_target, 0))
    for end, axis in ends:
        count = problem.nodes
        room = np.bincount(end[live], problem.capacity_bps[live], minlength=count)
        kept = np.bincount(end[live], problem.fixed_bps[live], minlength=count)
        need = problem.demand_bps.sum(axis=axis) + kept
        ratio = np.divide(need, room, out=np.zeros(count), where=room > 0)
        node = int(np.argmax(ratio))
        if ratio[node] > best:
            best, lengths = float(ratio[node]), (live & (end == node)).astype(np.float64)
    return (problem.toll(lengths).bound, lengths) if best > 0 else (0.0, lengths)


def sharpness(gap: float, links: int, highest: float) -> float:
    """Of a soft maximum that is above the maximum by this gap at most, relatively."""
    return math.log(max(links, 2)) / max(gap * highest, 1e-300)


@compiled
def _sweep(
    sources: Any,
    offset: Any,
    out: Any,
    link_source: Any,
    link_target: Any,
    capacity: Any,
    demand: Any,
    sharpness: float,
    used: Any,
    part: Any,
) -> None:
    """Let each source move part of its demand; `used` [links] and `part` [nodes, links] change."""
    nodes, links = demand.shape[0], capacity.size
    tree, through = tree_of(nodes, out.size), np.zeros(nodes)
    weight, length, change = np.empty(links), np.empty(links), np.empty(links)
    for s in sources:
        top = used.max()
        for e in range(links):
            weight[e] = np.exp(sharpness * (used[e] - top))
            length[e] = weight[e] / capacity[e]
            change[e] = -part[s, e]
        reached = grow(tree, s, offset, out, link_target, length)
        for i in range(reached - 1, 0, -1):
            v = tree.order[i]
            e = tree.link[v]
            amount = through[v] + demand[s, v]
            through[v] = 0.0
            change[e] += amount / capacity[e]
            through[link_source[e]] += amount
        through[s] = 0.0
        step = 1.0 if part[s].max() == 0.0 else step_of(used, change, weight, sharpness, top)
        for e in range(links):
            used[e] += step * change[e]
            part[s, e] = max(part[s, e] + step * change[e], 0.0)


@compiled
def step_of(used: Any, change: Any, weight: Any, sharpness: float, top: float) -> float:
    """How much of a change (0 to 1) lowers the soft maximum most, by bisection from twice Newton's
    step."""
    slope, curve, total = 0.0, 0.0, 0.0
    for e in range(used.size):
        slope += change[e] * weight[e]
        curve += change[e] * change[e] * weight[e]
        total += weight[e]
    if slope >= 0.0:
        return 0.0
    curve = sharpness * (curve - slope * slope / total)
    low, high = 0.0, 1.0
    if curve > 0.0:
        high = min(1.0, -2.0 * slope / curve)
    step = high
    for turn in range(6):
        slope = 0.0
        for e in range(used.size):
            if change[e] != 0.0:
                slope += change[e] * np.exp(sharpness * (used[e] + step * change[e] - top))
        if slope <= 0.0:
            low = step
            if turn == 0:
                break
        else:
            high = step
        step = 0.5 * (low + high)
    return low
