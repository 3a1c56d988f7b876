"""Load: how much each flow offers at any time of a simulated network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOUR_S, DAY_S, WEEK_S = 3600.0, 86400.0, 604800.0
FIRST_MONDAY_S = 4 * DAY_S  # 1970-01-05


class Load(Protocol):
    """What flows offer over time."""

    def factor(self, time_s: float) -> Floats:
        """What the planned rate of each flow is multiplied by. [flows]"""


@dataclass(frozen=True)
class DailyCurve:
    """A curve over day and week, and slow wandering of each flow around it.

    The load is highest at `peak_hour` and lowest twelve hours later, where it is the part `trough`
    of it; on Saturday and Sunday it is the part `weekend`. Flows wander by `wander` (standard
    deviation of the logarithm), from hour to hour.
    """

    flows: int
    seed: int = 1
    peak_hour: float = 20.0
    trough: float = 0.5
    weekend: float = 0.8
    wander: float = 0.05

    def factor(self, time_s: float) -> Floats:
        hour = time_s % DAY_S / HOUR_S
        day = (1 + math.cos(2 * math.pi * (hour - self.peak_hour) / 24)) / 2
        whole = self.trough + (1 - self.trough) * day
        if (time_s - FIRST_MONDAY_S) % WEEK_S >= 5 * DAY_S:
            whole *= self.weekend
        at = time_s / HOUR_S
        before, part = math.floor(at), at % 1
        walk = (1 - part) * self._drawn(before) + part * self._drawn(before + 1)
        return np.asarray(whole * np.exp(self.wander * walk))

    def _drawn(self, hour: int) -> Floats:
        return np.random.default_rng([self.seed, 2, abs(hour)]).standard_normal(self.flows)


@dataclass(frozen=True)
class Replay:
    """Measured demands over and over: `factors` [times, flows], each for `step_s`, the first at
    `begin_s`."""

    factors: Floats
    step_s: float
    begin_s: float

    def factor(self, time_s: float) -> Floats:
        at = int((time_s - self.begin_s) // self.step_s) % len(self.factors)
        return np.asarray(self.factors[at])
