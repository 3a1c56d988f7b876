"""Constraint programming over explicit paths: the best of all answers where all can be tried;
limits, starts, failures and repetition where they cannot."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Paths
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.constraint import constraint_paths
from nettwin.scenario.generate import generate
from nettwin.scenario.k_shortest import k_shortest
from nettwin.scenario.scenario import Scenario
from tests.optimize.solvers.linear.networks import network
from tests.optimize.solvers.searching import searched_paths

pytest.importorskip("ortools", reason="needs the extra constraint")

ALL = 1000  # more paths than a network of five nodes has


def few_paths(seed: int, **parts: Any) -> ExplicitPathProblem:
    """Four flows that matter in a network of five nodes."""
    topology, demand = network(seed, nodes=5)
    rng = np.random.default_rng(seed)
    pairs = rng.choice(np.flatnonzero(demand.ravel()), 4, replace=False)
    source, target = np.divmod(pairs, 5)
    rate = 6 * demand.ravel()[pairs]
    return path_problem(topology, source, target, rate, **parts)


def path_problem(
    topology: Any, source: Any, target: Any, rate: NDArray[np.float64], **parts: Any
) -> ExplicitPathProblem:
    arrays = {
        "topology": topology,
        "source": np.asarray(source, np.int32),
        "target": np.asarray(target, np.int32),
        "rate_bps": rate,
        "capacity_bps": topology.link_capacity_bps,
        "fixed_bps": np.zeros(topology.link_count),
        "limit_s": np.full(len(rate), np.inf),
    }
    return ExplicitPathProblem(**{**arrays, **parts})


def explicit_path_problem(scenario: Scenario, **parts: Any) -> ExplicitPathProblem:
    traffic = scenario.traffic
    return path_problem(
        scenario.topology,
        traffic.flow_source,
        traffic.flow_target,
        traffic.flow_rate_bps,
        **parts,
    )


def utilization(p: ExplicitPathProblem, paths: Paths) -> float:
    common = np.array([f not in paths for f in range(len(p.source))])
    load = p.fixed_bps + SegmentFlows.of([p.topology]).loads(
        p.source[common], p.target[common], p.rate_bps[common]
    )
    for f, links in paths.items():
        load[list(links)] += p.rate_bps[f]
    return float((load / p.capacity_bps).max())


def solved(p: ExplicitPathProblem, seed: int = 0, steps: int = 20) -> tuple[Search[Paths], Paths]:
    search, paths = searched_paths(constraint_paths, p, steps, seed, utilization)
    for f, links in paths.items():
        assert p.topology.link_live[list(links)].all()
        assert p.topology.link_delay_s[list(links)].sum() <= p.limit_s[f]
    return search, paths


def best_of_all(p: ExplicitPathProblem) -> float:
    """The lowest utilization of all paths within limits, and the common routing without them."""
    every = []
    for f in range(len(p.source)):
        paths = k_shortest(p.topology, int(p.source[f]), int(p.target[f]), ALL)
        assert len(paths) < ALL
        near = [x for x in paths if p.topology.link_delay_s[x].sum() <= p.limit_s[f]]
        unit = np.zeros((len(near), p.topology.link_count))
        for k, links in enumerate(near):
            unit[k, links] = p.rate_bps[f]
        if np.isinf(p.limit_s[f]):
            common = SegmentFlows.of([p.topology]).loads(
                p.source[f : f + 1], p.target[f : f + 1], p.rate_bps[f : f + 1]
            )
            unit = np.vstack([unit, common])
        every.append(np.unique(unit / p.capacity_bps, axis=0))
    half = [a + b for a, b in product(every[0], every[1])]
    rest = np.array([a + b for a, b in product(every[2], every[3])])
    return min(float((one + rest).max(axis=1).min()) for one in half)


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_small_networks_are_solved_and_proven(seed: int, limited: bool) -> None:
    p = few_paths(seed)
    if limited:
        near = [
            min(p.topology.link_delay_s[x].sum() for x in k_shortest(p.topology, s, t, ALL))
            for s, t in zip(p.source.tolist(), p.target.tolist(), strict=True)
        ]
        p = few_paths(seed, limit_s=1.4 * np.array(near) + 1e-9)
    best = best_of_all(p)
    search, _ = solved(p)
    assert search.value == pytest.approx(best, rel=1e-6)
    assert best * (1 - 1e-4) <= search.bound <= best * (1 + 1e-9)


def test_larger_networks_get_better_within_limits_and_changes() -> None:
    scenario = generate("gabriel", nodes=18, seed=3, load=1.5)
    topology, traffic = scenario.topology, scenario.traffic
    common = SegmentFlows.of([topology]).cost(topology.link_delay_s)
    limit = 1.3 * common[traffic.flow_source, traffic.flow_target] + 1e-6
    free = explicit_path_problem(scenario)
    tight = explicit_path_problem(scenario, limit_s=limit, most_changes=30)
    at_start = utilization(free, {})
    search, paths = solved(tight, steps=15)
    assert search.value < 0.95 * at_start
    assert len(paths) <= 30
    assert solved(free, steps=15)[0].value < search.value


def test_it_begins_at_explicit_paths_and_avoids_what_has_failed() -> None:
    scenario = generate("gabriel", nodes=14, seed=5, load=1.2)
    first, paths = solved(explicit_path_problem(scenario), steps=12)
    again, more = solved(explicit_path_problem(scenario, start=paths, most_changes=5), steps=3)
    assert again.value <= first.value * (1 + 1e-9)
    keys = paths.keys() | more.keys()
    assert sum(paths.get(f) != more.get(f) for f in keys) <= 5
    links = paths[max(paths, key=lambda f: len(paths[f]))]
    up = np.array(scenario.topology.link_up)
    up[links[0]] = False
    failed = scenario.topology.with_arrays(link_up=up)
    traffic = scenario.traffic
    solved(
        path_problem(
            failed, traffic.flow_source, traffic.flow_target, traffic.flow_rate_bps, start=paths
        ),
        steps=3,
    )


def test_the_same_seed_gives_the_same_answer() -> None:
    p = explicit_path_problem(generate("gabriel", nodes=14, seed=5, load=1.5))
    answers = [solved(p, seed, 6)[1] for seed in (7, 7, 8)]
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]
