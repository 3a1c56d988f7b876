"""From a problem to its ExplicitPathProblem, and from paths back to changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Paths
from nettwin.optimize.problems.segment_routing import NONE
from nettwin.optimize.problems.segment_routing_builder import (
    excluded_links,
    fixed_load_bps,
    limits_bps,
    limits_s,
)
from nettwin.scenario.changes import SetPath
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario


def explicit_path_problem(
    problem: Problem, scenario: Scenario, level: float = 1.0, changes: int = 0
) -> ExplicitPathProblem:
    """Which flows may take explicit paths in a scenario (the problem's own, perhaps after some
    `changes`), as arrays; `level` as in `segment_routing_problem`.

    An explicit path of today that is broken counts as none: the flow goes where the rule leads.
    Flows that have several paths today stay on them.
    """
    topology, traffic = scenario.topology, scenario.traffic
    live = topology.node_up[traffic.flow_source] & topology.node_up[traffic.flow_target]
    start, midpoints, single = _start(scenario)
    free = live & single & problem.flows("paths") & (traffic.flow_source != traffic.flow_target)
    group, excluded = excluded_links(problem, scenario)
    most = problem.intent.most_changes
    return ExplicitPathProblem(
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
        excluded=excluded,
        group=group,
    )


def pathed(scenario: Scenario, path_problem: ExplicitPathProblem, paths: Paths) -> Changes:
    """The changes that make flows take these paths, and others none."""
    names, links = scenario.flow_names, scenario.topology.link_name
    changes = []
    for f in sorted(paths.keys() | path_problem.start.keys()):
        path = paths.get(f)
        if path != path_problem.start.get(f):
            candidate = {"links": [links[e] for e in path], "share": 1.0} if path else None
            changes.append(SetPath(names[f], (candidate,) if candidate else ()))
    return tuple(changes)


def _start(
    scenario: Scenario,
) -> tuple[dict[int, tuple[int, ...]], NDArray[np.int32], NDArray[np.bool_]]:
    """Today's explicit paths, midpoints [flows, most], and which flows have one path."""
    topology, steer = scenario.topology, scenario.routing.steer
    single = np.ones(scenario.traffic.flow_count, np.bool_)
    single[[f for f, paths in steer.items() if len(paths) > 1]] = False
    paths: dict[int, Steer] = {f: paths[0] for f, paths in steer.items() if len(paths) == 1}
    start = {
        f: path.links
        for f, path in paths.items()
        if path.links and topology.link_live[list(path.links)].all()
    }
    most = max((len(path.midpoints) for path in paths.values()), default=0)
    midpoints = np.full((len(single), most), NONE, np.int32)
    for f, path in paths.items():
        midpoints[f, : len(path.midpoints)] = path.midpoints
    return start, midpoints, single
