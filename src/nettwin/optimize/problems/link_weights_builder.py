"""From a problem to its LinkWeightProblem, and from weights back to changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.problems.link_weights import LinkWeightProblem, whole_weights
from nettwin.optimize.problems.segment_routing_builder import limits_bps
from nettwin.scenario.changes import SetWeight, apply_all
from nettwin.scenario.ecmp import leg_demand
from nettwin.scenario.scenario import Scenario


def link_weight_problem(
    problem: Problem, scenario: Scenario, level: float = 1.0
) -> LinkWeightProblem:
    """What weights decide in a scenario (the problem's own, perhaps changed), as arrays.

    Flows over midpoints follow weights on each leg; explicit paths and next-hop tables do not
    follow them at all.
    """
    states = [scenario, *(apply_all(scenario, failing) for _, failing in problem.failures)]
    topology, traffic, routing = scenario.topology, scenario.traffic, scenario.routing
    follows = np.full(traffic.flow_count, routing.next_link is None and routing.ecmp)
    follows[[f for f, paths in routing.steer.items() if any(path.links for path in paths)]] = False
    mine, others = np.flatnonzero(follows), np.flatnonzero(~follows)
    fixed = [
        replace(s, traffic=s.traffic.keep(others), routing=s.routing.keep(others)).link_load_bps
        for s in states
    ]
    most = problem.intent.most_changes
    return LinkWeightProblem(
        topologies=tuple(state.topology for state in states),
        demand_bps=leg_demand(topology, traffic.keep(mine), routing.keep(mine)),
        capacity_bps=limits_bps(problem, scenario, level),
        fixed_bps=np.concatenate(fixed),
        choices=whole_weights(topology.link_weight),
        movable=problem.links("weights") & follows.any(),
        most_changes=-1 if most is None else most,
    )


def weighed(
    scenario: Scenario, weight_problem: LinkWeightProblem, weights: NDArray[np.float64]
) -> Changes:
    """The changes that give links these weights. [links]"""
    topology = scenario.topology
    moved = np.flatnonzero(weights != weight_problem.start)
    return tuple(SetWeight(topology.link_name[k], float(weights[k])) for k in moved.tolist())
