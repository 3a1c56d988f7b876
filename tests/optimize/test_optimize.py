"""The whole: what a verifier refutes is learned from, and its time is not the search's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from nettwin.engines.theory import Theory
from nettwin.intent import Expectation, Intent, Lever, Selector
from nettwin.metrics import Metrics, Table
from nettwin.optimize.optimize import optimize
from nettwin.optimize.problem import Problem
from nettwin.optimize.search import Progress
from nettwin.optimize.stop import Cancel, Clock, Seconds, Steps
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from tests.work import Ticking

VOICE = Selector(traffic_class=("voice",))


class Doubter:
    """Theory whose delays are longer by a factor; it works for a while."""

    name = "doubter"

    def __init__(self, factor: float, work: Callable[[], object] = lambda: None) -> None:
        self._factor, self._work, self._theory = factor, work, Theory()

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        self._work()
        return [self._longer(metrics) for metrics in self._theory.predict(scenarios)]

    def unsupported(self, scenario: Scenario) -> list[str]:
        return []

    def _longer(self, metrics: Metrics) -> Metrics:
        columns = dict(metrics.flow.columns)
        columns["owd_p99_s"] = columns["owd_p99_s"] * self._factor
        return replace(metrics, flow=Table(columns))


class Refuter(Doubter):
    """Sees the first plan one percent over a limit, and others by the same factor."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(0.0)
        self._limit_s = limit_s

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        if self._factor == 0.0:
            traffic = scenarios[0].traffic
            voice = traffic.flow_class == traffic.class_index("voice")
            p99_s = self._theory.predict(scenarios)[0].flow.columns["owd_p99_s"]
            self._factor = 1.01 * self._limit_s / float(p99_s[voice].max())
        return super().predict(scenarios)


def problem(limit_s: float) -> Problem:
    scenario = generate("nsfnet", classes="three", scheduler="wfq", load=1.1, seed=3)
    expect = (Expectation("delay_p99", VOICE, at_most=limit_s),)
    return Problem(scenario, Intent(expect=expect, levers=(Lever("segments"),)), Theory())


def test_what_a_verifier_refutes_is_searched_again_with_stricter_limits() -> None:
    optimize(problem(0.0295), stop=Steps(20))  # machine code is made
    plan = optimize(problem(0.0295), stop=Seconds(5), verifier=Refuter(0.0295))
    assert plan.met
    assert plan.evidence[-1].engine == "doubter"
    assert len(plan.stages) > 1


def test_a_routing_that_breaks_a_limit_is_mended_not_thrown_away() -> None:
    by_load = optimize(Problem(problem(1.0).scenario, Intent()), stop=Seconds(2))
    asked = problem(0.0305)
    assert not asked.judge([by_load.changes])[0].met
    plan = optimize(asked, stop=Seconds(3))
    assert plan.met
    assert plan.after.objectives[0] < 1.05 * by_load.after.objectives[0]


def test_verifying_is_not_searching() -> None:
    clock = Ticking(step_s=1e-3)

    def work() -> None:
        clock.now_s += 1000.0

    verifier = Doubter(1.0, work)
    plan = optimize(problem(0.034), stop=Seconds(1), verifier=verifier, clock=Clock(clock))
    assert plan.evidence[-1].engine == "doubter"
    assert plan.seconds < 10.0 < 1000.0 <= clock.now_s


def test_a_clock_that_is_held_stands_still() -> None:
    now = [10.0]
    clock = Clock(lambda: now[0])
    now[0] = 12.0
    with clock.held():
        now[0] = 20.0
    now[0] = 21.0
    assert clock.seconds == 3.0


@pytest.mark.parametrize("limited", [False, True])
def test_who_watches_hears_of_the_objective_or_of_what_else_the_values_are(limited: bool) -> None:
    scenario = generate("nsfnet", load=1.2, seed=2)
    limit = Expectation("utilization", Selector(node=("Boulder",)), at_most=0.3)
    intent = Intent(expect=(limit,) if limited else ())
    told: list[Progress] = []
    asked = Problem(scenario, intent)
    plan = optimize(asked, "local_search", Steps(400), seed=1, tell=told.append)
    of_loads = [progress for progress in told if progress.of]
    objective = [progress.standing.best for progress in told if not progress.of]
    assert bool(of_loads) == limited
    for best, later in pairwise(objective):
        assert later <= 1.0002 * best  # what is left out of a plan may cost as much
    assert min(objective) == pytest.approx(plan.after.objectives[0], rel=2e-4)


def test_an_intent_that_stays_unmet_tells_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How far the violation fell, or that nothing lowered it; and whether it was stopped."""
    import nettwin.optimize.optimize as module

    monkeypatch.setattr(module, "proofs", lambda *_: [])  # nothing is proven impossible
    scenario = generate("nsfnet", load=1.0, seed=2)
    intent = Intent(expect=(Expectation("utilization", at_most=0.65),))
    plan = optimize(Problem(scenario, intent), "local_search", Steps(300), seed=1)
    (reason,) = plan.reasons
    assert plan.after.violation < plan.before.violation
    fell = f"from {plan.before.violation:.3g} to {plan.after.violation:.3g}"
    assert fell in reason and "ended after" in reason
    cancel = Cancel()
    cancel.cancel()
    plan = optimize(Problem(scenario, intent), "local_search", cancel, seed=1)
    (reason,) = plan.reasons
    assert plan.after.violation == plan.before.violation
    assert "was stopped after" in reason and "no changes with less" in reason
