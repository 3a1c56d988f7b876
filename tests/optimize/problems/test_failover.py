"""What failures do to steered flows: the arrays of a search say what the judgement says."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.intent import Expectation, Intent, Lever, Objective, Survive
from nettwin.intent.intent import Survivable
from nettwin.optimize.bounds.lower_bound import anew_bound, lower_bound
from nettwin.optimize.methods import OPTIMIZERS
from nettwin.optimize.optimize import optimize
from nettwin.optimize.problem import Problem
from nettwin.optimize.problems.failover import (
    activation_cost,
    activation_cost_over,
    costs_by_state,
    path_entries,
)
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.optimize.problems.segment_routing_builder import segment_routing_problem, steered
from nettwin.optimize.solvers.linear.generate import Generation
from nettwin.optimize.solvers.linear.generate import generate as generate_ways
from nettwin.optimize.solvers.linear.segment_columns import SegmentColumns
from nettwin.optimize.solvers.linear.segment_lp import segment_lp
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment
from nettwin.optimize.stop import Steps
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

KINDS: tuple[Survivable, ...] = ("link", "node", "srlg")
ONE = Lever("segments", midpoints=1)


def network(seed: int, nodes: int = 9) -> Scenario:
    """A sparse network with groups of lines and nodes that share a risk; some failures cut it."""
    scenario = generate("gabriel", nodes=nodes, seed=seed, load=1.3)
    topology = scenario.topology
    drawn = np.random.default_rng(seed)
    at_node = [("site",) if drawn.random() < 0.2 else () for _ in range(nodes)]
    at_link = [("duct",) if drawn.random() < 0.2 else () for _ in range(topology.link_count)]
    at_link[0], at_node[0] = ("duct",), ("site",)
    return scenario.with_(topology=replace(topology, node_srlg=at_node, link_srlg=at_link))


def problem(seed: int, kinds: tuple[Survivable, ...]) -> Problem:
    """The worst of all failures is to be low."""
    survive = Survive(kinds, minimize=(Objective("utilization"),))
    return Problem(network(seed), Intent((), survive=survive, levers=(ONE,)))


def drawn(segment_problem: SegmentRoutingProblem, seed: int, share: float = 0.6) -> np.ndarray:
    """Midpoints of some flows, up to as many as there may be. [flows, most_midpoints]"""
    random = np.random.default_rng(seed)
    midpoints = np.full(segment_problem.start.shape, NONE, np.int32)
    for f in np.flatnonzero(random.random(segment_problem.flow_count) < share).tolist():
        ends = [segment_problem.source[f], segment_problem.target[f]]
        others = np.setdiff1d(np.arange(segment_problem.segments.nodes), ends)
        many = int(random.integers(1, segment_problem.most_midpoints + 1))
        midpoints[f, :many] = random.choice(others, many, replace=False)
    return midpoints


@given(seed=st.integers(0, 500), kinds=st.sets(st.sampled_from(KINDS), min_size=1))
@settings(max_examples=25, deadline=None)
def test_a_search_sees_what_is_judged(seed: int, kinds: set[Survivable]) -> None:
    asked = problem(seed, tuple(sorted(kinds)))
    segment_problem = segment_routing_problem(asked, asked.scenario, most_midpoints=2)
    midpoints = drawn(segment_problem, seed)
    changes = steered(asked.scenario, segment_problem, midpoints)
    judged = asked.judge([changes])[0].objectives[0]
    links = segment_problem.segments.links
    after = (segment_problem.loads(midpoints) / segment_problem.capacity_bps)[links:]
    assert after.max() == pytest.approx(judged, rel=1e-5)


@given(seed=st.integers(0, 500), most=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_prices_of_ways_are_those_of_their_links(seed: int, most: int) -> None:
    asked = problem(seed, ("link", "node"))
    segment_problem = segment_routing_problem(asked, asked.scenario, most)
    segments = segment_problem.segments
    price = np.random.default_rng(seed).random(len(segment_problem.capacity_bps))
    table = segments.cost(price)
    by_state = costs_by_state(segments.failover, price)
    for f, row in enumerate(drawn(segment_problem, seed, 0.3)):
        ends = int(segment_problem.source[f]), int(segment_problem.target[f])
        link, share = path_entries(segments.failover, ends[0], row, ends[1])
        stops = [ends[0], *row[row != NONE].tolist(), ends[1]]
        paid = sum(table[a, b] for a, b in pairwise(stops))
        paid += activation_cost(segments.failover, by_state, ends[0], row, ends[1])
        assert paid == pytest.approx(price[link] @ share, rel=1e-6, abs=1e-9)
        if len(stops) == 3:
            over = activation_cost_over(segments.failover, by_state, ends[0], stops[1], ends[1])
            assert table[stops[0], stops[1]] + table[stops[1], stops[2]] + over == pytest.approx(
                paid, abs=1e-9
            )


STEERS = [m for m in OPTIMIZERS.values() if m.steer]


@pytest.mark.parametrize("method", [m.name for m in STEERS])
def test_every_method_steers_with_failures_of_nodes_and_groups(method: str) -> None:
    if method == "constraint" and find_spec("ortools") is None:
        pytest.skip("needs ortools")
    for kinds in (("node",), ("link", "srlg")):
        asked = problem(8, kinds)  # type: ignore[arg-type]
        plan = optimize(asked, method, Steps(12 if method == "linear" else 300), seed=1)
        before, after = asked.before.objectives[0], plan.after.objectives[0]
        assert after < 0.98 * before, f"{method}, {kinds}: {before:.3f} -> {after:.3f}"


@pytest.mark.parametrize("kinds", [("node",), ("link", "node", "srlg")])
def test_column_generation_meets_its_bound(kinds: tuple[Survivable, ...]) -> None:
    asked = problem(8, kinds)
    segment_problem = segment_routing_problem(asked, asked.scenario, 1)
    generation = Generation(SegmentColumns(segment_problem))
    assert generate_ways(generation)
    assert generation.bound == pytest.approx(generation.value, rel=1e-5)
    assert generation.value < segment_problem.utilization(segment_problem.start)
    for seed in range(20):
        assert segment_problem.utilization(drawn(segment_problem, seed)) >= generation.bound


def test_the_environment_of_agents_keeps_exact_loads() -> None:
    asked = problem(4, ("node", "srlg"))
    segment_problem = segment_routing_problem(asked, asked.scenario, 1)
    environment = MidpointEnvironment(segment_problem)
    random, taken = np.random.default_rng(0), 0
    while not environment.over and taken < 60:
        environment.take(int(random.choice(np.flatnonzero(environment.mask()))))
        taken += 1
    expected = segment_problem.loads(environment.midpoints)
    np.testing.assert_allclose(environment.load, expected, rtol=1e-9, atol=1.0)


@pytest.mark.parametrize("kinds", [("link",), ("node",)])
def test_the_bound_of_one_choice_is_kept_and_the_higher_one(kinds: tuple[Survivable, ...]) -> None:
    asked = problem(8, kinds)
    anew, bound = anew_bound(asked), lower_bound(asked)
    assert anew is not None and bound is not None
    assert bound >= anew * (1 - 1e-9)
    split = segment_lp(segment_routing_problem(asked, asked.scenario), 1)
    assert split.exact and bound == pytest.approx(split.reached, rel=1e-4)
    plan = optimize(asked, "local_search", Steps(1000), seed=1)
    assert bound <= plan.after.objectives[0] * (1 + 1e-6)


def test_limits_leave_the_bound_to_what_any_answer_keeps() -> None:
    plain = problem(8, ("link",))
    tight = Expectation("utilization", at_most=0.01)
    limited = Problem(plain.scenario, replace(plain.intent, expect=(tight,)))
    anew = anew_bound(plain)
    assert lower_bound(limited) == pytest.approx(anew, rel=1e-3)
