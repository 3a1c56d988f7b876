"""Snapshot: the network as it was at a time, with what its flows offered then.

Where flows were measured they are taken as they were; where links alone were counted, demands are
estimated from the counters of the last intervals (`demands/`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.demands.estimation import DemandEstimate, estimate_demands
from nettwin.errors import InputError
from nettwin.formats.counters import Counters
from nettwin.repository.repository import Repository
from nettwin.scenario.demands import over_time
from nettwin.scenario.scenario import Scenario

RECENT = 3  # intervals of which the last may not be whole yet
INTERVALS = 24  # whose counters together tell how demands vary


@dataclass(frozen=True)
class Snapshot:
    """The network at the end of an interval; `estimate` is None where its flows were measured."""

    time_s: float
    scenario: Scenario
    estimate: DemandEstimate | None = None


def whole_until(repository: Repository, time_s: float = np.inf) -> NDArray[np.float64]:
    """The times of observations until a time, without last ones of which some links are not known
    yet. Raises InputError where there are none."""
    times = repository.times_s()
    times = times[times <= time_s + 1e-6]
    if not len(times):
        raise InputError("nothing was measured by then: nettwin data collect SOURCE reads some.")
    some = times[-RECENT:]
    rows, network = repository.networks(some)[-1]
    load = repository.values("link", network.topology.link_name, "utilization", some[rows])
    known = np.isfinite(load).sum(axis=1)
    late = int(np.argmax(known[::-1]))  # the last of those with most links
    return times[: len(times) - late]


def snapshot(repository: Repository, time_s: float) -> Snapshot:
    """The network as of a time. Raises InputError where nothing was measured by then."""
    times = whole_until(repository, time_s)
    last = float(times[-1])
    rows, network = repository.networks(times[-INTERVALS:])[-1]
    some = times[-INTERVALS:][rows]
    rates = repository.values("flow", network.flow_names, "rate_bps", some[-1:])
    if np.isfinite(rates).any():
        return Snapshot(last, repository.as_of(last))
    sent = repository.values("link", network.topology.link_name, "throughput_bps", some)
    if not np.isfinite(sent).any():
        raise InputError("neither flows nor links were measured by then. Give another time.")
    none = np.full((len(some), network.topology.node_count), np.nan)
    found = estimate_demands(network, Counters(some, sent, none, none))
    *_, scenario = over_time(network, found.demand_bps)
    return Snapshot(last, scenario, found)
