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
from nettwin.optimize.local_search import weight_kernels as kernels
from nettwin.optimize.local_search import weights
from nettwin.optimize.local_search.weights import _map_of, _ways_of
from nettwin.optimize.search import Search
from nettwin.optimize.stop import Clock, Seconds, Steps
from nettwin.optimize.weighing import Weighing, whole_weights
from nettwin.scenario.generate import generate
from nettwin.scenario.topology import Link, Topology
from tests.optimize.local_search.problems import scenario_of, states_of

Answer = np.ndarray


def weighing_of(seed: int, failures: int = 0, most_changes: int = -1) -> Weighing:
    scenario = scenario_of(seed)
    demand = scenario.traffic.matrix(scenario.topology.node_count)
    return Weighing.of(states_of(scenario.topology, failures), demand, most_changes)


def solved(weighing: Weighing, steps: int = 2000, seed: int = 0) -> tuple[float, Answer]:
    search: Search[Answer] = Search(Steps(steps))
    weights(weighing, search, seed)
    assert search.answer is not None
    return search.value, search.answer


@settings(max_examples=12)
@given(seed=st.integers(0, 1000), failures=st.integers(0, 3))
def test_loads_of_changed_weights_are_those_from_scratch(seed: int, failures: int) -> None:
    weighing = weighing_of(seed, failures)
    random = np.random.default_rng(seed)
    net, ways = _map_of(weighing), _ways_of(weighing, weighing.start)
    kernels.route_all(net, ways)
    shape = net.live.shape
    scale = float(weighing.demand_bps.sum())
    for _ in range(30):
        count = int(random.integers(1, 4))
        for k, e in enumerate(random.choice(shape[1], count, replace=False)):
            ways.link[k], ways.old[k] = e, ways.weight[e]
            ways.weight[e] = random.integers(1, 5)
        rows = kernels.weigh(net, ways, count)
        expected = weighing.loads(ways.weight).reshape(shape)
        np.testing.assert_allclose(ways.load_bps[1], expected, rtol=1e-9, atol=1e-9 * scale)
        if random.random() < 0.5:
            kernels.settle(ways, rows)
        else:
            ways.weight[ways.link[:count]] = ways.old[:count]


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000), failures=st.integers(0, 2), most=st.sampled_from([-1, 0, 1, 2, 5])
)
def test_limits_hold_and_the_value_is_that_of_the_answer(
    seed: int, failures: int, most: int
) -> None:
    weighing = weighing_of(seed, failures, most)
    random = np.random.default_rng(seed)
    movable = random.random(weighing.start.size) < 0.7
    fixed = 0.05 * weighing.capacity_bps * random.random(weighing.capacity_bps.size)
    weighing = replace(weighing, movable=movable, fixed_bps=fixed)
    value, found = solved(weighing, 600, seed)
    assert weighing.utilization(found) <= value * (1 + 1e-9)
    assert value <= weighing.utilization(weighing.start) * (1 + 1e-12)
    changed = found != weighing.start
    assert not (changed & ~movable).any()
    assert np.isin(found[changed], weighing.choices).all()
    assert most < 0 or changed.sum() <= most
    for link in np.flatnonzero(changed):  # none without need
        less = np.where(np.arange(len(found)) == link, weighing.start, found)
        assert weighing.utilization(less) > value


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
    weighing = replace(Weighing.of([topology], demand), choices=np.array([1.0, 2.0, 3.0]))
    every = product([1.0, 2.0, 3.0], repeat=6)
    best = min(weighing.utilization(np.array(w)) for w in every)
    assert best < weighing.utilization(weighing.start)
    assert solved(weighing, 4000)[0] == pytest.approx(best)


def test_failures_are_part_of_the_value() -> None:
    weighing = weighing_of(3, failures=4)
    value, found = solved(weighing, 3000)
    alone = replace(
        weighing,
        topologies=weighing.topologies[:1],
        capacity_bps=weighing.capacity_bps[: weighing.start.size],
        fixed_bps=weighing.fixed_bps[: weighing.start.size],
    )
    careless = solved(alone, 3000)[1]
    assert alone.utilization(found) <= value < weighing.utilization(weighing.start)
    assert value < weighing.utilization(careless)


def test_same_seed_and_steps_give_the_same_answer() -> None:
    weighing = weighing_of(4)
    value, found = solved(weighing, 1500, 3)
    again, same = solved(weighing, 1500, 3)
    assert value == again
    np.testing.assert_array_equal(found, same)


def test_it_starts_with_the_weights_of_today_and_stops_in_time() -> None:
    solved(weighing_of(1), 300)  # compiled
    scenario = generate("waxman", nodes=120, seed=1, load=2.0)
    demand = scenario.traffic.matrix(120)
    weighing = Weighing.of([scenario.topology], demand)
    told: list[float] = []
    clock = Clock(time.process_time)  # others may use the machine
    search: Search[Answer] = Search(
        Seconds(0.4), tell=lambda p: told.append(p.standing.best), clock=clock
    )
    weights(weighing, search)
    assert 0.4 <= clock.seconds <= 0.6
    assert told[0] == pytest.approx(weighing.utilization(weighing.start))
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
    weighing = Weighing.of([topology], scenario.traffic.matrix(topology.node_count))
    assert 0.89999 <= solved(weighing, 20_000)[0] <= 1.03
