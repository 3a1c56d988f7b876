"""Order: changes one after another, so that nothing is overloaded or lost on the way.

A change comes as soon as it leaves no link busier than the busiest of before and after. Where none
does, the least bad comes next and is told. Each step is checked: by the loads it moves where flows
are steered, else on the network as it is after it, where flows that lose their path count too.
Where nothing else than flows is steered, changes that move no load come first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.finishing.load_deltas import in_turn, load_deltas
from nettwin.optimize.problem import Changes
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.scenario.changes import Change, SetPath, SetScheduler, apply_all
from nettwin.scenario.scenario import Scenario
from nettwin.units import percent

WORSE = 1e-6
MAX_TRIALS = 1_000  # changes tried without success before the next comes as it stands


class Ordered(NamedTuple):
    """Changes in their order, the highest utilization after each, and what to be wary of."""

    changes: Changes
    utilization: tuple[float, ...]
    warnings: tuple[str, ...]


def ordered(
    scenario: Scenario,
    changes: Changes,
    after: Scenario | None = None,
    segments: SegmentFlows | None = None,
) -> Ordered:
    """The changes in a safe order, checked step by step; `after` is the network after all, and
    `segments` are those of the network as it is, where they are at hand."""
    if not changes:
        return Ordered((), (), ())
    after = after or apply_all(scenario, changes)
    ends = (float(s.link_offered_load.max(initial=0.0)) for s in (scenario, after))
    ceiling = max(ends) + WORSE
    quiet = tuple(change for change in changes if isinstance(change, SetScheduler))
    moves = tuple(change for change in changes if isinstance(change, SetPath))
    if len(quiet) + len(moves) < len(changes):
        return _any_changes(scenario, changes, ceiling)
    found = _moves(scenario, after, moves, ceiling, len(quiet), segments)
    used = (float(scenario.link_offered_load.max(initial=0.0)),) * len(quiet)
    return Ordered(quiet + found.changes, used + found.utilization, found.warnings)


def _moves(
    scenario: Scenario,
    after: Scenario,
    changes: Changes,
    ceiling: float,
    before: int,
    segments: SegmentFlows | None,
) -> Ordered:
    """Flows that are steered: the loads that each takes from links and puts on others; so many
    steps come before them."""
    flows = np.array([scenario.flow(c.flow) for c in changes if isinstance(c, SetPath)], np.int64)
    topology = scenario.topology
    schedule = in_turn(
        load_deltas(scenario, after, flows, segments),
        scenario.link_load_bps,
        topology.link_capacity_bps,
        ceiling,
    )
    warnings = []
    for step in np.flatnonzero(schedule.peak > max(ceiling, 1.0)).tolist():
        peak, change = float(schedule.peak[step]), changes[int(schedule.order[step])]
        where = f"loads {topology.link_name[int(schedule.at[step])]} to {percent(peak)}"
        warnings.append(_warning(before + step, change, where))
    order = tuple(changes[k] for k in schedule.order.tolist())
    return Ordered(order, tuple(schedule.peak.tolist()), tuple(warnings))


def _any_changes(scenario: Scenario, changes: Changes, ceiling: float) -> Ordered:
    """Any changes: the network as it is after each."""
    steps = _Networks(scenario, changes)
    left, order, used, warnings = list(range(len(changes))), [], [], []
    looks = 0
    while left:
        waiting, seen = [], []
        for k in left:
            peak, where = steps.after(k)
            if peak <= ceiling:
                steps.take(k)
                order.append(k)
                used.append(peak)
            else:
                waiting.append(k)
                seen.append((peak, where))
        if len(waiting) == len(left):
            some = seen if looks < MAX_TRIALS else seen[:1]
            best = min(range(len(some)), key=lambda n: some[n][0])
            looks += len(waiting)
            k, (peak, where) = waiting.pop(best), some[best]
            steps.take(k)
            order.append(k)
            used.append(peak)
            if peak > max(ceiling, 1.0):
                warnings.append(_warning(len(order) - 1, changes[k], where))
        left = waiting
    return Ordered(tuple(changes[k] for k in order), tuple(used), tuple(warnings))


def _warning(step: int, change: Change, where: str) -> str:
    return f"step {step + 1} ({change.describe()}) {where} for a while"


class _Networks:
    """A network between two states, change by change."""

    def __init__(self, scenario: Scenario, changes: Changes) -> None:
        self._scenario, self._changes = scenario, changes
        self._lost = _lost(scenario)
        self._seen = -1, scenario  # the change looked at last, and the network after it

    def after(self, k: int) -> tuple[float, str]:
        """The highest utilization after change k, inf if flows lose their path; and where."""
        scenario = self._changes[k].apply(self._scenario)
        self._seen = k, scenario
        lost = _lost(scenario) - self._lost
        if lost > 0:
            return np.inf, f"leaves {lost} more unroutable flows"
        return _peak(scenario, scenario.link_offered_load)

    def take(self, k: int) -> None:
        """Make change k."""
        at, scenario = self._seen
        self._scenario = scenario if at == k else self._changes[k].apply(self._scenario)
        self._seen = -1, self._scenario


def _peak(scenario: Scenario, used: NDArray[np.float64]) -> tuple[float, str]:
    at = int(used.argmax())
    name = scenario.topology.link_name[at]
    return float(used[at]), f"loads {name} to {percent(float(used[at]))}"


def _lost(scenario: Scenario) -> int:
    """How many flows have no path; over shortest paths no order of changes can matter."""
    if scenario.routing.next_link is None:
        return 0
    return int(np.count_nonzero(scenario.paths.status))
