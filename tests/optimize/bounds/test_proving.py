"""Proving: nothing is kept of a search without a clock, and nothing false is told."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nettwin.optimize.bounds.proving import bound_at_once, bound_by_flow, share
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.stop import Clock, Seconds, Steps
from nettwin.scenario.scenario import Scenario
from tests.optimize.solvers.local_search.problems import scenario_of, segment_routing_problem


def small(seed: int) -> SegmentRoutingProblem:
    """Five nodes, of whose flows three matter, so that every answer can be tried."""
    scenario: Scenario = scenario_of(seed, nodes=5)
    rates = scenario.traffic.flow_rate_bps.copy()
    rates[np.argsort(rates)[:-3]] = 0.0
    traffic = scenario.traffic.with_arrays(flow_rate_bps=rates)
    return segment_routing_problem(scenario.with_(traffic=traffic))


def best_of_all(problem: SegmentRoutingProblem) -> float:
    """The lowest of the highest utilizations over all choices of a midpoint for each flow."""
    matters = np.flatnonzero(problem.rate_bps)
    best = np.inf
    for chosen in product([NONE, *range(5)], repeat=len(matters)):
        midpoints = problem.start.copy()
        midpoints[matters, 0] = chosen
        ends = zip(problem.source[matters], problem.target[matters], chosen, strict=True)
        if any(m in (s, t) for s, t, m in ends):
            continue
        best = min(best, problem.utilization(midpoints))
    return best


@pytest.mark.parametrize("seed", range(4))
def test_no_bound_is_above_the_best_of_all_answers(seed: int) -> None:
    problem = small(seed)
    best = best_of_all(problem)
    at_once: Search[np.ndarray] = Search(Steps(10))
    bound_at_once(problem, at_once)
    by_flow: Search[np.ndarray] = Search(Steps(10))
    bound_by_flow(problem, by_flow, None)
    for search in (at_once, by_flow):
        assert 0 < search.bound <= best * (1 + 1e-9)


def test_time_is_kept_for_a_proof_only_where_a_clock_ends_the_search() -> None:
    problem = small(0)
    assert share(problem, Search(Steps(10))) == 0.0
    timed: Search[np.ndarray] = Search(Seconds(100.0), clock=Clock(lambda: 0.0))
    assert share(problem, timed) == timed.params.budget.last_proof_share
    hurried: Search[np.ndarray] = Search(Seconds(1e-3), clock=Clock(lambda: 0.0))
    assert share(problem, hurried) == 0.0


def test_a_proof_ends_with_the_time_that_it_is_given() -> None:
    ticks = iter(range(10**6))
    search: Search[np.ndarray] = Search(Seconds(1e9), clock=Clock(lambda: float(next(ticks))))
    bound_by_flow(small(1), search, None, seconds=30.0)
    assert next(ticks) < 100
    assert search.bound > 0
