"""Links: IGP weights that send traffic elsewhere, and more capacity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nettwin.optimize.model_guided.levers.move_context import MoveContext
from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import SetCapacity, SetWeight
from nettwin.scenario.shortest import shortest_path_distances

LINKS = 4
FLOWS, OTHERS = 4, 6  # flows to be drawn onto other links, and links for each


def weights(context: MoveContext) -> Iterator[Changes]:
    """Hot links made dearer; links made so cheap that flows on hot links come over them, as short
    a path as theirs or a shorter one."""
    topology, allowed = context.scenario.topology, context.problem.links("weights")
    for k in context.hot_links(LINKS):
        if allowed[k]:
            for factor in (1.5, 2.0, 4.0):
                yield (_weight(context, k, topology.link_weight[k] * factor),)
    others = np.flatnonzero(allowed & topology.link_live)
    traffic = context.scenario.traffic
    flows = context.flows_to_move(np.ones(traffic.flow_count, np.bool_), 1, FLOWS)
    if not len(others) or not flows:
        return
    links = context.random.choice(others, min(OTHERS, len(others)), replace=False)
    source, target = topology.link_source[links], topology.link_target[links]
    ends = traffic.flow_target[flows]
    near = shortest_path_distances(topology, np.concatenate([ends, source])).distance
    unit = float(topology.link_weight.min())
    for flow in flows:
        s, t = traffic.flow_source[flow], traffic.flow_target[flow]
        spare = near[t, s] - near[source, s] - near[t, target]  # [links]
        for k, weight in zip(links.tolist(), spare.tolist(), strict=True):
            for new in (weight, weight - unit):
                if 0 < new < topology.link_weight[k]:
                    yield (_weight(context, k, new),)


def capacities(context: MoveContext) -> Iterator[Changes]:
    """Hot links a step larger, alone and with the link that leads back."""
    topology, allowed = context.scenario.topology, context.problem.links("capacities")
    lever = context.problem.intent.lever("capacities")
    assert lever is not None
    for k in context.hot_links(LINKS):
        new = topology.link_capacity_bps[k] + lever.step_bps
        if allowed[k] and new <= lever.at_most_bps:
            yield (SetCapacity(topology.link_name[k], float(new)),)


def _weight(context: MoveContext, k: int, weight: float) -> SetWeight:
    whole = round(weight)
    return SetWeight(context.scenario.topology.link_name[k], float(whole if whole >= 1 else weight))
