"""Hose: what any traffic matrix may do to a link that keeps within what enters and leaves at each
node, beside the one matrix that is expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.capacity.loads import group_loads
from nettwin.apps.resilience.cases import Cases
from nettwin.optimize.solvers.linear.hose import most_on_links
from nettwin.optimize.stop import Clock
from nettwin.scenario.changes import apply_all
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]


class Hose(NamedTuple):
    """Offered loads of links at the end of the last period: as expected and at most, with nothing
    failed and under the failure that is worst for the link as expected. [links] each; NaN: not
    computed in time."""

    calm: Floats
    calm_most: Floats
    worst: Floats
    worst_most: Floats


def hose(scenario: Scenario, case: CapacityCase, *, seconds: float = 60.0) -> Hose:
    """The hose bounds of all links under the network's own routing: nodes send and receive what
    they are expected to at the end of the last period, to and from whom they like (among pairs that
    have a flow)."""
    clock = Clock()
    grown = case.grown(scenario, float(case.years[-1]))
    loads = group_loads(scenario, case).at(case.factors(float(case.years[-1])))
    capacity = scenario.topology.link_capacity_bps
    cause = loads.argmax(axis=0)
    calm = _most(grown, np.ones(len(capacity), np.bool_), lambda: seconds - clock.seconds)
    worst = np.full(len(capacity), np.nan)
    cases = Cases(scenario.topology, case.survive)
    for state in np.unique(cause).tolist():
        mine = cause == state
        if state == 0:
            worst[mine] = calm[mine]
            continue
        failed = apply_all(grown, cases[state - 1].changes)
        worst[mine] = _most(failed, mine, lambda: seconds - clock.seconds)[mine]
    return Hose(
        loads[0] / capacity, calm / capacity, loads.max(axis=0) / capacity, worst / capacity
    )


def _most(scenario: Scenario, links: NDArray[np.bool_], left_s: Callable[[], float]) -> Floats:
    topology, traffic, paths = scenario.topology, scenario.traffic, scenario.paths
    parts = np.zeros((topology.link_count, traffic.flow_count))
    np.add.at(parts, (paths.links, paths.hop_flow), paths.share[paths.hop_path])
    nodes, rate = topology.node_count, traffic.flow_rate_bps
    chosen = np.flatnonzero(links)
    found = np.full(topology.link_count, np.nan)
    found[chosen] = most_on_links(
        traffic.flow_source,
        traffic.flow_target,
        parts[chosen],
        np.bincount(traffic.flow_source, rate, nodes).astype(np.float64),
        np.bincount(traffic.flow_target, rate, nodes).astype(np.float64),
        left_s,
    )
    return found
