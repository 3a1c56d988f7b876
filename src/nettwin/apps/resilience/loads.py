"""Loads: exact offered loads of all links under every failure, a part of the failures at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.resilience.cases import Cases
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
PART_BYTES = 16 * 2**20  # of the loads that are held at once
MAX_AT_ONCE, MIN_PARTS = 2000, 10


class PartLoads(NamedTuple):
    """What a part of the failures does."""

    first: int  # number of the first failure
    highest: Floats  # [failures] offered load of the fullest link
    fullest: NDArray[np.int32]  # [failures] which link that is
    overloaded: NDArray[np.int32]  # [failures] links that are offered more than their capacity
    unroutable_bps: Floats  # [failures]
    worst: Floats  # [links] the highest offered load under any of them
    cause: NDArray[np.int64]  # [links] the failure, -1 where none raises the load of today


@dataclass
class Loads:
    """What all failures that were looked at do; `known` of them so far."""

    before: Floats  # [links] offered load with nothing failed
    highest: Floats  # [failures]; NaN: not looked at
    fullest: NDArray[np.int32]  # [failures]
    overloaded: NDArray[np.int32]  # [failures]
    unroutable_bps: Floats  # [failures]
    worst: Floats  # [links]
    cause: NDArray[np.int64]  # [links]

    @classmethod
    def none(cls, scenario: Scenario, count: int) -> Loads:
        """Nothing has been looked at yet."""
        now = scenario.link_offered_load
        return cls(
            now,
            np.full(count, np.nan),
            np.zeros(count, np.int32),
            np.zeros(count, np.int32),
            np.zeros(count),
            now.copy(),
            np.full(len(now), -1),
        )

    def take(self, part: PartLoads) -> None:
        """Add what a part of the failures does; the order of parts does not matter."""
        mine = slice(part.first, part.first + len(part.highest))
        self.highest[mine], self.fullest[mine] = part.highest, part.fullest
        self.overloaded[mine], self.unroutable_bps[mine] = part.overloaded, part.unroutable_bps
        higher = (part.cause >= 0) & (
            (part.worst > self.worst)
            | ((part.worst == self.worst) & (self.cause >= 0) & (part.cause < self.cause))
        )
        self.worst[higher], self.cause[higher] = part.worst[higher], part.cause[higher]

    @property
    def known(self) -> int:
        """How many failures were looked at."""
        return int(np.count_nonzero(np.isfinite(self.highest)))


def parts(scenario: Scenario, count: int) -> Iterator[tuple[int, int]]:
    """The first and the end of each part of the failures."""
    step = PART_BYTES // (8 * max(scenario.topology.link_count, 1))
    step = int(np.clip(min(step, -(-count // MIN_PARTS)), 1, MAX_AT_ONCE))
    return ((k, min(k + step, count)) for k in range(0, count, step))


def part_loads(scenario: Scenario, first: int, failures: Sequence[Sequence[int]]) -> PartLoads:
    """The loads under some failures, each the indices of links that it takes down."""
    from nettwin.scenario.failure_loads import loads_under_failures

    found = loads_under_failures(scenario, failures)
    load = found.load_bps / scenario.topology.link_capacity_bps
    now = scenario.link_offered_load
    at = load.argmax(axis=0)
    worst = load[at, np.arange(load.shape[1])] if len(load) else now.copy()
    raised = worst > now * (1 + 1e-9)
    return PartLoads(
        first,
        load.max(axis=1, initial=0.0),
        load.argmax(axis=1).astype(np.int32),
        np.count_nonzero(load > 1, axis=1).astype(np.int32),
        found.unroutable_bps,
        np.maximum(worst, now),
        np.where(raised, first + at, -1),
    )


def dead_links(cases: Cases, first: int, end: int) -> list[tuple[int, ...]]:
    """The links that each of some failures takes down."""
    return [cases[k].links for k in range(first, end)]
