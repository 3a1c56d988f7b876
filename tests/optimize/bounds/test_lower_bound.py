"""Bounds: what can be counted by hand, what nothing is known of, and proofs that are true."""

from __future__ import annotations

import pytest

from nettwin.intent import Expectation, Intent, Lever, Objective, Survive
from nettwin.optimize.bounds.lower_bound import (
    Effort,
    anew_bound,
    choice_bound,
    lower_bound,
    proofs,
    single_flow_bound,
)
from nettwin.optimize.optimize import optimize
from nettwin.optimize.problem import Problem
from nettwin.optimize.stop import Steps
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

LOAD = ((Objective("offered_load"),),)
SEGMENTS = (Lever("segments", midpoints=1),)


def two_paths(*rates_bps: float) -> Scenario:
    """Flows from A to D over B or over C, each path of 10 Mbit/s; today all go over B."""
    links = [Link(a, b, 10e6, 1e-3, 1.0 + ("C" in a + b)) for a, b in ("AB", "BD", "AC", "CD")]
    topology = Topology.build("ABCD", links, duplex=True)
    flows = [Flow("A", "D", rate) for rate in rates_bps]
    return Scenario(topology, Traffic.build(topology, flows))


def test_demand_over_two_paths_is_halved() -> None:
    problem = Problem(two_paths(6e6, 6e6), Intent(LOAD, levers=SEGMENTS))
    assert anew_bound(problem) == pytest.approx(0.6, rel=1e-3)
    assert lower_bound(problem) == pytest.approx(0.6, rel=1e-3)


def test_a_flow_that_is_not_split_fills_one_path() -> None:
    """Split at will it would be 0.45; no midpoint splits it."""
    problem = Problem(two_paths(9e6), Intent(LOAD, levers=SEGMENTS))
    assert anew_bound(problem) == pytest.approx(0.45, rel=1e-3)
    assert single_flow_bound(problem, 1) == pytest.approx(0.9)


def test_one_choice_for_all_failures_is_bounded_higher_than_choices_anew() -> None:
    survive = Survive(("link",), minimize=(Objective("offered_load"),))
    problem = Problem(two_paths(4e6, 4e6), Intent((), survive=survive, levers=SEGMENTS))
    anew, one = anew_bound(problem), choice_bound(problem)
    assert anew == pytest.approx(0.8, rel=1e-3)  # a path has failed, the other takes all
    assert one >= anew * (1 - 1e-3)
    assert lower_bound(problem) == pytest.approx(max(anew, one), rel=1e-3)


@pytest.mark.parametrize(
    "intent",
    [
        Intent(((Objective("changes"),),), levers=SEGMENTS),
        Intent(((Objective("offered_load", reduce="mean"),),), levers=SEGMENTS),
        Intent(((Objective("offered_load"), Objective("changes")),), levers=SEGMENTS),
        Intent(LOAD, levers=(Lever("capacities"),)),
        Intent((), levers=SEGMENTS),
    ],
)
def test_what_no_flow_bounds_has_no_bound(intent: Intent) -> None:
    assert lower_bound(Problem(two_paths(6e6), intent)) is None


@pytest.mark.parametrize(("limit", "possible"), [(0.59, False), (0.61, True)])
def test_a_limit_is_refuted_where_no_routing_keeps_it(limit: float, possible: bool) -> None:
    wanted = Expectation("offered_load", at_most=limit)
    found = proofs(Problem(two_paths(6e6, 6e6), Intent(LOAD, (wanted,), levers=SEGMENTS)))
    assert (not found) == possible
    for words in found:
        assert "no routing can keep this" in words and "60.0 %" in words


def test_work_in_place_of_seconds_gives_one_answer_and_no_plan_is_below_it() -> None:
    scenario = generate("gabriel", nodes=12, seed=4, load=1.4)
    problem = Problem(scenario, Intent(LOAD, levers=SEGMENTS))
    few, more = (lower_bound(problem, Effort(work=work)) for work in (1e5, 1e7))
    assert few == lower_bound(problem, Effort(work=1e5))
    assert few is not None and more is not None and few <= more * (1 + 1e-9)
    plan = optimize(problem, "local_search", Steps(300), seed=1)
    assert more <= plan.after.objectives[0] * (1 + 1e-6)
