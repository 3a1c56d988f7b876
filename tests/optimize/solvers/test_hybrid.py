"""Hybrid: local search begins at what an agent found; changes count from the start all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nettwin.optimize.search import Progress, Search
from nettwin.optimize.solvers import hybrid
from nettwin.optimize.solvers.local_search import segments, weights
from nettwin.optimize.solvers.reinforcement import agent, weight_agent
from nettwin.optimize.stop import Steps
from tests.optimize.solvers.local_search.problems import scenario_of, segment_routing_problem
from tests.optimize.solvers.reinforcement.instances import segment_problem, weight_problem

Answer = np.ndarray


def solved(problem, find, steps=10**6, **how) -> Search[Answer]:  # type: ignore[no-untyped-def]
    search: Search[Answer] = Search(Steps(steps))
    find(problem, search, 1, **how)
    assert search.answer is not None
    assert search.value >= problem.utilization(search.answer) * (1 - 1e-9)
    return search


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_midpoints_are_as_good_as_the_agent_and_then_better(seed: int) -> None:
    problem = segment_problem(seed, 16, 24)
    first = solved(problem, agent, episodes=1)
    told: list[Progress] = []
    search: Search[Answer] = Search(Steps(first.steps + 300), told.append)
    hybrid.steer(problem, search, 1)
    assert search.value <= first.value * (1 + 1e-9)
    assert any(one.standing.best == pytest.approx(first.value) for one in told)
    assert search.steps > first.steps


def test_local_search_adds_to_what_the_agent_found() -> None:
    gains = []
    for seed in range(11, 16):
        problem = segment_problem(seed, 16, 24)
        alone = solved(problem, agent, episodes=1)
        gains.append(alone.value / solved(problem, hybrid.steer, alone.steps + 500).value)
    assert min(gains) > 1 - 1e-9
    assert max(gains) > 1.001


@pytest.mark.parametrize("seed", [11, 12])
def test_weights_are_as_good_as_the_agents_and_then_better(seed: int) -> None:
    problem = weight_problem(seed, 12, 20)
    first = solved(problem, weight_agent, episodes=1)
    search = solved(problem, hybrid.weigh, first.steps + 20_000)
    assert search.value <= first.value * (1 + 1e-9)
    begun = solved(problem, weights, 1, begin=first.answer)
    assert begun.value <= first.value * (1 + 1e-9)


def test_local_search_begins_where_it_is_told_to() -> None:
    problem = segment_problem(14, 16, 20)
    begin = solved(problem, segments, 400).answer
    assert begin is not None
    search: Search[Answer] = Search(Steps(0))  # over before it begins: its first offer alone
    segments(problem, search, begin=begin)
    assert search.value == pytest.approx(problem.utilization(begin))
    without: Search[Answer] = Search(Steps(0))
    segments(problem, without)
    assert without.value == pytest.approx(problem.utilization(problem.start))


def test_a_flow_that_need_not_have_moved_goes_back_to_the_start() -> None:
    problem = segment_problem(14, 16, 20)
    random = np.random.default_rng(1)
    begin = np.array(problem.start)
    small = np.argsort(problem.rate_bps)[: problem.flow_count // 4]
    begin[small, 0] = random.integers(0, problem.segments.nodes, small.size)
    at_end = (begin[:, 0] == problem.source) | (begin[:, 0] == problem.target)
    begin[at_end] = problem.start[at_end]
    search: Search[Answer] = Search(Steps(0))
    segments(problem, search, begin=begin)
    assert search.answer is not None
    moved, asked = ((m != problem.start).any(axis=1).sum() for m in (search.answer, begin))
    assert moved < asked
    assert problem.utilization(search.answer) <= problem.utilization(begin) * (1 + 1e-9)


def test_few_changes_count_from_the_start() -> None:
    free = segment_problem(14, 16, 20)
    problem = replace(free, most_changes=4)
    search = solved(problem, hybrid.steer, 3000)
    assert search.answer is not None
    assert 0 < (search.answer != problem.start).any(axis=1).sum() <= 4
    begin = solved(free, segments, 200).answer  # more than 4
    assert begin is not None
    assert (begin != problem.start).any(axis=1).sum() > 4
    search = solved(problem, segments, 50, begin=begin)
    assert search.answer is not None
    assert (search.answer != problem.start).any(axis=1).sum() <= 4


def test_what_breaks_a_limit_is_mended_though_the_agent_left_it() -> None:
    free = segment_routing_problem(scenario_of(3))
    nodes = free.segments.nodes
    excluded = np.zeros((1, nodes, nodes), np.bool_)
    quiet = int(np.argmin(free.rate_bps))  # nobody asks the agent about the smallest flow
    excluded[0, free.source[quiet], free.target[quiet]] = True
    group = np.full(free.flow_count, -1, np.int32)
    group[quiet] = 0
    problem = replace(free, excluded=excluded, group=group)
    search = solved(problem, hybrid.steer, 500)
    assert search.answer is not None
    assert search.answer[quiet, 0] >= 0
    assert problem.allowed(quiet)[search.answer[quiet, 0]]
