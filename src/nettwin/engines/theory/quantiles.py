"""Percentiles of a flow's delay: a mixture over its paths of delays known by three moments.

The delay over one path is taken for a gamma variable, moved, of its mean, variance and third moment
(Pearson's type III). A gamma of small shape has the atom near 0 of a queue that is often empty, one
of shape 1 the exponential tail of a busy one; a sum over many hops tends to the normal, and so does
a gamma. Paths of different length make a distribution of several humps, which no moments tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv

from nettwin.engines.theory.flows import PathDelays
from nettwin.engines.theory.loops import in_place, njit_nogil
from nettwin.engines.theory.parallel import parallel_for

Floats = NDArray[np.float64]
LN_SHAPES = np.linspace(-7.0, 9.0, 641)
EVERY = 5  # of the shapes has a row in the table of distribution functions
SPAN = 2.0  # standard deviations over which the table's columns become half as dense
BENDS = np.linspace(
    -0.81, 0.97, 801
)  # its columns: y / (SPAN + |y|), y the deviations over the mean
ALIKE = 1e-3  # paths whose percentiles differ by less of the larger are not told apart
PATH_S = 5e-8  # to mix one path with others
# The last step of Newton's method: of a quantile, or of the least deviation of a path's delay (what
# is left then is about half its square, in such deviations)
CLOSE, NEAR = 1e-7, 1e-3
STEPS = 64  # of it at most, the later ones halve the interval


def percentiles(
    levels: Sequence[float], paths: PathDelays, flow_offset: NDArray[np.int64]
) -> list[Floats]:
    """The quantile of each flow's delay at each level, [flows] each; NaN where no path is."""
    ln_shape, deviation = _shapes(paths.variance_s2, paths.third_s3)
    several = len(paths.mean_s) > len(flow_offset) - 1
    found = []
    for level in levels:
        each = _alone(gamma_table(level), ln_shape, paths.mean_s, deviation, paths.floor_s)
        each = np.minimum(each, paths.ceiling_s)
        out = np.full(len(flow_offset) - 1, np.nan)
        fill = partial(
            _mix,
            level=level,
            each=each,
            paths=paths,
            ln_shape=ln_shape,
            deviation=deviation,
            flow_offset=flow_offset,
            table=distribution_table(),
            out=out,
        )
        parallel_for(fill, flow_offset, PATH_S if several else 0.0)
        found.append(out)
    return found


@njit_nogil
def _shapes(variance: Any, third: Any) -> Any:
    """The logarithm of the shape of each path's gamma variable, and its standard deviation."""
    ln_shape = np.full(variance.size, LN_SHAPES[-1])
    deviation = np.sqrt(variance)
    for p in range(variance.size):
        if third[p] > 0.0 and variance[p] > 0.0:
            ratio = variance[p] / third[p]
            ln = math.log(4.0 * ratio * ratio * variance[p])
            ln_shape[p] = min(max(ln, LN_SHAPES[0]), LN_SHAPES[-1])
    return ln_shape, deviation


@njit_nogil
def _alone(table: Any, ln_shape: Any, mean: Any, deviation: Any, floor: Any) -> Any:
    """The quantile of each path, from a table over LN_SHAPES, linear between its nodes."""
    out = np.empty(mean.size)
    scale = (table.size - 1) / (LN_SHAPES[-1] - LN_SHAPES[0])
    for p in range(mean.size):
        place = (ln_shape[p] - LN_SHAPES[0]) * scale
        i = min(int(place), table.size - 2)
        above = table[i] + (table[i + 1] - table[i]) * (place - i)
        out[p] = max(mean[p] + deviation[p] * above, floor[p])
    return out


@njit_nogil
def _mix(
    begin: int,
    stop: int,
    level: float,
    each: Any,
    paths: Any,
    ln_shape: Any,
    deviation: Any,
    flow_offset: Any,
    table: Any,
    out: Any,
) -> None:
    """Fill the quantile of a range of flows, which lies between those of their paths, `each`.

    Newton's method on ln(1 - F), from the mean of those, within the interval that holds the
    quantile.
    """
    arriving, mean, floor = paths.arriving, paths.mean_s, paths.floor_s
    for f in range(begin, stop):
        first, end = flow_offset[f], flow_offset[f + 1]
        low, high, whole, middle, narrow = np.inf, 0.0, 0.0, 0.0, np.inf
        for p in range(first, end):
            if arriving[p] > 0.0:
                low, high = min(low, each[p]), max(high, each[p])
                whole += arriving[p]
                middle += arriving[p] * each[p]
                narrow = min(narrow, deviation[p])
        if whole == 0.0:
            continue
        x = min(max(middle / whole, low), high)
        if high - low > ALIKE * high:
            wanted, close = level * whole, max(CLOSE * high, NEAR * narrow)
            for turn in range(STEPS):
                below, slope = _below(
                    x, first, end, arriving, mean, deviation, floor, ln_shape, table
                )
                if below < wanted:
                    low = x
                else:
                    high = x
                step, over = np.inf, whole - below
                if slope > 0.0 and over > 0.0:  # on ln(over), nearly straight
                    step = over * math.log(over / (whole - wanted)) / slope
                if abs(step) <= close or high - low <= close:
                    x = min(max(x + step, low), high)
                    break
                # where the distribution jumps or is flat: halve
                inside = low < x + step < high and turn < STEPS // 4
                x = x + step if inside else (low + high) / 2.0
        else:
            x = (low + high) / 2.0
        out[f] = x


@in_place
def _below(
    x: float,
    first: int,
    end: int,
    arriving: Any,
    mean: Any,
    deviation: Any,
    floor: Any,
    ln_shape: Any,
    table: Any,
) -> tuple[float, float]:
    """How much of what arrives over paths `first` to `end` has a delay of at most x, between the
    table's nodes linear; and how that grows with x."""
    rows, columns = table.shape
    scale = (columns - 1) / (BENDS[-1] - BENDS[0])
    row_scale = (rows - 1) / (LN_SHAPES[-1] - LN_SHAPES[0])
    total, slope = 0.0, 0.0
    for p in range(first, end):
        if x < floor[p]:
            continue
        if deviation[p] <= 1e-12 * mean[p]:
            total += arriving[p] if x >= mean[p] else 0.0
            continue
        y = (x - mean[p]) / deviation[p]
        r = 1.0 / (SPAN + abs(y))
        u = (y * r - BENDS[0]) * scale
        if u >= columns - 1:
            total += arriving[p]
        elif u > 0.0:
            v = (ln_shape[p] - LN_SHAPES[0]) * row_scale
            i, j = min(int(v), rows - 2), int(u)
            a, b = v - i, u - j
            left = table[i, j] * (1.0 - a) + table[i + 1, j] * a
            right = table[i, j + 1] * (1.0 - a) + table[i + 1, j + 1] * a
            total += arriving[p] * (left + (right - left) * b)
            slope += arriving[p] * (right - left) * scale * SPAN * r * r / deviation[p]
    return total, slope


@cache
def gamma_table(p: float) -> Floats:
    """How many standard deviations the p-quantile is above the mean, of gamma variables of shapes
    exp(LN_SHAPES)."""
    shapes = np.exp(LN_SHAPES)
    return np.asarray((gammaincinv(shapes, p) - shapes) / np.sqrt(shapes))


@cache
def distribution_table() -> Floats:
    """The part of gamma variables of shapes exp(LN_SHAPES[::EVERY]) below so many standard
    deviations over the mean that y / (SPAN + |y|) is one of BENDS. [shapes, deviations]"""
    shapes = np.exp(LN_SHAPES[::EVERY])[:, None]
    y = SPAN * BENDS / (1.0 - np.abs(BENDS))
    return np.asarray(gammainc(shapes, np.maximum(shapes + np.sqrt(shapes) * y, 0.0)))
