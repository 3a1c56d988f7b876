"""Local search over weights: what it says is so, limits hold, same seed same answer, on time."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin import formats
from nettwin.optimize.problems.link_weights import LinkWeightProblem, whole_weights
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.local_search import weight_kernels as kernels
from nettwin.optimize.solvers.local_search import weights
from nettwin.optimize.solvers.local_search.weights import _graph_of, _paths_of
from nettwin.optimize.stop import Clock, Seconds
from nettwin.scenario.generate import generate
from nettwin.scenario.topology import Link, Topology
from tests.optimize.solvers.local_search.problems import scenario_of, states_of
from tests.optimize.solvers.searching import searched

Answer = np.ndarray


def link_weight_problem(seed: int, failures: int = 0, most_changes: int = -1) -> LinkWeightProblem:
    scenario = scenario_of(seed)
    demand = scenario.traffic.matrix(scenario.topology.node_count)
    return LinkWeightProblem.of(states_of(scenario.topology, failures), demand, most_changes)


def solved(
    weight_problem: LinkWeightProblem, steps: int = 2000, seed: int = 0
) -> tuple[float, Answer]:
    search = searched(weights, weight_problem, steps, seed)
    return search.value, search.answer


@settings(max_examples=12)
@given(seed=st.integers(0, 1000), failures=st.integers(0, 3))
def test_loads_of_changed_weights_are_those_from_scratch(seed: int, failures: int) -> None:
    weight_problem = link_weight_problem(seed, failures)
    random = np.random.default_rng(seed)
    net, paths = _graph_of(weight_problem), _paths_of(weight_problem, weight_problem.start)
    kernels.route_all(net, paths)
    shape = net.live.shape
    scale = float(weight_problem.demand_bps.sum())
    for _ in range(30):
        count = int(random.integers(1, 4))
        for k, e in enumerate(random.choice(shape[1], count, replace=False)):
            paths.link[k], paths.old[k] = e, paths.weight[e]
            paths.weight[e] = random.integers(1, 5)
        rows = kernels.weigh(net, paths, count)
        expected = weight_problem.loads(paths.weight).reshape(shape)
        np.testing.assert_allclose(paths.load_bps[1], expected, rtol=1e-9, atol=1e-9 * scale)
        if random.random() < 0.5:
            kernels.settle(paths, rows)
        else:
            paths.weight[paths.link[:count]] = paths.old[:count]


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000), failures=st.integers(0, 2), most=st.sampled_from([-1, 0, 1, 2, 5])
)
def test_limits_hold_and_the_value_is_that_of_the_answer(
    seed: int, failures: int, most: int
) -> None:
    weight_problem = link_weight_problem(seed, failures, most)
    random = np.random.default_rng(seed)
    movable = random.random(weight_problem.start.size) < 0.7
    fixed = 0.05 * weight_problem.capacity_bps * random.random(weight_problem.capacity_bps.size)
    weight_problem = replace(weight_problem, movable=movable, fixed_bps=fixed)
    value, found = solved(weight_problem, 600, seed)
    assert weight_problem.utilization(found) <= value * (1 + 1e-9)
    assert value <= weight_problem.utilization(weight_problem.start) * (1 + 1e-12)
    changed = found != weight_problem.start
    assert not (changed & ~movable).any()
    assert np.isin(found[changed], weight_problem.choices).all()
    assert most < 0 or changed.sum() <= most
    for link in np.flatnonzero(changed):  # none without need
        less = np.where(np.arange(len(found)) == link, weight_problem.start, found)
        assert weight_problem.utilization(less) > value


def test_the_best_of_all_weights_is_found() -> None:
    """A square of which every choice can be tried."""
    topology = Topology.build(
        ["a", "b", "c", "d"],
        [
            Link(*ends, float(capacity))
            for *ends, capacity in ("ab9", "bd6", "ac5", "cd5", "bc2", "ad3")
        ],
    )
    demand = np.zeros((4, 4))
    demand[0, 3], demand[0, 1], demand[1, 3], demand[0, 2] = 9.0, 2.0, 3.0, 1.0
    weight_problem = replace(
        LinkWeightProblem.of([topology], demand), choices=np.array([1.0, 2.0, 3.0])
    )
    every = product([1.0, 2.0, 3.0], repeat=6)
    best = min(weight_problem.utilization(np.array(w)) for w in every)
    assert best < weight_problem.utilization(weight_problem.start)
    assert solved(weight_problem, 4000)[0] == pytest.approx(best)


def test_failures_are_part_of_the_value() -> None:
    weight_problem = link_weight_problem(3, failures=4)
    value, found = solved(weight_problem, 3000)
    alone = replace(
        weight_problem,
        topologies=weight_problem.topologies[:1],
        capacity_bps=weight_problem.capacity_bps[: weight_problem.start.size],
        fixed_bps=weight_problem.fixed_bps[: weight_problem.start.size],
    )
    careless = solved(alone, 3000)[1]
    assert alone.utilization(found) <= value < weight_problem.utilization(weight_problem.start)
    assert value < weight_problem.utilization(careless)


def test_same_seed_and_steps_give_the_same_answer() -> None:
    weight_problem = link_weight_problem(4)
    value, found = solved(weight_problem, 1500, 3)
    again, same = solved(weight_problem, 1500, 3)
    assert value == again
    np.testing.assert_array_equal(found, same)


def test_it_starts_with_the_weights_of_today_and_stops_in_time() -> None:
    solved(link_weight_problem(1), 300)  # compiled
    scenario = generate("waxman", nodes=120, seed=1, load=2.0)
    demand = scenario.traffic.matrix(120)
    weight_problem = LinkWeightProblem.of([scenario.topology], demand)
    told: list[float] = []
    clock = Clock(time.process_time)  # others may use the machine
    search: Search[Answer] = Search(
        Seconds(0.4), tell=lambda p: told.append(p.standing.best), clock=clock
    )
    weights(weight_problem, search)
    assert 0.4 <= clock.seconds <= 0.6
    assert told[0] == pytest.approx(weight_problem.utilization(weight_problem.start))
    assert told == sorted(told, reverse=True)


@pytest.mark.parametrize("present", [[1.0, 1.0], [0.01, 0.5], [10.0, 1e6]])
def test_whole_weights_are_on_the_scale_of_those_present(present: list[float]) -> None:
    found = whole_weights(np.array(present))
    assert len(found) == 200
    np.testing.assert_allclose(found, found[0] * np.arange(1, 201))
    assert found[0] >= min(present)
    assert max(present) <= found[-1] * (1 + 1e-12)


def test_geant_under_its_tabu_search(shared_data: Path) -> None:
    """The best public figure of weights alone at 30 s is 1.03."""
    path = shared_data / "repetita" / "zoo" / "Geant2012.graph"
    scenario = formats.read(path).scenario
    topology = scenario.topology
    weight_problem = LinkWeightProblem.of([topology], scenario.traffic.matrix(topology.node_count))
    assert 0.89999 <= solved(weight_problem, 20_000)[0] <= 1.03
