"""What every registered optimizer must keep, on problems of every kind."""

from __future__ import annotations

import json
import time
from importlib.util import find_spec

import numpy as np
import pytest

from nettwin.engines.theory import Theory
from nettwin.intent import Avoid, Expectation, Intent, Lever, Objective, Selector, Survive
from nettwin.model import NetworkModel
from nettwin.optimize.methods import OPTIMIZERS
from nettwin.optimize.optimize import optimize
from nettwin.optimize.problem import Problem
from nettwin.optimize.stop import Cancel, Seconds, Steps
from nettwin.plan import plan_from_dict, plan_to_dict
from nettwin.scenario.changes import apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

MODULES = {"constraint": "ortools"}
# steps that are rounds of a program, where those of others are single moves
ROUNDS = {"linear": 12, "constraint": 30}
PATH_ROUNDS = {"linear": 12, "auto": 12, "constraint": 20}  # over explicit paths
ONE_MIDPOINT = {"reinforcement"}  # give a flow no more, whatever is allowed
LATE_S = 0.2
VOICE = Selector(traffic_class=("voice",))
INTENTS = {
    "loads": Intent(),
    "limits": Intent(
        expect=(Expectation("utilization", Selector(node=("Boulder",)), at_most=0.3),),
    ),
    "failures": Intent(
        minimize=(), survive=Survive(minimize=(Objective("utilization"),)), most_changes=20
    ),
    "weights": Intent(levers=(Lever("weights"),)),
    "paths": Intent(levers=(Lever("paths"),)),
    "all routing": Intent(levers=(Lever("segments"), Lever("paths"), Lever("weights"))),
    "delays": Intent(
        minimize=((Objective("delay_p99", VOICE, "max"),), (Objective("utilization"),)),
        levers=(Lever("segments"), Lever("schedulers"), Lever("paths")),
    ),
    "planning": Intent(
        minimize=((Objective("cost"),),),
        expect=(Expectation("utilization", at_most=0.7),),
        levers=(Lever("capacities", step_bps=15e6), Lever("rates", VOICE)),
    ),
}


def network(kind: str) -> Scenario:
    """A small network that is loaded beyond what is good."""
    if kind in ("delays", "planning"):
        return generate("nsfnet", classes="three", scheduler="wfq", load=1.1, seed=3)
    return generate("nsfnet", load=1.2, seed=2)


def steps(method: str, kind: str, usual: int) -> Steps:
    """So many steps that a method has a good answer."""
    rounds = PATH_ROUNDS if kind == "paths" else ROUNDS
    return Steps(rounds.get(method, usual))


def model(kind: str) -> NetworkModel | None:
    """Theory, where delays are asked about."""
    return Theory() if INTENTS[kind].predicted else None


def problem(kind: str) -> Problem:
    """One of the problems."""
    return Problem(network(kind), INTENTS[kind], model(kind))


@pytest.fixture(params=sorted(OPTIMIZERS))
def method(request: pytest.FixtureRequest) -> str:
    """Every optimizer that is installed."""
    name = str(request.param)
    if name in MODULES and find_spec(MODULES[name]) is None:
        pytest.skip(f"needs {MODULES[name]}")
    return name


@pytest.mark.parametrize("kind", sorted(INTENTS))
def test_never_worse_than_doing_nothing_and_the_plan_replays(method: str, kind: str) -> None:
    asked = problem(kind)
    plan = optimize(asked, method, steps(method, kind, 300), seed=4)
    assert plan.after.score <= asked.before.score
    again = plan_from_dict(json.loads(json.dumps(plan_to_dict(plan), allow_nan=False)))
    assert again.changes == plan.changes
    fresh = problem(kind)
    replayed = fresh.judge([again.changes])[0]
    np.testing.assert_allclose(replayed.score, plan.after.score, rtol=1e-9)
    levers = {lever.kind for lever in INTENTS[kind].levers}
    allowed = {
        "segments": "set_path",
        "paths": "set_path",
        "weights": "set_weight",
        "schedulers": "set_scheduler",
        "capacities": "set_capacity",
        "rates": "rate_limit",
    }
    assert {change.kind for change in plan.changes} <= {allowed[lever] for lever in levers}
    if plan.bound is not None:
        assert plan.after.objectives[0] >= plan.bound * (1 - 1e-9)


@pytest.mark.parametrize("kind", ["loads", "failures", "delays", "paths"])
def test_same_seed_same_plan(method: str, kind: str) -> None:
    some = steps(method, kind, 200)
    plans = [optimize(problem(kind), method, some, seed=7) for _ in range(2)]
    assert plans[0].changes == plans[1].changes
    assert plans[0].after.score == plans[1].after.score


@pytest.mark.parametrize("kind", ["loads", "failures", "delays", "paths"])
def test_ends_on_time(method: str, kind: str) -> None:
    asked = problem(kind)
    optimize(asked, method, steps(method, kind, 50))  # machine code is made
    spent = []
    for _ in range(3):  # the best of three: other programs may take the processor
        begin = time.perf_counter()
        optimize(asked, method, Seconds(0.7))
        spent.append(time.perf_counter() - begin)
        if spent[-1] <= 0.7 + LATE_S:
            return
    pytest.fail(f"asked for 0.7 s, took {min(spent):.2f} s at best")


def test_a_stage_of_explicit_paths_comes_near_the_bound_and_single_moves_do_not(
    method: str,
) -> None:
    asked = Problem(generate("gabriel", nodes=18, load=1.5, seed=3), INTENTS["paths"])
    plan = optimize(asked, method, steps(method, "paths", 300), seed=1)
    assert plan.bound is not None
    value = plan.after.objectives[0]
    if OPTIMIZERS[method].path:
        assert value <= 1.01 * plan.bound
    else:
        assert 1.1 * plan.bound < value < asked.before.objectives[0]


def detour() -> Scenario:
    """Two flows from A to B; the way around the link between them leads over C and D, and only
    whoever names both takes it."""
    ends = {"AB": 1.0, "AC": 10.0, "CD": 10.0, "DB": 10.0}
    links = [Link(*pair, capacity_bps=1e9, weight=weight) for pair, weight in ends.items()]
    topology = Topology.build("ABCD", links, duplex=True)
    flows = [Flow("A", "B", 4e8, name) for name in ("voice", "data")]
    return Scenario(topology, Traffic.build(topology, flows))


@pytest.mark.parametrize("midpoints", [1, 2])
def test_as_many_midpoints_as_the_lever_says(method: str, midpoints: int) -> None:
    intent = Intent(levers=(Lever("segments", midpoints=midpoints),))
    plan = optimize(Problem(detour(), intent), method, Steps(ROUNDS.get(method, 300)), seed=1)
    least = 0.4 if midpoints > 1 and method not in ONE_MIDPOINT else 0.8
    assert plan.after.objectives[0] == pytest.approx(least)


def test_cancelled_before_it_begins_returns_what_there_is(method: str) -> None:
    cancel = Cancel()
    cancel.cancel()
    asked = problem("loads")
    plan = optimize(asked, method, cancel | Seconds(60))
    assert plan.after.score <= asked.before.score


def test_keeps_to_few_changes_and_avoids(method: str) -> None:
    scenario = network("loads")
    away = Avoid(Selector(source=("Seattle",)), Selector(node=("Boulder",)))
    chosen = Selector(source=("Seattle", "Palo Alto", "San Diego"))
    intent = Intent(avoid=(away,), most_changes=6, levers=(Lever("segments", chosen),))
    plan = optimize(Problem(scenario, intent), method, Steps(ROUNDS.get(method, 300)), seed=1)
    assert len(plan.changes) <= 6
    touched = {change.flow for change in plan.changes}  # type: ignore[attr-defined]
    mine = chosen.select(scenario, "flow")
    assert touched <= {scenario.flow_names[f] for f in np.flatnonzero(mine)}
    assert plan.after.violation <= Problem(scenario, intent).before.violation
    assert not apply_all(scenario, plan.changes).routing_problems()
