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
from nettwin.engines.theory.halves import in_halves
from nettwin.engines.theory.loops import without_interpreter

Floats = NDArray[np.float64]
LN_SHAPES = np.linspace(-7.0, 9.0, 641)
# of the table of distribution functions: every fifth shape, and sinh(u) standard deviations
EVERY = 5
BENDS = np.linspace(-2.8, 4.8, 761)
ALIKE = 1e-3  # paths whose percentiles differ by less of the larger are not told apart
PATH_S = 2e-7  # to mix one path with others
HALVINGS = 20  # of the interval between the percentiles of a flow's paths, for its own


def percentiles(
    levels: Sequence[float], paths: PathDelays, flow_offset: NDArray[np.int64]
) -> list[Floats]:
    """The quantile of each flow's delay at each level, [flows] each; NaN where no path is."""
    ln_shape, deviation = _shapes(paths.variance_s2, paths.third_s3)
    several = len(paths.mean_s) > len(flow_offset) - 1
    found = []
    for level in levels:
        each = _alone(gamma_table(level), ln_shape, paths.mean_s, deviation, paths.floor_s)
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
        in_halves(fill, flow_offset, PATH_S if several else 0.0)
        found.append(out)
    return found


@without_interpreter
def _shapes(variance: Any, third: Any) -> Any:
    """The logarithm of the shape of each path's gamma variable, and its standard deviation."""
    ln_shape = np.full(variance.size, LN_SHAPES[-1])
    deviation = np.sqrt(variance)
    for p in range(variance.size):
        if third[p] > 0.0 and variance[p] > 0.0:
            ln = math.log(4.0) + 3.0 * math.log(variance[p]) - 2.0 * math.log(third[p])
            ln_shape[p] = min(max(ln, LN_SHAPES[0]), LN_SHAPES[-1])
    return ln_shape, deviation


@without_interpreter
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


@without_interpreter
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
    """Fill the quantile of a range of flows, which lies between those of their paths, `each`."""
    arriving, mean, floor = paths.arriving, paths.mean_s, paths.floor_s
    for f in range(begin, stop):
        first, end = flow_offset[f], flow_offset[f + 1]
        low, high, whole = np.inf, 0.0, 0.0
        for p in range(first, end):
            if arriving[p] > 0.0:
                low, high = min(low, each[p]), max(high, each[p])
                whole += arriving[p]
        if whole == 0.0:
            continue
        if high - low > ALIKE * high:
            wanted = level * whole
            below = _below(low, first, end, arriving, mean, deviation, floor, ln_shape, table)
            over = _below(high, first, end, arriving, mean, deviation, floor, ln_shape, table)
            under, over = min(below - wanted, 0.0), max(over - wanted, 0.0)
            least = (high - low) * 0.5**HALVINGS
            spare = (high - low) * 2.0  # of halvings: how far they may be behind
            keen = 0.2 / (high - low)
            while high - low > least:
                # Oliveira and Takahashi, An enhancement of the bisection method (ITP), 2020
                middle, half = (low + high) / 2.0, (high - low) / 2.0
                spare /= 2.0
                straight = low - under * (high - low) / (over - under) if over > under else middle
                nudge = math.copysign(keen * (high - low) ** 2, middle - straight)
                x = straight + nudge if abs(nudge) <= abs(middle - straight) else middle
                room = max(spare - half, 0.0)
                x = min(max(x, middle - room), middle + room)
                below = _below(x, first, end, arriving, mean, deviation, floor, ln_shape, table)
                if below < wanted:
                    low, under = x, below - wanted
                else:
                    high, over = x, below - wanted
        out[f] = (low + high) / 2.0


@without_interpreter
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
) -> float:
    """How much of what arrives over paths `first` to `end` has a delay of at most x; between the
    table's nodes linear."""
    rows, columns = table.shape
    scale = (columns - 1) / (BENDS[-1] - BENDS[0])
    row_scale = (rows - 1) / (LN_SHAPES[-1] - LN_SHAPES[0])
    total = 0.0
    for p in range(first, end):
        if x < floor[p]:
            continue
        if deviation[p] <= 1e-12 * mean[p]:
            total += arriving[p] if x >= mean[p] else 0.0
            continue
        u = (math.asinh((x - mean[p]) / deviation[p]) - BENDS[0]) * scale
        if u >= columns - 1:
            total += arriving[p]
        elif u > 0.0:
            v = (ln_shape[p] - LN_SHAPES[0]) * row_scale
            i, j = min(int(v), rows - 2), int(u)
            a, b = v - i, u - j
            upper = table[i, j] * (1.0 - b) + table[i, j + 1] * b
            lower = table[i + 1, j] * (1.0 - b) + table[i + 1, j + 1] * b
            total += arriving[p] * (upper * (1.0 - a) + lower * a)
    return total


@cache
def gamma_table(p: float) -> Floats:
    """How many standard deviations the p-quantile is above the mean, of gamma variables of shapes
    exp(LN_SHAPES)."""
    shapes = np.exp(LN_SHAPES)
    return np.asarray((gammaincinv(shapes, p) - shapes) / np.sqrt(shapes))


@cache
def distribution_table() -> Floats:
    """The part of gamma variables of shapes exp(LN_SHAPES[::EVERY]) below sinh(BENDS) standard
    deviations over the mean. [shapes, deviations]"""
    shapes = np.exp(LN_SHAPES[::EVERY])[:, None]
    return np.asarray(gammainc(shapes, np.maximum(shapes + np.sqrt(shapes) * np.sinh(BENDS), 0.0)))
