"""The shipped agents as optimizers: never worse, exact, on time, the same again, without torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nettwin import formats
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.reinforcement import agent, weight_agent
from nettwin.optimize.solvers.reinforcement.agent_file import used_agent
from nettwin.optimize.stop import Clock, Seconds, Steps
from tests.optimize.solvers.reinforcement.instances import (
    segment_problem,
    segment_routing_problem,
    weight_problem,
    with_failures,
)
from tests.work import LOOKS, Ticking

# not trained on: nothing of this set is
STRANGE = ("Abilene", "Geant2012", "HurricaneElectric", "Xeex", "Switch")


def test_midpoints_are_better_than_none_and_as_good_as_said() -> None:
    gains = []
    for seed in range(11, 18):  # where one link must carry all of a demand nothing can be gained
        problem = segment_problem(seed, 16, 24)
        search: Search[np.ndarray] = Search(Steps(400))
        agent(problem, search)
        assert search.answer is not None
        assert search.value == pytest.approx(problem.utilization(search.answer), rel=1e-6)
        gains.append(problem.utilization(problem.start) / search.value)
    assert min(gains) >= 1
    assert np.median(gains) > 1.1


def test_failures_are_looked_at_as_well() -> None:
    problem = with_failures(14, 4)
    search: Search[np.ndarray] = Search(Steps(400))
    agent(problem, search)
    assert search.answer is not None
    assert search.value == pytest.approx(problem.utilization(search.answer), rel=1e-6)
    assert search.value <= problem.utilization(problem.start)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_weights_are_better_than_today_and_as_good_as_said(seed: int) -> None:
    problem = weight_problem(seed, 12, 20)
    search: Search[np.ndarray] = Search(Steps(100))
    weight_agent(problem, search)
    assert search.answer is not None
    assert search.value == pytest.approx(problem.utilization(search.answer), rel=1e-6)
    assert search.value < problem.utilization(problem.start)


def test_the_same_seed_gives_the_same_answer_and_other_episodes_draw() -> None:
    problem, answers = segment_problem(15, 12, 12), []
    for seed in (1, 1, 2):
        search: Search[np.ndarray] = Search(Steps(3000))
        agent(problem, search, seed)
        answers.append((search.value, search.answer))
    assert answers[0][0] == answers[1][0]
    np.testing.assert_array_equal(answers[0][1], answers[1][1])
    first: Search[np.ndarray] = Search(Steps(10**6))
    agent(problem, first, 1, episodes=1)
    assert first.steps < 3000
    assert answers[0][0] <= first.value


def test_they_stop_on_time() -> None:
    for find, problem in (
        (agent, segment_problem(16, 40, 40)),
        (weight_agent, weight_problem(16, 40, 40)),
    ):
        find(problem, Search(Steps(1)))  # type: ignore[operator]
        clock = Ticking(step_s=0.05)
        find(problem, Search(Seconds(0.3), clock=Clock(clock)))  # type: ignore[operator]
        assert clock.now_s < 0.3 + LOOKS * clock.step_s


def test_where_nothing_can_be_moved_they_return_at_once() -> None:
    one = segment_problem(17)
    still = replace(one, movable=np.zeros(one.flow_count, np.bool_))
    search: Search[np.ndarray] = Search(Steps(10))
    agent(still, search)
    np.testing.assert_array_equal(search.answer, one.start)
    two = weight_problem(17)
    other: Search[np.ndarray] = Search(Steps(10))
    weight_agent(replace(two, movable=np.zeros(len(two.start), np.bool_)), other)
    np.testing.assert_array_equal(other.answer, two.start)


def test_on_topologies_never_seen_the_agent_comes_near_the_bound(shared_data: Path) -> None:
    ratios = []
    for name in STRANGE:
        problem = segment_routing_problem(
            formats.read(shared_data / f"repetita/zoo/{name}.graph").scenario
        )
        search: Search[np.ndarray] = Search(Steps(10**9))
        agent(problem, search, episodes=1)
        ratios.append(search.value / 0.9)  # the multicommodity bound, by how they were made
    assert np.median(ratios) < 1.05


def test_agents_need_neither_torch_nor_gymnasium() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['gymnasium'] = None\n"
        "from tests.optimize.solvers.reinforcement.instances import segment_problem\n"
        "from nettwin.optimize.solvers.reinforcement import agent\n"
        "from nettwin.optimize.search import Search\n"
        "from nettwin.optimize.stop import Steps\n"
        "agent(segment_problem(1), Search(Steps(20)))\n"
    )
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_agent_tells_how_sure_it_is() -> None:
    problem = segment_problem(15, 12, 12)
    whole: Search[np.ndarray] = Search(Steps(3000))
    part: Search[np.ndarray] = whole.part("midpoints")
    agent(problem, part, 1)
    sure = whole.policy
    assert sure is not None and sure == part.policy
    assert 0 < sure.least <= sure.probability <= 1
    assert 0 < sure.choices <= whole.steps
    assert sure.episodes > 1 and sure.spread >= 0
    one: Search[np.ndarray] = Search(Steps(10**6))
    agent(problem, one, 1, episodes=1)
    assert one.policy is not None and (one.policy.episodes, one.policy.spread) == (1, 0.0)


def test_weights_that_say_nothing_choose_blindly() -> None:
    trained = used_agent("weights")
    silent = {name: np.zeros_like(values) for name, values in trained.weights.items()}
    problem = weight_problem(11, 12, 20)
    search: Search[np.ndarray] = Search(Steps(30))
    weight_agent(problem, search, trained=replace(trained, weights=silent))
    assert search.policy is not None
    assert search.policy.probability == pytest.approx(1 / problem.capacity_bps.size, rel=0.2)
