"""Rollups: of many numbers in an interval their count, mean, maximum and high percentiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
WINDOWS_S = {"rollup_5m": 300, "rollup_1h": 3600}
PERCENTILES = (0.95, 0.99)
_FEW = 48  # numbers that are sorted where they stand


class Rollup(NamedTuple):
    """One row an interval and series: the end of the interval in microseconds, the number of the
    series, and of its values the count, mean, maximum, and 95th and 99th percentile."""

    time_us: Ints
    series: Ints
    samples: Ints
    mean: Floats
    max: Floats
    p95: Floats
    p99: Floats


def rolled_up(time_us: Ints, series: Ints, value: Floats, window_s: int) -> Rollup:
    """Rows by series and time, rolled up. A value belongs to the interval that ends at its time or
    next after it; percentiles are interpolated between the ranks, as NumPy's are."""
    window_us = int(window_s * 1_000_000)
    end = -(-time_us // window_us)
    starts = np.flatnonzero((np.diff(end, prepend=-1) != 0) | (np.diff(series, prepend=-1) != 0))
    edges = np.append(starts, len(value)).astype(np.int64)
    mean, high, p95, p99 = (np.empty(len(starts)) for _ in range(4))
    longest = int(np.diff(edges).max(initial=1))
    _roll(value, edges, np.empty(longest), mean, high, p95, p99)
    return Rollup(end[starts] * window_us, series[starts], np.diff(edges), mean, high, p95, p99)


@compiled
def _roll(
    value: Floats,
    edges: Ints,
    buffer: Floats,
    mean: Floats,
    high: Floats,
    p95: Floats,
    p99: Floats,
) -> None:
    for k in range(len(edges) - 1):
        begin, n = edges[k], edges[k + 1] - edges[k]
        total = 0.0
        for i in range(n):
            x = value[begin + i]
            total += x
            if n <= _FEW:  # insertion
                j = i
                while j > 0 and buffer[j - 1] > x:
                    buffer[j] = buffer[j - 1]
                    j -= 1
                buffer[j] = x
            else:
                buffer[i] = x
        if n > _FEW:
            buffer[:n] = np.sort(buffer[:n])
        mean[k] = total / n
        high[k] = buffer[n - 1]
        p95[k] = _percentile(buffer, n, 0.95)
        p99[k] = _percentile(buffer, n, 0.99)


@compiled
def _percentile(ordered: Floats, n: int, share: float) -> float:
    place = share * (n - 1)
    low = int(place)
    up = min(low + 1, n - 1)
    return float(ordered[low] + (place - low) * (ordered[up] - ordered[low]))
