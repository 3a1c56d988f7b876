"""The order of a plan's changes, and the loads that they move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.optimize.finishing.load_deltas import LoadDeltas, in_turn, load_deltas
from nettwin.optimize.finishing.order import ordered
from nettwin.scenario.changes import SetPath, SetScheduler, SetWeight, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import fifo


def steered(scenario: Scenario, seed: int, count: int) -> tuple[SetPath, ...]:
    """Flows over midpoints, some over two paths, some over links, some by the common path."""
    random = np.random.default_rng(seed)
    names, traffic = scenario.topology.node_name, scenario.traffic
    out = []
    for flow in random.choice(traffic.flow_count, count, replace=False).tolist():
        one, two = (names[m] for m in random.choice(len(names), 2, replace=False))
        paths: list[dict[str, object]] = [{"via": [one, two], "share": 1.0}]
        if random.random() < 0.3:
            paths = [{"via": [one], "share": 0.25}, {"via": [two], "share": 0.75}]
        elif random.random() < 0.3:
            links = replace(scenario, routing=Routing()).paths.of(flow)[0][1]
            paths = [{"links": [scenario.topology.link_name[e] for e in links], "share": 1.0}]
        elif random.random() < 0.2:
            paths = []
        out.append(SetPath(scenario.flow_names[flow], tuple(paths)))
    return tuple(out)


@given(seed=st.integers(0, 300))
@settings(max_examples=20, deadline=None)
def test_shifts_are_what_changes_do(seed: int) -> None:
    scenario = generate("gabriel", nodes=10, seed=seed, load=0.9)
    scenario = apply_all(scenario, steered(scenario, seed, 12))
    changes = steered(scenario, seed + 1, 20)
    after = apply_all(scenario, changes)
    flows = np.array([scenario.flow(change.flow) for change in changes])
    moved = load_deltas(scenario, after, flows)
    load = np.array(scenario.link_load_bps)
    for k, change in enumerate(changes):
        part = slice(moved.offset[k], moved.offset[k + 1])
        one = apply_all(scenario, [change]).link_load_bps - scenario.link_load_bps
        mine = np.zeros(len(load))
        mine[moved.link[part]] = moved.delta_bps[part]
        np.testing.assert_allclose(mine, one, atol=1e-6 * load.max())


@given(seed=st.integers(0, 300))
@settings(max_examples=15, deadline=None)
def test_no_step_is_busier_than_before_and_after_unless_it_is_told(seed: int) -> None:
    scenario = generate("gabriel", nodes=10, seed=seed, load=0.9)
    changes = steered(scenario, seed, 25)
    plan = ordered(scenario, changes)
    assert sorted(map(repr, plan.changes)) == sorted(map(repr, changes))
    after = apply_all(scenario, changes).link_offered_load.max()
    ceiling = max(float(scenario.link_offered_load.max()), float(after)) * (1 + 1e-5)
    now, over = scenario, 0
    for change, said in zip(plan.changes, plan.utilization, strict=True):
        now = apply_all(now, [change])
        over += now.link_offered_load.max() > max(ceiling, 1.0)
        assert said <= now.link_offered_load.max() * (1 + 1e-5)
    assert bool(over) == bool(plan.warnings) or not over


def test_what_makes_room_comes_first_and_what_cannot_be_safe_is_the_least_bad() -> None:
    capacity = np.array([10.0, 10.0, 10.0])
    offset = np.array([0, 2, 4])
    link, delta = np.array([0, 1, 1, 2], np.int32), np.array([-5.0, 5.0, -6.0, 6.0])
    moved = LoadDeltas(offset, link, delta)
    schedule = in_turn(moved, np.array([8.0, 8.0, 0.0]), capacity, 0.9)
    assert schedule.order.tolist() == [1, 0] and schedule.peak.tolist() == pytest.approx([0.6, 0.7])
    schedule = in_turn(moved, np.array([8.0, 8.0, 3.5]), capacity, 0.9)
    assert schedule.order.tolist() == [1, 0] and schedule.peak.tolist() == pytest.approx(
        [0.95, 0.7]
    )
    assert schedule.at.tolist() == [2, 1]


def test_weights_are_ordered_by_the_network_after_each() -> None:
    scenario = generate("nsfnet", seed=1, load=0.5)
    changes = tuple(SetWeight(name, 7.0) for name in scenario.topology.link_name[:4])
    plan = ordered(scenario, changes)
    assert set(plan.changes) == set(changes) and len(plan.utilization) == 4


def test_what_moves_no_load_comes_first_and_the_rest_as_without_it() -> None:
    scenario = generate("nsfnet", load=1.2, seed=2)
    moves = steered(scenario, 3, 20)
    links = scenario.topology.link_name[:3]
    quiet = tuple(SetScheduler(name, fifo(16.0).to_dict()) for name in links)
    alone, found = ordered(scenario, moves), ordered(scenario, moves + quiet)
    assert found.changes == quiet + alone.changes
    now = float(scenario.link_offered_load.max())
    assert found.utilization == (now,) * len(quiet) + alone.utilization
    assert len(found.warnings) == len(alone.warnings)
    assert ordered(scenario, quiet).changes == quiet
