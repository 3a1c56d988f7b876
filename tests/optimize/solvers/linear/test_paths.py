"""Linear programming over explicit paths: near the multicommodity flow, within limits of flows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.intent import Avoid, Expectation, Intent, Lever, Selector
from nettwin.optimize.problem import Problem
from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Paths
from nettwin.optimize.problems.explicit_paths_builder import explicit_path_problem, pathed
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.explicit_columns import problem_of
from nettwin.optimize.solvers.linear.flow_lp import flow_lp
from nettwin.optimize.solvers.linear.paths import linear_paths
from nettwin.scenario.changes import SetPath, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from tests.optimize.solvers.linear.networks import network
from tests.optimize.solvers.searching import searched_paths

PATHS = (Lever("paths"),)
SEEDS = st.integers(0, 10_000)


def utilization(p: ExplicitPathProblem, paths: Paths) -> float:
    every = np.arange(len(p.source))
    return float(((p.fixed_bps + p.loads(paths, every)) / p.capacity_bps).max())


def solved(p: ExplicitPathProblem, steps: int = 15, seed: int = 1) -> tuple[Search[Paths], Paths]:
    search, paths = searched_paths(linear_paths, p, steps, seed, utilization)
    for f, links in paths.items():
        ends = [int(p.source[f]), *p.topology.link_target[list(links)].tolist()]
        assert len(set(ends)) == len(ends)
        assert p.keeps(f, links)
    return search, paths


def mesh(nodes: int = 16, **parts: Any) -> Scenario:
    return generate("gabriel", nodes=nodes, seed=5, load=1.4, **parts)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_many_small_flows_come_near_the_multicommodity_flow(seed: int) -> None:
    topology, demand = network(seed, nodes=7)
    source, target = (np.repeat(end, 30).astype(np.int32) for end in np.nonzero(demand))
    p = ExplicitPathProblem(
        topology=topology,
        source=source,
        target=target,
        rate_bps=demand[source, target] / 30,
        capacity_bps=topology.link_capacity_bps,
        fixed_bps=np.random.default_rng(seed).uniform(0.0, 1e6, topology.link_count),
        limit_s=np.full(len(source), np.inf),
        most_changes=len(source),  # each is counted, so each has a path of its own
    )
    flow = flow_lp(problem_of(p))
    assert flow is not None
    search, _ = solved(p)
    assert search.bound <= flow.reached * (1 + 1e-6)
    assert search.value <= 1.03 * flow.reached


def test_it_begins_at_the_paths_of_today_and_keeps_to_few_changes() -> None:
    scenario = mesh()
    problem = Problem(scenario, Intent(levers=PATHS))
    p = explicit_path_problem(problem, scenario)
    first, paths = solved(p)
    assert first.value < 0.7 * utilization(p, {})
    again = apply_all(scenario, pathed(scenario, p, paths))
    few = Problem(again, Intent(levers=PATHS, most_changes=4))
    q = explicit_path_problem(few, again)
    assert q.start == paths
    second, more = solved(q)
    assert second.value <= first.value * (1 + 1e-9)
    assert len(pathed(again, q, more)) <= 4
    none = Problem(scenario, Intent(levers=PATHS, most_changes=0))
    assert not solved(explicit_path_problem(none, scenario))[1]


def test_what_must_be_avoided_and_what_is_late_is_mended_and_kept() -> None:
    scenario = mesh()
    names = scenario.topology.node_name
    away = Avoid(Selector(source=(names[3],)), Selector(node=(names[5],)))
    problem = Problem(scenario, Intent(levers=PATHS, avoid=(away,)))
    p = explicit_path_problem(problem, scenario)
    mine = np.flatnonzero((p.source == 3) & (p.target != 5))
    crossing = [f for f in mine.tolist() if not p.keeps(f, None)]
    assert crossing
    _, paths = solved(p)
    assert all(p.keeps(f, paths.get(f)) for f in mine.tolist())
    free = explicit_path_problem(Problem(scenario, Intent(levers=PATHS)), scenario)
    _, wide = solved(free)
    far = max(scenario.topology.link_delay_s[list(x)].sum() for x in wide.values())
    late = Expectation("delay", at_most=0.8 * far)
    tight = Problem(scenario, Intent(levers=PATHS, expect=(late,)), model=_Anything())
    q = explicit_path_problem(tight, scenario)
    assert np.isfinite(q.limit_s).all()
    _, near = solved(q)
    kept = [f for f in np.flatnonzero(q.movable).tolist() if q.keeps(f, near.get(f))]
    assert len(kept) == np.count_nonzero(q.movable)
    assert max(scenario.topology.link_delay_s[list(x)].sum() for x in near.values()) <= 0.8 * far


class _Anything:
    """A model that nobody asks."""

    name = "anything"

    def predict(self, scenarios: Any) -> Any:
        raise AssertionError


def test_midpoints_of_today_are_left_and_taken_up_again() -> None:
    """A flow over midpoints counts where it goes, may leave for a path, and comes back."""
    scenario = mesh()
    names, nodes = scenario.flow_names, scenario.topology.node_name
    via = SetPath(names[7], ({"via": [nodes[9]], "share": 1.0},))
    half = SetPath(names[20], ({"via": [nodes[4]]}, {"via": [nodes[2]]}))
    today = apply_all(scenario, (via, half))
    p = explicit_path_problem(Problem(today, Intent(levers=PATHS)), today)
    assert not p.start
    load = p.fixed_bps + p.loads({}, np.arange(len(p.source)))
    np.testing.assert_allclose(load, today.link_load_bps, rtol=1e-6)
    assert not p.movable[20]
    search, paths = solved(p)
    after = apply_all(today, pathed(today, p, paths))
    assert after.link_offered_load.max() == pytest.approx(utilization(p, paths), rel=1e-6)
    assert search.value < today.link_offered_load.max()


def test_a_path_that_is_cut_counts_as_none() -> None:
    scenario = mesh()
    p = explicit_path_problem(Problem(scenario, Intent(levers=PATHS)), scenario)
    _, paths = solved(p)
    steered = apply_all(scenario, pathed(scenario, p, paths))
    flow = max(paths, key=lambda f: len(paths[f]))
    up = np.array(scenario.topology.link_up)
    up[paths[flow][0]] = False
    cut = steered.with_(topology=steered.topology.with_arrays(link_up=up))
    q = explicit_path_problem(Problem(cut, Intent(levers=PATHS)), cut)
    assert flow not in q.start
    load = q.fixed_bps + q.loads(q.start, np.arange(len(q.source)))
    np.testing.assert_allclose(load, cut.link_load_bps, rtol=1e-6)
    solved(q)


def test_the_same_seed_gives_the_same_answer() -> None:
    p = explicit_path_problem(Problem(mesh(), Intent(levers=PATHS)), mesh())
    answers = [solved(p, 6, seed)[1] for seed in (7, 7)]
    assert answers[0] == answers[1]
