"""From a problem to its Pathing, and from paths back to changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.pathing import Pathing, Paths
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.steering import NONE
from nettwin.optimize.steering_of import barred_links, fixed_load_bps, limits_bps, limits_s
from nettwin.scenario.changes import SetPath
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario


def pathing_of(
    problem: Problem, scenario: Scenario, level: float = 1.0, changes: int = 0
) -> Pathing:
    """Which flows may take explicit paths in a scenario (the problem's own, perhaps after some
    `changes`), as arrays; `level` as in `steering_of`.

    An explicit path of today that is broken counts as none: the flow goes where the rule leads.
    Flows that have several ways today stay on them.
    """
    topology, traffic = scenario.topology, scenario.traffic
    live = topology.node_up[traffic.flow_source] & topology.node_up[traffic.flow_target]
    start, midpoints, single = _start(scenario)
    free = live & single & problem.flows("paths") & (traffic.flow_source != traffic.flow_target)
    group, barred = barred_links(problem, scenario)
    most = problem.intent.most_changes
    return Pathing(
        topology=topology,
        source=traffic.flow_source,
        target=traffic.flow_target,
        rate_bps=np.where(free, traffic.flow_rate_bps, 0.0),
        capacity_bps=limits_bps(problem, scenario, level)[: topology.link_count],
        fixed_bps=fixed_load_bps(scenario, ~free & live),
        limit_s=limits_s(problem, scenario),
        start={f: path for f, path in start.items() if free[f]},
        rule=scenario.routing,
        most_changes=-1 if most is None else max(most - changes, 0),
        midpoints=midpoints,
        barred=barred,
        group=group,
    )


def pathed(scenario: Scenario, pathing: Pathing, paths: Paths) -> Changes:
    """The changes that make flows take these paths, and others none."""
    names, links = scenario.flow_names, scenario.topology.link_name
    changes = []
    for f in sorted(paths.keys() | pathing.start.keys()):
        path = paths.get(f)
        if path != pathing.start.get(f):
            way = {"links": [links[e] for e in path], "share": 1.0} if path else None
            changes.append(SetPath(names[f], (way,) if way else ()))
    return tuple(changes)


def _start(
    scenario: Scenario,
) -> tuple[dict[int, tuple[int, ...]], NDArray[np.int32], NDArray[np.bool_]]:
    """Today's explicit paths, midpoints [flows, most], and which flows have one way."""
    topology, steer = scenario.topology, scenario.routing.steer
    single = np.ones(scenario.traffic.flow_count, np.bool_)
    single[[f for f, ways in steer.items() if len(ways) > 1]] = False
    ways: dict[int, Steer] = {f: ways[0] for f, ways in steer.items() if len(ways) == 1}
    start = {
        f: way.links
        for f, way in ways.items()
        if way.links and topology.link_live[list(way.links)].all()
    }
    most = max((len(way.midpoints) for way in ways.values()), default=0)
    midpoints = np.full((len(single), most), NONE, np.int32)
    for f, way in ways.items():
        midpoints[f, : len(way.midpoints)] = way.midpoints
    return start, midpoints, single
