"""The environments for Gymnasium: they pass its checker, and play what the arrays play."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nettwin.errors import InputError
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment
from tests.optimize.solvers.reinforcement.instances import (
    segment_problem,
    weight_problem,
    with_failures,
)

gymnasium = pytest.importorskip("gymnasium")


def environments() -> list[Any]:
    from nettwin.optimize.solvers.reinforcement.gym import MidpointEnv, WeightEnv

    return [
        MidpointEnv(segment_problem(1)),
        MidpointEnv(with_failures(2, 1)),
        WeightEnv(weight_problem(1)),
    ]


@pytest.mark.parametrize("number", range(3))
def test_gymnasium_finds_no_fault(number: int) -> None:
    from gymnasium.utils.env_checker import check_env

    check_env(environments()[number], skip_render_check=True)


@pytest.mark.parametrize("number", range(3))
def test_observations_stay_in_their_space_to_the_end(number: int) -> None:
    environment = environments()[number]
    random = np.random.default_rng(1)
    seen, info = environment.reset(seed=1)
    begin, gained = info["utilization"], 0.0
    for _ in range(3000):
        assert environment.observation_space.contains(seen)
        np.testing.assert_array_equal(seen["mask"], info["action_mask"])
        action = int(random.choice(np.flatnonzero(info["action_mask"])))
        seen, reward, terminated, truncated, info = environment.step(action)
        gained += reward
        if terminated or truncated:
            break
    assert terminated or truncated
    assert environment.observation_space.contains(seen)
    assert gained == pytest.approx(np.log(begin / info["utilization"]), abs=1e-6)


def test_what_is_masked_changes_nothing() -> None:
    from nettwin.optimize.solvers.reinforcement.gym import MidpointEnv, WeightEnv

    one = segment_problem(1)
    env, plain = MidpointEnv(one), MidpointEnvironment(one)
    _, info = env.reset()
    target = int(np.flatnonzero(~info["action_mask"])[0])
    _, reward, _, _, info = env.step(np.int64(target))
    assert reward == 0.0
    assert info["utilization"] == plain.utilization
    two = WeightEnv(weight_problem(1), horizon=2)
    _, info = two.reset()
    masked = np.flatnonzero(~info["action_mask"])
    assert len(masked) or WeightEnvironment(weight_problem(1)).mask().all()
    for action in masked[:1]:
        assert two.step(action)[1] == 0.0
    with pytest.raises(InputError, match="action"):
        two.step(np.int64(10_000))
