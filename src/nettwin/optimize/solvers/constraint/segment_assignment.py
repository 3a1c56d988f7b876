"""SegmentAssignment: midpoints of flows, those of now and others that are cheap."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.failover import (
    activation_cost,
    activation_costs,
    costs_by_state,
    path_entries,
)
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.optimize.solvers.constraint.assignment import Candidate

Row = tuple[int, ...]  # the midpoints of a flow, without padding

_OFFERED = 8  # paths of a flow at a time
_SPARE = 3  # more that are looked at, for those that are its ends or break limits
_MORE = 5  # times as many are looked at where a flow has limits


class SegmentAssignment:
    """Midpoints of now and others that are cheap: an `Assignment`."""

    def __init__(self, segment_problem: SegmentRoutingProblem) -> None:
        self.segment_problem = segment_problem
        self.midpoints = np.array(segment_problem.start)
        self.capacity_bps = segment_problem.capacity_bps
        self.most_changes = segment_problem.most_changes
        self.changed = 0
        movable = (
            segment_problem.movable
            & (segment_problem.rate_bps > 0)
            & (segment_problem.source != segment_problem.target)
        )
        self.flows: NDArray[np.int64] = np.flatnonzero(movable)
        limits = segment_problem.limits
        self._limited = limits.limited | bool(limits.unreachable.any())
        self.load_bps = segment_problem.loads(self.midpoints)
        self._fix()

    def pays(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each of `flows` pays for all its traffic when links have prices. [flows]"""
        cost, by_state = self._costs(price)
        here = self.segment_problem.source[self.flows]
        paid = np.zeros(self.flows.size)
        for k, f in enumerate(self.flows.tolist() if len(by_state) else ()):
            paid[k] = self._activation_cost(f, self._row(f), by_state)
        for k in range(self.segment_problem.most_midpoints):
            there = self.midpoints[self.flows, k]
            there = np.where(there == NONE, here, there)
            paid += cost[here, there]
            here = there
        paid += cost[here, self.segment_problem.target[self.flows]]
        return np.asarray(paid * self.segment_problem.rate_bps[self.flows])

    def offered(
        self, flows: NDArray[np.int64], price: NDArray[np.float64]
    ) -> list[list[Candidate]]:
        """For each of some flows the path of now, the start's, none, and cheap ones."""
        costs = self._costs(price)
        return [self._offered(f, *costs) for f in flows.tolist()]

    def every(self, most: int) -> list[list[Candidate]] | None:
        """All paths of all flows that keep limits; None where there are more than `most`."""
        nodes, longest = self.segment_problem.segments.nodes, self.segment_problem.most_midpoints
        rows = sum((nodes - 2) ** k for k in range(longest + 1))
        if rows * self.flows.size > most:
            return None
        found = []
        for f in self.flows.tolist():
            ends = self.segment_problem.ends(f)
            others = [m for m in range(nodes) if m not in ends]
            each = [row for k in range(longest + 1) for row in product(others, repeat=k)]
            now = self._row(f)
            rows_of_f = dict.fromkeys((now, *each))
            found.append([self._candidate(f, row) for row in rows_of_f if self._keeps(f, row)])
        return found

    def now(self, flow: int) -> Candidate:
        """The path of a flow now."""
        return self._candidate(flow, self._row(flow))

    def breaking(self) -> NDArray[np.int64]:
        """Those of `flows` whose midpoints of now break their limits."""
        some = self.flows[self._limited[self.flows]].tolist()
        return np.array([f for f in some if not self._keeps(f, self._row(f))], np.int64)

    def take(self, flow: int, path: Candidate) -> None:
        """Put a flow on a path; loads follow."""
        old, row = self.now(flow), path.key
        assert row is not None
        if old.key == row:
            return
        np.subtract.at(self.load_bps, old.link, old.load_bps)
        np.add.at(self.load_bps, path.link, path.load_bps)
        self.midpoints[flow] = NONE
        self.midpoints[flow, : len(row)] = row
        self.changed += int(path.changed) - int(old.changed)

    def leave_alone(self, flows: NDArray[np.int64]) -> None:
        """Some of `flows` stay where they are from now on."""
        if flows.size:
            self.flows = np.setdiff1d(self.flows, flows)
            self._fix()

    def _fix(self) -> None:
        """The load of what cannot be moved."""
        rate = np.array(self.segment_problem.rate_bps)
        rate[self.flows] = 0.0
        self.fixed_bps = replace(self.segment_problem, rate_bps=rate).loads(self.midpoints)

    def _costs(self, price: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a unit pays on each segment [nodes, nodes]; and in each state, where failures break
        some [states, nodes * nodes]."""
        segments = self.segment_problem.segments
        if not segments.failover.needed:
            return segments.cost(price), np.zeros((0, 0))
        by_state = costs_by_state(segments.failover, price)
        return by_state.sum(axis=0).reshape(segments.nodes, segments.nodes), by_state

    def _activation_cost(self, flow: int, row: Row, by_state: NDArray[np.float64]) -> float:
        """What a unit of a flow pays beside what its segments cost."""
        s, t = self.segment_problem.ends(flow)
        failover = self.segment_problem.segments.failover
        return float(activation_cost(failover, by_state, s, np.array(row, np.int32), t))

    def _row(self, flow: int) -> Row:
        return _row(self.midpoints[flow])

    def _stops(self, flow: int, row: Row) -> Row:
        source, target = self.segment_problem.ends(flow)
        return source, *row, target

    def _candidate(self, flow: int, row: Row) -> Candidate:
        s, t = self.segment_problem.ends(flow)
        link, share = path_entries(
            self.segment_problem.segments.failover, s, np.array(row, np.int32), t
        )
        load = share * float(self.segment_problem.rate_bps[flow])
        return Candidate(
            row, link.astype(np.int64), load, row != _row(self.segment_problem.start[flow])
        )

    def _keeps(self, flow: int, row: Row) -> bool:
        """Whether a flow over these midpoints keeps its limits."""
        return not self._limited[flow] or self.segment_problem.keeps(flow, np.array(row, np.int32))

    def _offered(
        self, flow: int, cost: NDArray[np.float64], by_state: NDArray[np.float64]
    ) -> list[Candidate]:
        now = self._row(flow)
        rows: dict[Row, None] = {}
        first = (now, _row(self.segment_problem.start[flow]), ())
        for row in (*first, *self._cheapest(flow, now, cost, by_state)):
            if len(rows) >= _OFFERED:
                break
            if row not in rows and self._keeps(flow, row):
                rows[row] = None
        return [self._candidate(flow, row) for row in rows]

    def _cheapest(
        self, flow: int, now: Row, cost: NDArray[np.float64], by_state: NDArray[np.float64]
    ) -> list[Row]:
        """Rows that have one midpoint put in the place of some of those of now, cheapest first."""
        stops = self._stops(flow, now)
        many = len(now)
        legs = [float(cost[a, b]) for a, b in pairwise(stops)]
        looked_at = (_OFFERED + _SPARE) * (_MORE if self._limited[flow] else 1)
        found: list[tuple[float, Row]] = []
        for i in range(many + 1):
            for j in range(i, many + 1):  # midpoints i .. j - 1 give way
                if many - (j - i) + 1 > self.segment_problem.most_midpoints:
                    continue
                paid = cost[stops[i]] + cost[:, stops[j + 1]] + sum(legs[:i]) + sum(legs[j + 1 :])
                if len(by_state) and i == 0 and j == many:
                    paid += activation_costs(
                        self.segment_problem.segments.failover, by_state, stops[0], stops[-1]
                    )
                found += [
                    (float(paid[m]), (*now[:i], m, *now[j:]))
                    for m in _lowest(paid, looked_at)
                    if m not in (stops[i], stops[j + 1])
                ]
        return [row for _, row in sorted(found)]


def _row(midpoints: NDArray[np.int32]) -> Row:
    return tuple(m for m in midpoints.tolist() if m != NONE)


def _lowest(value: NDArray[np.float64], count: int) -> list[int]:
    """Where the lowest values are."""
    some = np.arange(value.size) if count >= value.size else np.argpartition(value, count)[:count]
    return [int(m) for m in some]
