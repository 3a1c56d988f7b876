"""Ways: single flows sent over midpoints, or along explicit paths, around what hurts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.levers.look import Look
from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import SetPath
from nettwin.scenario.routing import Routing, Status

LINKS, FLOWS, MIDPOINTS = 3, 3, 2  # looked at: hot links, flows on each, midpoints for each flow
MENDED = 40  # flows that miss a limit and are moved together


def over_midpoints(look: Look) -> Iterator[Changes]:
    """Flows on hot links over the midpoints that cost least; and all flows that miss a limit at
    once, each on its cheapest way, which is much more than one at a time."""
    scenario = look.scenario
    cost = look.segments.cost(look.price)
    allowed = look.problem.flows("segments")
    missing = np.flatnonzero(allowed & look.missing)[:MENDED].tolist()
    cheapest = [way for flow in missing for way in _ways(look, cost, flow)[:1]]
    if len(cheapest) > 1:
        yield tuple(cheapest)
    for flow in look.flows_to_move(allowed, LINKS, FLOWS):
        if flow in scenario.routing.steer:
            yield (SetPath(scenario.flow_names[flow], ()),)
        for way in _ways(look, cost, flow):
            yield (way,)
    for way in cheapest:
        yield (way,)


def _ways(look: Look, cost: NDArray[np.float64], flow: int) -> list[SetPath]:
    """A flow over the midpoints that cost least, cheapest first; today's way left out."""
    scenario, broken = look.scenario, look.segments.broken[0]
    s, t = int(scenario.traffic.flow_source[flow]), int(scenario.traffic.flow_target[flow])
    over = np.where(broken[s] | broken[:, t], np.inf, cost[s] + cost[:, t])
    now = scenario.routing.steer.get(flow, ())
    taken = {m for way in now for m in way.midpoints}
    name, nodes = scenario.flow_names[flow], scenario.topology.node_name
    return [
        SetPath(name, ({"via": [nodes[m]], "share": 1.0},))
        for m in np.argsort(over, kind="stable")[: MIDPOINTS + 2].tolist()
        if m not in (s, t) and m not in taken and np.isfinite(over[m])
    ]


def along_paths(look: Look) -> Iterator[Changes]:
    """Flows on hot links along the path that costs least."""
    scenario = look.scenario
    topology = scenario.topology
    priced = topology.with_arrays(link_weight=np.maximum(look.price, 1e-12))
    flows = look.flows_to_move(look.problem.flows("paths"), LINKS, FLOWS)
    if not flows:
        return
    traffic = scenario.traffic.keep(np.array(flows))
    paths = replace(Routing(), ecmp=False).resolve(priced, traffic)
    for k, flow in enumerate(flows):
        if paths.status[k] == Status.OK:
            links = [topology.link_name[e] for e in paths.of(k)[0][1]]
            if links:
                yield (SetPath(scenario.flow_names[flow], ({"links": links, "share": 1.0},)),)
