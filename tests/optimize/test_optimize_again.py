"""Optimizing again after something happened: from the configuration of then, with few changes."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.intent import Expectation, Intent, Objective
from nettwin.optimize.optimize import optimize
from nettwin.optimize.problem import Problem
from nettwin.optimize.stop import Steps
from nettwin.scenario.changes import FailLink, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

STOP = Steps(1500)


def busiest(scenario: Scenario) -> float:
    return float(scenario.link_offered_load.max())


def differing(one: Scenario, other: Scenario) -> int:
    """How many flows are steered otherwise."""
    steer = one.routing.steer, other.routing.steer
    return sum(steer[0].get(f) != steer[1].get(f) for f in steer[0].keys() | steer[1].keys())


def test_after_a_failure_few_changes_come_near_what_many_do_from_scratch() -> None:
    plain = generate("gabriel", nodes=20, seed=4, load=1.3)
    first = optimize(Problem(plain, Intent()), "local_search", STOP, seed=1)
    today = apply_all(plain, first.changes)
    link = today.topology.link_name[int(np.argmax(today.link_offered_load))]
    failure = (FailLink(link.replace("->", "<->")),)
    now, bare = apply_all(today, failure), apply_all(plain, failure)

    scratch = optimize(Problem(bare, Intent()), "local_search", STOP, seed=1)
    work = differing(now, apply_all(bare, scratch.changes))
    few = optimize(Problem(now, Intent(most_changes=5)), "local_search", STOP, seed=1)
    mended = apply_all(now, few.changes)

    assert differing(now, mended) == len(few.changes) <= 5
    assert work > 5 * len(few.changes)
    assert few.bound is not None
    assert busiest(mended) <= 1.01 * few.bound < 0.9 * busiest(now)
    assert busiest(mended) <= 1.02 * scratch.after.objectives[0]


@pytest.mark.parametrize(("method", "steps"), [("local_search", 1500), ("linear", 80)])
def test_limits_are_kept_by_few_changes_where_few_are_wanted(method: str, steps: int) -> None:
    plain = generate("gabriel", nodes=20, seed=4, load=1.3)
    at_best = optimize(Problem(plain, Intent()), method, Steps(60), seed=1)
    assert at_best.bound is not None
    kept = (Expectation("utilization", at_most=1.05 * at_best.bound),)
    few = Intent(minimize=((Objective("changes"),),), expect=kept)
    plan = optimize(Problem(plain, few), method, Steps(steps), seed=1)
    assert plan.met
    assert len(plan.changes) <= 0.7 * len(at_best.changes)
