"""Delay bounds: what no packet that is delivered exceeds, of every flow and queue.

Bursts grow with the delay at the queues before, and delays with the bursts. In a network without
cycles the two are found from the first hop on; else as a fixed point. The map from delays to
delays is made of sums with positive weights, minima and maxima, and adds something everywhere: it
has one fixed point at most, and delays that it makes no larger are above what happens (Le Boudec
and Thiran, Network Calculus, 2001, section 6.4: until any time the true delays are finite and no
larger than what the map makes of them). So the map is followed down from infinity, and where that
stays infinite, a guess from below is proven by it, or there is no bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.calculus.arrival_curves import ArrivalCurves, arrival_curves
from nettwin.scenario.paths import Status
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
MAX_TURNS, AGREES = 200, 1e-6
TRIED = 10  # turns from one guess to the next
ROUNDED = 1e-9  # relative: more than rounding takes from a sum


class Bounds(NamedTuple):
    """Delays that no delivered packet exceeds, in s; inf where there is no bound."""

    flow_s: Floats  # [flows] one path, from the source to the target; NaN of a flow that is silent
    queue_s: Floats  # [queues] in the port, transmission included; 0 where nothing comes
    queue_rate_bps: Floats  # [queues] what comes at most in the long run


def delay_bounds(scenario: Scenario) -> Floats:
    """The worst-case one-way delay of each flow, by network calculus; exceeded by no packet that is
    delivered. [flows] s

    inf where there is none (no path; bursts or packets without limit, or overload, where no buffer
    limits them), NaN of a flow that sends nothing.
    """
    return bounds(scenario).flow_s


def bounds(scenario: Scenario) -> Bounds:
    """The bounds of all flows and queues."""
    return _Network(scenario).solved()


class _Network:
    """A scenario as the compiled loops want it."""

    def __init__(self, scenario: Scenario) -> None:
        from nettwin.calculus.port_bounds import POLICIES

        topology, paths = scenario.topology, scenario.paths
        self.scenario, self.paths = scenario, paths
        self.queues = topology.queues
        curves = arrival_curves(scenario.traffic)
        self.curves = curves._replace(
            rate_bps=np.where(paths.status == Status.OK, curves.rate_bps, 0.0)
        )
        schedulers = topology.schedulers
        policy = np.array([POLICIES[s.policy] for s in schedulers], np.int64)
        bucket = np.array([s.burst_bits or np.inf for s in schedulers], np.float64)
        self.policy = policy[topology.link_scheduler]
        self.bucket = bucket[topology.link_scheduler]
        self.least_s_per_bit = np.where(
            np.isinf(self.bucket), 1.0 / topology.link_capacity_bps, 0.0
        )
        self.largest, self.smallest = self._packets(self.curves)
        held = np.zeros(len(self.largest))
        packets = self.queues.buffer_packets
        np.multiply(packets, self.largest, out=held, where=(packets > 0) & (self.largest > 0))
        self.waits = np.minimum(self.queues.buffer_bits, held)

    def _packets(self, curves: ArrivalCurves) -> tuple[Floats, Floats]:
        """The largest and the smallest packet that come to each queue; 0 where none does."""
        count, paths = len(self.queues.link), self.paths
        flow, queue = paths.hop_flow, self.scenario.hop_queue
        sends = curves.rate_bps[flow] > 0
        flow, queue = flow[sends], queue[sends]
        largest, smallest = np.zeros(count), np.full(count, np.inf)
        np.maximum.at(largest, queue, curves.largest_bits[flow])
        np.minimum.at(smallest, queue, curves.smallest_bits[flow])
        return largest, np.where(largest > 0, smallest, 0.0)

    def _walked(self, delay: Floats) -> tuple[Floats, Floats, Floats]:
        from nettwin.calculus.walks import walk

        topology, paths, curves = self.scenario.topology, self.paths, self.curves
        rate, burst, late = walk(
            paths.flow_offset, paths.link_offset, paths.links, self.scenario.hop_queue,
            topology.link_source, topology.link_target, topology.link_delay_s,
            self.least_s_per_bit, curves.rate_bps, curves.burst_bits, curves.smallest_bits,
            topology.node_count, delay,
        )  # fmt: skip
        return rate, burst, late

    def _next(self, delay: Floats) -> Floats:
        """What queues take at most if they take at most `delay`."""
        from nettwin.calculus.port_bounds import port_bounds

        rate, burst, _ = self._walked(delay)
        q, capacity = self.queues, self.scenario.topology.link_capacity_bps
        found: Floats = port_bounds(
            q.offset, capacity, self.policy, self.bucket, q.weight, q.quantum_bits, self.largest,
            self.smallest, self.waits, rate * (1.0 - ROUNDED), burst,
        )  # fmt: skip
        return found

    def _down(self, delay: Floats) -> Floats:
        """Follow the map down from delays that are never exceeded."""
        for _ in range(MAX_TURNS):
            lower = np.minimum(self._next(delay), delay)
            kept = np.isinf(lower) | (delay <= lower * (1.0 + AGREES))
            if np.all(kept & (np.isinf(delay) == np.isinf(lower))):
                return lower
            delay = lower
        return delay

    def _proven(self, top: Floats) -> Floats:
        """Delays from below that the map proves, or `top`."""
        delay = np.zeros(len(top))
        for turn in range(1, MAX_TURNS + 1):
            higher = np.minimum(self._next(delay), top)
            if np.array_equal(np.isinf(higher), np.isinf(top)):
                return top  # what has no bound has none from below either
            if turn % TRIED == 0:
                guess = self._guess(delay, higher, top)
                if np.all(self._next(guess) <= guess):
                    return guess
            delay = higher
        guess = self._guess(delay, self._next(delay), top)
        for _ in range(MAX_TURNS):  # what grows on has no bound, nor has what it leads to
            wrong = self._next(guess) > guess
            if not wrong.any():
                return guess
            guess = np.where(wrong, top, guess)
        return top

    @staticmethod
    def _guess(delay: Floats, higher: Floats, top: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            ahead = higher + (TRIED * (higher - delay) + ROUNDED * higher)
        return np.minimum(np.where(np.isnan(ahead), np.inf, ahead), top)

    def solved(self) -> Bounds:
        """The bounds."""
        delay = self._down(np.full(len(self.queues.link), np.inf))
        if np.isinf(delay).any():
            delay = self._down(self._proven(delay))
        delay = delay * (1.0 + ROUNDED)
        rate, _, late = self._walked(delay)
        silent = self.scenario.traffic.flow_rate_bps <= 0
        flow = np.where(self.paths.status == Status.OK, late, np.inf)
        return Bounds(np.where(silent, np.nan, flow), delay, rate)
