"""SegmentColumns: the paths of a SegmentRoutingProblem, over midpoints, as columns of a program."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.optimize.problems.failover import NONE, costs_by_state
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.linear import segment_pricing as pricing
from nettwin.optimize.solvers.linear.columns import Cheapest, Grouped, gain

_PAIRS = 30_000_000  # pairs of midpoints that are tried one by one, for flows with limits

Floats = NDArray[np.float64]


class SegmentColumns(Grouped):
    """The paths of a SegmentRoutingProblem over up to its `most_midpoints`, or another number."""

    def __init__(
        self, segment_problem: SegmentRoutingProblem, most_midpoints: int | None = None
    ) -> None:
        self.segment_problem = segment_problem
        self.width = segment_problem.most_midpoints if most_midpoints is None else most_midpoints
        self.most_moves = segment_problem.most_changes
        limits = segment_problem.limits
        flows = np.flatnonzero(segment_problem.movable & (segment_problem.rate_bps > 0))
        ends = segment_problem.source[flows], segment_problem.target[flows]
        start = segment_problem.start[flows]
        kinds = [*ends, *start.T, limits.group[flows], limits.limit_s[flows]]
        super().__init__(flows, segment_problem.rate_bps, kinds, counted=self.most_moves >= 0)
        first, count = self.first, len(self.first)
        self.source = segment_problem.source[first].astype(np.int64)
        self.target = segment_problem.target[first].astype(np.int64)
        self.start = np.full((count, max(self.width, start.shape[1])), NONE, np.int32)
        self.start[:, : start.shape[1]] = segment_problem.start[first]
        self.limits = limits._replace(
            limit_s=limits.limit_s[first], group=limits.group[first], limited=limits.limited[first]
        )
        self.capacity_bps = np.array(segment_problem.capacity_bps)
        self.base_bps = segment_problem.loads(np.array(segment_problem.start))

    def cheapest(self, price: Floats) -> Cheapest:
        """The best path of each demand at a price of each link [links]."""
        segments, limits = self.segment_problem.segments, self.limits
        raw, by_state = segments.cost(price), np.zeros((0, 0))
        paid = pricing.paid(raw, self.source, self.target, self.start)
        sure = raw  # what states pay that break no segment
        if segments.failover.needed:
            by_state = costs_by_state(segments.failover, price)
            ends = self.source, self.target
            paid += pricing.activation_costs_of(segments.failover, by_state, *ends, self.start)
            sure = by_state[~segments.broken.any(axis=(1, 2))].sum(axis=0).reshape(raw.shape)
        least, within = np.full(len(paid), np.inf), np.full(len(paid), np.inf)
        path = np.full((len(paid), self.start.shape[1]), NONE, np.int32)
        for group in np.unique(limits.group).tolist():
            here = np.flatnonzero(limits.group == group)
            closed = limits.unreachable
            if group >= 0:
                closed = closed | limits.excluded[group]
            tables = np.where(closed, np.inf, raw), np.where(closed, np.inf, sure)
            self._fill(here, *tables, by_state, least, within, path)
        return Cheapest(gain(paid, within), np.maximum(paid - least, 0.0), path)

    def shift(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        """What a unit on each path changes on links, compared to the start. [links, paths]"""
        shift: sparse.csc_array = self._unit(demand, path) - self._unit(demand, self.start[demand])
        return shift

    def _fill(
        self,
        here: NDArray[np.intp],
        table: Floats,
        floor: Floats,
        by_state: Floats,
        least: Floats,
        within: Floats,
        path: NDArray[np.int32],
    ) -> None:
        """The best paths of some demands, where segments cost what the table says.

        Where failures break segments, paths over at most one midpoint are looked at; what more of
        them could save is no more than in states that break none, which cost `floor`.
        """
        ends = self.source, self.target
        activates = len(by_state) > 0
        failover = self.segment_problem.segments.failover
        turned = np.ascontiguousarray(table.T)
        one: tuple[Any, Any, Any, Any, Any] = table, turned, self.limits, failover, by_state
        if self.width == 0:
            within[here] = least[here] = table[self.source[here], self.target[here]]
            return
        if self.width == 1 or activates:
            pricing.over_one(here, *ends, *one, within, path)
            least[here] = within[here]
            if self.width > 1:
                lengths, _ = _steps(floor, self.width)
                any_number = lengths[self.source[here], self.target[here]]
                least[here] = np.minimum(least[here], any_number)
            return
        lengths, last = _steps(table, self.width)
        least[here] = lengths[self.source[here], self.target[here]]
        free = here[np.isinf(self.limits.limit_s[here])]
        within[free] = least[free]
        pricing.trace(free, *ends, last, path)
        bound = here[np.isfinite(self.limits.limit_s[here])]
        if not len(bound):
            return
        if len(bound) * len(table) ** 2 > _PAIRS:
            pricing.over_one(bound, *ends, *one, within, path)
            return
        pricing.over_two(bound, *ends, *one[:2], self.limits, within, path)
        if self.width == 2:
            least[bound] = within[bound]

    def _unit(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        """What a unit on each path puts on links. [links, paths]"""
        segments = self.segment_problem.segments
        ends = self.source[demand], self.target[demand]
        paths = np.ascontiguousarray(path)
        shape = (segments.states * segments.links, len(demand))
        nodes, begin = segments.nodes, segments.offset
        offset, link, share = pricing.entries(
            *ends, paths, nodes, begin, segments.link, segments.share
        )
        made = sparse.csc_array((share, link, offset), shape=shape)
        if segments.failover.needed:
            offset, link, share = pricing.activation_entries(segments.failover, *ends, paths)
            made = (made + sparse.csc_array((share, link, offset), shape=shape)).tocsc()
        made.sum_duplicates()
        return made


def _steps(table: NDArray[np.float64], most: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """The cheapest paths over at most `most` midpoints [nodes, nodes], and for 0, 1 .. midpoints
    the last one of each (its source where there is none) [steps, nodes, nodes]. Ends where more
    midpoints save nothing."""
    nodes = len(table)
    least, turned = table, table.T.copy()
    last = [np.repeat(np.arange(nodes, dtype=np.int32)[:, None], nodes, axis=1)]
    for _ in range(most):
        further, at = np.empty_like(table), np.empty((nodes, nodes), np.int32)
        pricing.min_plus(least, turned, further, at)
        if np.array_equal(further, least):
            break
        least = further
        last.append(at)
    return least, np.stack(last)
