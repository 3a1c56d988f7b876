"""Moves: rounds of moves of flows on a steering problem, in pieces short enough to stop in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.fallback import costs_by_state
from nettwin.optimize.local_search import kernels, repairs
from nettwin.optimize.steering import Steering

PIECE = 4_000_000  # elementary operations between two looks at the clock, some milliseconds
CLOSE = 64  # moves of the highest gains that are calculated exactly where changes are few
MANY, WORTH = 2000, 0.9  # where moves are many, those that bring so much of all are tried
BATCH = 2  # of them that are made at the same prices
KICKING = 20.0  # steepness of the prices by which kicked flows go

Floats = NDArray[np.float64]
Go = Callable[[], bool]  # counts a step; whether to go on


class Moves:
    """The midpoints of now and what can be done to them.

    Methods return True where they made a move. They look at `go` between pieces and end where it
    says so; what was moved until then stays moved, loads and midpoints in agreement.
    """

    def __init__(self, steering: Steering, go: Go, random: np.random.Generator) -> None:
        self.steering, self.go, self.random = steering, go, random
        self.network = network_of(steering)
        self.state = state_of(steering)
        self.few = 0 <= steering.most_changes < steering.flow_count
        self.scale = 1.0 / steering.capacity_bps
        flows = steering.movable & (steering.rate_bps > 0) & (steering.source != steering.target)
        self.flows = np.flatnonzero(flows)
        self._gain = np.zeros(self.flows.size)
        self._slot = np.zeros((self.flows.size, 3), np.int32)
        kernels.load(self.network, self.state)
        self._mend()
        self._chance = steering.rate_bps[self.flows] / steering.rate_bps[self.flows].sum()

    @property
    def top(self) -> float:
        """The highest utilization."""
        return float((self.state.load_bps * self.scale).max(initial=0.0))

    @property
    def midpoints(self) -> NDArray[np.int32]:
        """A copy of the midpoints of now."""
        return np.array(self.state.midpoints)

    def restore(self, midpoints: NDArray[np.int32]) -> None:
        """Go back to these midpoints; loads anew, so that rounding cannot add up."""
        self.state.midpoints[:] = midpoints
        self.state.changed[0] = (midpoints != self.steering.start).any(axis=1).sum()
        self.state.load_bps[:] = self.steering.fixed_bps
        kernels.load(self.network, self.state)

    def round(
        self,
        steepness: float,
        noise: NDArray[np.float64] | float = 1.0,
        held: NDArray[Any] | None = None,
    ) -> tuple[int, int]:
        """Suggest the cheapest move of every flow that pays much, and make those that help.

        `noise` [links] multiplies prices; flows `held` do not move. Returns how many moves were
        suggested and made.
        """
        kernels.gauge(self.network, self.state, steepness)
        price = self.state.pressure * self.scale
        price = (price + 1e-9 * self.scale) * noise
        costs = self._costs(price)
        floor = 1e-7 * float(self.state.pressure.sum())
        self._gain[:] = 0.0
        step = max(PIECE // (4 * self.steering.segments.nodes), 1)
        for begin in range(0, self.flows.size, step):
            part = slice(begin, begin + step)
            kernels.sweep(
                self.network,
                self.state,
                *costs,
                self.flows[part],
                floor,
                self._gain[part],
                self._slot[part],
            )
            if not self.go():
                break
        if held is not None:
            self._gain[np.isin(self.flows, held)] = 0.0
        count = int(np.count_nonzero(self._gain))
        order = np.argsort(-self._gain, kind="stable")[:count]
        if order.size > MANY:
            worth = np.cumsum(self._gain[order])
            order = order[: max(int(np.searchsorted(worth, WORTH * worth[-1])) + 1, MANY)]
        return order.size, self._make(order)

    def kick(self, count: int) -> NDArray[np.intp]:
        """Move flows drawn by their rate to others of their cheap ways; returns the flows. Where
        changes are few, undo so many first."""
        released = self._release(count) if self.few else self.flows[:0]
        kernels.gauge(self.network, self.state, KICKING)
        costs = self._costs((self.state.pressure + 1e-9) * self.scale)
        number = int(self.random.integers(0, 2)) if self.few else count
        flows = self.random.choice(self.flows, number, p=self._chance)
        most = self.steering.most_changes
        repairs.kick(self.network, self.state, *costs, flows, most, self.random)
        return np.concatenate([released, flows])

    def _release(self, count: int) -> NDArray[np.intp]:
        """Undo what is not needed and some changes more, so that others become possible."""
        changed = np.flatnonzero((self.state.midpoints != self.steering.start).any(axis=1))
        changed = changed[np.argsort(self.steering.rate_bps[changed], kind="stable")]
        repairs.undo(self.network, self.state, changed, self.top)
        changed = np.flatnonzero((self.state.midpoints != self.steering.start).any(axis=1))
        flows = self.random.permutation(changed)[:count]
        repairs.undo(self.network, self.state, flows, np.inf)
        return flows

    def _make(self, order: NDArray[np.intp]) -> int:
        most = self.steering.most_changes
        if self.few:
            close = order[:CLOSE]
            made = kernels.best_attempts(
                self.network, self.state, self.flows, self._slot, close, most, BATCH
            )
            self.go()
            return int(made)
        segments = self.steering.segments
        touched = 4 * segments.link.size // max(segments.nodes**2, 1) + 10
        step = max(PIECE // (40 * touched), 1)
        made = 0
        for begin in range(0, order.size, step):
            made += kernels.attempts(
                self.network,
                self.state,
                self.flows,
                self._gain,
                self._slot,
                order[begin : begin + step],
                most,
            )
            if not self.go():
                break
        return int(made)

    def _costs(self, price: Floats) -> tuple[Floats, Floats, Floats]:
        """What a unit pays on each segment, [from, to] and [to, from], inf where it must not go;
        and in each state, where flows bend. [states, nodes * nodes]"""
        segments, by_state = self.steering.segments, np.zeros((0, 0))
        if self.network.bends:
            by_state = costs_by_state(segments.fallback, price)
            cost = by_state.sum(axis=0).reshape(segments.nodes, segments.nodes)
        else:
            cost = segments.cost(price)
        cost[self.network.barred] = np.inf
        return cost, np.ascontiguousarray(cost.T), by_state

    def _mend(self) -> None:
        """Give flows whose midpoints break limits others, where there are any; flows that cannot
        go anywhere are left alone."""
        price = self.state.load_bps * self.scale + 1.0
        costs = self._costs(price * self.scale)
        good = repairs.mend(self.network, self.state, *costs, self.flows)
        self.flows = self.flows[good]
        self._gain, self._slot = self._gain[good], self._slot[good]


def network_of(steering: Steering) -> kernels.Network:
    """The arrays of a problem as kernels take them."""
    segments = steering.segments
    groups = steering.group if steering.group.size else np.full(steering.flow_count, -1, np.int32)
    limited = np.isfinite(steering.limit_s) | (groups >= 0)
    return kernels.Network(
        segments.nodes,
        segments.offset,
        segments.link,
        segments.share,
        steering.capacity_bps,
        steering.source,
        steering.target,
        steering.rate_bps,
        steering.start,
        segments.barred,
        segments.fallback.needed,
        segments.fallback,
        limited,
        steering.segment_delay_s,
        steering.limit_s,
        steering.shunned,
        groups,
    )


def state_of(steering: Steering) -> kernels.State:
    """The state at the start, with the load of what is fixed."""
    links = steering.capacity_bps.size
    return kernels.State(
        np.array(steering.start),
        np.array(steering.fixed_bps),
        np.zeros(links),
        np.array([1.0, 1.0]),
        np.zeros(1, np.int64),
        np.zeros(links),
        np.zeros(links, np.int8),
        np.zeros(links, np.int32),
    )
