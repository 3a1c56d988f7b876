"""SegmentRoutingProblem drawn at random, with every kind of limit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology


def states_of(topology: Topology, failures: int, down: int = 0) -> list[Topology]:
    """A topology, and with each of some lines down in both directions, each of some nodes down."""
    lines = [topology.link_source, topology.link_target]
    states = [topology]
    for e in range(failures):
        a, b = lines[0][e], lines[1][e]
        up = ~(((lines[0] == a) & (lines[1] == b)) | ((lines[0] == b) & (lines[1] == a)))
        states.append(topology.with_arrays(link_up=up))
    for node in range(down):
        states.append(topology.with_arrays(node_up=np.arange(topology.node_count) != node))
    return states


def segment_routing_problem(
    scenario: Scenario,
    most_midpoints: int = 1,
    failures: int = 0,
    most_changes: int = -1,
    down: int = 0,
) -> SegmentRoutingProblem:
    """All flows free to move."""
    topology, traffic = scenario.topology, scenario.traffic
    segments = SegmentFlows.of(states_of(topology, failures, down))
    links = segments.states * topology.link_count
    delay_s = np.zeros(links)
    delay_s[: topology.link_count] = topology.link_delay_s
    return SegmentRoutingProblem(
        segments,
        traffic.flow_source,
        traffic.flow_target,
        traffic.flow_rate_bps,
        np.ones(traffic.flow_count, np.bool_),
        np.full((traffic.flow_count, most_midpoints), NONE, np.int32),
        np.tile(topology.link_capacity_bps, segments.states),
        np.zeros(links),
        segments.cost(delay_s),
        np.full(traffic.flow_count, np.inf),
        most_changes=most_changes,
    )


def scenario_of(seed: int, nodes: int = 12) -> Scenario:
    """A small network with too much traffic, the weights of its lines drawn."""
    scenario = generate("gabriel", nodes=nodes, seed=seed, load=1.5)
    topology = scenario.topology
    drawn = np.random.default_rng(seed).integers(1, 4, topology.link_count // 2)
    weights = np.tile(drawn, 2) if _halves_mirror(topology) else np.repeat(drawn, 2)
    return scenario.with_(topology=topology.with_arrays(link_weight=weights.astype(float)))


def _halves_mirror(topology: Topology) -> bool:
    half = topology.link_count // 2
    return bool((topology.link_source[:half] == topology.link_target[half:]).all())


def path_of(
    segment_problem: SegmentRoutingProblem, midpoints: np.ndarray, flow: int
) -> list[tuple[int, int]]:
    """The segments of a flow."""
    stops = [int(segment_problem.source[flow])]
    stops += [int(m) for m in midpoints[flow] if m != NONE]
    stops.append(int(segment_problem.target[flow]))
    return list(pairwise(stops))
