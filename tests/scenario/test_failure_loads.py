"""Loads under many failures: those of each failure by itself, however flows are routed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nettwin.scenario import failure_loads
from nettwin.scenario.changes import FailGroup, FailNode, apply_all
from nettwin.scenario.failure_loads import loads_under_failures
from nettwin.scenario.generate import generate
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def alone(scenario: Scenario, links: NDArray[np.intp]) -> tuple[NDArray[np.float64], float]:
    """One failure, by the long computation: the loads along all paths, and the rate of flows
    without one."""
    up = scenario.topology.link_up.copy()
    up[links] = False
    topology = scenario.topology.with_arrays(link_up=up)
    failed = Scenario(topology, scenario.traffic, scenario.routing)
    rate = scenario.traffic.flow_rate_bps
    load = failed.paths.link_loads(rate, topology.link_count)
    return load, float(rate[failed.paths.status > 0].sum())


def random_scenario(seed: int) -> Scenario:
    """A network of any kind: parallel and one-way links, ties, elements that are down, pieces that
    are cut off, flows over midpoints and over paths of their own."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 9))
    names = [f"n{i}" for i in range(nodes)]
    links = []
    for _ in range(int(rng.integers(1, 4 * nodes))):
        a, b = rng.choice(nodes, 2, replace=False)
        weight = float(rng.choice([1.0, 2.0, 3.0, 1e-12, 0.1, 0.2, 0.30000000000000004]))
        links.append(Link(names[a], names[b], weight=weight))
    topology = Topology.build(names, links)
    up = rng.random(nodes) > 0.05
    topology = topology.with_arrays(node_up=up, link_up=rng.random(len(links)) > 0.05)
    flows = []
    for _ in range(int(rng.integers(1, 12))):
        a, b = rng.choice(nodes, 2, replace=False)
        flows.append(Flow(names[a], names[b], float(rng.uniform(0.0, 1e6))))
    traffic = Traffic.build(topology, flows)
    steer: dict[int, tuple[Steer, ...]] = {}
    plain = Scenario(topology, traffic)
    for f in range(len(flows)):
        kind = rng.random()
        if kind < 0.2:
            steer[f] = (Steer(midpoints=tuple(rng.integers(0, nodes, 2).tolist())),)
        elif kind < 0.3:
            steer[f] = (
                Steer(midpoints=(int(rng.integers(0, nodes)),), share=0.25),
                Steer(midpoints=(int(rng.integers(0, nodes)),), share=0.75),
            )
        elif kind < 0.45 and plain.paths.of(f):
            steer[f] = (Steer(links=tuple(plain.paths.of(f)[0][1])),)
    return Scenario(topology, traffic, Routing(ecmp=bool(rng.random() < 0.7), steer=steer))


@given(st.integers(0, 2**32 - 1))
def test_loads_are_those_of_each_failure_alone(seed: int) -> None:
    scenario = random_scenario(seed)
    rng = np.random.default_rng(seed)
    count = scenario.topology.link_count
    failures = [np.array([k]) for k in range(count)]
    failures += [rng.choice(count, int(rng.integers(0, count + 1)), False) for _ in range(5)]
    found = loads_under_failures(scenario, failures)
    for k, links in enumerate(failures):
        load, unroutable = alone(scenario, links)
        np.testing.assert_allclose(found.load_bps[k], load, rtol=1e-9, atol=1e-4)
        np.testing.assert_allclose(found.unroutable_bps[k], unroutable, rtol=1e-9, atol=1e-4)


@pytest.mark.parametrize("ecmp", [True, False])
def test_networks_of_many_equal_paths(ecmp: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_loads, "BLOCK_BYTES", 20_000)  # several blocks of targets
    scenario = generate("gabriel", nodes=30, seed=5, ecmp=ecmp)
    topology = scenario.topology
    pairs = [np.array([k, (k + 7) % topology.link_count]) for k in range(topology.link_count)]
    found = loads_under_failures(scenario, pairs)
    for k in range(0, len(pairs), 9):
        load, unroutable = alone(scenario, pairs[k])
        np.testing.assert_allclose(found.load_bps[k], load, rtol=1e-9, atol=1e-6)
        assert found.unroutable_bps[k] == pytest.approx(unroutable)


def test_links_of_a_node_and_of_a_group_are_failures_too() -> None:
    plain = generate("waxman", nodes=12, seed=2)
    group = tuple(("duct",) if k in (0, 5) else () for k in range(plain.topology.link_count))
    scenario = plain.with_(topology=plain.topology.with_arrays(link_srlg=group))
    topology = scenario.topology
    changes = [FailNode(topology.node_name[3]), FailGroup("duct")]
    ends = (topology.link_source == 3) | (topology.link_target == 3)
    found = loads_under_failures(scenario, [np.flatnonzero(ends), [0, 5]])
    for k, change in enumerate(changes):
        failed = apply_all(scenario, [change])
        np.testing.assert_allclose(found.load_bps[k], failed.link_load_bps, rtol=1e-9, atol=1e-6)
        lost = scenario.traffic.flow_rate_bps[failed.paths.status > 0].sum()
        assert found.unroutable_bps[k] == pytest.approx(lost)


def test_next_hop_tables_lose_what_they_send_into_a_failure() -> None:
    plain = generate("ring", nodes=6)
    topology = plain.topology
    table = np.full((6, 6), -1, np.int32)
    for u in range(6):  # all go round in one direction
        table[u, [t for t in range(6) if t != u]] = np.flatnonzero(
            (topology.link_source == u) & (topology.link_target == (u + 1) % 6)
        )[0]
    scenario = plain.with_(routing=Routing(next_link=table))
    failures = [np.array([k]) for k in range(topology.link_count)]
    found = loads_under_failures(scenario, failures)
    assert found.unroutable_bps.max() > 0.0
    for k, links in enumerate(failures):
        load, unroutable = alone(scenario, links)
        np.testing.assert_allclose(found.load_bps[k], load, rtol=1e-9, atol=1e-6)
        assert found.unroutable_bps[k] == pytest.approx(unroutable)


def test_no_failures_and_failures_of_nothing() -> None:
    scenario = generate("ring", nodes=4)
    assert loads_under_failures(scenario, []).load_bps.shape == (0, 8)
    found = loads_under_failures(scenario, [[], np.arange(8)])
    np.testing.assert_allclose(found.load_bps[0], scenario.link_load_bps)
    assert not found.load_bps[1].any()
    total = scenario.traffic.flow_rate_bps.sum()
    np.testing.assert_allclose(found.unroutable_bps, [0.0, total])
