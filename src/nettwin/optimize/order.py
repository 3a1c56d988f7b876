"""Order: changes one after another, so that nothing is overloaded or lost on the way.

Each step is checked on the network as it is after it: loads, flows without a way, loops. Steps are
chosen greedily, the one that leaves the network best first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import Change, SetPath, apply_all
from nettwin.scenario.scenario import Scenario
from nettwin.units import percent

MOST_GREEDY = 40  # more changes than this are ordered in groups
WORSE = 1e-6


class Ordered(NamedTuple):
    """Changes in their order, the highest utilization after each, and what to be wary of."""

    changes: Changes
    utilization: tuple[float, ...]
    warnings: tuple[str, ...]


def ordered(scenario: Scenario, changes: Changes) -> Ordered:
    """The changes in a safe order, checked step by step."""
    if len(changes) > MOST_GREEDY and all(isinstance(c, SetPath) for c in changes):
        order = _by_loads(scenario, changes)
        return _checked(scenario, order, groups=MOST_GREEDY)
    order = _greedy(scenario, changes) if len(changes) <= MOST_GREEDY else changes
    return _checked(scenario, order, groups=len(order) or 1)


def _greedy(scenario: Scenario, changes: Changes) -> Changes:
    left, out = list(changes), []
    while left:
        after = [apply_all(scenario, [change]) for change in left]
        costs = [_cost(one) for one in after]
        best = min(range(len(left)), key=lambda i: costs[i])
        scenario = after[best]
        out.append(left.pop(best))
    return tuple(out)


def _cost(scenario: Scenario) -> tuple[int, float, float]:
    """Flows without a way, the highest utilization, and how much is above what is usual."""
    used = scenario.link_utilization
    return _lost(scenario), float(used.max(initial=0.0)), float(np.maximum(used - 0.5, 0.0).sum())


def _lost(scenario: Scenario) -> int:
    """How many flows have no way. With shortest paths that cannot depend on the order."""
    if scenario.routing.next_link is None:
        return 0
    return int(np.count_nonzero(scenario.paths.status))


def _by_loads(scenario: Scenario, changes: Changes) -> Changes:
    """Many moves of flows: in rounds, first those that raise no link above what it will carry in
    the end or carries now."""
    after = apply_all(scenario, changes)
    capacity = scenario.topology.link_capacity_bps
    names = [c.flow for c in changes if isinstance(c, SetPath)]
    flows = np.array([scenario.flow(name) for name in names])
    old, new = _loads_of(scenario, flows), _loads_of(after, flows)
    ceiling = max(scenario.link_utilization.max(), after.link_utilization.max()) + WORSE
    load = np.array(scenario.link_load_bps)
    left, out = list(range(len(changes))), []
    while left:
        waiting = []
        for k in left:
            links, delta = _difference(old[k], new[k])
            if ((load[links] + delta) / capacity[links] <= ceiling).all():
                load[links] += delta
                out.append(k)
            else:
                waiting.append(k)
        if len(waiting) == len(left):  # all would overload something: the first goes, and is told
            k = waiting.pop(0)
            links, delta = _difference(old[k], new[k])
            load[links] += delta
            out.append(k)
        left = waiting
    return tuple(changes[k] for k in out)


Sparse = tuple[NDArray[Any], NDArray[np.float64]]


def _loads_of(scenario: Scenario, flows: NDArray[np.int64]) -> list[Sparse]:
    """What each flow puts on links, sparse."""
    paths = scenario.routing.keep(flows).resolve(scenario.topology, scenario.traffic.keep(flows))
    rate = scenario.traffic.flow_rate_bps[flows]
    weight = paths.share[paths.hop_path] * rate[paths.hop_flow]
    ends = np.searchsorted(paths.hop_flow, np.arange(len(flows) + 1))
    return [
        (paths.links[a:b], weight[a:b])
        for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]


def _difference(old: Sparse, new: Sparse) -> Sparse:
    links, place = np.unique(np.concatenate([old[0], new[0]]), return_inverse=True)
    delta = np.bincount(place, np.concatenate([-old[1], new[1]]), len(links))
    return links, delta.astype(np.float64)


def _checked(scenario: Scenario, changes: Changes, groups: int) -> Ordered:
    """Apply the changes in steps and look at the network after each."""
    names = scenario.topology.link_name
    before = float(scenario.link_utilization.max(initial=0.0))
    after = float(apply_all(scenario, changes).link_utilization.max(initial=0.0))
    lost = _lost(scenario)
    ceiling = max(before, after) * (1 + WORSE)
    utilization, warnings = [], []
    size = max(-(-len(changes) // groups), 1)
    for start in range(0, len(changes), size):
        step: list[Change] = list(changes[start : start + size])
        scenario = apply_all(scenario, step)
        used = scenario.link_utilization
        utilization.append(float(used.max(initial=0.0)))
        what = f"step {start // size + 1} ({step[0].describe()}{', ...' if len(step) > 1 else ''})"
        if utilization[-1] > max(ceiling, 1.0):
            worst = names[int(used.argmax())]
            warnings.append(f"{what} loads {worst} to {percent(utilization[-1])} for a while")
        if _lost(scenario) > lost:
            warnings.append(f"{what} leaves {_lost(scenario) - lost} more flows without a way")
    return Ordered(tuple(changes), tuple(utilization), tuple(warnings))
