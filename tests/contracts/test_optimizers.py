"""Every registered optimizer keeps the contract, which nothing keeps by doing nothing."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from nettwin.optimize.methods import OPTIMIZERS, Method
from nettwin.optimize.stop import Steps
from nettwin.testing import OptimizerContract

MODULES = {"constraint": "ortools"}
# steps that are rounds of a program, where those of others are single moves
ROUNDS = {"linear": 12, "constraint": 30}
PATH_ROUNDS = {"linear": 12, "auto": 12, "constraint": 20}  # over explicit paths
OF_MOVES = (
    "weights",
    "schedulers",
    "capacities",
    "rates",
    "planning",
)  # programs have no part here
ONE_MIDPOINT = {"reinforcement"}  # give a flow no more, whatever is allowed


class TestOptimizers(OptimizerContract):
    @pytest.fixture(params=sorted(OPTIMIZERS))
    def method(self, request: pytest.FixtureRequest) -> str:
        """Every optimizer that is installed."""
        name = str(request.param)
        if name in MODULES and find_spec(MODULES[name]) is None:
            pytest.skip(f"needs {MODULES[name]}")
        return name

    def steps(self, method: str, kind: str, usual: int) -> Steps:
        if kind in OF_MOVES:
            return Steps(usual)
        rounds = PATH_ROUNDS if kind == "paths" else ROUNDS
        return Steps(rounds.get(method, usual))

    def most_midpoints(self, method: str) -> int:
        return 1 if method in ONE_MIDPOINT else 2


def nothing(problem: Any, search: Any, seed: int = 0) -> None:
    """An optimizer that offers nothing."""


@pytest.mark.parametrize("kind", ["loads", "failures", "weights", "paths", "all routing"])
def test_nothing_keeps_the_contract_by_doing_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = f"{__name__}:nothing"
    monkeypatch.setitem(OPTIMIZERS, "idle", Method("idle", "-", place, place, place))
    with pytest.raises(AssertionError):
        OptimizerContract().test_finds_something_better_and_the_plan_replays("idle", kind)
