"""Nothing is lost from the books: random networks, schedulers, arrivals and events."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.engines.packet import PacketSimulator
from nettwin.engines.packet.simulation import Simulation
from nettwin.scenario.arrivals import CBR, MMPP, Autocorrelated, OnOff, Poisson, Trace
from nettwin.scenario.changes import FailLink, FailNode, RestoreLink, ScaleTraffic, SetCapacity
from nettwin.scenario.packet_sizes import Binomial, Discrete, Exponential, Fixed, Uniform
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS, Queue, Scheduler
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

ARRIVALS = (
    Poisson(),
    Poisson(longest_gap=3.0),
    Poisson(longest_gap=1e-9),
    Poisson(longest_gap=1e4),
    CBR(),
    OnOff(0.01, 0.03),
    OnOff(0.01, 0.0, regular=True),
    OnOff(0.001, 0.2, starts_with_packet=True),
    OnOff(1e-7, 1e-6),
    OnOff(100.0, 1000.0),
    MMPP(8.0, 0.01, 0.05),
    MMPP(1e6, 50.0, 500.0),
    Autocorrelated(0.9),
    Trace(np.array([0.0, 0.001, 0.001, 0.05])),
    Trace(np.array([5.0, 5.5, 5.6]), np.array([800.0, 4e4, 12e3])),
    Trace(np.array([0.0, 0.01, 0.3]), stretch=False),
)
PACKET_SIZES = (
    Fixed(8000.0),
    Uniform(400.0, 12_000.0),
    Binomial(5000.0, 320.0, 12_000.0),
    Binomial(300.0, 300.0, 300.0),
    Discrete((320.0, 4608.0, 12_000.0), (7.0, 0.0, 1.0)),
    Exponential(6000.0),
)


@st.composite
def schedulers(draw: st.DrawFn) -> Scheduler:
    policy = draw(st.sampled_from(sorted(SCHEDULERS)))
    count = 1 if SCHEDULERS[policy].single_queue else draw(st.integers(1, 3))
    queue = st.builds(
        Queue,
        buffer_packets=st.sampled_from([0.0, 0.5, 1.0, 5.0, 32.0, 1e6, math.inf]),
        buffer_bits=st.sampled_from([0.0, 3000.0, 12_000.0, 1e5, math.inf]),
        weight=st.sampled_from([1e-3, 1.0, 3.0, 1e3]),
        quantum_bits=st.sampled_from([100.0, 1500.0, 12_000.0, 1e6]),
    )
    queues = tuple(draw(queue) for _ in range(count))
    classes = {
        name: draw(st.integers(0, count - 1)) for name in draw(st.sets(st.sampled_from("ab")))
    }
    burst = draw(st.sampled_from([None, None, None, 1000.0, 12_000.0, 1e6]))
    return Scheduler(policy, queues, classes, burst)


@st.composite
def networks(draw: st.DrawFn) -> Scenario:
    """Up to 5 nodes, capacities from 1 kbit/s to 400 Gbit/s, loads up to tenfold."""
    nodes = draw(st.integers(2, 5))
    end = st.integers(0, nodes - 1)
    apart = st.tuples(end, end).filter(lambda p: p[0] != p[1])
    links = [
        Link(
            f"n{a}",
            f"n{b}",
            draw(st.sampled_from([1e3, 1e5, 1e6, 1e6, 1e8, 4e11])),
            draw(st.sampled_from([0.0, 0.0, 1e-6, 1e-3, 2.0])),
            draw(st.sampled_from([1.0, 1.0, 2.0])),
            draw(schedulers()),
            up=draw(st.integers(0, 9)) > 0,
        )
        for a, b in draw(st.lists(apart, min_size=1, max_size=9))
    ]
    topology = Topology.build([f"n{i}" for i in range(nodes)], links)
    flows = [
        Flow(
            f"n{a}",
            f"n{b}",
            draw(st.sampled_from([0.0, 10.0, 1e5, 4e5, 1e6, 5e6])),
            draw(st.sampled_from("abc")),
            draw(st.sampled_from(PACKET_SIZES)),
            draw(st.sampled_from(ARRIVALS)),
        )
        for a, b in draw(st.lists(apart, max_size=6))
    ]
    return Scenario(topology, Traffic.build(topology, flows))


def check_books(simulation: Simulation) -> None:
    counts = simulation.counts()
    state = simulation.state
    assert (counts.sent == counts.delivered + counts.dropped + under_way(simulation)).all()
    assert counts.sent.sum() == simulation.packets_sent
    ended = counts.delivered.sum() + counts.dropped.sum()
    assert simulation.packets_sent == ended + simulation.packets_under_way
    queues = state.queues[1:]
    assert (counts.arrivals == counts.drops + counts.served + queues["count"]).all()
    assert (counts.served >= 0).all() and (counts.drops <= counts.arrivals).all()
    limits = simulation.scenario.topology.queues
    assert (queues["max_packets"] <= limits.buffer_packets).all()
    assert (queues["max_bits"] <= limits.buffer_bits).all()
    by_link = np.bincount(queues["link"], queues["count"], len(state.links))
    assert (by_link == state.links["waiting"]).all()
    for column in (counts.served_bits, counts.wait, counts.wait_bits, counts.service_bits2):
        assert np.isfinite(column).all() and (column >= -1e-6 * (1 + np.abs(column).max())).all()


def under_way(simulation: Simulation) -> np.ndarray:  # type: ignore[type-arg]
    """Packets of each flow on a wire, in service or waiting, by walking the lists. [flows]"""
    packets, found = simulation.state.packets, np.zeros(len(simulation.state.flows), np.int64)
    heads = [(int(link["pipe_head"]), -1) for link in simulation.state.links]
    heads += [(int(q["head"]), int(q["count"])) for q in simulation.state.queues[1:]]
    for head, count in heads:
        p = head if count else 0
        while p and count:
            found[packets["flow"][p]] += 1
            p, count = int(packets["next"][p]), count - 1
    return found


@settings(max_examples=120)
@given(networks(), st.integers(0, 3))
def test_packets_are_conserved(scenario: Scenario, seed: int) -> None:
    pps = float(scenario.traffic.flow_packet_rate_pps.sum())
    span = 400 / pps if pps else 1.0
    simulation = Simulation(scenario, seed)
    for step in range(1, 4):
        simulation.advance(step * span / 3)
        check_books(simulation)


@settings(max_examples=60)
@given(networks(), st.data())
def test_packets_are_conserved_through_events(scenario: Scenario, data: st.DataObject) -> None:
    names, nodes = scenario.topology.link_name, scenario.topology.node_name
    changes = st.one_of(
        st.builds(FailLink, st.sampled_from(names)),
        st.builds(RestoreLink, st.sampled_from(names)),
        st.builds(FailNode, st.sampled_from(nodes)),
        st.builds(SetCapacity, st.sampled_from(names), st.sampled_from([1e4, 1e9])),
        st.builds(ScaleTraffic, st.sampled_from([0.0, 0.5, 3.0])),
    )
    pps = float(scenario.traffic.flow_packet_rate_pps.sum())
    span = 200 / pps if pps else 1.0
    simulation = Simulation(scenario, 1)
    for step, change in enumerate(data.draw(st.lists(changes, max_size=4)), 1):
        simulation.advance(step * span)
        scenario = change.apply(scenario)
        simulation.become(scenario)
        if data.draw(st.booleans()):
            simulation.reroute(scenario)
        check_books(simulation)
    simulation.reroute(scenario)
    simulation.advance(6 * span)
    check_books(simulation)


@settings(max_examples=60)
@given(networks())
def test_the_engine_answers_with_metrics_in_range(scenario: Scenario) -> None:
    engine = PacketSimulator(max_packets=300, jobs=1)
    (metrics,) = engine.predict([scenario])
    flow, queue, link = metrics.flow, metrics.queue, metrics.link
    assert len(flow) == scenario.traffic.flow_count and len(link) == scenario.topology.link_count
    for table in (flow, queue, link):
        for name, values in table.columns.items():
            known = values[~np.isnan(values)]
            assert np.isfinite(known).all() and (known >= 0).all(), name
            if name.endswith(("ratio", "utilization")):
                assert (known <= 1).all(), name
    p50, p90, p99 = (flow[f"owd_{p}_s"] for p in ("p50", "p90", "p99"))
    both = np.isfinite(p50)
    assert (np.isfinite(flow["owd_mean_s"]) == both).all()
    assert (p50[both] <= p90[both]).all() and (p90[both] <= p99[both]).all()
    down = scenario.paths.status > 0
    assert not np.isfinite(flow["owd_mean_s"][down]).any()
    assert set(flow["loss_ratio"][down][~np.isnan(flow["loss_ratio"][down])]) <= {1.0}
    metrics.totals(scenario)


def test_multi_path_shares() -> None:
    links = [Link("A", "B", 1e7), Link("B", "D", 1e7), Link("A", "C", 1e7), Link("C", "D", 1e7)]
    topology = Topology.build("ABCD", links)
    paths = (Steer(links=(0, 1), share=0.7), Steer(links=(2, 3), share=0.3))
    traffic = Traffic.build(topology, [Flow("A", "D", 5e6)])
    scenario = Scenario(topology, traffic, Routing(steer={0: paths}))
    run = PacketSimulator(max_packets=100_000, precision=0.0).run(scenario)
    got = run.metrics.link["throughput_bps"]
    assert got / got[[0, 2]].sum() == pytest.approx([0.7, 0.7, 0.3, 0.3], abs=0.005)


BAG = """
import numpy as np
from hypothesis import given, settings
from {module} import ARRIVALS, networks, check_books
from nettwin.engines.packet.simulation import Simulation
from nettwin.scenario.changes import FailLink, RestoreLink

@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(networks())
def bag(scenario):
    pps = float(scenario.traffic.flow_packet_rate_pps.sum())
    span = 6000 / pps if pps else 1.0  # more than the first pool of packets holds
    simulation = Simulation(scenario, 1)
    simulation.advance(span)
    name = scenario.topology.link_name[0]
    failed = FailLink(name).apply(scenario)
    simulation.become(failed)
    simulation.reroute(failed)
    simulation.advance(1.2 * span)
    restored = RestoreLink(name).apply(failed)
    simulation.become(restored)
    simulation.reroute(restored)
    simulation.advance(1.5 * span)
    check_books(simulation)

bag()
"""


@pytest.mark.slow
def test_no_index_leaves_its_array(tmp_path: Path) -> None:
    """Compiled code does not check indices; here it is made to, over a mixed bag of networks."""
    here = Path(__file__)
    (tmp_path / "bag.py").write_text(BAG.format(module=here.stem), encoding="utf-8")
    environment = os.environ | {
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": str(here.parent),
    }
    done = subprocess.run(
        [sys.executable, str(tmp_path / "bag.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
