"""Local search over midpoints: exact loads, limits kept, deterministic, on time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nettwin import formats
from nettwin.optimize.local_search import segments
from nettwin.optimize.search import Search
from nettwin.optimize.segment_flows import SegmentFlows
from nettwin.optimize.steering import NONE, Steering
from nettwin.optimize.stop import Seconds, Steps
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario


def steering_of(scenario: Scenario, most_midpoints: int = 1) -> Steering:
    topology, traffic = scenario.topology, scenario.traffic
    nodes, flows = topology.node_count, traffic.flow_count
    return Steering(
        SegmentFlows.of([topology]),
        traffic.flow_source,
        traffic.flow_target,
        traffic.flow_rate_bps,
        np.ones(flows, np.bool_),
        np.full((flows, most_midpoints), NONE, np.int32),
        topology.link_capacity_bps,
        np.zeros(topology.link_count),
        np.zeros((nodes, nodes)),
        np.full(flows, np.inf),
    )


def test_loads_are_exact_and_the_answer_is_better() -> None:
    for most in (1, 2, 3):
        steering = steering_of(generate("gabriel", nodes=20, seed=3, load=1.5), most)
        search: Search[np.ndarray] = Search(Steps(200))
        segments(steering, search)
        assert search.answer is not None
        assert steering.utilization(search.answer) <= search.value * (1 + 1e-12)
        assert search.value < 0.9 * steering.utilization(steering.start)


def test_geant_is_within_a_percent_of_the_bound_at_once(shared_data: Path) -> None:
    scenario = formats.read(shared_data / "repetita" / "zoo" / "Geant2012.graph").scenario
    steering = steering_of(scenario)
    search: Search[np.ndarray] = Search(Steps(300) | Seconds(5))
    segments(steering, search)
    assert 0.8999944 <= search.value <= 0.9 * 1.01
