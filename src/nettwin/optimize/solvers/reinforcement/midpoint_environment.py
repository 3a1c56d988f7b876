"""MidpointEnvironment: critical demands one after another; a midpoint is chosen for each.

A pass looks at the most loaded link first and there at the flow that puts the most on it. Each flow
is asked for at most once in a pass. A pass ends when the links within `reach` of the highest
utilization have no flow left to ask for. A pass that did not lower that utilization is followed by
one that reaches twice as far; the episode is over when the one that reaches farthest did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.errors import InputError
from nettwin.optimize.problems.failover import Failover, add_over_midpoint
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem

MIN_GAIN = 1e-4  # by which a pass must lower the highest utilization, relatively, for another


@dataclass(frozen=True)
class Order:
    """Which demands are critical."""

    reach: float = 0.1  # links whose utilization is within this share of the highest, at first
    farthest: float = 0.4  # and at last
    most: int = 64  # flows of a link, the largest ones

    def __post_init__(self) -> None:
        if not 0 < self.reach <= self.farthest <= 1 or self.most < 1:
            raise InputError(
                f"the order of demands is {self}: 0 < reach <= farthest <= 1 and most from 1 must"
                " hold. Correct it."
            )


class MidpointEnvironment:
    """A SegmentRoutingProblem as decisions, arrays alone.

    `flow` is the demand that waits for a decision, -1 where the episode is over. `take` decides.
    Flows that have several midpoints today keep them.
    """

    def __init__(self, segment_problem: SegmentRoutingProblem, order: Order | None = None) -> None:
        self.segment_problem, self.order = segment_problem, order or Order()
        self.crossing = Crossing(segment_problem.segments)
        several = (segment_problem.start[:, 1:] != NONE).any(axis=1)
        self._asked = np.asarray(
            segment_problem.movable & ~several & (segment_problem.rate_bps > 0), np.bool_
        )
        limits = segment_problem.limits
        self._limited = bool(limits.limited.any() or limits.unreachable.any())
        self._start_loads = segment_problem.loads(segment_problem.start)
        self.episode = 0
        self.reset()

    def reset(self, midpoints: NDArray[np.int32] | None = None) -> None:
        """Begin an episode: from `start`, or from other midpoints [flows, most_midpoints]."""
        chosen = self.segment_problem.start if midpoints is None else midpoints
        self.midpoints = np.array(chosen, np.int32)
        self.load = (
            np.array(self._start_loads)
            if midpoints is None
            else self.segment_problem.loads(midpoints)
        )
        self.utilization = float((self.load / self.segment_problem.capacity_bps).max(initial=0.0))
        self.episode, self.version = self.episode + 1, 0  # of the loads
        self.changed = int((self.midpoints != self.segment_problem.start).any(axis=1).sum())
        self._reach = self.order.reach
        self._begin_pass()
        self._next()

    @property
    def over(self) -> bool:
        """Whether the episode is over."""
        return self.flow < 0

    @property
    def ends(self) -> tuple[int, int, int]:
        """Source, target and midpoint of the demand that waits; its source where it has none."""
        s, t = (
            int(self.segment_problem.source[self.flow]),
            int(self.segment_problem.target[self.flow]),
        )
        m = int(self.midpoints[self.flow, 0])
        return s, t, s if m == NONE else m

    def mask(self) -> NDArray[np.bool_]:
        """Which midpoints the demand may be given; its source stands for none. [nodes]"""
        _, t, m = self.ends
        row = np.ones(self.segment_problem.segments.nodes, np.bool_)
        if self._limited:
            row = self.segment_problem.allowed(self.flow)
        row[t] = False
        row[m] = True  # to stay as it is
        return row

    def take(self, node: int) -> float:
        """Give the demand a midpoint, or none by its source; what the highest utilization falls by,
        as a difference of logarithms."""
        s, t, old = self.ends
        before = self.utilization
        if node != old:
            flow, rate = self.flow, float(self.segment_problem.rate_bps[self.flow])
            differed = (self.midpoints[flow] != self.segment_problem.start[flow]).any()
            self.midpoints[flow, 0] = NONE if node == s else node
            differs = (self.midpoints[flow] != self.segment_problem.start[flow]).any()
            self.changed += int(differs) - int(differed)
            segments = self.segment_problem.segments
            self.utilization = _moved(
                self.load,
                rate,
                s,
                t,
                old,
                node,
                segments.failover,
                self.segment_problem.capacity_bps,
            )
            self.version += 1
        self._next()
        if before <= 0 or self.utilization <= 0:
            return 0.0
        return float(np.log(before) - np.log(self.utilization))

    def _begin_pass(self) -> None:
        self._seen = ~self._asked
        self._done = np.zeros(len(self.load), np.bool_)  # links without a flow left
        self._at_begin, self._lowest = self.utilization, self.utilization
        self._link, self._queue, self._place = -1, np.zeros(0, np.int32), 0

    def _next(self) -> None:
        """The next demand to decide on."""
        self._lowest = min(self._lowest, self.utilization)
        self.flow = self._found()
        while self.flow < 0:
            if self._lowest >= self._at_begin * (1 - MIN_GAIN):
                if self._reach >= self.order.farthest:
                    return
                self._reach = min(2 * self._reach, self.order.farthest)
            self._begin_pass()
            self.flow = self._found()

    def _found(self) -> int:
        floor = (1 - self._reach) * self.utilization
        spent = self.changed >= self.segment_problem.most_changes >= 0
        while True:
            link = int(
                _most_loaded(self.load, self.segment_problem.capacity_bps, self._done, floor)
            )
            if link < 0:
                return -1
            if link != self._link:
                self._link, self._place = link, 0
                self._queue = self._largest_on(link)
            while self._place < len(self._queue):
                flow = int(self._queue[self._place])
                self._place += 1
                if self._seen[flow]:
                    continue
                self._seen[flow] = True
                if spent and (self.midpoints[flow] == self.segment_problem.start[flow]).all():
                    continue
                return flow
            self._done[link] = True

    def _largest_on(self, link: int) -> NDArray[np.int32]:
        """Flows not yet asked for that cross a link, those that put the most on it first."""
        segment_problem, crossing = self.segment_problem, self.crossing
        flows, put = _crossing_flows(
            link,
            crossing.offset,
            crossing.segment,
            crossing.share,
            crossing.scratch,
            segment_problem.source,
            segment_problem.target,
            self.midpoints,
            segment_problem.rate_bps,
            self._seen,
            segment_problem.segments.failover,
        )
        return np.asarray(flows[np.argsort(-put, kind="stable")[: self.order.most]])


class Crossing:
    """Which segments cross each link: those of link e are `segment[offset[e]: offset[e + 1]]`."""

    def __init__(self, segments: SegmentFlows) -> None:
        links = segments.states * segments.links
        self.offset, self.segment, self.share = _by_link(
            segments.offset, segments.link, segments.share, links
        )
        self.scratch = np.zeros(segments.nodes**2, np.float32)  # zero between calls

    def through(self) -> NDArray[np.float64]:
        """How many segments cross each link, shares counted. [states * links]"""
        link = np.repeat(np.arange(len(self.offset) - 1), np.diff(self.offset))
        return np.asarray(np.bincount(link, self.share, len(self.offset) - 1), np.float64)


@compiled
def _by_link(offset: Any, link: Any, share: Any, links: int) -> Any:
    begin = np.zeros(links + 1, np.int64)
    for e in link:
        begin[e + 1] += 1
    for e in range(links):
        begin[e + 1] += begin[e]
    at = begin[:-1].copy()
    segment = np.empty(link.size, np.int32)
    shares = np.empty(link.size, np.float32)
    for k in range(offset.size - 1):
        for i in range(offset[k], offset[k + 1]):
            e = link[i]
            segment[at[e]], shares[at[e]] = k, share[i]
            at[e] += 1
    return begin, segment, shares


@compiled
def _crossing_flows(
    link: int,
    offset: Any,
    segment: Any,
    share: Any,
    scratch: Any,
    source: Any,
    target: Any,
    midpoints: Any,
    rate: Any,
    seen: Any,
    failover: Failover,
) -> Any:
    nodes, broken = failover.nodes, failover.broken[link // failover.links]
    for i in range(offset[link], offset[link + 1]):
        scratch[segment[i]] += share[i]
    flows = np.empty(source.size, np.int32)
    put = np.empty(source.size)
    count = 0
    for f in range(source.size):
        if seen[f]:
            continue
        s, t, m = source[f], target[f], midpoints[f, 0]
        if m < 0 or broken[s, m] or broken[m, t]:
            part = scratch[s * nodes + t]
        else:
            part = scratch[s * nodes + m] + scratch[m * nodes + t]
        if part > 0:
            flows[count], put[count] = f, part * rate[f]
            count += 1
    for i in range(offset[link], offset[link + 1]):
        scratch[segment[i]] = 0.0
    return flows[:count], put[:count]


@compiled
def _most_loaded(load: Any, capacity: Any, done: Any, floor: float) -> Any:
    """The link of the highest utilization that is not done; -1 where none reaches the floor."""
    best, found = floor, -1
    for e in range(load.size):
        if not done[e] and load[e] > 0 and load[e] >= best * capacity[e]:
            best, found = load[e] / capacity[e], e
    return found


@compiled
def _moved(
    load: Any, rate: float, s: int, t: int, old: int, new: int, failover: Failover, capacity: Any
) -> Any:
    """Move a flow from one midpoint to another; the highest utilization then."""
    add_over_midpoint(load, -rate, s, old, t, failover)
    add_over_midpoint(load, rate, s, new, t, failover)
    highest = 0.0
    for e in range(load.size):
        highest = max(highest, load[e] / capacity[e])
    return highest
