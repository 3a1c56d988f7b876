"""Paths after failures are those of routing all flows anew."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.scenario import pathfinding, rerouting
from nettwin.scenario.changes import FailLink, RestoreLink, SetWeight, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.paths import Paths
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import Traffic
from tests.scenario.test_failure_loads import random_scenario


def same(a: Paths, b: Paths) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("flow_offset", "share", "link_offset", "links", "status", "fallback")
    )


def anew(scenario: Scenario) -> Paths:
    return resolve(scenario.routing, scenario.topology, scenario.traffic)


@given(st.integers(0, 2**32 - 1))
def test_paths_after_failures(seed: int) -> None:
    scenario, rng = random_scenario(seed), np.random.default_rng(seed)
    assert scenario.paths is not None
    topology = scenario.topology
    up, node_up = topology.link_up.copy(), topology.node_up.copy()
    up[rng.integers(0, len(up), int(rng.integers(0, 3)))] = False
    node_up[rng.integers(0, len(node_up), int(rng.integers(0, 2)))] = False
    after = scenario.with_(topology=topology.with_arrays(link_up=up, node_up=node_up))
    assert same(after.paths, anew(after))


def test_next_hop_tables_after_failures() -> None:
    plain = generate("ladder", nodes=8, ecmp=False)
    rng = np.random.default_rng(4)
    for _ in range(20):
        table = np.full((8, 8), -1, np.int32)
        for u in range(8):
            leaving = np.flatnonzero(plain.topology.link_source == u)
            table[u] = rng.choice(leaving, 8)
        base = plain.with_(routing=Routing(next_link=table))
        assert len(base.paths.status)
        up = np.ones(plain.topology.link_count, np.bool_)
        up[rng.integers(0, len(up), 2)] = False
        after = base.with_(topology=base.topology.with_arrays(link_up=up))
        assert same(after.paths, anew(after))


def test_only_touched_flows_are_routed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    base = generate("gabriel", nodes=30, seed=2)
    assert base.paths.path_count
    routed: list[int] = []

    def counted(routing: Routing, topology: Topology, traffic: Traffic) -> Paths:
        routed.append(traffic.flow_count)
        return resolve(routing, topology, traffic)

    monkeypatch.setattr(pathfinding, "resolve", counted)
    monkeypatch.setattr(rerouting, "resolve", counted)
    name = base.topology.link_name[0]
    once = apply_all(base, [FailLink(name)])
    assert once.paths.path_count
    twice = apply_all(base, [FailLink(name), FailLink(base.topology.link_name[9])])
    assert twice.paths.path_count
    assert max(routed) < base.traffic.flow_count / 2
    assert same(twice.paths, resolve(base.routing, twice.topology, twice.traffic))


def test_what_may_shorten_paths_is_routed_anew() -> None:
    base = generate("gabriel", nodes=20, seed=2)
    name = base.topology.link_name[0]
    failed = apply_all(base, [FailLink(name)])
    for start, changes in (
        (failed, [RestoreLink(name)]),
        (base, [SetWeight(name, 9.0)]),
        (base, [FailLink(name), SetWeight(base.topology.link_name[4], 0.1)]),
        (base, [FailLink(name), RestoreLink(name)]),
    ):
        assert len(start.paths.status)
        after = apply_all(start, changes)
        assert same(after.paths, anew(after))
    steered = base.with_(routing=Routing(steer={0: (Steer(midpoints=(5,)),)}))
    assert same(steered.paths, anew(steered))


def test_a_pickled_scenario_leaves_the_one_before_behind() -> None:
    base = generate("gabriel", nodes=40, seed=2)
    assert base.paths.path_count
    failed = apply_all(base, [FailLink(base.topology.link_name[0])])
    assert len(pickle.dumps(failed)) < len(pickle.dumps(base))
    assert same(pickle.loads(pickle.dumps(failed)).paths, anew(failed))
    assert rerouting.rerouted(base, base) is base.paths


def test_flows_over_many_paths_do_not_depend_on_the_flows_beside_them() -> None:
    base = generate("grid", nodes=49, seed=2)
    whole = base.paths
    for first in range(0, base.traffic.flow_count, 40):
        for count in (1, 3, 17):
            flows = np.arange(first, min(first + count, base.traffic.flow_count))
            some = resolve(base.routing.keep(flows), base.topology, base.traffic.keep(flows))
            for k, f in enumerate(flows.tolist()):
                assert some.of(k) == whole.of(f)
