"""Demands over time: flows that stay, shares that hold, pairs that are new."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.errors import InputError
from nettwin.scenario.arrivals import CBR
from nettwin.scenario.demands import over_time
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


@pytest.fixture
def scenario() -> Scenario:
    pairs = [(a, b) for a in "ABC" for b in "ABC" if a != b]
    topology = Topology.build(list("ABC"), [Link(a, b, 1e8) for a, b in pairs])
    flows = [
        Flow("A", "B", 1e6, "gold", name="first"),
        Flow("A", "B", 3e6, "silver", Fixed(4000.0), CBR()),
        Flow("B", "C", 0.0, "gold"),
    ]
    return Scenario(topology, Traffic.build(topology, flows))


def test_flows_of_a_pair_keep_their_shares_and_all_else(scenario: Scenario) -> None:
    demand = np.zeros((2, 3, 3))
    demand[:, 0, 1] = 8e6, 0.0
    demand[:, 1, 2] = 0.0, 5e6
    one, two = over_time(scenario, demand)
    assert one.traffic.flow_rate_bps.tolist() == [2e6, 6e6, 0.0]
    assert two.traffic.flow_rate_bps.tolist() == [0.0, 0.0, 5e6]
    assert one.flow_names == two.flow_names == scenario.flow_names
    assert one.traffic.arrivals == scenario.traffic.arrivals
    assert one.topology is scenario.topology and one.routing is scenario.routing
    assert scenario.traffic.flow_rate_bps.tolist() == [1e6, 3e6, 0.0]


def test_new_pairs_get_a_flow_like_the_largest(scenario: Scenario) -> None:
    demand = np.zeros((2, 3, 3))
    demand[1, 2, 0] = 4e6
    demand[:, 1, 1] = 9e9  # to itself: nothing
    one, two = over_time(scenario, demand)
    traffic = two.traffic
    assert traffic.flow_count == one.traffic.flow_count == 4
    assert traffic.flow_rate_bps.tolist() == [0, 0, 0, 4e6]
    assert one.traffic.flow_rate_bps[3] == 0
    assert traffic.class_name[traffic.flow_class[3]] == "silver"
    assert traffic.sizes[traffic.flow_size[3]] == Fixed(4000.0)
    assert traffic.arrivals[traffic.flow_arrival[3]] == CBR()


def test_a_network_without_traffic_gets_some(scenario: Scenario) -> None:
    empty = scenario.with_(traffic=Traffic.build(scenario.topology, []))
    demand = np.ones((1, 3, 3))
    (only,) = over_time(empty, demand)
    assert only.traffic.matrix(3).tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_wrong_shapes_are_refused(scenario: Scenario) -> None:
    for shape in ((3, 3), (1, 2, 2), (1, 3, 4)):
        with pytest.raises(InputError, match=r"must be \(times, 3, 3\)"):
            list(over_time(scenario, np.zeros(shape)))
