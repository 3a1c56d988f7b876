"""Critical demands one after another: exact loads and rewards, what is allowed, when it ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nettwin.errors import InputError
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment, Order
from tests.optimize.solvers.reinforcement.instances import segment_problem, with_failures


def random_walk(environment: MidpointEnvironment, seed: int = 1, most: int = 2000) -> list[int]:
    """Random allowed actions to the end; the demands that were asked about."""
    random, asked = np.random.default_rng(seed), []
    while not environment.over and len(asked) < most:
        asked.append(environment.flow)
        environment.take(int(random.choice(np.flatnonzero(environment.mask()))))
    return asked


@pytest.mark.parametrize("make", [lambda: segment_problem(3), lambda: with_failures(3, 2)])
def test_loads_and_rewards_are_those_of_the_problem(make) -> None:  # type: ignore[no-untyped-def]
    problem: SegmentRoutingProblem = make()
    environment = MidpointEnvironment(problem)
    random = np.random.default_rng(2)
    for _ in range(60):
        before = problem.utilization(environment.midpoints)
        reward = environment.take(int(random.choice(np.flatnonzero(environment.mask()))))
        after = problem.utilization(environment.midpoints)
        assert environment.utilization == pytest.approx(after, rel=1e-6)
        assert reward == pytest.approx(np.log(before / after), abs=1e-5)
        np.testing.assert_allclose(
            environment.load, problem.loads(environment.midpoints), rtol=1e-5, atol=1.0
        )


def test_the_first_demand_is_the_largest_on_the_busiest_link() -> None:
    problem = segment_problem(4)
    environment = MidpointEnvironment(problem)
    busiest = int((environment.load / problem.capacity_bps).argmax())
    puts = np.zeros(problem.flow_count)
    for f in range(problem.flow_count):
        alone = problem.segments.loads(
            problem.source[f : f + 1], problem.target[f : f + 1], problem.rate_bps[f : f + 1]
        )
        puts[f] = alone[busiest]
    assert environment.flow == puts.argmax()


def test_a_pass_asks_for_each_demand_once_and_staying_ends_the_episode() -> None:
    environment = MidpointEnvironment(segment_problem(5), Order(reach=0.1, farthest=0.4, most=8))
    asked = []
    while not environment.over:
        asked.append(environment.flow)
        environment.take(environment.ends[2])
    assert (environment.midpoints == NONE).all()
    _, counts = np.unique(asked, return_counts=True)
    assert counts.max() <= 3  # passes that reach 0.1, 0.2 and 0.4


def test_what_limits_flows_is_kept() -> None:
    one = segment_problem(6)
    nodes, flows = one.segments.nodes, one.flow_count
    random = np.random.default_rng(1)
    excluded = np.zeros((1, nodes, nodes), np.bool_)
    excluded[0, :, 2] = excluded[0, 2, :] = True
    problem = replace(
        one,
        segment_delay_s=random.uniform(0.001, 0.01, (nodes, nodes)),
        limit_s=np.full(flows, 0.012),
        excluded=excluded,
        group=np.where(np.arange(flows) % 2, 0, -1).astype(np.int32),
        movable=np.arange(flows) % 3 != 0,
        most_changes=4,
    )
    environment = MidpointEnvironment(problem)
    asked = random_walk(environment)
    found = environment.midpoints
    moved = np.flatnonzero((found != problem.start).any(axis=1))
    assert 0 < len(moved) <= 4
    assert problem.movable[asked].all()
    for f in moved:
        assert problem.allowed(f)[found[f, 0]]
        assert found[f, 0] != problem.target[f]


def test_a_demand_with_several_midpoints_today_keeps_them() -> None:
    one = segment_problem(7)
    start = np.full((one.flow_count, 2), NONE, np.int32)
    two = [k for k in range(6) if k not in (one.source[0], one.target[0])][:2]
    start[0] = two
    environment = MidpointEnvironment(replace(one, start=start))
    assert 0 not in random_walk(environment)
    assert environment.midpoints[0].tolist() == two


def test_no_midpoint_is_offered_that_is_out_of_reach_now() -> None:
    problem = with_failures(8, 3)
    broken = problem.segments.broken.copy()
    broken[0, :, 3] = True  # as if node 3 were down
    broken[0, 3, :] = True
    problem = replace(problem, segments=replace(problem.segments, broken=broken))
    environment = MidpointEnvironment(problem)
    for _ in range(50):
        s, t, m = environment.ends
        if 3 not in (s, t, m):
            assert not environment.mask()[3]
        environment.take(m)
        if environment.over:
            break


def test_nothing_to_decide_is_over_at_once() -> None:
    one = segment_problem(9)
    assert MidpointEnvironment(replace(one, movable=np.zeros(one.flow_count, np.bool_))).over
    silent = replace(one, rate_bps=np.zeros(one.flow_count))
    assert MidpointEnvironment(silent).over


def test_an_order_out_of_range_is_told() -> None:
    with pytest.raises(InputError, match="reach"):
        Order(reach=0.5, farthest=0.1)
