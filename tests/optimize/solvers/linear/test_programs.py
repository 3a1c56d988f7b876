"""Linear programs over midpoints and paths, and exact programs of whole flows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.linear.columns import bound_of
from nettwin.optimize.solvers.linear.flow_lp import flow_lp
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem, problems_of
from nettwin.optimize.solvers.linear.generate import Generation, generate
from nettwin.optimize.solvers.linear.rounding import START, Rounding
from nettwin.optimize.solvers.linear.segment_columns import SegmentColumns
from nettwin.optimize.solvers.linear.segment_lp import segment_lp
from nettwin.optimize.solvers.linear.segment_milp import know_all, segment_milp
from tests.optimize.solvers.linear.networks import failed, few_flows, network, segment_problem
from tests.work import LOOKS, Ticking

SEEDS = st.integers(0, 10_000)


def rounding_of(problem: SegmentRoutingProblem) -> tuple[Generation, Rounding]:
    """Every path over one midpoint, ready to be chosen from."""
    paths = SegmentColumns(problem)
    generation = Generation(paths)
    know_all(generation.master, paths)
    rate = problem.rate_bps[paths.flow]
    return generation, Rounding(generation.master, paths.demand, rate)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_more_midpoints_reach_the_multicommodity_flow(seed: int) -> None:
    """One midpoint bounds two, two any number; none is below the flow that may go anywhere."""
    topology, demand = network(seed)
    problem = segment_problem([topology], demand)
    found = [segment_lp(problem, most) for most in (1, 2, 5)]
    flow = flow_lp(FlowProblem.of(topology, demand))
    assert flow is not None
    for relaxation in found:
        assert relaxation.exact
    reached = [relaxation.reached for relaxation in found]
    assert reached[1] <= reached[0] * (1 + 1e-5)
    assert reached[2] <= reached[1] * (1 + 1e-5)
    assert flow.value <= reached[2] * (1 + 1e-6)


@settings(max_examples=20)
@given(seed=SEEDS, states=st.integers(1, 3))
def test_any_prices_bound_every_answer(seed: int, states: int) -> None:
    """Prices of all states together bound midpoints that must do in all of them."""
    rng = np.random.default_rng(seed)
    topology, demand = network(seed)
    problem = segment_problem(
        [topology, *(failed(topology, 2 * k) for k in range(1, states))], demand
    )
    midpoints = np.array(problem.start)
    for f in range(problem.flow_count):
        midpoints[f] = rng.choice(np.append(np.flatnonzero(problem.allowed(f)), -1))
    reached = problem.utilization(midpoints)
    paths = SegmentColumns(problem)
    for _ in range(5):
        price = rng.exponential(1.0, len(problem.capacity_bps)) * (rng.random() < 0.5)
        assert bound_of(paths, price, paths.cheapest(price)) <= reached * (1 + 1e-6)
    assert segment_lp(problem, 1).bound <= reached * (1 + 1e-6)


@given(seed=SEEDS, width=st.integers(1, 3))
def test_the_cheapest_way_pays_what_it_says(seed: int, width: int) -> None:
    """What is saved is the difference of loads at the prices, and no random path saves more."""
    rng = np.random.default_rng(seed)
    topology, demand = network(seed)
    problem = segment_problem([topology], demand, width)
    paths = SegmentColumns(problem)
    price = rng.exponential(1.0, len(problem.capacity_bps))
    cheapest = paths.cheapest(price)
    shift = paths.shift(np.arange(len(paths.rate_bps)), cheapest.path)
    assert -(price @ shift) == pytest.approx(cheapest.gain, abs=1e-6)
    other = rng.integers(0, topology.node_count, cheapest.path.shape).astype(np.int32)
    assert (-(price @ paths.shift(np.arange(len(other)), other)) <= cheapest.most + 1e-6).all()


@settings(max_examples=15)
@given(seed=SEEDS)
def test_two_midpoints_under_limits_are_found_exactly(seed: int) -> None:
    problem = few_flows(seed, midpoints=2)
    direct = problem.segment_delay_s[problem.source, problem.target]
    limit = direct * np.random.default_rng(seed).uniform(1.0, 3.0, problem.flow_count)
    problem = few_flows(seed, midpoints=2, limit_s=limit)
    paths = SegmentColumns(problem)
    price = np.random.default_rng(seed).exponential(1.0, len(problem.capacity_bps))
    cost, delay = problem.segments.cost(price), problem.segment_delay_s
    cheapest = paths.cheapest(price)
    for d, (s, t) in enumerate(zip(paths.source, paths.target, strict=True)):
        over = cost[s][:, None] + cost + cost[:, t][None, :]
        late = delay[s][:, None] + delay + delay[:, t][None, :] > paths.limits.limit_s[d]
        least = np.where(late, np.inf, over).min()
        assert cheapest.gain[d] == pytest.approx(max(cost[s, t] - least, 0.0), abs=1e-6)


@settings(max_examples=15)
@given(seed=SEEDS, most=st.sampled_from([-1, 2]))
def test_whole_flows_exactly(seed: int, most: int) -> None:
    """The program's optimum is that of trying all answers; what is fixed stays."""
    problem = few_flows(seed, most_changes=most)
    _, rounding = rounding_of(problem)
    start = np.full(problem.flow_count, START)
    everything = np.arange(problem.flow_count)
    exact = segment_milp(rounding, start, everything, lambda: math.inf)
    assert exact.proven
    assert exact.value == pytest.approx(best_choice(rounding, problem.most_changes), rel=1e-5)
    assert exact.bound <= exact.value
    some = segment_milp(rounding, start, everything[:2], lambda: math.inf)
    assert (some.choice[2:] == START).all()
    assert exact.value * (1 - 1e-5) <= some.value <= problem.utilization(np.array(problem.start))


def best_choice(rounding: Rounding, most: int) -> float:
    """The least utilization over all choices, by trying them one flow after another."""
    level = {(0, tuple(rounding.base)): rounding.base}
    for f, d in enumerate(rounding.flow_demand):
        columns = range(rounding.begin[d], rounding.begin[d + 1])
        options = [np.zeros_like(rounding.base)]
        options += [rounding.part[f] * rounding.shift[:, [c]].toarray()[:, 0] for c in columns]
        level = {
            (moves + (k > 0), tuple(np.round(used + shift, 12))): used + shift
            for (moves, _), used in level.items()
            for k, shift in enumerate(options)
            if most < 0 or moves + (k > 0) <= most
        }
    return float(min(used.max() for used in level.values()))


def test_programs_end_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    topology, demand = network(11, nodes=40)
    segment_lp(segment_problem([topology], demand), 2, 0.0)  # compiled before the clock counts
    for seconds in (0.0, 0.1):
        clock = Ticking()
        monkeypatch.setattr("nettwin.optimize.solvers.linear.segment_lp.time.perf_counter", clock)
        relaxation = segment_lp(segment_problem([topology], demand), 2, seconds)
        monkeypatch.undo()
        assert clock.now_s < seconds + LOOKS * clock.step_s
        assert relaxation.bound <= relaxation.reached


def test_the_program_over_known_ways_falls_to_the_bound() -> None:
    """Each round's answer is no worse than the last, and above every bound."""
    topology, demand = network(12, nodes=12)
    generation = Generation(SegmentColumns(segment_problem([topology], demand)))
    seen: list[tuple[float, float]] = []
    assert generate(generation, tell=lambda g: seen.append((g.value, g.bound)))
    values = [value for value, _ in seen]
    assert (np.diff(values) <= 1e-9 * values[0]).all()
    assert max(bound for _, bound in seen) <= min(values) * (1 + 1e-9)
    assert seen[-1][1] == pytest.approx(seen[-1][0], rel=1e-5)


def test_what_stays_and_what_is_lost_is_no_demand() -> None:
    """Flows that may not move are fixed load; a broken path is no demand in its state."""
    topology, demand = network(13)
    movable = np.arange(30) % 3 > 0
    problem = segment_problem([topology, failed(topology, 0)], demand, movable=movable)
    now, after = problems_of(problem)
    kept = problem.loads(np.array(problem.start))
    moving = np.zeros_like(demand)
    moving[problem.source[movable], problem.target[movable]] = problem.rate_bps[movable]
    assert now.demand_bps == pytest.approx(moving)
    stay = problem.segments.loads(
        problem.source[~movable], problem.target[~movable], problem.rate_bps[~movable]
    )
    assert now.fixed_bps == pytest.approx(stay[: topology.link_count])
    assert (after.fixed_bps <= kept[topology.link_count :] * (1 + 1e-6)).all()
