"""Guided search: the model is asked, each lever moves what hurts, same seed same answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from nettwin.engines.theory import Theory
from nettwin.intent import Expectation, Intent, Lever, Objective
from nettwin.metrics import Metrics
from nettwin.optimize.model_guided.guided import guided
from nettwin.optimize.model_guided.levers import MOVES, MoveContext
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.search import Search
from nettwin.optimize.stop import Steps
from nettwin.scenario.changes import apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

DELAY = ((Objective("delay", reduce="mean"),),)


class Counted(Theory):
    """Queueing theory that counts the networks it is asked about."""

    asked = 0

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        Counted.asked += len(scenarios)
        return super().predict(scenarios)


def problem(lever: str, **parts: object) -> Problem:
    scenario = generate("gabriel", nodes=8, seed=2, load=0.95, classes="three", scheduler="wfq")
    model = Counted()
    return Problem(scenario, Intent(DELAY, levers=(Lever(lever, **parts),)), model)  # type: ignore[arg-type]


def found(asked: Problem, steps: int = 120, seed: int = 1) -> Search[Changes]:
    search: Search[Changes] = Search(Steps(steps))
    guided(asked, search, seed)
    return search


@pytest.mark.parametrize("lever", ["segments", "weights", "schedulers"])
def test_delays_that_only_a_model_knows_are_lowered(lever: str) -> None:
    asked = problem(lever)
    (today,) = asked.judge([()])
    Counted.asked = 0
    search = found(asked)
    assert search.answer
    assert Counted.asked >= search.steps > 1
    assert search.score < today.score
    (after,) = asked.judge([search.answer])
    assert after.score == pytest.approx(search.score, rel=1e-9)


def test_a_seed_gives_one_answer() -> None:
    one, other = (found(problem("weights"), 60, seed=3) for _ in range(2))
    assert one.score == other.score
    assert one.answer == other.answer


def test_what_is_perfect_is_left_alone() -> None:
    asked = problem("weights")
    met = Problem(asked.scenario, Intent((), (Expectation("delay", at_most=1e3),)), Theory())
    search = found(met)
    assert search.answer == () and search.steps <= 1


@pytest.mark.parametrize("lever", sorted(MOVES))
def test_every_lever_offers_moves_that_can_be_made(lever: str) -> None:
    asked = problem(lever)
    context = MoveContext(asked, (), asked.state(()), np.random.default_rng(0))
    moves = list(MOVES[lever](context))
    assert moves
    before = asked.scenario.fingerprint()
    for move in moves[:20]:
        assert move
        assert apply_all(asked.scenario, move).fingerprint() != before
