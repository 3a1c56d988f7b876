"""Detector: when a network is odd enough for an alarm, so many false ones a day as asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DAY_S = 86400.0
GAP_S = 1800.0  # of calm, after which what follows is another incident
PEAKS = 40  # of the usual past, the highest, that tell of the tail
STILL = 0.6  # of the threshold, down to which an incident goes on,
CALM = 0.98  # and above what is usual so often


class Alarms(NamedTuple):
    """Times that are alarms, and the threshold of each group in nats."""

    times: Bools  # [times]
    thresholds: tuple[float, ...]


class Detector(Protocol):
    """Says when scores are an alarm."""

    def detect(self, worst: Floats, usual: Floats, interval_s: float, false_a_day: float) -> Alarms:
        """The times that are alarms, by the oddest score of each group [groups, times], and those
        of a time when all was well, rated by another part of it [groups, usual times]."""


@dataclass(frozen=True)
class Exceedance:
    """The oddest score of each group against a threshold that peaks of its usual past exceed as
    often as asked, the groups sharing what is asked (those of one network are odd together): peaks
    over a threshold, their excess exponential (Pickands 1975)."""

    gap_s: float = GAP_S

    def detect(self, worst: Floats, usual: Floats, interval_s: float, false_a_day: float) -> Alarms:
        """See `Detector.detect`."""
        days, gap = usual.shape[1] * interval_s / DAY_S, round(self.gap_s / interval_s)
        alarm = np.zeros(worst.shape[1], np.bool_)
        thresholds = []
        for mine, past in zip(worst, usual, strict=True):
            threshold = threshold_of(past, days, false_a_day / math.sqrt(len(worst)), gap)
            above = mine > threshold
            still = mine > max(STILL * threshold, float(np.quantile(past, CALM)))
            for t in range(1, len(above)):
                above[t] |= still[t] & above[t - 1]
            alarm |= above
            thresholds.append(threshold)
        return Alarms(alarm, tuple(thresholds))


def threshold_of(worst: Floats, days: float, false_a_day: float, gap: int) -> float:
    """The score that peaks of the past exceed so often a day. Peaks nearer than `gap` intervals
    are one."""
    peaks = peaks_of(worst, max(gap, 1))
    if len(peaks) < 3 or days <= 0:
        return math.log(1e3) + 2.0
    highest = np.sort(peaks)[::-1][: min(PEAKS, max(3, len(peaks) // 2))]
    wanted = max(false_a_day * days, 1e-9)
    if wanted < len(highest) and wanted >= 5:
        at = wanted - 0.5  # between the peaks that are seen
        low = int(at)
        part = at - low
        return float(highest[low] * (1 - part) + highest[min(low + 1, len(highest) - 1)] * part)
    base = float(highest[-1])
    # by the median: what was odd in the usual past is not usual
    scale = max(float(np.median((highest - base)[:-1])) / math.log(2), 1e-3)
    return base + scale * math.log(len(highest) / wanted)


def peaks_of(worst: Floats, gap: int) -> Floats:
    """The highest score of each stretch of `gap` intervals that is not beside a higher one."""
    found = []
    left = worst.copy()
    order = np.argsort(-worst, kind="stable")
    free = np.ones(len(worst), np.bool_)
    for t in order.tolist():
        if free[t]:
            found.append(float(left[t]))
            free[max(0, t - gap) : t + gap + 1] = False
    return np.array(found)
