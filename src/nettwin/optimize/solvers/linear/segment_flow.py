"""segment_flow: how low the highest utilization can be over midpoints, when flows may be split.

What `flow_bound` does for any paths, for those of at most so many midpoints: a flow is kept for
each source; one source after another moves part of its demand to the paths that are cheapest now
(the Frank-Wolfe method, by blocks, on the soft maximum of utilizations), and prices of links prove
a bound. The cheapest paths of a source over k midpoints are found from those over k - 1. Nothing
is kept of single paths, so that a hundred nodes take some milliseconds a sweep, where column
generation takes seconds a round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.linear.flow_bound import sharpness, step_of

SHARE_ERROR = 2.0**-23  # relative, of shares in single precision: what a bound is lowered by
_SMOOTHNESS = 1.5  # how much the soft maximum may hide, times the gap
_SHRINKS, _PATIENCE, _FORWARD = 0.99, 40, 1.5  # so many sweeps without shrinking: sharper
_BEGUN = 0.005  # gap that an answer to begin from is thought to have
_PIECE = 20_000_000  # elementary operations between two looks at the time, some milliseconds
_LONG = 2_000_000_000  # elementary operations of a sweep, beyond which it takes too long


def suits(segment_problem: SegmentRoutingProblem) -> bool:
    """Whether paths are sums of segments (no failure breaks one), and sweeps are quick."""
    most = segment_problem.most_midpoints
    return (
        not segment_problem.segments.failover.needed and operations(segment_problem, most) <= _LONG
    )


def operations(segment_problem: SegmentRoutingProblem, most: int) -> int:
    """About how many elementary operations a sweep takes."""
    segments = segment_problem.segments
    return int(segments.nodes * (2 * segments.link.size + (most + 1) * segments.nodes**2))


class SegmentFlow:
    """The two ends of the optimum over at most `most` midpoints; every `sweep` brings them nearer.

    Limits of single flows and on the number of changes are left out, which makes the bound weaker
    and never wrong. Flows whose plain segment is broken are left out, too: no answer has to carry
    them. For problems that `suits` accepts.
    """

    def __init__(
        self,
        segment_problem: SegmentRoutingProblem,
        most: int,
        begin: NDArray[np.int32] | None = None,
        seed: int = 0,
    ) -> None:
        segments = segment_problem.segments
        self.segment_problem, self.most = segment_problem, most
        self.capacity_bps = np.array(segment_problem.capacity_bps)
        source, target = segment_problem.source, segment_problem.target
        free = segment_problem.movable & (segment_problem.rate_bps > 0) & (source != target)
        free &= ~segments.unreachable[source, target]
        self._demand = np.zeros((segments.nodes, segments.nodes))
        np.add.at(self._demand, (source[free], target[free]), segment_problem.rate_bps[free])
        self._part = np.zeros((segments.nodes, self.capacity_bps.size))  # utilization by source
        stays = np.where(free, 0.0, segment_problem.rate_bps)
        held = _held(segment_problem, stays)
        self._fixed = held / self.capacity_bps
        _parts(
            segments.nodes,
            segments.offset,
            segments.link,
            segments.share,
            source,
            target,
            np.where(free, segment_problem.rate_bps, 0.0),
            np.ascontiguousarray(segment_problem.start if begin is None else begin),
            self.capacity_bps,
            self._part,
        )
        self._random = np.random.default_rng(seed)
        self.bound = 0.0
        self.price = 1.0 / self.capacity_bps  # of links, what proves the bound
        self._waited, self._gap_then = 0, math.inf
        self._settle()
        self.prove(self.price)
        self._sharpness = sharpness(0.5 if begin is None else _BEGUN, self._links, self.reached)

    @property
    def gap(self) -> float:
        """How far both ends are apart, relatively."""
        return (self.reached - self.bound) / self.reached if self.reached > 0 else 0.0

    def sweep(self, go_on: Callable[[], float] = lambda: math.inf) -> bool:
        """Let every source move once, and prove what prices then prove; False where the time ended
        before."""
        segments = self.segment_problem.segments
        step = max(_PIECE * segments.nodes // operations(self.segment_problem, self.most), 1)
        order = self._random.permutation(np.flatnonzero(self._demand.any(axis=1)))
        for at in range(0, len(order), step):
            if go_on() <= 0:
                return False
            _sweep(
                order[at : at + step],
                *self._arrays(),
                self.capacity_bps,
                self._sharpness,
                self._used,
                self._part,
            )
        self._settle()
        self.prove(self._now())
        if self.gap > 0.0:
            self._sharpness = max(
                self._sharpness, sharpness(_SMOOTHNESS * self.gap, self._links, self.reached)
            )
        self._waited += 1
        if self.gap < _SHRINKS * self._gap_then:
            self._waited, self._gap_then = 0, self.gap
        elif self._waited >= _PATIENCE:
            self._waited = 0
            self._sharpness = min(self._sharpness * _FORWARD, 1e8 / max(self.reached, 1e-12))
        return True

    def prove(self, price: NDArray[np.float64]) -> float:
        """What prices of links prove: no answer's highest utilization is below it."""
        worth = float(self.capacity_bps @ price)
        if not worth > 0:
            return 0.0
        paid = float(_paid(*self._arrays(), np.ascontiguousarray(price, np.float64)))
        fixed = float((self._fixed * self.capacity_bps) @ price)
        found = (paid + fixed) / worth * (1.0 - SHARE_ERROR)
        if found > self.bound:
            self.bound, self.price = found, price
        return found

    @property
    def _links(self) -> int:
        return int(self.capacity_bps.size)

    def _now(self) -> NDArray[np.float64]:
        weight = np.exp(self._sharpness * (self._used - self.reached))
        return np.asarray(weight / self.capacity_bps)

    def _settle(self) -> None:
        self._used = self._fixed + self._part.sum(axis=0)  # no rounding errors gather
        self.reached = float(self._used.max(initial=0.0))

    def _arrays(self) -> tuple[int, Any, Any, Any, Any, Any, int]:
        segments = self.segment_problem.segments
        return (
            segments.nodes,
            segments.offset,
            segments.link,
            segments.share,
            segments.unreachable,
            self._demand,
            self.most,
        )


def widest_bound(segment_problem: SegmentRoutingProblem, most: int, flows: int = 64) -> float:
    """What single flows prove where none can be split over several paths: a flow puts its rate on
    the widest path of at most `most` midpoints, as ECMP splits it there. The largest `flows` are
    looked at. For problems that `suits` accepts."""
    segments = segment_problem.segments
    free = segment_problem.movable & (segment_problem.source != segment_problem.target)
    free &= ~segments.unreachable[segment_problem.source, segment_problem.target]
    some = np.flatnonzero(free)
    some = some[np.argsort(-segment_problem.rate_bps[some], kind="stable")][:flows]
    if not len(some):
        return 0.0
    peak = _peaks(
        segments.nodes,
        segments.offset,
        segments.link,
        segments.share,
        segments.unreachable,
        np.asarray(segment_problem.capacity_bps, np.float64),
    )
    found = 0.0
    for source in np.unique(segment_problem.source[some]).tolist():
        mine = some[segment_problem.source[some] == source]
        least = peak[source]
        for _ in range(most):
            least = np.minimum(least, np.maximum(least[:, None], peak).min(axis=0))
        found = max(
            found,
            float((segment_problem.rate_bps[mine] * least[segment_problem.target[mine]]).max()),
        )
    return found * (1.0 - SHARE_ERROR)


def _held(segment_problem: SegmentRoutingProblem, rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """The load of what stays: the fixed load, and rates of flows that are not moved."""
    load = np.array(segment_problem.fixed_bps)
    if not rate.any():
        return load
    here = np.asarray(segment_problem.source, np.int64)
    for k in range(segment_problem.start.shape[1]):
        there = np.where(segment_problem.start[:, k] < 0, here, segment_problem.start[:, k])
        load += segment_problem.segments.loads(here, there, rate)
        here = there
    return np.asarray(load + segment_problem.segments.loads(here, segment_problem.target, rate))


@compiled
def _parts(
    nodes: int,
    offset: Any,
    link: Any,
    share: Any,
    source: Any,
    target: Any,
    rate: Any,
    midpoints: Any,
    capacity: Any,
    part: Any,
) -> None:
    """Add the utilization of all flows by their source. [nodes, links]"""
    for f in range(source.size):
        if rate[f] == 0.0:
            continue
        here = source[f]
        for k in range(midpoints.shape[1] + 1):
            there = target[f] if k == midpoints.shape[1] else midpoints[f, k]
            if there < 0:
                continue
            segment = here * nodes + there
            for i in range(offset[segment], offset[segment + 1]):
                part[source[f], link[i]] += rate[f] * share[i] / capacity[link[i]]
            here = there


@compiled
def _costs(
    nodes: int, offset: Any, link: Any, share: Any, unreachable: Any, price: Any, cost: Any
) -> None:
    """What a unit pays on each segment. [nodes, nodes]"""
    for a in range(nodes):
        for b in range(nodes):
            total = 0.0
            for i in range(offset[a * nodes + b], offset[a * nodes + b + 1]):
                total += share[i] * price[link[i]]
            cost[a, b] = np.inf if unreachable[a, b] else total


@compiled
def _cheapest(s: int, cost: Any, least: Any, last: Any) -> None:
    """The cheapest paths from s over at most 0, 1 .. midpoints, `least` [steps, nodes], and the
    last midpoint of each, `last`: -1 where one less is as cheap."""
    nodes = cost.shape[0]
    least[0] = cost[s]
    last[0] = s
    for k in range(1, least.shape[0]):
        least[k] = least[k - 1]
        last[k] = -1
        for m in range(nodes):
            paid = least[k - 1, m]
            if paid == np.inf:
                continue
            for t in range(nodes):
                if paid + cost[m, t] < least[k, t]:
                    least[k, t] = paid + cost[m, t]
                    last[k, t] = m


@compiled
def _sweep(
    sources: Any,
    nodes: int,
    offset: Any,
    link: Any,
    share: Any,
    unreachable: Any,
    demand: Any,
    most: int,
    capacity: Any,
    sharp: float,
    used: Any,
    part: Any,
) -> None:
    """Let each source move part of its demand; `used` [links] and `part` [nodes, links] change."""
    links = capacity.size
    cost, weight, change = np.empty((nodes, nodes)), np.empty(links), np.empty(links)
    least, last = np.empty((most + 1, nodes)), np.empty((most + 1, nodes), np.int32)
    for s in sources:
        top = used.max()
        for e in range(links):
            weight[e] = np.exp(sharp * (used[e] - top))
            change[e] = -part[s, e]
        _costs(nodes, offset, link, share, unreachable, weight / capacity, cost)
        _cheapest(s, cost, least, last)
        for t in range(nodes):
            if demand[s, t] == 0.0:
                continue
            k, there = most, t
            while there != s:
                while k > 0 and last[k, there] == -1:
                    k -= 1
                here = last[k, there]
                for i in range(offset[here * nodes + there], offset[here * nodes + there + 1]):
                    change[link[i]] += demand[s, t] * share[i] / capacity[link[i]]
                there = here
                k -= 1
        step = step_of(used, change, weight, sharp, top)
        for e in range(links):
            used[e] += step * change[e]
            part[s, e] = max(part[s, e] + step * change[e], 0.0)


@compiled
def _paid(
    nodes: int,
    offset: Any,
    link: Any,
    share: Any,
    unreachable: Any,
    demand: Any,
    most: int,
    price: Any,
) -> float:
    """What all demand pays at least."""
    cost = np.empty((nodes, nodes))
    least, last = np.empty((most + 1, nodes)), np.empty((most + 1, nodes), np.int32)
    _costs(nodes, offset, link, share, unreachable, price, cost)
    paid = 0.0
    for s in range(nodes):
        if not demand[s].any():
            continue
        _cheapest(s, cost, least, last)
        for t in range(nodes):
            if demand[s, t] > 0.0:
                paid += demand[s, t] * least[most, t]
    return paid


@compiled
def _peaks(nodes: int, offset: Any, link: Any, share: Any, unreachable: Any, capacity: Any) -> Any:
    """The highest utilization by a unit on each segment. [nodes, nodes]"""
    peak = np.zeros((nodes, nodes))
    for a in range(nodes):
        for b in range(nodes):
            for i in range(offset[a * nodes + b], offset[a * nodes + b + 1]):
                peak[a, b] = max(peak[a, b], share[i] / capacity[link[i]])
            if unreachable[a, b]:
                peak[a, b] = np.inf
    return peak
