"""Training: the same again, the same when resumed, and better than before; errors that say why."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.optimize.solvers.reinforcement.training.recipe import (
    AgentRecipe,
    Data,
    Imitation,
    Practice,
    find_recipe,
    read_recipe,
    shipped_recipes,
)

torch = pytest.importorskip("torch")

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem  # noqa: E402
from nettwin.optimize.search import Search  # noqa: E402
from nettwin.optimize.solvers.reinforcement import agent  # noqa: E402
from nettwin.optimize.solvers.reinforcement.agent_file import read_agent, write_agent  # noqa: E402
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment  # noqa: E402
from nettwin.optimize.solvers.reinforcement.midpoint_policy import MidpointView  # noqa: E402
from nettwin.optimize.solvers.reinforcement.teachers import Prices  # noqa: E402
from nettwin.optimize.solvers.reinforcement.training.fit import Moment, train  # noqa: E402
from nettwin.optimize.solvers.reinforcement.training.midpoint_task import MidpointTask  # noqa: E402
from nettwin.optimize.solvers.reinforcement.training.solved import SOLVERS, Solved  # noqa: E402
from nettwin.optimize.solvers.reinforcement.training.steps import (  # noqa: E402
    CUT,
    END,
    Step,
    advantages,
)
from nettwin.optimize.stop import Steps  # noqa: E402
from tests.optimize.solvers.reinforcement.instances import segment_problem  # noqa: E402


class Stopped(Exception):
    """Raised in the middle of a training."""


def recipe(task: str = "midpoints", imitation: int = 2, practice: int = 3) -> AgentRecipe:
    return AgentRecipe(
        name="trial",
        task=task,
        episodes=4,
        horizon=24,
        ahead=20,
        minibatch=64,
        validate_every=2,
        checkpoint_every=2,
        network={"width": 8, "rounds": 1, "hidden": 8},
        environment={"most": 8} if task == "midpoints" else {},
        data=Data(instances=3, validation=2, least_nodes=8, most_nodes=10, seed=3),
        imitation=Imitation(iterations=imitation),
        practice=Practice(iterations=practice),
    )


def stop_at(iteration: int) -> Callable[[Moment], None]:
    def tell(moment: Moment) -> None:
        if moment.iteration == iteration:
            raise Stopped

    return tell


def curve(folder: Path) -> list[dict[str, Any]]:
    rows = map(json.loads, (folder / "curve.jsonl").read_text().splitlines())
    return [{k: v for k, v in row.items() if k != "cpu_s"} for row in rows]


@pytest.mark.parametrize("task", ["midpoints", "weights"])
def test_a_stopped_training_goes_on_to_the_same_agent(tmp_path: Path, task: str) -> None:
    whole = train(recipe(task), tmp_path / "whole")
    # after the checkpoint of iteration 2, so that one iteration is played again
    with pytest.raises(Stopped):
        train(recipe(task), tmp_path / "parts", tell=stop_at(3))
    parts = train(recipe(task), tmp_path / "parts")
    for name, values in whole.weights.items():
        np.testing.assert_array_equal(values, parts.weights[name])
    assert whole.card == parts.card
    assert curve(tmp_path / "whole") == curve(tmp_path / "parts")
    assert [row["step"] for row in curve(tmp_path / "parts")] == [1, 2, 3, 4, 5]
    assert [row["phase"] for row in curve(tmp_path / "parts")][1:3] == ["imitation", "practice"]


def test_another_seed_gives_another_agent(tmp_path: Path) -> None:
    one = train(recipe(), tmp_path / "one")
    other = train(replace(recipe(), seed=2), tmp_path / "other")
    assert not np.array_equal(one.weights["first.weight"], other.weights["first.weight"])


def test_imitation_comes_nearer_to_the_teacher(tmp_path: Path) -> None:
    trained = train(recipe(imitation=12, practice=0), tmp_path)
    rows = curve(tmp_path)
    assert float(rows[-1]["loss"]) < 0.5 * float(rows[0]["loss"])
    validations = [float(row["validation"]) for row in rows if "validation" in row]
    assert trained.card["accuracy"]["validation"] == min(validations)


@pytest.mark.parametrize("task", ["midpoints", "weights"])
def test_the_card_tells_of_networks_that_nothing_was_chosen_by(tmp_path: Path, task: str) -> None:
    short = recipe(task, imitation=1, practice=0)
    without = train(short, tmp_path / "without")
    assert set(without.card["accuracy"]) == {"validation"}
    tested = replace(short, data=replace(short.data, test=3))
    agent_tested = train(tested, tmp_path / "tested")
    for name, values in without.weights.items():  # nothing else changes
        np.testing.assert_array_equal(values, agent_tested.weights[name])
    accuracy = agent_tested.card["accuracy"]
    assert accuracy["validation"] == without.card["accuracy"]["validation"]
    assert math.isfinite(accuracy["test"])
    assert accuracy["test"] != accuracy["validation"]
    assert "3 others to test on" in agent_tested.card["data"]


def test_practice_gains_more_than_at_first(tmp_path: Path) -> None:
    long = replace(recipe(imitation=0, practice=25), episodes=8)
    train(replace(long, practice=replace(long.practice, rate=3e-3)), tmp_path)
    gains = [float(row["gain"]) for row in curve(tmp_path)]
    assert np.mean(gains[-6:]) > np.mean(gains[:6])


def test_a_trained_agent_is_written_and_steers(tmp_path: Path) -> None:
    path = tmp_path / "trial.safetensors"
    write_agent(path, train(recipe(), tmp_path / "training"))
    trained = read_agent(path)
    for entry in ("data", "recipe", "accuracy", "license"):
        assert trained.card[entry]
    assert trained.card["recipe"]["seed"] == 1
    problem = segment_problem(21)
    search: Search[np.ndarray] = Search(Steps(200))
    agent(problem, search, trained=trained)
    assert search.answer is not None
    assert search.value <= problem.utilization(problem.start)


def test_any_teacher_can_teach() -> None:
    asked = []

    def teach(environment: object) -> Prices:
        asked.append(environment)
        return Prices(steep=8.0)

    task = MidpointTask(recipe(), teach)
    steps = task.play(task.network().exported(), 1, 1.0)
    assert len(asked) == 4
    assert all(step.wish is not None and step.wish.sum() > 0.99 for step in steps)
    untaught = task.play(task.network().exported(), 1, None)
    assert all(step.wish is None for step in untaught)


@pytest.mark.parametrize("solver", ["linear", "constraint"])
def test_a_solver_teaches_what_it_found_and_looks_once(
    solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if solver == "constraint":
        pytest.importorskip("ortools")
    solved = []
    solve, steps = SOLVERS[solver]

    def counted(
        segment_problem: SegmentRoutingProblem, search: Search[np.ndarray], seed: int
    ) -> None:
        solved.append(segment_problem)
        solve(segment_problem, search, seed)

    monkeypatch.setitem(SOLVERS, solver, (counted, steps))
    asked = recipe()
    asked = replace(asked, imitation=replace(asked.imitation, teacher=solver))
    task = MidpointTask(asked)
    for seed in (1, 2, 3):
        steps_played = task.play(task.network().exported(), seed, 1.0)
        assert all(s.wish is not None and s.wish.max() == 1.0 for s in steps_played)
        assert all(s.observation.mask[s.wish.argmax()] for s in steps_played if s.wish is not None)
    assert 1 <= len(solved) <= asked.data.instances


def test_who_follows_an_answer_ends_where_it_is() -> None:
    environment = MidpointEnvironment(segment_problem(14, 16, 20))
    start = environment.utilization
    answer = Solved("linear", 1)(environment)
    view, best = MidpointView(environment), start
    while not environment.over:
        environment.take(int(answer.wish(view, environment.mask()).argmax()))
        best = min(best, environment.utilization)
    reached = environment.segment_problem.utilization(answer.midpoints)
    assert reached < 0.95 * start
    assert best == pytest.approx(reached, rel=0.01)


def test_a_training_by_a_solver_goes_on_to_the_same_agent(tmp_path: Path) -> None:
    taught = replace(recipe(), imitation=Imitation(iterations=4, teacher="linear"))
    whole = train(taught, tmp_path / "whole")
    with pytest.raises(Stopped):
        train(taught, tmp_path / "parts", tell=stop_at(3))
    parts = train(taught, tmp_path / "parts")
    for name, values in whole.weights.items():
        np.testing.assert_array_equal(values, parts.weights[name])
    assert whole.card["recipe"]["imitation"]["teacher"] == "linear"


def test_a_practiced_step_has_the_probability_that_the_network_gives_it() -> None:
    task = MidpointTask(recipe())
    network = task.network()
    steps = task.play(network.exported(), 5, None)
    with torch.no_grad():
        logits, _ = task.forward(network, steps)
    log = torch.log_softmax(logits, 1).numpy()
    for k, step in enumerate(steps):
        assert log[k, step.action] == pytest.approx(step.log_probability, abs=1e-4)
    assert {step.ended for step in steps} >= {CUT} or {step.ended for step in steps} >= {END}


def test_advantages_are_what_was_gained_over_what_was_expected() -> None:
    steps = [Step(None, 0, 0.0, r) for r in (1.0, 2.0, 4.0, 8.0, 16.0)]
    steps[2].ended, steps[4].ended = END, CUT
    values = np.array([0.5, 0.25, 1.0, 2.0, 3.0], np.float32)
    plain = advantages(steps, values, 1.0, 1.0)  # sums of rewards less the value
    np.testing.assert_allclose(plain[:3], [7 - 0.5, 6 - 0.25, 4 - 1.0])
    assert plain[3] == pytest.approx(8 + 3.0 - 2.0)  # the cut step's own value stands for the rest
    short = advantages(steps, values, 0.5, 0.0)
    assert short[0] == pytest.approx(1 + 0.5 * 0.25 - 0.5)


def test_a_folder_of_another_training_is_refused(tmp_path: Path) -> None:
    train(recipe(), tmp_path)
    with pytest.raises(InputError, match="another recipe"):
        train(replace(recipe(), seed=5), tmp_path)
    with pytest.raises(InputError, match="is there already"):
        train(recipe(), tmp_path, resume=False)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(FormatError, match="not a usable checkpoint"):
        train(recipe(), tmp_path)


@pytest.mark.parametrize("name", ["midpoints", "weights"])
def test_shipped_recipes_are_sound(name: str) -> None:
    assert name in shipped_recipes()
    found = find_recipe(name)
    assert found.name == found.task == name
    assert found.imitation.iterations > 0 < found.practice.iterations
    assert math.isfinite(found.practice.rate)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("task = ", "Correct it there"),
        ("task = 'nothing'", "task of an agent"),
        ("task = 'midpoints'\nepisode = 3", "did you mean: episodes"),
        ("task = 'midpoints'\nepisodes = -3", "episodes is -3"),
        ("task = 'midpoints'\n[practice]\nrate = 'much'", "rate is 'much'"),
        ("task = 'midpoints'\n[data]\ninstances = 1.5", "must be whole"),
        ("task = 'midpoints'\nname = '../up'", "name is '../up'"),
        ("task = 'midpoints'\nname = 3", "name is 3"),
        ("task = 'midpoints'\nminibatch = 0", "minibatch is 0: must be a number from 1"),
        ("task = 'midpoints'\n[practice]\ndiscount = 1.5", "must be a number from 0 to 1"),
        ("task = 'midpoints'\n[data]\nleast_nodes = 4", "nodes are 4 to 40"),
        ("task = 'midpoints'\n[data]\nleast_nodes = 20\nmost_nodes = 10", "nodes are 20 to 10"),
        ("task = 'midpoints'\n[network]\nwidht = 8", "did you mean: width"),
        ("task = 'weights'\n[network]\nchannels = 8", 'no size of a network "channels"'),
        ("task = 'midpoints'\n[network]\nwidth = 'wide'", "width is 'wide'"),
        ("task = 'midpoints'\n[environment]\nreech = 0.1", "did you mean: reach"),
        ("task = 'midpoints'\n[environment]\nreach = 0.9", "reach <= farthest"),
        (
            "task = 'weights'\n[imitation]\niterations = 0\n[practice]\niterations = 0",
            "there are no iterations",
        ),
        ("title = 'x'", "task"),
        ("task = 'midpoints'\n[imitation]\nteacher = 'liner'", "did you mean: linear"),
        ("task = 'weights'\n[imitation]\nteacher = 'linear'", "must be 'prices' for weights"),
    ],
)
def test_a_wrong_recipe_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(FormatError, match=told):
        read_recipe(path)


def test_an_unknown_recipe_is_told() -> None:
    with pytest.raises(UnknownNameError, match="midpoints"):
        find_recipe("midpoint")
