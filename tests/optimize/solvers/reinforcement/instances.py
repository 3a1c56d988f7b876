"""Networks for these tests, of our own making."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.reinforcement.training import instances
from nettwin.optimize.solvers.reinforcement.training.instances import Instance, made
from nettwin.scenario.scenario import Scenario


def instance(seed: int = 1, least: int = 10, most: int = 14) -> Instance:
    return made(least, most, np.random.default_rng(seed))


def segment_problem(
    seed: int = 1, least: int = 10, most: int = 14, **parts: Any
) -> SegmentRoutingProblem:
    return replace(instances.segment_routing_problem(instance(seed, least, most)), **parts)


def with_failures(seed: int, count: int) -> SegmentRoutingProblem:
    """The first links fail one at a time, both directions."""
    one = instance(seed)
    states = [one.topology]
    for k in range(count):
        up = np.ones(one.topology.link_count, np.bool_)
        up[2 * k : 2 * k + 2] = False
        states.append(one.topology.with_arrays(link_up=up))
    links = len(states) * one.topology.link_count
    return replace(
        instances.segment_routing_problem(one),
        segments=SegmentFlows.of(states),
        capacity_bps=np.tile(one.topology.link_capacity_bps, len(states)),
        fixed_bps=np.zeros(links),
    )


def segment_routing_problem(scenario: Scenario) -> SegmentRoutingProblem:
    """A whole scenario, every demand free to move."""
    demand = scenario.traffic.matrix(scenario.topology.node_count)
    return instances.segment_routing_problem(Instance(scenario.topology, demand))


def weight_problem(
    seed: int = 1, least: int = 10, most: int = 14, **parts: Any
) -> LinkWeightProblem:
    one = instance(seed, least, most)
    return replace(LinkWeightProblem.of([one.topology], one.demand_bps), **parts)
