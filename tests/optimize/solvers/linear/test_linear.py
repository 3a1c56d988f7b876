"""The optimizer on small networks: against all answers there are, limits, time and repetition."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin import formats
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.linear import linear
from nettwin.optimize.stop import Cancel, Clock, Gap, Seconds, Steps
from tests.optimize.solvers.linear.networks import few_flows, network, segment_problem
from tests.work import LOOKS, Ticking

Midpoints = np.ndarray


def solved(problem: SegmentRoutingProblem, steps: int = 60, seed: int = 0) -> Search[Midpoints]:
    """The search after so many steps; its value is that of its answer."""
    search: Search[Midpoints] = Search(Steps(steps) | Gap(1e-6))
    linear(problem, search, seed)
    assert search.answer is not None
    assert search.value == pytest.approx(problem.utilization(search.answer), rel=1e-9)
    return search


def best_of_all(problem: SegmentRoutingProblem) -> float:
    """The lowest utilization of the answers that break the fewest limits, by trying all.

    A flow that starts on a path that breaks a limit may stay there only where no change is left.
    """
    paths, starts_broken = [], []
    for f in range(problem.flow_count):
        allowed = np.flatnonzero(problem.allowed(f)).tolist()
        ends = (problem.source[f], problem.target[f])
        kept = {NONE if m in ends else m for m in allowed}
        begin = int(problem.start[f, 0])
        movable = bool(problem.movable[f])
        paths.append(sorted(kept | {begin}) if movable else [begin])
        starts_broken.append(movable and begin not in kept and bool(kept))
    best = (problem.flow_count + 1, np.inf)
    for chosen in itertools.product(*paths):
        midpoints = np.array(chosen, np.int32)[:, None]
        stays = (midpoints == problem.start).all(axis=1)
        if problem.most_changes < 0 or int((~stays).sum()) <= problem.most_changes:
            broken = int((stays & np.array(starts_broken)).sum())
            best = min(best, (broken, float(problem.utilization(midpoints))))
    return best[1]


@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), states=st.integers(1, 2))
def test_between_the_bound_and_what_all_answers_reach(seed: int, states: int) -> None:
    problem = few_flows(seed, states)
    search = solved(problem)
    best = best_of_all(problem)
    assert search.bound <= best * (1 + 1e-6)
    assert best * (1 - 1e-6) <= search.value
    assert search.value <= problem.utilization(np.array(problem.start)) * (1 + 1e-9)


@given(seed=st.integers(0, 10_000))
def test_limits_are_kept(seed: int) -> None:
    """Delay limits, excluded segments, flows that stay and the number of changes."""
    rng = np.random.default_rng(seed)
    plain = few_flows(seed)
    direct = plain.segment_delay_s[plain.source, plain.target]
    nodes = plain.segments.nodes
    problem = few_flows(
        seed,
        limit_s=np.where(rng.random(5) < 0.5, direct * 1.5, np.inf),
        excluded=rng.random((1, nodes, nodes)) < 0.2,
        group=rng.integers(-1, 1, 5).astype(np.int32),
        movable=rng.random(5) < 0.8,
        most_changes=int(rng.integers(0, 4)),
    )
    search = solved(problem)
    best = best_of_all(problem)
    assert search.bound <= best * (1 + 1e-6)
    assert best * (1 - 1e-6) <= search.value
    assert search.answer is not None
    changed = np.flatnonzero((search.answer != problem.start).any(axis=1))
    assert len(changed) <= problem.most_changes
    for f in changed:
        assert problem.movable[f]
        assert problem.allowed(f)[search.answer[f, 0]]


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000))
def test_more_midpoints_are_never_worse(seed: int) -> None:
    topology, demand = network(seed)
    bounds = [solved(segment_problem([topology], demand, k), steps=30).bound for k in (1, 2, 3)]
    assert bounds[1] <= bounds[0] * (1 + 1e-5)
    assert bounds[2] <= bounds[1] * (1 + 1e-5)


def test_it_ends_on_time_and_when_cancelled() -> None:
    topology, demand = network(7, nodes=24)
    problem = segment_problem([topology], demand, 2)
    solved(problem, steps=2)  # compiled before the clock counts
    for seconds in (0.0, 0.05, 0.4):
        clock = Ticking()
        search: Search[Midpoints] = Search(Seconds(seconds), clock=Clock(clock))
        linear(problem, search)
        assert clock.now_s < seconds + LOOKS * clock.step_s
        assert search.answer is not None
    cancel = Cancel()
    cancel.cancel()
    search = Search(cancel)
    linear(problem, search)
    assert search.value == problem.utilization(np.array(problem.start))


def test_the_same_seed_gives_the_same_answer() -> None:
    topology, demand = network(8, nodes=16)
    problem = segment_problem([topology], demand)
    one, other = (solved(problem, steps=12, seed=3) for _ in range(2))
    assert np.array_equal(one.answer, other.answer)
    assert (one.value, one.bound) == (other.value, other.bound)


def test_nothing_to_move_is_proven_best() -> None:
    topology, demand = network(9)
    stuck = segment_problem([topology], demand, movable=np.zeros(30, np.bool_))
    search = solved(stuck)
    assert search.bound == search.value


def test_a_published_instance(shared_data: Path) -> None:
    """Within 0.1 % of the bound in less than a second of steps."""
    scenario = formats.read(shared_data / "repetita" / "zoo" / "Geant2012.graph").scenario
    demand = scenario.traffic.matrix(scenario.topology.node_count)
    search = solved(segment_problem([scenario.topology], demand), steps=10)
    assert search.bound == pytest.approx(0.9, rel=1e-4)
    assert search.value <= 0.9 * 1.001
