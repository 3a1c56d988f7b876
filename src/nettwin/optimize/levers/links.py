"""Links: IGP weights that send traffic elsewhere, and more capacity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nettwin.optimize.levers.look import Look
from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import SetCapacity, SetWeight

LINKS = 4


def weights(look: Look) -> Iterator[Changes]:
    """Hot links made dearer, and one idle link made cheaper."""
    topology, allowed = look.scenario.topology, look.problem.links("weights")
    for k in look.hot_links(LINKS):
        if allowed[k]:
            for factor in (1.5, 2.0, 4.0):
                yield (_weight(look, k, factor),)
    idle = np.flatnonzero(allowed & (look.scenario.link_utilization < 0.5) & topology.link_live)
    if len(idle):
        k = int(look.random.choice(idle))
        yield (_weight(look, k, 0.5),)


def capacities(look: Look) -> Iterator[Changes]:
    """Hot links a step larger, alone and with the link that leads back."""
    topology, allowed = look.scenario.topology, look.problem.links("capacities")
    lever = look.problem.intent.lever("capacities")
    assert lever is not None
    for k in look.hot_links(LINKS):
        new = topology.link_capacity_bps[k] + lever.step_bps
        if allowed[k] and new <= lever.at_most_bps:
            yield (SetCapacity(topology.link_name[k], float(new)),)


def _weight(look: Look, k: int, factor: float) -> SetWeight:
    topology = look.scenario.topology
    weight = float(topology.link_weight[k] * factor)
    whole = round(weight)
    return SetWeight(topology.link_name[k], float(whole) if whole >= 1 else weight)
