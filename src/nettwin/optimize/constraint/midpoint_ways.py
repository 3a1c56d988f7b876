"""MidpointWays: the ways of flows over SR midpoints."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.constraint.ways import Way
from nettwin.optimize.fallback import bent_cost, bent_row, costs_by_state, way
from nettwin.optimize.steering import NONE, Steering

Row = tuple[int, ...]  # the midpoints of a flow, without padding

_OFFERED = 8  # ways of a flow at a time
_SPARE = 3  # more that are looked at, for those that are its ends or break limits
_MORE = 5  # times as many are looked at where a flow has limits


class MidpointWays:
    """Midpoints of now and others that are cheap: see `Ways`."""

    def __init__(self, steering: Steering) -> None:
        self.steering = steering
        self.midpoints = np.array(steering.start)
        self.capacity_bps = steering.capacity_bps
        self.most_changes = steering.most_changes
        self.changed = 0
        movable = steering.movable & (steering.rate_bps > 0) & (steering.source != steering.target)
        self.flows: NDArray[np.int64] = np.flatnonzero(movable)
        self._limited = np.isfinite(steering.limit_s) | bool(steering.segments.barred.any())
        if steering.group.size:
            self._limited |= steering.group >= 0
        self.load_bps = steering.loads(self.midpoints)
        self._fix()

    def pays(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each of `flows` pays for all its traffic when links have prices. [flows]"""
        cost, by_state = self._costs(price)
        here = self.steering.source[self.flows]
        paid = np.zeros(self.flows.size)
        for k, f in enumerate(self.flows.tolist() if len(by_state) else ()):
            paid[k] = self._bent(f, self._row(f), by_state)
        for k in range(self.steering.most_midpoints):
            there = self.midpoints[self.flows, k]
            there = np.where(there == NONE, here, there)
            paid += cost[here, there]
            here = there
        paid += cost[here, self.steering.target[self.flows]]
        return np.asarray(paid * self.steering.rate_bps[self.flows])

    def offered(self, flows: NDArray[np.int64], price: NDArray[np.float64]) -> list[list[Way]]:
        """For each of some flows the way of now, the start's, none, and cheap ones."""
        costs = self._costs(price)
        return [self._offered(f, *costs) for f in flows.tolist()]

    def every(self, most: int) -> list[list[Way]] | None:
        """All ways of all flows that keep limits; None where there are more than `most`."""
        nodes, longest = self.steering.segments.nodes, self.steering.most_midpoints
        rows = sum((nodes - 2) ** k for k in range(longest + 1))
        if rows * self.flows.size > most:
            return None
        found = []
        for f in self.flows.tolist():
            ends = int(self.steering.source[f]), int(self.steering.target[f])
            others = [m for m in range(nodes) if m not in ends]
            each = [row for k in range(longest + 1) for row in product(others, repeat=k)]
            now = self._row(f)
            rows_of_f = dict.fromkeys((now, *each))
            found.append([self._way(f, row) for row in rows_of_f if self._keeps(f, row)])
        return found

    def now(self, flow: int) -> Way:
        """The way of a flow now."""
        return self._way(flow, self._row(flow))

    def breaking(self) -> NDArray[np.int64]:
        """Those of `flows` whose midpoints of now break their limits."""
        some = self.flows[self._limited[self.flows]].tolist()
        return np.array([f for f in some if not self._keeps(f, self._row(f))], np.int64)

    def take(self, flow: int, way: Way) -> None:
        """Put a flow on a way; loads follow."""
        old, row = self.now(flow), way.key
        assert row is not None
        if old.key == row:
            return
        np.subtract.at(self.load_bps, old.link, old.load_bps)
        np.add.at(self.load_bps, way.link, way.load_bps)
        self.midpoints[flow] = NONE
        self.midpoints[flow, : len(row)] = row
        self.changed += int(way.changed) - int(old.changed)

    def leave_alone(self, flows: NDArray[np.int64]) -> None:
        """Some of `flows` stay where they are from now on."""
        if flows.size:
            self.flows = np.setdiff1d(self.flows, flows)
            self._fix()

    def _fix(self) -> None:
        """The load of what cannot be moved."""
        rate = np.array(self.steering.rate_bps)
        rate[self.flows] = 0.0
        self.fixed_bps = replace(self.steering, rate_bps=rate).loads(self.midpoints)

    def _costs(self, price: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a unit pays on each segment [nodes, nodes]; and in each state, where failures break
        some [states, nodes * nodes]."""
        segments = self.steering.segments
        if not segments.fallback.needed:
            return segments.cost(price), np.zeros((0, 0))
        by_state = costs_by_state(segments.fallback, price)
        return by_state.sum(axis=0).reshape(segments.nodes, segments.nodes), by_state

    def _bent(self, flow: int, row: Row, by_state: NDArray[np.float64]) -> float:
        """What a unit of a flow pays beside what its segments cost."""
        s, t = int(self.steering.source[flow]), int(self.steering.target[flow])
        fallback = self.steering.segments.fallback
        return float(bent_cost(fallback, by_state, s, np.array(row, np.int32), t))

    def _row(self, flow: int) -> Row:
        return _row(self.midpoints[flow])

    def _stops(self, flow: int, row: Row) -> Row:
        return (int(self.steering.source[flow]), *row, int(self.steering.target[flow]))

    def _way(self, flow: int, row: Row) -> Way:
        s, t = int(self.steering.source[flow]), int(self.steering.target[flow])
        link, share = way(self.steering.segments.fallback, s, np.array(row, np.int32), t)
        load = share * float(self.steering.rate_bps[flow])
        return Way(row, link.astype(np.int64), load, row != _row(self.steering.start[flow]))

    def _keeps(self, flow: int, row: Row) -> bool:
        """Whether a flow over these midpoints keeps its limits."""
        if not self._limited[flow]:
            return True
        steering, stops = self.steering, self._stops(flow, row)
        here, there = np.array(stops[:-1]), np.array(stops[1:])
        barred = steering.segments.barred
        if barred[here, there].any() and not barred[stops[0], stops[-1]]:
            return False
        group = int(steering.group[flow]) if steering.group.size else NONE
        if group != NONE and steering.shunned[group, here, there].any():
            return False
        return bool(steering.segment_delay_s[here, there].sum() <= steering.limit_s[flow])

    def _offered(
        self, flow: int, cost: NDArray[np.float64], by_state: NDArray[np.float64]
    ) -> list[Way]:
        now = self._row(flow)
        rows: dict[Row, None] = {}
        first = (now, _row(self.steering.start[flow]), ())
        for row in (*first, *self._cheapest(flow, now, cost, by_state)):
            if len(rows) >= _OFFERED:
                break
            if row not in rows and self._keeps(flow, row):
                rows[row] = None
        return [self._way(flow, row) for row in rows]

    def _cheapest(
        self, flow: int, now: Row, cost: NDArray[np.float64], by_state: NDArray[np.float64]
    ) -> list[Row]:
        """Rows that have one midpoint put in the place of some of those of now, cheapest first."""
        stops = self._stops(flow, now)
        many = len(now)
        legs = [float(cost[a, b]) for a, b in pairwise(stops)]
        look = (_OFFERED + _SPARE) * (_MORE if self._limited[flow] else 1)
        found: list[tuple[float, Row]] = []
        for i in range(many + 1):
            for j in range(i, many + 1):  # midpoints i .. j - 1 give way
                if many - (j - i) + 1 > self.steering.most_midpoints:
                    continue
                paid = cost[stops[i]] + cost[:, stops[j + 1]] + sum(legs[:i]) + sum(legs[j + 1 :])
                if len(by_state) and i == 0 and j == many:
                    paid += bent_row(self.steering.segments.fallback, by_state, stops[0], stops[-1])
                found += [
                    (float(paid[m]), (*now[:i], m, *now[j:]))
                    for m in _lowest(paid, look)
                    if m not in (stops[i], stops[j + 1])
                ]
        return [row for _, row in sorted(found)]


def _row(midpoints: NDArray[np.int32]) -> Row:
    return tuple(m for m in midpoints.tolist() if m != NONE)


def _lowest(value: NDArray[np.float64], count: int) -> list[int]:
    """Where the lowest values are."""
    some = np.arange(value.size) if count >= value.size else np.argpartition(value, count)[:count]
    return [int(m) for m in some]
