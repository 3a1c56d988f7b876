"""Local search over midpoints: what it says is so, limits hold, same seed same answer, on time."""

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
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.local_search import fewest, kernels, segments
from nettwin.optimize.solvers.local_search.moves import Moves
from nettwin.optimize.stop import Clock, Seconds, Steps
from nettwin.scenario.generate import generate
from nettwin.scenario.topology import Link, Topology
from tests.optimize.solvers.local_search.problems import (
    path_of,
    scenario_of,
    segment_routing_problem,
)
from tests.optimize.solvers.searching import searched

Answer = np.ndarray


def solved(
    segment_problem: SegmentRoutingProblem, steps: int = 150, seed: int = 0
) -> tuple[float, Answer]:
    search = searched(segments, segment_problem, steps, seed)
    return search.value, search.answer


def limited(segment_problem: SegmentRoutingProblem, seed: int) -> SegmentRoutingProblem:
    """With delays limited, segments excluded, flows fixed and a load that stays."""
    random = np.random.default_rng(seed)
    flows, nodes = segment_problem.flow_count, segment_problem.segments.nodes
    direct = segment_problem.segment_delay_s[segment_problem.source, segment_problem.target]
    excluded = np.zeros((2, nodes, nodes), np.bool_)
    excluded[0, 0, 1:] = excluded[1, 1:, 2] = True
    group = random.integers(-1, 2, flows).astype(np.int32)
    keeps = [
        g < 0 or not excluded[g, a, b]
        for g, a, b in zip(group, *ends(segment_problem), strict=True)
    ]
    return replace(
        segment_problem,
        movable=random.random(flows) < 0.8,
        fixed_bps=0.05
        * segment_problem.capacity_bps
        * random.random(segment_problem.capacity_bps.size),
        limit_s=np.where(random.random(flows) < 0.5, 1.3 * direct, np.inf),
        excluded=excluded,
        group=np.where(keeps, group, -1).astype(np.int32),
    )


def ends(segment_problem: SegmentRoutingProblem) -> tuple[list[int], list[int]]:
    return segment_problem.source.tolist(), segment_problem.target.tolist()


@settings(max_examples=12)
@given(seed=st.integers(0, 1000), most=st.integers(1, 3), failures=st.integers(0, 2))
def test_limits_hold_and_the_value_is_that_of_the_answer(
    seed: int, most: int, failures: int
) -> None:
    segment_problem = limited(segment_routing_problem(scenario_of(seed), most, failures), seed)
    value, midpoints = solved(segment_problem, 60, seed)
    assert value <= segment_problem.utilization(segment_problem.start) * (1 + 1e-12)
    assert segment_problem.utilization(midpoints) <= value * (1 + 1e-9)
    moved = (midpoints != segment_problem.start).any(axis=1)
    assert not (moved & ~segment_problem.movable).any()
    broken = segment_problem.segments.unreachable
    for f in np.flatnonzero(moved).tolist():
        path = path_of(segment_problem, midpoints, f)
        assert (
            sum(segment_problem.segment_delay_s[leg] for leg in path) <= segment_problem.limit_s[f]
        )
        assert not any(broken[leg] for leg in path)
        assert all(a != b for a, b in path), "a midpoint that is an end of its segment"
        if segment_problem.group[f] >= 0:
            assert not any(segment_problem.excluded[segment_problem.group[f]][leg] for leg in path)
        present = midpoints[f] != NONE
        assert (np.diff(present.astype(int)) <= 0).all(), "padding stands at the end"


@settings(max_examples=10)
@given(
    seed=st.integers(0, 1000),
    most=st.integers(1, 3),
    failures=st.integers(0, 2),
    down=st.sampled_from([0, 0, 12]),
)
def test_incremental_loads_are_those_from_scratch(
    seed: int, most: int, failures: int, down: int
) -> None:
    segment_problem = segment_routing_problem(scenario_of(seed), most, failures, down=down)
    moves = Moves(segment_problem, lambda: True, np.random.default_rng(seed))
    made = 0
    for steepness in (20.0, 40.0, 400.0):
        made += moves.round(steepness)[1]
        moves.kick(3)
        expected = segment_problem.loads(moves.midpoints)
        np.testing.assert_allclose(moves.state.load_bps, expected, rtol=1e-9, atol=1.0)
        changed = (moves.midpoints != segment_problem.start).any(axis=1).sum()
        assert moves.state.changed[0] == changed
        assert not moves.state.marked.any() and not moves.state.added_bps.any()
    assert made > 0


def test_every_move_lowers_the_sum_of_pressures() -> None:
    segment_problem = segment_routing_problem(scenario_of(5), 2)
    moves = Moves(segment_problem, lambda: True, np.random.default_rng(0))

    def pressure() -> float:
        u = segment_problem.loads(moves.midpoints) / segment_problem.capacity_bps
        return float(np.exp(30.0 * (u / moves.state.gauge[1] - 1.0)).sum())

    kernels.gauge(moves.network, moves.state, 30.0)
    before = pressure()
    assert moves.round(30.0)[1] > 0
    assert pressure() < before


@pytest.mark.parametrize("most_changes", [0, 1, 3, 10])
def test_no_more_changes_than_allowed(most_changes: int) -> None:
    segment_problem = segment_routing_problem(scenario_of(2), 1, most_changes=most_changes)
    value, midpoints = solved(segment_problem, 200)
    assert (midpoints != segment_problem.start).any(axis=1).sum() <= most_changes
    start = segment_problem.utilization(segment_problem.start)
    assert value < start if most_changes == 10 else value <= start


def test_one_change_is_the_best_one() -> None:
    segment_problem = segment_routing_problem(scenario_of(7, nodes=8), 1, most_changes=1)
    best = segment_problem.utilization(segment_problem.start)
    for f, m in product(range(segment_problem.flow_count), range(8)):
        if m in (segment_problem.source[f], segment_problem.target[f]):
            continue
        midpoints = np.array(segment_problem.start)
        midpoints[f, 0] = m
        best = min(best, segment_problem.utilization(midpoints))
    assert solved(segment_problem, 300)[0] == pytest.approx(best)


def test_what_must_be_moved_together_is() -> None:
    """Two large flows in each other's way: every single move makes matters worse."""
    topology = Topology.build(
        ["a", "b", "c", "d"],
        [Link("a", "d", 10.0, weight=3)]
        + [Link(*ends, 9.0) for ends in ("ab", "bd")]
        + [Link(*ends, 4.0) for ends in ("ac", "cd")],
        duplex=True,
    )
    source, target = np.zeros(3, np.int32), np.full(3, 3, np.int32)
    segment_problem = SegmentRoutingProblem(
        SegmentFlows.of([topology]),
        source,
        target,
        np.array([8.0, 7.5, 3.0]),
        np.ones(3, np.bool_),
        np.array([[1], [2], [1]], np.int32),  # 11 of 9, 7.5 of 4
        topology.link_capacity_bps,
        np.zeros(topology.link_count),
        np.zeros((4, 4)),
        np.full(3, np.inf),
    )
    every = product([NONE, 1, 2], repeat=3)
    best = min(segment_problem.utilization(np.array(m, np.int32)[:, None]) for m in every)
    assert solved(segment_problem, 2000)[0] == pytest.approx(best)


def test_a_start_that_breaks_its_limits_is_mended() -> None:
    segment_problem = segment_routing_problem(scenario_of(3))
    start = np.array(segment_problem.start)
    far = int(segment_problem.segment_delay_s[segment_problem.source[0]].argmax())
    start[0, 0] = (
        far if far != segment_problem.target[0] else (far + 1) % segment_problem.segments.nodes
    )
    limit = np.array(segment_problem.limit_s)
    limit[0] = segment_problem.segment_delay_s[segment_problem.source[0], segment_problem.target[0]]
    _, midpoints = solved(replace(segment_problem, start=start, limit_s=limit), 0)
    path = path_of(segment_problem, midpoints, 0)
    assert sum(segment_problem.segment_delay_s[leg] for leg in path) <= limit[0]


def test_same_seed_and_steps_give_the_same_answer() -> None:
    segment_problem = segment_routing_problem(scenario_of(4), 2)
    value, midpoints = solved(segment_problem, 120, 3)
    again, same = solved(segment_problem, 120, 3)
    assert value == again
    np.testing.assert_array_equal(midpoints, same)


def test_it_starts_with_the_start_and_never_offers_worse() -> None:
    segment_problem = segment_routing_problem(scenario_of(6))
    told: list[float] = []
    search: Search[Answer] = Search(Steps(100), tell=lambda p: told.append(p.standing.best))
    segments(segment_problem, search)
    assert told[0] == pytest.approx(segment_problem.utilization(segment_problem.start))
    assert told == sorted(told, reverse=True) and len(told) > 2


def test_it_stops_in_time() -> None:
    scenario = generate("waxman", nodes=120, seed=1, load=2.0)
    segment_problem = segment_routing_problem(scenario)
    solved(segment_routing_problem(scenario_of(1)), 50)  # compiled
    clock = Clock(time.process_time)  # others may use the machine
    search: Search[Answer] = Search(Seconds(0.3), clock=clock)
    segments(segment_problem, search)
    assert search.answer is not None
    assert 0.3 <= clock.seconds <= 0.5


def test_nothing_to_move_is_no_error() -> None:
    segment_problem = segment_routing_problem(scenario_of(1))
    still = replace(segment_problem, movable=np.zeros(segment_problem.flow_count, np.bool_))
    value, midpoints = solved(still)
    assert value == pytest.approx(segment_problem.utilization(segment_problem.start))
    np.testing.assert_array_equal(midpoints, segment_problem.start)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), tolerance=st.sampled_from([0.0, 0.01, 0.1]))
def test_fewest_moves_fewer_flows_and_is_as_good(seed: int, tolerance: float) -> None:
    segment_problem = segment_routing_problem(scenario_of(seed), 2)
    random = np.random.default_rng(seed)
    nodes = segment_problem.segments.nodes
    drawn = random.integers(0, nodes, (segment_problem.flow_count, 1))
    own = (drawn[:, 0] == segment_problem.source) | (drawn[:, 0] == segment_problem.target)
    midpoints = np.array(segment_problem.start)
    midpoints[~own, :1] = drawn[~own]
    fewer = fewest(segment_problem, midpoints, tolerance)
    limit = segment_problem.utilization(midpoints) * (1.0 + tolerance)
    assert segment_problem.utilization(fewer) <= limit * (1.0 + 1e-9)
    moved = (fewer != segment_problem.start).any(axis=1)
    assert moved.sum() < (midpoints != segment_problem.start).any(axis=1).sum()
    np.testing.assert_array_equal(fewer[moved], midpoints[moved])


@pytest.mark.parametrize("name", ["Geant2012", "Abilene"])
def test_within_a_percent_of_the_multicommodity_bound_at_once(shared_data: Path, name: str) -> None:
    path = shared_data / "repetita" / "zoo" / f"{name}.graph"
    segment_problem = segment_routing_problem(formats.read(path).scenario)
    value, _ = solved(segment_problem, 200)
    assert 0.89999 <= value <= 0.9 * 1.01
