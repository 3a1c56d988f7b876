"""Raising weights: loads are those of ECMP, and what may not be raised is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nettwin.errors import InputError
from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment
from nettwin.scenario.ecmp import ecmp_loads
from tests.optimize.solvers.reinforcement.instances import instance, weight_problem


def test_loads_and_rewards_are_those_of_ecmp() -> None:
    topology, demand = instance(3)
    environment = WeightEnvironment(LinkWeightProblem.of([topology], demand))
    random = np.random.default_rng(1)
    for _ in range(20):
        before = environment.utilization
        link = int(random.choice(np.flatnonzero(environment.mask())))
        old = environment.weight[link]
        reward = environment.take(link)
        assert environment.weight[link] >= old + environment.notch
        loads = ecmp_loads(topology.with_arrays(link_weight=environment.weight), demand)
        np.testing.assert_allclose(environment.load, loads)
        after = (loads / topology.link_capacity_bps).max()
        assert reward == pytest.approx(np.log(before / after))


def test_only_choices_are_given_and_what_is_fixed_stays() -> None:
    one = weight_problem(4)
    start = np.array(one.start)
    movable = np.arange(len(start)) % 2 == 0
    problem = replace(one, choices=start.max() * np.array([1.0, 2.0, 3.0]), movable=movable)
    problem = replace(problem, most_changes=3)
    environment = WeightEnvironment(problem, horizon=1000)
    random = np.random.default_rng(1)
    while not environment.over:
        environment.take(int(random.choice(np.flatnonzero(environment.mask()))))
    changed = environment.weight != start
    assert 0 < changed.sum() <= 3
    assert not changed[~movable].any()
    assert np.isin(environment.weight[changed], problem.choices).all()


def test_the_busiest_state_counts() -> None:
    topology, demand = instance(5)
    up = np.ones(topology.link_count, np.bool_)
    up[:2] = False
    problem = LinkWeightProblem.of([topology, topology.with_arrays(link_up=up)], demand)
    environment = WeightEnvironment(problem)
    assert environment.utilization == pytest.approx(problem.utilization(problem.start))
    assert environment.used.shape == (topology.link_count,)
    environment.take(int(np.flatnonzero(environment.mask())[0]))
    assert environment.utilization == pytest.approx(problem.utilization(environment.weight))


def test_an_episode_ends_at_its_horizon() -> None:
    environment = WeightEnvironment(weight_problem(1), horizon=3)
    for _ in range(3):
        assert not environment.over
        environment.take(int(np.flatnonzero(environment.mask())[0]))
    assert environment.over
    environment.reset()
    np.testing.assert_array_equal(environment.weight, environment.weight_problem.start)
    with pytest.raises(InputError, match="horizon"):
        WeightEnvironment(weight_problem(1), horizon=0)
