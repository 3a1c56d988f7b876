"""Kalman: demands step by step, each interval from those before it and its own counters.

What demands deviate from the prior persists with a time constant; what is faster than that comes
anew in each interval. The covariance of the state always is the stationary one less what counters
have told, S - S A' W A S with a matrix W of counters by counters: so steps cost no more than the
counters are many, however many the pairs (a dual form of Kalman 1960).
"""

from __future__ import annotations

import numpy as np

from nettwin.apps.demands.bayes import (
    Problem,
    Solution,
    learned_parts,
    noise_of,
    reconciled,
    spread_out,
    sum_of,
)

PERSISTENCE_S = 4 * 3600.0


def solve(problem: Problem) -> Solution:
    """Filter; the covariances are those that all intervals make likely."""
    equations = problem.equations
    matrix = equations.matrix
    mean, parts = learned_parts(problem)
    slow = sum_of([part.covariance for part in parts[1:]] or [parts[0].covariance])
    fast = parts[0].covariance if len(parts) > 1 else None
    slow_seen = slow.seen(matrix)
    fast_seen = fast.seen(matrix) if fast else np.zeros_like(slow_seen)
    noise = np.diag(noise_of(problem) + 1e-9 * np.trace(slow_seen) / len(slow_seen))
    count = len(slow_seen)
    state, told = np.zeros(count), np.zeros((count, count))
    pull, quick = np.zeros_like(equations.measured_bps), np.zeros_like(equations.measured_bps)
    interval = np.diff(equations.times_s, prepend=equations.times_s[0])
    for time, measured in enumerate(equations.measured_bps):
        keep = float(np.exp(-interval[time] / PERSISTENCE_S))
        state, told = keep * state, keep**2 * told
        known = np.flatnonzero(~np.isnan(measured))
        expected = slow_seen - slow_seen @ told @ slow_seen
        whole = (expected + fast_seen + noise)[np.ix_(known, known)]
        gap = measured[known] - (matrix @ mean[time])[known] - (slow_seen @ state)[known]
        left = np.eye(count)[:, known] - told @ slow_seen[:, known]
        gain = left @ np.linalg.inv(whole)
        state = state + gain @ gap
        told = told + gain @ left.T
        told = (told + told.T) / 2
        pull[time] = state
        quick[time, known] = np.linalg.solve(whole, gap)
    demand = mean + slow.spread(matrix, pull)
    variance = slow.left(matrix, told)
    if fast:
        demand = demand + fast.spread(matrix, quick)
        variance = variance + fast.left(matrix, parts[0].inverse)
    demand = reconciled(problem, demand)
    return Solution(demand, spread_out(demand, variance))
