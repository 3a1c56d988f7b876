"""Clocks: how far the clocks of devices are off, by the traffic that both ends of links count.

What a port sends the other end receives at once; where the two ends tell the same rates some
seconds apart, their clocks differ by these. The devices' offsets are those that fit all links best,
in the median of all devices none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.telemetry.counters import Totals

Floats = NDArray[np.float64]
FARTHEST = 12.0  # intervals that clocks are compared over
STEPS = 4  # comparisons an interval
MIN_INTERVALS = 30
BETTER = 0.5  # of the difference of two ends, at most: to believe that a shift explains it
MIN_WANDER = 0.02  # standard deviation over mean of rates: those that do not move tell no time
MIN_OFF = 0.5  # intervals


class Ends(NamedTuple):
    """The two ends of a link: their devices, and what one sent and the other received."""

    sender: str
    receiver: str
    sent: Totals
    received: Totals


def clock_offsets(links: Sequence[Ends]) -> Mapping[str, float]:
    """Seconds by which the clocks of devices are ahead, of those that are clearly off."""
    found = [(one, *lag) for one in links if (lag := _lag(one)) is not None]
    devices = sorted({name for one, _, _ in found for name in (one.sender, one.receiver)})
    if len(devices) < 2:
        return {}
    place = {name: i for i, name in enumerate(devices)}
    rows = np.zeros((len(found), len(devices)))
    lags = np.array([lag for _, lag, _ in found])
    step = float(np.median([interval for _, _, interval in found]))
    for row, (one, _, _) in zip(rows, found, strict=True):
        row[place[one.receiver]], row[place[one.sender]] = 1.0, -1.0
    offsets: Floats = np.linalg.lstsq(rows, lags, rcond=None)[0]
    offsets -= np.median(offsets)
    misfit = np.abs(rows @ offsets - lags)
    if np.median(misfit) > MIN_OFF * step:
        return {}  # links contradict one another: it is not the clocks
    return {
        name: float(offset)
        for name, offset in zip(devices, offsets, strict=True)
        if abs(offset) > MIN_OFF * step
    }


def _lag(one: Ends) -> tuple[float, float] | None:
    """By how many seconds the receiver's times are later, and the usual interval; None where the
    traffic does not tell."""
    begin = max(t.time_s[0] if len(t.time_s) else np.inf for t in (one.sent, one.received))
    end = min(t.time_s[-1] if len(t.time_s) else -np.inf for t in (one.sent, one.received))
    spans = [np.diff(t.time_s) for t in (one.sent, one.received)]
    if not all(map(len, spans)) or end <= begin:
        return None
    step = float(max(np.median(span) for span in spans))
    reach = min(FARTHEST * step, (end - begin) / 3)
    edges = np.arange(begin + reach, end - reach, step)
    if len(edges) < MIN_INTERVALS:
        return None
    sent = one.sent.rates(edges)
    good = np.isfinite(sent)
    mean = float(sent[good].mean()) if good.any() else 0.0
    if not mean > 0 or float(sent[good].std()) < MIN_WANDER * mean:
        return None
    count = int(reach / step * STEPS)
    lags = np.arange(-count, count + 1) * (step / STEPS)
    off = np.array([_difference(sent, one.received.rates(edges + lag)) for lag in lags])
    if not np.isfinite(off[count]) or not np.isfinite(off).any():
        return None
    best = int(np.nanargmin(off))
    return (float(lags[best]) if off[best] < BETTER * off[count] else 0.0), step


def _difference(one: Floats, other: Floats) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    return float(np.abs(one[both] - other[both]).mean()) if both.sum() > len(one) / 2 else np.nan
