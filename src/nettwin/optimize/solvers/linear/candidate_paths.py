"""Ways: what demands may take, priced. What column generation needs to know of a problem.

A demand is flows that are alike. Each starts on a path of its own, and another way is worth what it
pays less than the start when links have prices. SegmentCandidates are those of a
SegmentRoutingProblem: midpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.compiled import compiled
from nettwin.optimize.problems.failover import NONE, costs_by_state
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.linear.activated_paths import bends, bent_paid, one_bent

_ROUNDING = 1e-9
_PAIRS = 30_000_000  # pairs of midpoints that are tried one by one, for flows with limits


class Cheapest(NamedTuple):
    """The best path of each demand at some prices.

    `gain` is what a unit saves on `path`, compared to its start; `most` is what it could save at
    most (the same, but where the best path under a limit is not found exactly).
    """

    gain: NDArray[np.float64]  # [demands], 0 or more
    most: NDArray[np.float64]  # [demands], `gain` or more
    path: NDArray[np.int32]  # [demands, width], padded with -1


class Candidates(Protocol):
    """Demands, links and what a demand may take."""

    rate_bps: NDArray[np.float64]  # [demands]
    capacity_bps: NDArray[np.float64]  # [links]
    base_bps: NDArray[np.float64]  # [links], the load where every demand is on its start
    most_moves: int  # demands that may leave their start; -1: all

    def cheapest(self, price: NDArray[np.float64]) -> Cheapest:
        """The best path of each demand at a price of each link [links]."""

    def shift(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        """What a unit on each path changes on links, compared to the start. [links, ways]"""


def bound_of(paths: Candidates, price: NDArray[np.float64], cheapest: Cheapest) -> float:
    """The utilization that no answer is below, split or not: what prices of links prove.

    All demand at its start pays base * price, and each demand saves `most` a unit at most; a
    routing whose utilizations are all at most U pays at most U * capacity * price.
    """
    worth = float(paths.capacity_bps @ price)
    if not worth > 0:
        return 0.0
    saved = paths.rate_bps * cheapest.most
    if 0 <= paths.most_moves < len(saved):
        saved = np.sort(saved)[len(saved) - paths.most_moves :]
    return (float(paths.base_bps @ price) - float(saved.sum())) / worth


def gain(paid: NDArray[np.float64], within: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is saved by paying less; nothing where the difference is one of rounding."""
    return np.where(paid - within > _ROUNDING * paid, paid - within, 0.0)


class SegmentCandidates:
    """The paths of a SegmentRoutingProblem over up to its `most_midpoints`, or another number."""

    def __init__(
        self, segment_problem: SegmentRoutingProblem, most_midpoints: int | None = None
    ) -> None:
        self.segment_problem = segment_problem
        self.width = segment_problem.most_midpoints if most_midpoints is None else most_midpoints
        flows = np.flatnonzero(segment_problem.movable & (segment_problem.rate_bps > 0))
        self.most_moves = segment_problem.most_changes
        start = segment_problem.start[flows]
        group = (
            segment_problem.group[flows] if len(segment_problem.group) else np.full(len(flows), -1)
        )
        ends = segment_problem.source[flows], segment_problem.target[flows]
        kinds = [*ends, *start.T, group, segment_problem.limit_s[flows]]
        if self.most_moves >= 0:  # flows are counted, so each is a demand
            kinds.append(flows)
        first, demand = alike(kinds)
        self.flow, self.demand = flows, demand
        self.flow_rate_bps = segment_problem.rate_bps[flows]
        self.source, self.target = (end[first].astype(np.int64) for end in ends)
        self.start = np.full((len(first), max(self.width, start.shape[1])), NONE, np.int32)
        self.start[:, : start.shape[1]] = start[first]
        self.group, self.limit_s = group[first], segment_problem.limit_s[flows][first]
        self.rate_bps = np.zeros(len(first))
        np.add.at(self.rate_bps, self.demand, segment_problem.rate_bps[flows])
        self.capacity_bps = np.array(segment_problem.capacity_bps)
        self.base_bps = segment_problem.loads(np.array(segment_problem.start))
        self._barred = segment_problem.segments.unreachable

    def cheapest(self, price: NDArray[np.float64]) -> Cheapest:
        segments = self.segment_problem.segments
        raw = segments.cost(price)
        paid = _paid(raw, self.source, self.target, self.start)
        bent = segments.failover.needed
        if bent:
            by_state = costs_by_state(segments.failover, price)
            paid += bent_paid(segments.failover, by_state, self.source, self.target, self.start)
            sure = by_state[~segments.broken.any(axis=(1, 2))].sum(axis=0).reshape(raw.shape)
        good = np.where(self._barred, np.inf, raw)
        least, within = np.full(len(paid), np.inf), np.full(len(paid), np.inf)
        path = np.full((len(paid), self.start.shape[1]), NONE, np.int32)
        for group in np.unique(self.group).tolist():
            here = np.flatnonzero(self.group == group)
            table = (
                good if group < 0 else np.where(self.segment_problem.excluded[group], np.inf, good)
            )
            if bent:
                floor = np.where(np.isinf(table), np.inf, sure)
                self._fill_bent(here, table, floor, by_state, least, within, path)
            else:
                self._fill(here, table, least, within, path)
        return Cheapest(gain(paid, within), np.maximum(paid - least, 0.0), path)

    def shift(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        shift: sparse.csc_array = self._unit(demand, path) - self._unit(demand, self.start[demand])
        return shift

    def _fill(
        self,
        here: NDArray[np.intp],
        table: NDArray[np.float64],
        least: NDArray[np.float64],
        within: NDArray[np.float64],
        path: NDArray[np.int32],
    ) -> None:
        """The best paths of some demands, where segments cost what the table says."""
        delay, limit = self.segment_problem.segment_delay_s, self.limit_s
        free = here[np.isinf(limit[here])]
        bound = here[np.isfinite(limit[here])]
        ends = self.source, self.target
        if self.width == 1:
            _one(here, *ends, table, table.T.copy(), delay, delay.T.copy(), limit, within, path)
            least[here] = within[here]
            return
        lengths, last = _steps(table, self.width)
        least[here] = lengths[self.source[here], self.target[here]]
        within[free] = least[free]
        _trace(free, *ends, last, path)
        if len(bound):
            pairs = self.width >= 2 and len(bound) * len(table) ** 2 <= _PAIRS
            if pairs:
                _two(bound, *ends, table, table.T.copy(), delay, limit, within, path)
            elif self.width:
                _one(
                    bound, *ends, table, table.T.copy(), delay, delay.T.copy(), limit, within, path
                )
            if pairs and self.width == 2:
                least[bound] = within[bound]

    def _fill_bent(
        self,
        here: NDArray[np.intp],
        table: NDArray[np.float64],
        floor: NDArray[np.float64],
        by_state: NDArray[np.float64],
        least: NDArray[np.float64],
        within: NDArray[np.float64],
        path: NDArray[np.int32],
    ) -> None:
        """The same where failures break segments: paths over at most one midpoint, exactly; what
        more midpoints could save is no more than in states that break none, at `floor`."""
        failover, delay = (
            self.segment_problem.segments.failover,
            self.segment_problem.segment_delay_s,
        )
        ends = self.source, self.target
        if self.width == 0:
            within[here] = least[here] = table[self.source[here], self.target[here]]
            return
        one_bent(here, *ends, table, failover, by_state, delay, self.limit_s, within, path)
        least[here] = within[here]
        if self.width > 1:
            lengths, _ = _steps(floor, self.width)
            least[here] = np.minimum(least[here], lengths[self.source[here], self.target[here]])

    def _unit(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> sparse.csc_array:
        """What a unit on each path puts on links. [links, ways]"""
        segments = self.segment_problem.segments
        ends = self.source[demand], self.target[demand]
        paths = np.ascontiguousarray(path)
        shape = (segments.states * segments.links, len(demand))
        nodes, begin = segments.nodes, segments.offset
        offset, link, share = entries(*ends, paths, nodes, begin, segments.link, segments.share)
        made = sparse.csc_array((share, link, offset), shape=shape)
        if segments.failover.needed:
            offset, link, share = bends(segments.failover, *ends, paths)
            made = (made + sparse.csc_array((share, link, offset), shape=shape)).tocsc()
        made.sum_duplicates()
        return made


def alike(kinds: Sequence[NDArray[Any]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first of each group that is alike in all kinds, and the group of each."""
    group = np.zeros(len(kinds[0]), np.int64)
    first = group
    for kind in kinds:
        _, number = np.unique(kind, return_inverse=True)
        _, first, group = np.unique(
            group * (number.max(initial=0) + 1) + number, return_index=True, return_inverse=True
        )
    return first, group


def _steps(table: NDArray[np.float64], most: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """The cheapest paths over at most `most` midpoints [nodes, nodes], and for 0, 1 .. midpoints
    the last one of each (its source where there is none) [steps, nodes, nodes]. Ends where more
    midpoints save nothing."""
    nodes = len(table)
    least, turned = table, table.T.copy()
    last = [np.repeat(np.arange(nodes, dtype=np.int32)[:, None], nodes, axis=1)]
    for _ in range(most):
        further, at = np.empty_like(table), np.empty((nodes, nodes), np.int32)
        _min_plus(least, turned, further, at)
        if np.array_equal(further, least):
            break
        least = further
        last.append(at)
    return least, np.stack(last)


@compiled
def _min_plus(a: Any, b_turned: Any, out: Any, last: Any) -> None:
    """The least a[s, m] + b[m, t] over m, and that m; what was there before wins ties (m = t)."""
    nodes = a.shape[0]
    for s in range(nodes):
        for t in range(nodes):
            least, at = a[s, t], t
            for m in range(nodes):
                paid = a[s, m] + b_turned[t, m]
                if paid < least:
                    least, at = paid, m
            out[s, t], last[s, t] = least, at


@compiled
def _trace(here: Any, source: Any, target: Any, last: Any, path: Any) -> None:
    """The midpoints of the cheapest paths, from the last steps."""
    most = last.shape[0] - 1
    found = np.empty(most + 1, np.int32)
    for i in here:
        count, at = 0, target[i]
        for k in range(most, 0, -1):
            m = last[k, source[i], at]
            if m != at and m != source[i]:
                found[count] = m
                count += 1
            at = m
            if at == source[i]:
                break
        path[i, :] = NONE
        for k in range(count):
            path[i, k] = found[count - 1 - k]


@compiled
def _one(
    here: Any,
    source: Any,
    target: Any,
    table: Any,
    turned: Any,
    delay: Any,
    delay_turned: Any,
    limit: Any,
    within: Any,
    path: Any,
) -> None:
    """The cheapest path over at most one midpoint that keeps the limit."""
    for i in here:
        s, t = source[i], target[i]
        least, at = np.inf, NONE
        if delay[s, t] <= limit[i]:
            least = table[s, t]
        for m in range(table.shape[0]):
            paid = table[s, m] + turned[t, m]
            if paid < least and delay[s, m] + delay_turned[t, m] <= limit[i]:
                least, at = paid, m
        if at in (s, t):
            at = NONE
        within[i] = least
        path[i, :] = NONE
        path[i, 0] = at


@compiled
def _two(
    here: Any,
    source: Any,
    target: Any,
    table: Any,
    turned: Any,
    delay: Any,
    limit: Any,
    within: Any,
    path: Any,
) -> None:
    """The cheapest path over at most two midpoints that keeps the limit."""
    nodes = table.shape[0]
    for i in here:
        s, t = source[i], target[i]
        least, first, second = np.inf, s, t
        for a in range(nodes):
            for b in range(nodes):
                paid = table[s, a] + table[a, b] + turned[t, b]
                if paid < least and delay[s, a] + delay[a, b] + delay[b, t] <= limit[i]:
                    least, first, second = paid, a, b
        within[i] = least
        path[i, :] = NONE
        count = 0
        if first not in (s, t):
            path[i, count] = first
            count += 1
        if second not in (first, s, t):
            path[i, count] = second


@compiled
def _paid(table: Any, source: Any, target: Any, path: Any) -> Any:
    """What a unit pays on each demand's path."""
    paid = np.zeros(source.size)
    for i in range(source.size):
        at = source[i]
        for k in range(path.shape[1]):
            if path[i, k] != NONE:
                paid[i] += table[at, path[i, k]]
                at = path[i, k]
        paid[i] += table[at, target[i]]
    return paid


@compiled
def entries(
    source: Any, target: Any, path: Any, nodes: int, offset: Any, link: Any, share: Any
) -> Any:
    """The segments of each path, one after another, as the columns of a sparse matrix."""
    count = source.size
    begin = np.zeros(count + 1, np.int32)
    for write in range(2):
        if write:
            made_link = np.empty(begin[count], np.int32)
            made_share = np.empty(begin[count])
        size = 0
        for i in range(count):
            at = source[i]
            for k in range(path.shape[1] + 1):
                there = target[i] if k == path.shape[1] else path[i, k]
                if there == NONE:
                    continue
                segment = at * nodes + there
                for j in range(offset[segment], offset[segment + 1]):
                    if write:
                        made_link[size], made_share[size] = link[j], share[j]
                    size += 1
                at = there
            begin[i + 1] = size
    return begin, made_link, made_share
