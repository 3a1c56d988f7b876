"""Bounds by link lengths: never wrong, and as good as the linear program."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin import formats
from nettwin.errors import InputError
from nettwin.optimize.solvers.linear.flow_bound import Bound, FlowSearch, flow_bound, worst_bound
from nettwin.optimize.solvers.linear.flow_lp import flow_lp
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem
from nettwin.scenario.generate import generate
from nettwin.scenario.topology import Link, Topology
from tests.optimize.solvers.linear.networks import failed, network, segment_problem


@given(seed=st.integers(0, 10_000), states=st.integers(1, 3))
def test_any_lengths_bound_every_answer(seed: int, states: int) -> None:
    """No midpoints, in no state, lead below what arbitrary lengths prove there."""
    rng = np.random.default_rng(seed)
    topology, demand = network(seed)
    all_states = [topology, *(failed(topology, 2 * k) for k in range(1, states))]
    fixed = rng.uniform(0.0, 1e6, topology.link_count)
    problem = segment_problem(all_states, demand, fixed_bps=np.tile(fixed, states))
    midpoints = rng.integers(-1, 6, (problem.flow_count, 1)).astype(np.int32)
    reached = (problem.loads(midpoints) / problem.capacity_bps).reshape(states, -1).max(axis=1)
    lengths = rng.uniform(0.0, 1.0, topology.link_count) * (rng.random(topology.link_count) < 0.5)
    for state, highest in zip(all_states, reached, strict=True):
        flow = FlowProblem.of(state, demand, fixed_bps=fixed, drop_unreachable=True)
        assert flow.toll(lengths).bound <= highest * (1 + 1e-6)
        assert flow_bound(flow, sweeps=5).value <= highest * (1 + 1e-6)


@given(seed=st.integers(0, 10_000))
def test_the_bound_is_that_of_the_linear_program(seed: int) -> None:
    topology, demand = network(seed, nodes=7)
    fixed = np.random.default_rng(seed).uniform(0.0, 2e6, topology.link_count)
    problem = FlowProblem.of(topology, demand, fixed_bps=fixed)
    exact = flow_lp(problem)
    assert exact is not None
    assert exact.exact
    bound = flow_bound(problem)
    assert bound.value <= exact.reached * (1 + 1e-9)
    assert bound.reached >= exact.value * (1 - 1e-9)
    assert bound.value == pytest.approx(exact.value, rel=2e-3)
    assert problem.toll(bound.lengths).bound == pytest.approx(bound.value)


@given(seed=st.integers(0, 10_000))
def test_what_is_reached_is_a_flow(seed: int) -> None:
    """What leaves a node less what enters it is what it sends less what it receives."""
    topology, demand = network(seed)
    search = FlowSearch(FlowProblem.of(topology, demand))
    for _ in range(4):
        search.sweep()
    flow = search.flow_bps()
    assert search.reached == pytest.approx((flow.sum(axis=0) / topology.link_capacity_bps).max())
    for s in range(topology.node_count):
        left = np.bincount(topology.link_source, flow[s], topology.node_count)
        left -= np.bincount(topology.link_target, flow[s], topology.node_count)
        want = -demand[s]
        want[s] = demand[s].sum()
        assert left == pytest.approx(want, abs=1.0)


def test_a_bottleneck_is_seen_at_once() -> None:
    """All that a node sends must pass its only link, whatever the rest does."""
    links = [Link("a", "b", 1e6), Link("b", "c", 1e9), Link("c", "a", 1e9)]
    demand = np.zeros((3, 3))
    demand[0] = [0.0, 3e5, 6e5]
    bound = flow_bound(FlowProblem.of(Topology.build("abc", links), demand), sweeps=0)
    assert bound.value == pytest.approx(0.9)
    assert bound.exact


def test_nothing_to_carry_is_bounded_by_what_is_fixed() -> None:
    topology, demand = network(1)
    empty = flow_bound(FlowProblem.of(topology, np.zeros_like(demand)))
    assert (empty.value, empty.reached, empty.exact) == (0.0, 0.0, True)
    fixed = 0.3 * topology.link_capacity_bps
    held = flow_bound(FlowProblem.of(topology, np.zeros_like(demand), fixed_bps=fixed))
    assert held.value == pytest.approx(0.3)


def test_demand_without_a_path_is_named() -> None:
    topology = Topology.build("abc", [Link("a", "b"), Link("b", "a")])
    demand = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    with pytest.raises(InputError, match=r"demand a->c, b->c has no path"):
        FlowProblem.of(topology, demand)
    kept = FlowProblem.of(topology, demand, drop_unreachable=True)
    assert kept.demand_bps.sum() == 1.0


def test_a_limit_of_nothing_is_named() -> None:
    topology, demand = network(2)
    capacity = np.array(topology.link_capacity_bps)
    capacity[3] = 0.0
    with pytest.raises(InputError, match=f"link {topology.link_name[3]} is 0 bit/s: must be above"):
        FlowProblem.of(topology, demand, capacity)


def test_lengths_below_nothing_prove_nothing() -> None:
    problem = FlowProblem.of(*network(3))
    with pytest.raises(InputError, match="length is below 0"):
        problem.toll(np.full(problem.links, -1.0))
    with pytest.raises(InputError, match="not a number"):
        problem.toll(np.full(problem.links, np.nan))


def test_the_worst_state_bounds_all() -> None:
    topology, demand = network(4)
    states = [topology, *(failed(topology, 2 * k) for k in range(6))]
    problems = [FlowProblem.of(state, demand, drop_unreachable=True) for state in states]
    together = worst_bound(problems)
    alone = [flow_bound(problem) for problem in problems]
    assert together.value == pytest.approx(max(bound.value for bound in alone), rel=1e-4)
    assert problems[together.state].toll(together.lengths).bound == pytest.approx(together.value)


def test_bounds_told_only_rise_and_runs_repeat() -> None:
    problem = FlowProblem.of(*network(5, nodes=12))
    runs: list[list[Bound]] = []
    for _ in range(2):
        told: list[Bound] = []
        told.append(flow_bound(problem, tell=told.append, sweeps=50))
        runs.append(told)
    values = [bound.value for bound in runs[0]]
    assert values == sorted(values)
    assert values == [bound.value for bound in runs[1]]


@pytest.mark.parametrize("name", ["zoo/Abilene", "zoo/Geant2012", "zoo/Interoute"])
def test_published_instances(shared_data: Path, name: str) -> None:
    """As a linear program found them, within half a second here."""
    scenario = formats.read(shared_data / "repetita" / f"{name}.graph").scenario
    with (shared_data / "reference" / "repetita_mcf_bound_all.csv").open() as file:
        known = {row["topology"]: float(row["mcf_obj"]) for row in csv.DictReader(file)}
    demand = scenario.traffic.matrix(scenario.topology.node_count)
    bound = flow_bound(FlowProblem.of(scenario.topology, demand), sweeps=100)
    assert bound.value == pytest.approx(known[name.split("/")[1]], rel=1e-4)
    assert bound.value <= known[name.split("/")[1]] * (1 + 1e-6)


def test_a_bound_that_is_sharpened_for_long_stays_a_number() -> None:
    scenario = generate("nsfnet", load=1.2, seed=2)
    demand = scenario.traffic.matrix(scenario.topology.node_count)
    found = flow_bound(FlowProblem.of(scenario.topology, demand), sweeps=75_000, gap=-1.0)
    assert 0 < found.value <= found.reached * (1 + 1e-9)
    assert np.isfinite(found.lengths).all()
