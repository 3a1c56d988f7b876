"""Order: changes one after another, so that nothing is overloaded or lost on the way.

A change comes as soon as it leaves no link busier than the busiest of before and after. Where none
does, the least bad comes next and is told. Each step is checked: by the loads it moves where flows
are steered, else on the network as it is after it, where flows that lose their way count too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import SetPath, apply_all
from nettwin.scenario.scenario import Scenario
from nettwin.units import percent

WORSE = 1e-6
LOOKS = 2_000  # changes looked at in vain before the next comes as it stands


class Ordered(NamedTuple):
    """Changes in their order, the highest utilization after each, and what to be wary of."""

    changes: Changes
    utilization: tuple[float, ...]
    warnings: tuple[str, ...]


class _Steps(Protocol):
    """A network on its way, change by change."""

    def after(self, k: int) -> tuple[float, str]:
        """The highest utilization after change k, inf if flows lose their way; and where."""

    def take(self, k: int) -> None:
        """Make change k."""


def ordered(scenario: Scenario, changes: Changes) -> Ordered:
    """The changes in a safe order, checked step by step."""
    if not changes:
        return Ordered((), (), ())
    after = apply_all(scenario, changes)
    ends = (float(s.link_utilization.max(initial=0.0)) for s in (scenario, after))
    ceiling = max(ends) + WORSE
    steps: _Steps = (
        _Moves(scenario, after, changes)
        if all(isinstance(change, SetPath) for change in changes)
        else _Networks(scenario, changes)
    )
    left, order, used, warnings = list(range(len(changes))), [], [], []
    looks = 0
    while left:
        waiting = []
        for k in left:
            peak, _ = steps.after(k)
            if peak <= ceiling:
                steps.take(k)
                order.append(k)
                used.append(peak)
            else:
                waiting.append(k)
        if len(waiting) == len(left):
            some = waiting if looks < LOOKS else waiting[:1]
            k = min(some, key=lambda k: steps.after(k)[0])
            looks += 2 * len(waiting)
            peak, where = steps.after(k)
            steps.take(k)
            waiting.remove(k)
            order.append(k)
            used.append(peak)
            if peak > max(ceiling, 1.0):
                warnings.append(f"step {len(order)} ({changes[k].describe()}) {where} for a while")
        left = waiting
    return Ordered(tuple(changes[k] for k in order), tuple(used), tuple(warnings))


class _Networks:
    """Any changes: the network as it is after each."""

    def __init__(self, scenario: Scenario, changes: Changes) -> None:
        self._scenario, self._changes = scenario, changes
        self._lost = _lost(scenario)

    def after(self, k: int) -> tuple[float, str]:
        scenario = self._changes[k].apply(self._scenario)
        lost = _lost(scenario) - self._lost
        if lost > 0:
            return np.inf, f"leaves {lost} more flows without a way"
        return _peak(scenario, scenario.link_utilization)

    def take(self, k: int) -> None:
        self._scenario = self._changes[k].apply(self._scenario)


class _Moves:
    """Flows that are steered: the loads that each takes from links and puts on others."""

    def __init__(self, scenario: Scenario, after: Scenario, changes: Changes) -> None:
        names = [change.flow for change in changes if isinstance(change, SetPath)]
        flows = np.array([scenario.flow(name) for name in names])
        old, new = _loads_of(scenario, flows), _loads_of(after, flows)
        self._moves = [_difference(a, b) for a, b in zip(old, new, strict=True)]
        self._scenario = scenario
        self._load = np.array(scenario.link_load_bps)
        self._capacity = scenario.topology.link_capacity_bps

    def after(self, k: int) -> tuple[float, str]:
        links, delta = self._moves[k]
        used = (self._load[links] + delta) / self._capacity[links]
        used = np.where(delta > 0, used, 0.0)
        at = int(used.argmax()) if len(used) else 0
        peak = float(used[at]) if len(used) else 0.0
        name = self._scenario.topology.link_name[int(links[at])] if len(used) else ""
        return peak, f"loads {name} to {percent(peak)}"

    def take(self, k: int) -> None:
        links, delta = self._moves[k]
        self._load[links] += delta


Sparse = tuple[NDArray[Any], NDArray[np.float64]]


def _loads_of(scenario: Scenario, flows: NDArray[np.int64]) -> list[Sparse]:
    """What each flow puts on links, sparse."""
    paths = scenario.routing.keep(flows).resolve(scenario.topology, scenario.traffic.keep(flows))
    rate = scenario.traffic.flow_rate_bps[flows]
    weight = paths.share[paths.hop_path] * rate[paths.hop_flow]
    ends = np.searchsorted(paths.hop_flow, np.arange(len(flows) + 1)).tolist()
    return [(paths.links[a:b], weight[a:b]) for a, b in pairwise(ends)]


def _difference(old: Sparse, new: Sparse) -> Sparse:
    links, place = np.unique(np.concatenate([old[0], new[0]]), return_inverse=True)
    delta = np.bincount(place, np.concatenate([-old[1], new[1]]), len(links))
    return links, delta.astype(np.float64)


def _peak(scenario: Scenario, used: NDArray[np.float64]) -> tuple[float, str]:
    at = int(used.argmax())
    name = scenario.topology.link_name[at]
    return float(used[at]), f"loads {name} to {percent(float(used[at]))}"


def _lost(scenario: Scenario) -> int:
    """How many flows have no way; over shortest paths no order of changes can matter."""
    if scenario.routing.next_link is None:
        return 0
    return int(np.count_nonzero(scenario.paths.status))
