"""Moves: rounds of moves of flows over SR midpoints, in pieces short enough to stop in time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.params import LocalSearchParams
from nettwin.optimize.problems.failover import costs_by_state
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.local_search import kernels, repairs

PIECE = 4_000_000  # elementary operations between two looks at the clock, some milliseconds

Floats = NDArray[np.float64]
Go = Callable[[], bool]  # counts a step; whether to go on


class Moves:
    """The midpoints of now and what can be done to them.

    Methods return True where they made a move. They ask `go` between pieces and end where it
    says so; what was moved until then stays moved, loads and midpoints in agreement.
    """

    def __init__(
        self,
        segment_problem: SegmentRoutingProblem,
        go: Go,
        random: np.random.Generator,
        params: LocalSearchParams | None = None,
    ) -> None:
        self.segment_problem, self.go, self.random = segment_problem, go, random
        self.params = params or LocalSearchParams()
        self.network = network_of(segment_problem)
        self.state = state_of(segment_problem)
        self.few = 0 <= segment_problem.most_changes < segment_problem.flow_count
        self.scale = 1.0 / segment_problem.capacity_bps
        flows = (
            segment_problem.movable
            & (segment_problem.rate_bps > 0)
            & (segment_problem.source != segment_problem.target)
        )
        self.flows = np.flatnonzero(flows)
        kernels.load(self.network, self.state)
        self._mend()
        self._chance = (
            segment_problem.rate_bps[self.flows] / segment_problem.rate_bps[self.flows].sum()
        )

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
        self.state.changed[0] = (midpoints != self.segment_problem.start).any(axis=1).sum()
        self.state.load_bps[:] = self.segment_problem.fixed_bps
        kernels.load(self.network, self.state)

    def round(
        self,
        steepness: float,
        noise: NDArray[np.float64] | float = 1.0,
        held: NDArray[Any] | None = None,
    ) -> tuple[int, int]:
        """Suggest the cheapest move of every flow that pays much, and make those that help; some
        flows after others, each at the prices of then.

        `noise` [links] multiplies prices; flows `held` do not move. Returns how many moves were
        suggested and made.
        """
        costs = self._prices(steepness, noise)
        flows, activation_price = self._paying(costs, held)
        suggested = made = 0
        step = self._at_once or max(flows.size, 1)
        for begin in range(0, flows.size, step):
            if begin:
                costs = self._prices(steepness, noise)
            part = slice(begin, begin + step)
            some, helped, more = self._moved(costs, flows[part], activation_price[part])
            suggested += some
            made += helped
            if not more:
                break
        return suggested, made

    def kick(self, count: int) -> NDArray[np.intp]:
        """Move flows drawn by their rate to others of their cheap paths; returns the flows. Where
        changes are few, undo so many first."""
        released = self._release(count) if self.few else self.flows[:0]
        kernels.gauge(self.network, self.state, self.params.kicking)
        costs = self._costs((self.state.pressure + 1e-9) * self.scale)
        number = int(self.random.integers(0, 2)) if self.few else count
        flows = self.random.choice(self.flows, number, p=self._chance)
        most = self.segment_problem.most_changes
        repairs.kick(self.network, self.state, *costs, flows, most, self.random)
        return np.concatenate([released, flows])

    def _release(self, count: int) -> NDArray[np.intp]:
        """Undo what is not needed and some changes more, so that others become possible."""
        changed = np.flatnonzero((self.state.midpoints != self.segment_problem.start).any(axis=1))
        changed = changed[np.argsort(self.segment_problem.rate_bps[changed], kind="stable")]
        repairs.undo(self.network, self.state, changed, self.top)
        changed = np.flatnonzero((self.state.midpoints != self.segment_problem.start).any(axis=1))
        flows = self.random.permutation(changed)[:count]
        repairs.undo(self.network, self.state, flows, np.inf)
        return flows

    @cached_property
    def _at_once(self) -> int:
        """For how many flows prices are made once, so that making them takes no longer than looking
        at the flows; 0: for all, where prices are dear or few changes must be the best of all."""
        if self.few or self.network.activates:
            return 0
        segments = self.segment_problem.segments
        return max(segments.link.size // max(segments.nodes, 1), self.params.least_flows)

    def _prices(self, steepness: float, noise: Floats | float) -> tuple[Floats, Floats, Floats]:
        """What segments cost at the prices of now; see `_costs`."""
        kernels.gauge(self.network, self.state, steepness)
        price = self.state.pressure * self.scale
        return self._costs((price + 1e-9 * self.scale) * noise)

    def _paying(
        self, costs: tuple[Floats, Floats, Floats], held: NDArray[Any] | None
    ) -> tuple[NDArray[np.intp], Floats]:
        """The flows that pay much, in an order of chance where that matters, and what failover
        adds to what a unit of each pays."""
        paid, activation_price = np.zeros(self.flows.size), np.zeros(self.flows.size)
        cost, _, by_state = costs
        kernels.pays(self.network, self.state, cost, by_state, self.flows, paid, activation_price)
        if held is not None:
            paid[np.isin(self.flows, held)] = 0.0
        chosen = np.flatnonzero(paid > 1e-7 * float(self.state.pressure.sum()))
        if chosen.size > self.params.many:
            chosen = chosen[np.argsort(-paid[chosen], kind="stable")]
            sums = np.cumsum(paid[chosen])
            enough = int(np.searchsorted(sums, self.params.worth_share * sums[-1])) + 1
            chosen = chosen[: max(enough, self.params.many)]
        if self._at_once:
            chosen = self.random.permutation(chosen)
        return self.flows[chosen], activation_price[chosen]

    def _moved(
        self,
        costs: tuple[Floats, Floats, Floats],
        flows: NDArray[np.intp],
        activation_price: Floats,
    ) -> tuple[int, int, bool]:
        """Move some flows at the same prices: moves suggested, moves made, whether to go on."""
        gain, slot = np.zeros(flows.size), np.zeros((flows.size, 3), np.int32)
        step = max(PIECE // (4 * self.segment_problem.segments.nodes), 1)
        for begin in range(0, flows.size, step):
            part = slice(begin, begin + step)
            kernels.sweep(
                self.network,
                self.state,
                *costs,
                flows[part],
                activation_price[part],
                gain[part],
                slot[part],
            )
            if not self.go():
                break
        count = int(np.count_nonzero(gain))
        order = np.argsort(-gain, kind="stable")[:count]
        return count, *self._make(flows, gain, slot, order)

    def _make(
        self, flows: NDArray[np.intp], gain: Floats, slot: NDArray[np.int32], order: NDArray[Any]
    ) -> tuple[int, bool]:
        most = self.segment_problem.most_changes
        if self.few:
            close, batch = order[: self.params.close], self.params.batch
            made = kernels.best_attempts(self.network, self.state, flows, slot, close, most, batch)
            return int(made), self.go()
        segments = self.segment_problem.segments
        touched = 4 * segments.link.size // max(segments.nodes**2, 1) + 10
        step = max(PIECE // (40 * touched), 1)
        made, more = 0, True
        for begin in range(0, order.size, step):
            part = order[begin : begin + step]
            made += kernels.attempts(self.network, self.state, flows, gain, slot, part, most)
            more = self.go()
            if not more:
                break
        return int(made), more

    def _costs(self, price: Floats) -> tuple[Floats, Floats, Floats]:
        """What a unit pays on each segment, [from, to] and [to, from], inf where it must not go;
        and in each state, where failures break segments. [states, nodes * nodes]"""
        segments, by_state = self.segment_problem.segments, np.zeros((0, 0))
        if self.network.activates:
            by_state = costs_by_state(segments.failover, price)
            cost = by_state.sum(axis=0).reshape(segments.nodes, segments.nodes)
        else:
            cost = segments.cost(price)
        cost[self.network.limits.unreachable] = np.inf
        return cost, np.ascontiguousarray(cost.T), by_state

    def _mend(self) -> None:
        """Give flows whose midpoints break limits others, where there are any; flows that cannot
        go anywhere are left alone."""
        price = self.state.load_bps * self.scale + 1.0
        costs = self._costs(price * self.scale)
        good = np.ones(self.flows.size, np.bool_)
        repairs.mend(self.network, self.state, *costs, self.flows, good)
        self.flows = self.flows[good]


def network_of(segment_problem: SegmentRoutingProblem) -> kernels.Network:
    """The arrays of a problem as kernels take them."""
    segments = segment_problem.segments
    return kernels.Network(
        segments.nodes,
        segments.offset,
        segments.link,
        segments.share,
        segment_problem.capacity_bps,
        segment_problem.source,
        segment_problem.target,
        segment_problem.rate_bps,
        segment_problem.start,
        segments.failover.needed,
        segments.failover,
        segment_problem.limits,
    )


def state_of(segment_problem: SegmentRoutingProblem) -> kernels.State:
    """The state at the start, with the load of what is fixed."""
    links = segment_problem.capacity_bps.size
    return kernels.State(
        np.array(segment_problem.start),
        np.array(segment_problem.fixed_bps),
        np.zeros(links),
        np.array([1.0, 1.0]),
        np.zeros(1, np.int64),
        np.zeros(links),
        np.zeros(links, np.int8),
        np.zeros(links, np.int32),
        np.zeros(segment_problem.most_midpoints, np.int32),
    )
