"""Paths: single flows sent over midpoints, or along explicit paths, around what hurts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.model_guided.levers.move_context import MoveContext
from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import SetPath
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.paths import Status
from nettwin.scenario.routing import Routing

LINKS, FLOWS, MIDPOINTS = 3, 3, 2  # looked at: hot links, flows on each, midpoints for each flow
MENDED = 40  # flows that miss a limit and are moved together


def over_midpoints(context: MoveContext) -> Iterator[Changes]:
    """Flows on hot links over the midpoints that cost least; and all flows that miss a limit at
    once, each on its cheapest path, which is much more than one at a time."""
    scenario = context.scenario
    cost = context.segments.cost(context.price)
    allowed = context.problem.flows("segments")
    missing = np.flatnonzero(allowed & context.missing)[:MENDED].tolist()
    cheapest = [path for flow in missing for path in _candidates(context, cost, flow)[:1]]
    if len(cheapest) > 1:
        yield tuple(cheapest)
    for flow in context.flows_to_move(allowed, LINKS, FLOWS):
        if flow in scenario.routing.steer:
            yield (SetPath(scenario.flow_names[flow], ()),)
        for path in _candidates(context, cost, flow):
            yield (path,)
    for path in cheapest:
        yield (path,)


def _candidates(context: MoveContext, cost: NDArray[np.float64], flow: int) -> list[SetPath]:
    """A flow over the midpoints that cost least, cheapest first; today's path left out."""
    scenario, broken = context.scenario, context.segments.broken[0]
    s, t = int(scenario.traffic.flow_source[flow]), int(scenario.traffic.flow_target[flow])
    over = np.where(broken[s] | broken[:, t], np.inf, cost[s] + cost[:, t])
    now = scenario.routing.steer.get(flow, ())
    taken = {m for path in now for m in path.midpoints}
    name, nodes = scenario.flow_names[flow], scenario.topology.node_name
    return [
        SetPath(name, ({"via": [nodes[m]], "share": 1.0},))
        for m in np.argsort(over, kind="stable")[: MIDPOINTS + 2].tolist()
        if m not in (s, t) and m not in taken and np.isfinite(over[m])
    ]


def along_paths(context: MoveContext) -> Iterator[Changes]:
    """Flows on hot links along the path that costs least."""
    scenario = context.scenario
    topology = scenario.topology
    priced = topology.with_arrays(link_weight=np.maximum(context.price, 1e-12))
    flows = context.flows_to_move(context.problem.flows("paths"), LINKS, FLOWS)
    if not flows:
        return
    traffic = scenario.traffic.keep(np.array(flows))
    paths = resolve(Routing(ecmp=False), priced, traffic)
    for k, flow in enumerate(flows):
        if paths.status[k] == Status.OK:
            links = [topology.link_name[e] for e in paths.of(k)[0][1]]
            if links:
                yield (SetPath(scenario.flow_names[flow], ({"links": links, "share": 1.0},)),)
