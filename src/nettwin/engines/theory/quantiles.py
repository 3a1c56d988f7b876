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
from typing import Any, NamedTuple

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
    out = np.full((len(levels), len(flow_offset) - 1), np.nan)
    fill = partial(
        _fill,
        levels=np.array(levels, np.float64),
        alone=np.stack([gamma_table(level) for level in levels]),
        paths=paths,
        flow_offset=flow_offset,
        table=distribution_table(),
        out=out,
    )
    parallel_for(fill, flow_offset, PATH_S * len(levels))
    return list(out)


class Mixture(NamedTuple):
    """The paths of one flow over which something arrives, in the first places. Arrays are
    [paths], `quantile` is [levels, paths]."""

    arriving: Floats
    mean: Floats
    deviation: Floats
    floor: Floats
    row: Floats  # of the table of distribution functions, between two of them
    quantile: Floats


@njit_nogil
def _fill(
    begin: int,
    stop: int,
    levels: Any,
    alone: Any,
    paths: Any,
    flow_offset: Any,
    table: Any,
    out: Any,
) -> None:
    """Fill the quantiles of a range of flows. `alone` [levels, LN_SHAPES] are those of gamma
    variables, linear between its nodes."""
    arriving, mean, variance = paths.arriving, paths.mean_s, paths.variance_s2
    third, floor, ceiling = paths.third_s3, paths.floor_s, paths.ceiling_s
    count, most = levels.size, 1
    for f in range(begin, stop):
        most = max(most, flow_offset[f + 1] - flow_offset[f])
    of = Mixture(
        np.empty(most),
        np.empty(most),
        np.empty(most),
        np.empty(most),
        np.empty(most),
        np.empty((count, most)),
    )
    node_scale = (LN_SHAPES.size - 1) / (LN_SHAPES[-1] - LN_SHAPES[0])
    row_scale = (table.shape[0] - 1) / (LN_SHAPES[-1] - LN_SHAPES[0])
    for f in range(begin, stop):
        n = 0
        for p in range(flow_offset[f], flow_offset[f + 1]):
            if not arriving[p] > 0.0:
                continue
            ln_shape, deviation = LN_SHAPES[-1], math.sqrt(variance[p])
            if third[p] > 0.0 and variance[p] > 0.0:
                ratio = variance[p] / third[p]
                ln = math.log(4.0 * ratio * ratio * variance[p])
                ln_shape = min(max(ln, LN_SHAPES[0]), LN_SHAPES[-1])
            place = (ln_shape - LN_SHAPES[0]) * node_scale
            i = min(int(place), LN_SHAPES.size - 2)
            for k in range(count):
                above = alone[k, i] + (alone[k, i + 1] - alone[k, i]) * (place - i)
                x = max(mean[p] + deviation * above, floor[p])
                of.quantile[k, n] = min(x, ceiling[p])
            of.arriving[n], of.mean[n], of.floor[n] = arriving[p], mean[p], floor[p]
            of.deviation[n] = deviation
            of.row[n] = (ln_shape - LN_SHAPES[0]) * row_scale
            n += 1
        if n == 1:
            for k in range(count):
                out[k, f] = of.quantile[k, 0]
            continue
        for k in range(count):
            if n > 0:
                out[k, f] = mixed(n, levels[k], of.quantile[k], of, table)


@in_place
def mixed(n: int, level: float, each: Any, of: Any, table: Any) -> float:
    """The quantile of a mixture of n, which lies between those of its paths, `each`.

    Newton's method on ln(1 - F), from the mean of those, within the interval that holds the
    quantile.
    """
    low, high, whole, middle, narrow = np.inf, 0.0, 0.0, 0.0, np.inf
    for p in range(n):
        low, high = min(low, each[p]), max(high, each[p])
        whole += of.arriving[p]
        middle += of.arriving[p] * each[p]
        narrow = min(narrow, of.deviation[p])
    if high - low <= ALIKE * high:
        return (low + high) / 2.0
    x = min(max(middle / whole, low), high)
    wanted, close = level * whole, max(CLOSE * high, NEAR * narrow)
    for turn in range(STEPS):
        below, slope = _below(x, n, of, table)
        if below < wanted:
            low = x
        else:
            high = x
        step, over = np.inf, whole - below
        if slope > 0.0 and over > 0.0:  # on ln(over), nearly straight
            step = over * math.log(over / (whole - wanted)) / slope
        if abs(step) <= close or high - low <= close:
            return min(max(x + step, low), high)
        # where the distribution jumps or is flat: halve
        inside = low < x + step < high and turn < STEPS // 4
        x = x + step if inside else (low + high) / 2.0
    return x


@in_place
def _below(x: float, n: int, of: Any, table: Any) -> tuple[float, float]:
    """How much of what arrives over n paths has a delay of at most x, between the table's nodes
    linear; and how that grows with x."""
    rows, columns = table.shape
    scale = (columns - 1) / (BENDS[-1] - BENDS[0])
    row_last = rows - 2
    total, slope = 0.0, 0.0
    for p in range(n):
        if x < of.floor[p]:
            continue
        weight, deviation = of.arriving[p], of.deviation[p]
        if deviation <= 1e-12 * of.mean[p]:
            total += weight if x >= of.mean[p] else 0.0
            continue
        y = (x - of.mean[p]) / deviation
        r = 1.0 / (SPAN + abs(y))
        u = (y * r - BENDS[0]) * scale
        if u >= columns - 1:
            total += weight
        elif u > 0.0:
            v = of.row[p]
            i, j = min(int(v), row_last), int(u)
            a, b = v - i, u - j
            left = table[i, j] * (1.0 - a) + table[i + 1, j] * a
            right = table[i, j + 1] * (1.0 - a) + table[i + 1, j + 1] * a
            total += weight * (left + (right - left) * b)
            slope += weight * (right - left) * scale * SPAN * r * r / deviation
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
