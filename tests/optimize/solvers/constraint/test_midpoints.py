"""Constraint programming over midpoints: the best of all answers where all can be tried; limits,
time and repetition where they cannot."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nettwin import formats
from nettwin.errors import MissingExtraError
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.constraint import constraint
from nettwin.optimize.stop import Cancel, Clock, Seconds, Steps
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from tests.optimize.solvers.linear.networks import few_flows
from tests.work import LOOKS, Ticking

pytest.importorskip("ortools", reason="needs the extra constraint")

Midpoints = NDArray[np.int32]


def segment_routing_problem(
    scenario: Scenario, most_midpoints: int = 1, **parts: object
) -> SegmentRoutingProblem:
    topology, traffic = scenario.topology, scenario.traffic
    segments = SegmentFlows.of([topology])
    arrays: dict[str, object] = {
        "segments": segments,
        "source": traffic.flow_source,
        "target": traffic.flow_target,
        "rate_bps": traffic.flow_rate_bps,
        "movable": np.ones(traffic.flow_count, np.bool_),
        "start": np.full((traffic.flow_count, most_midpoints), NONE, np.int32),
        "capacity_bps": topology.link_capacity_bps,
        "fixed_bps": np.zeros(topology.link_count),
        "segment_delay_s": segments.cost(topology.link_delay_s),
        "limit_s": np.full(traffic.flow_count, np.inf),
    }
    return SegmentRoutingProblem(**{**arrays, **parts})  # type: ignore[arg-type]


def solved(
    segment_problem: SegmentRoutingProblem, seed: int = 0, steps: int = 20
) -> Search[Midpoints]:
    search: Search[Midpoints] = Search(Steps(steps))
    constraint(segment_problem, search, seed)
    assert search.answer is not None
    assert segment_problem.utilization(search.answer) <= search.value * (
        1 + 1e-9
    )  # fewer moved: or less
    return search


def delays_s(segment_problem: SegmentRoutingProblem, midpoints: Midpoints) -> NDArray[np.float64]:
    via = np.where(midpoints[:, 0] == NONE, segment_problem.source, midpoints[:, 0])
    delay = segment_problem.segment_delay_s
    return np.asarray(delay[segment_problem.source, via] + delay[via, segment_problem.target])


def every_answer(segment_problem: SegmentRoutingProblem) -> list[tuple[float, int]]:
    """Utilization and changed flows of all answers that keep limits and the number of changes."""
    choices = []
    for f in range(segment_problem.flow_count):
        allowed = np.flatnonzero(segment_problem.allowed(f)).tolist()
        ends = int(segment_problem.source[f]), int(segment_problem.target[f])
        rows = {NONE if m in ends else m for m in allowed}
        choices.append([(m, m != int(segment_problem.start[f, 0])) for m in sorted(rows)])
    found = []
    for answer in product(*choices):
        changes = sum(changed for _, changed in answer)
        if segment_problem.most_changes < 0 or changes <= segment_problem.most_changes:
            midpoints = np.array([[m] for m, _ in answer], np.int32)
            found.append((segment_problem.utilization(midpoints), changes))
    return found


@pytest.mark.parametrize(
    ("seed", "states", "most"),
    [(0, 1, -1), (1, 1, -1), (2, 1, 2), (3, 1, 1), (4, 2, -1), (5, 3, 2)],
)
def test_small_networks_are_solved_and_proven(seed: int, states: int, most: int) -> None:
    segment_problem = few_flows(seed, states, most_changes=most)
    every = every_answer(segment_problem)
    best = min(value for value, _ in every)
    fewest = min(changes for value, changes in every if value <= best * (1 + 1e-9))
    search = solved(segment_problem)
    assert search.value == pytest.approx(best, rel=1e-6)
    assert best * (1 - 1e-4) <= search.bound <= best * (1 + 1e-12)
    assert search.answer is not None
    assert (search.answer != segment_problem.start).any(axis=1).sum() == fewest


@pytest.mark.parametrize("seed", range(4))
def test_small_networks_with_delay_limits_and_a_start_that_breaks_them(seed: int) -> None:
    plain = few_flows(seed)
    start = np.array(plain.start)
    start[:, 0] = [max(range(6), key=lambda m: _far(plain, f, m)) for f in range(5)]
    shortest = plain.segment_delay_s[plain.source, plain.target]
    segment_problem = few_flows(seed, start=start, limit_s=1.5 * shortest)
    assert (delays_s(segment_problem, start) > segment_problem.limit_s).any()
    search = solved(segment_problem)
    assert search.answer is not None
    assert (delays_s(segment_problem, search.answer) <= segment_problem.limit_s).all()
    assert search.value == pytest.approx(
        min(value for value, _ in every_answer(segment_problem)), rel=1e-6
    )


def _far(segment_problem: SegmentRoutingProblem, flow: int, midpoint: int) -> float:
    if midpoint in (segment_problem.source[flow], segment_problem.target[flow]):
        return 0.0
    delay = segment_problem.segment_delay_s
    return float(
        delay[segment_problem.source[flow], midpoint]
        + delay[midpoint, segment_problem.target[flow]]
    )


def test_a_start_that_breaks_limits_is_mended_as_far_as_changes_may() -> None:
    plain = segment_routing_problem(generate("gabriel", nodes=14, seed=4, load=1.2))
    start = np.array(plain.start)
    start[:, 0] = [max(range(14), key=lambda m: _far(plain, f, m)) for f in range(len(start))]
    limit = 1.3 * plain.segment_delay_s[plain.source, plain.target] + 1e-4
    broken = int((delays_s(plain, start) > limit).sum())
    for most, left in ((-1, 0), (broken, 0), (broken // 2, broken - broken // 2)):
        segment_problem = segment_routing_problem(
            generate("gabriel", nodes=14, seed=4, load=1.2),
            start=start,
            limit_s=limit,
            most_changes=most,
        )
        search = solved(segment_problem, steps=5)
        assert search.answer is not None
        assert (delays_s(segment_problem, search.answer) > limit).sum() == left
        if most >= 0:
            assert (search.answer != start).any(axis=1).sum() <= most


def test_larger_networks_get_better_and_keep_limits_and_groups() -> None:
    scenario = generate("gabriel", nodes=20, seed=3, load=1.5)
    plain = segment_routing_problem(scenario)
    flows, nodes = plain.flow_count, 20
    excluded = np.zeros((1, nodes, nodes), np.bool_)
    excluded[0, :, 5] = excluded[0, 5, :] = True
    group = np.where((plain.source == 5) | (plain.target == 5), -1, 0).astype(np.int32)
    limit = 1.2 * plain.segment_delay_s[plain.source, plain.target]
    segment_problem = segment_routing_problem(
        scenario, limit_s=limit, excluded=excluded, group=group, most_changes=40
    )
    worst = segment_problem.utilization(segment_problem.start)
    for steps in (1, 4, 15):
        search = solved(segment_problem, steps=steps)
        answer = search.answer
        assert answer is not None
        assert search.value <= worst
        assert (delays_s(segment_problem, answer) <= limit).all()
        assert not (answer[group == 0] == 5).any()
        assert (answer != NONE).any(axis=1).sum() <= 40
        worst = search.value
    assert worst < 0.9 * segment_problem.utilization(segment_problem.start)
    assert solved(plain, steps=15).value <= worst
    assert flows == 380


def test_two_midpoints_reach_what_one_cannot() -> None:
    one, two = few_flows(9, midpoints=1), few_flows(9, midpoints=2)
    more, less = solved(one), solved(two)
    assert less.value < 0.9 * more.bound
    scenario = generate("gabriel", nodes=16, seed=6, load=1.5)
    search = solved(segment_routing_problem(scenario, 2), steps=15)
    assert search.value < 0.9 * segment_routing_problem(scenario).utilization(
        np.full((240, 1), NONE, np.int32)
    )


def test_flows_that_may_not_move_stay_and_bound_the_answer() -> None:
    scenario = generate("gabriel", nodes=12, seed=2, load=1.5)
    segment_problem = segment_routing_problem(scenario, movable=np.arange(132) % 3 == 0)
    search = solved(segment_problem, steps=15)
    assert search.answer is not None
    assert (search.answer[~segment_problem.movable] == NONE).all()
    still = np.where(segment_problem.movable, 0.0, segment_problem.rate_bps)
    load = segment_problem.segments.loads(segment_problem.source, segment_problem.target, still)
    assert search.bound >= (load / segment_problem.capacity_bps).max() * (1 - 1e-9)
    nobody = segment_routing_problem(scenario, movable=np.zeros(132, np.bool_))
    search = solved(nobody)
    assert search.value == search.bound == nobody.utilization(nobody.start)


def test_the_same_seed_gives_the_same_answer() -> None:
    segment_problem = segment_routing_problem(generate("gabriel", nodes=16, seed=1, load=1.5))
    answers = [solved(segment_problem, seed, 8).answer for seed in (7, 7, 8)]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def test_it_ends_in_time_and_when_cancelled() -> None:
    segment_problem = segment_routing_problem(generate("gabriel", nodes=40, seed=1, load=1.5))
    solved(segment_problem, steps=1)  # OR-tools is loaded
    for seconds in (0.0, 0.1, 0.4):
        clock = Ticking(step_s=0.05)
        search: Search[Midpoints] = Search(Seconds(seconds), clock=Clock(clock))
        constraint(segment_problem, search)
        assert clock.now_s < seconds + LOOKS * clock.step_s
        assert search.value <= segment_problem.utilization(segment_problem.start)
    cancel, clock = Cancel(), Ticking()
    clock.at[8] = cancel.cancel
    constraint(segment_problem, Search(cancel, clock=Clock(clock)))
    assert 8 <= clock.looks < 8 + LOOKS


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(MissingExtraError, match=r"nettwin\[constraint\]"):
        constraint(few_flows(0), Search(Steps(1)))


def test_geant_comes_near_the_bound(shared_data: Path) -> None:
    scenario = formats.read(shared_data / "repetita" / "zoo" / "Geant2012.graph").scenario
    search = solved(segment_routing_problem(scenario), steps=40)
    assert 0.8999944 <= search.value <= 0.91
