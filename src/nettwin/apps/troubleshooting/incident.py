"""Incident: what was measured while something was wrong, and before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.metrics import Table
from nettwin.observation import Observation
from nettwin.repository.repository import Repository
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
REMEMBERED_S = 7200.0  # how long before an incident a change may have caused it
RATE, DELAY, LOSS = "flow/rate_bps", "flow/owd_mean_s", "flow/loss_ratio"
SENT, DROPS = "link/throughput_bps", "link/loss_ratio"
UP, SPEED = "link/up", "link/speed_bps"
QUEUED, QUEUE_DROPS = "queue/occupancy_mean_bits", "queue/loss_ratio"
MEASURES = (RATE, DELAY, LOSS, SENT, DROPS, UP, SPEED, QUEUED, QUEUE_DROPS)


class Record(NamedTuple):
    """Something that was done or told before an incident."""

    time_s: float
    words: str


@dataclass(frozen=True)
class Incident:
    """Observations of a network while something may be wrong, and of the time before.

    A metrics table may hold columns of its own for what is else taken from the scenario of an
    observation: `rate_bps` of flows, `up` (1 or 0) and `speed_bps` of links; NaN is what was not
    measured. Raises InputError where nothing was observed.
    """

    before: tuple[Observation, ...]
    during: tuple[Observation, ...]
    records: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        if not self.during:
            raise InputError(
                "nothing was observed during the incident: must be at least 1 interval. Observe"
                " the network, or give another time."
            )

    @property
    def network(self) -> Scenario:
        """The network as it was before, or as it is told where there is no before."""
        return (self.before or self.during)[-1].scenario

    @property
    def window_s(self) -> float:
        """How long packets were counted in each interval."""
        last = self.during[-1]
        return float(last.metrics.provenance.get("simulated_s", last.interval_s))


def values_of(observation: Observation, network: Scenario) -> dict[str, Floats]:
    """What an observation says of the elements of a network, by measure; NaN where nothing."""
    scenario, metrics = observation.scenario, observation.metrics
    topology = scenario.topology
    told = {
        RATE: scenario.traffic.flow_rate_bps,
        UP: topology.link_live.astype(np.float64),
        SPEED: topology.link_capacity_bps,
    }
    names = {
        "flow": (scenario.flow_names, network.flow_names),
        "link": (topology.link_name, network.topology.link_name),
        "queue": (scenario.queue_names, network.queue_names),
    }
    tables: dict[str, Table] = {"flow": metrics.flow, "link": metrics.link, "queue": metrics.queue}
    found = {}
    for measure in MEASURES:
        kind, _, column = measure.partition("/")
        mine, wanted = names[kind]
        if column in tables[kind]:
            value = tables[kind][column]
        elif measure in told:
            value = told[measure]
        elif measure == SENT and "utilization" in metrics.link:
            value = metrics.link["utilization"] * topology.link_capacity_bps
        else:
            value = np.full(len(mine), np.nan)
        found[measure] = _lined_up(value, mine, wanted)
    return found


def incident_of(
    repository: Repository, at_s: float | None = None, before: int = 12, during: int = 2
) -> Incident:
    """The newest `during` observations until a time, those `before` them, and what was done in the
    two hours before. Raises InputError where there is none."""
    times = repository.times_s()
    times = times if at_s is None else times[times <= at_s + 1e-6]
    if not len(times):
        raise InputError(
            "nothing was observed by then: there is no incident to look at. Observe the network"
            " (nettwin loop, nettwin data collect), or give a later time."
        )
    begin = max(len(times) - during, 0)
    seen = [repository.observation(float(t)) for t in times[max(begin - before, 0) :]]
    split = min(begin, before)
    return Incident(tuple(seen[:split]), tuple(seen[split:]), recent(repository, float(times[-1])))


def recent(repository: Repository, until_s: float) -> tuple[Record, ...]:
    """What the records tell of the two hours before a time, the newest first."""
    found = [
        Record(one.time_s, f"{one.kind} {one.id}".strip())
        for one in repository.records()
        if until_s - REMEMBERED_S <= one.time_s <= until_s
    ]
    return tuple(sorted(found, key=lambda one: -one.time_s))


def _lined_up(value: Floats, mine: Sequence[str], wanted: Sequence[str]) -> Floats:
    if tuple(mine) == tuple(wanted):
        return np.asarray(value, np.float64)
    known = dict(zip(mine, value.tolist(), strict=True))
    return np.array([known.get(name, np.nan) for name in wanted])
