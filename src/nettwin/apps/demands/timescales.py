"""Timescales: a course of time as the sum of a slow part and faster ones.

Demands change otherwise within minutes than over a day: bursts of single pairs against the rhythm
of all. Each part has a covariance of its own.
"""

from __future__ import annotations

import numpy as np

from nettwin.apps.demands.equations import Floats

WINDOWS_S = (3600.0, 4 * 3600.0, 86400.0)


def windows(times_s: Floats) -> list[int]:
    """The windows of moving means that a course can be parted by, in intervals."""
    count = len(times_s)
    if count < 3:
        return []
    interval = float(np.median(np.diff(times_s)))
    found = [round(window / interval) for window in WINDOWS_S]
    return [w for w in dict.fromkeys(found) if 1 < w <= count]


def parted(course: Floats, lengths: list[int]) -> list[Floats]:
    """The parts of a course [times, any], the fastest first; their sum is the course."""
    from scipy.ndimage import uniform_filter1d

    parts, rest = [], course
    for length in lengths:
        slow = uniform_filter1d(rest, length, axis=0, mode="nearest")
        parts.append(rest - slow)
        rest = slow
    return [*parts, rest]


def sampled(part: Floats, lengths: list[int], number: int) -> Floats:
    """Samples of a part that are about independent: one a window of the next faster part."""
    return part if number == 0 else part[lengths[number - 1] // 2 :: lengths[number - 1]]
