"""Loads: what each group of flows puts on each link with nothing failed and under every failure.

Paths do not depend on rates, so loads at any time are sums over groups, each times its growth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.resilience.cases import Cases, fails
from nettwin.scenario.changes import apply_all
from nettwin.scenario.failure_loads import loads_under_failures
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.shortest import shortest_path_distances

Floats = NDArray[np.float64]
NOTHING = "nothing"
AT_ONCE = 500  # failures


@dataclass(frozen=True)
class GroupLoads:
    """`load_bps` [groups, states, links]; the first state is the network with nothing failed."""

    load_bps: Floats
    unroutable_bps: Floats  # [groups, states]
    states: tuple[str, ...]

    def at(self, factors: Floats) -> Floats:
        """The loads of all states with groups grown. [states, links]"""
        return np.asarray(np.tensordot(factors, self.load_bps, 1))

    def worst(self, factors: Floats) -> Floats:
        """The highest load of each link in any state. [links]"""
        return np.asarray(self.at(factors).max(axis=0))


def group_loads(scenario: Scenario, case: CapacityCase) -> GroupLoads:
    """The loads of a case's groups, exact, under every failure that the case names."""
    members, cases = case.members(scenario), Cases(scenario.topology, case.survive)
    links, count = scenario.topology.link_count, len(case.groups)
    load = np.zeros((count, 1 + len(cases), links))
    lost = np.zeros((count, 1 + len(cases)))
    failures = [one.links for one in cases]
    for k in range(count):
        mine = members == k
        if not mine.any():
            continue
        rate = np.where(mine, scenario.traffic.flow_rate_bps, 0.0)
        part = scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rate))
        load[k, 0] = part.link_load_bps
        lost[k, 0] = rate[part.paths.status != 0].sum()
        for first in range(0, len(failures), AT_ONCE):
            found = loads_under_failures(part, failures[first : first + AT_ONCE])
            rows = slice(1 + first, 1 + first + len(found.load_bps))
            load[k, rows], lost[k, rows] = found.load_bps, found.unroutable_bps
    return GroupLoads(load, lost, (NOTHING, *(one.name for one in cases)))


def disconnected(scenario: Scenario, case: CapacityCase, loads: GroupLoads) -> dict[str, list[str]]:
    """The flows that each failure leaves without a path, but for those of nodes that fail: no
    capacity helps them, and they are exempt."""
    found: dict[str, list[str]] = {}
    traffic = scenario.traffic
    for k, one in enumerate(Cases(scenario.topology, case.survive), 1):
        if loads.unroutable_bps[:, k].sum() <= 0:
            continue
        failed = apply_all(scenario, one.changes)
        distance = shortest_path_distances(failed.topology, traffic.flow_target).distance
        lost = np.isinf(distance[traffic.flow_target, traffic.flow_source]) & ~fails(scenario, one)
        if lost.any():
            found[one.name] = [scenario.flow_names[f] for f in np.flatnonzero(lost).tolist()]
    return found
