"""Splits: where nothing is lost, every engine carries on each link exactly what is offered to it,
however many equal paths there are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student_t

from nettwin.engines.packet.engine import PacketSimulator
from nettwin.interfaces.wiring import engine
from nettwin.scenario.generate import generate
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario


def mesh(kind: str, nodes: int) -> Scenario:
    """A network with little load, and buffers that lose nothing."""
    return generate(kind, nodes=nodes, seed=3, load=0.4, buffer_packets=500)


@pytest.mark.parametrize("name", ["theory", "gnn"])
@pytest.mark.parametrize(
    ("kind", "nodes"), [("grid", 64), ("gabriel", 60), ("fat-tree", 36), ("full-mesh", 8)]
)
def test_models_carry_what_is_offered(name: str, kind: str, nodes: int) -> None:
    network = mesh(kind, nodes)
    steer = {
        f: (Steer(midpoints=(f % network.topology.node_count,)),)
        for f in range(0, network.traffic.flow_count, 7)
    }
    for scenario in (network, network.with_(routing=Routing(steer=steer))):
        exact = scenario.link_offered_load
        (answer,) = engine(name).predict([scenario])
        assert exact.max() < 0.9
        assert np.abs(answer.link["utilization"] - exact).max() <= 1e-6


def test_the_simulator_carries_what_is_offered() -> None:
    """Student's t over independent runs, link by link; of intervals of 95 %, 95 % hold the truth,
    here give or take 2 %."""
    scenario, runs = mesh("grid", 36), 12
    simulators = [PacketSimulator(seed=k, max_packets=150_000, precision=0.0) for k in range(runs)]
    found = np.array([s.predict([scenario])[0].link["utilization"] for s in simulators])
    half = student_t.ppf(0.975, runs - 1) * found.std(axis=0, ddof=1) / np.sqrt(runs)
    exact = scenario.link_offered_load
    assert np.mean(np.abs(found.mean(axis=0) - exact) <= half) >= 0.93
    assert found.mean(axis=0) == pytest.approx(exact, rel=0.05)
