"""Percentiles of a flow's delay: a mixture over its paths of delays known by three moments.

The delay over one path is taken for a gamma variable, moved, of its mean, variance and third moment
(Pearson's type III). A gamma of small shape has the atom near 0 of a queue that is often empty, one
of shape 1 the exponential tail of a busy one; a sum over many hops tends to the normal, and so does
a gamma. Paths of different length make a distribution of several humps, which no moments tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv

from nettwin.compiled import compiled
from nettwin.engines.theory.flows import PathDelays

Floats = NDArray[np.float64]
LN_SHAPES = np.linspace(-7.0, 9.0, 641)
# of the table of distribution functions: every fifth shape, and sinh(u) standard deviations
EVERY = 5
BENDS = np.linspace(-2.8, 4.8, 761)
ALIKE = 1e-3  # paths whose percentiles differ by less of the larger are not told apart
HALVINGS = 24


def percentiles(
    levels: Sequence[float], paths: PathDelays, flow_offset: NDArray[np.int64]
) -> list[Floats]:
    """The quantile of each flow's delay at each level, [flows] each; NaN where no path is."""
    ln_shape, deviation = _shapes(paths.variance_s2, paths.third_s3)
    found = []
    for level in levels:
        each = _alone(gamma_table(level), ln_shape, paths.mean_s, deviation, paths.floor_s)
        out = np.full(len(flow_offset) - 1, np.nan)
        _mix(level, each, paths, ln_shape, flow_offset, distribution_table(), out)
        found.append(out)
    return found


@compiled
def _shapes(variance: Any, third: Any) -> Any:
    """The logarithm of the shape of each path's gamma variable, and its standard deviation."""
    ln_shape = np.full(variance.size, LN_SHAPES[-1])
    deviation = np.sqrt(variance)
    for p in range(variance.size):
        if third[p] > 0.0 and variance[p] > 0.0:
            ln = math.log(4.0) + 3.0 * math.log(variance[p]) - 2.0 * math.log(third[p])
            ln_shape[p] = min(max(ln, LN_SHAPES[0]), LN_SHAPES[-1])
    return ln_shape, deviation


@compiled
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


@compiled
def _mix(
    level: float, each: Any, paths: Any, ln_shape: Any, flow_offset: Any, table: Any, out: Any
) -> None:
    """Fill the quantile of each flow, which lies between those of its paths `each` [paths]."""
    for f in range(out.size):
        first, end = flow_offset[f], flow_offset[f + 1]
        low, high, whole = np.inf, 0.0, 0.0
        for p in range(first, end):
            if paths.arriving[p] > 0.0:
                low, high = min(low, each[p]), max(high, each[p])
                whole += paths.arriving[p]
        if whole == 0.0:
            continue
        steps = HALVINGS if high - low > ALIKE * high else 0
        for _ in range(steps):
            middle = (low + high) / 2.0
            below = 0.0
            for p in range(first, end):
                below += paths.arriving[p] * _part_below(middle, p, paths, ln_shape, table)
            if below < level * whole:
                low = middle
            else:
                high = middle
        out[f] = (low + high) / 2.0


@compiled
def _part_below(x: float, p: int, paths: Any, ln_shape: Any, table: Any) -> float:
    """The part of a path's packets whose delay is at most x; between the table's nodes linear."""
    spread = np.sqrt(paths.variance_s2[p])
    if x < paths.floor_s[p] or spread <= 1e-12 * paths.mean_s[p]:
        return 1.0 if x >= paths.mean_s[p] and x >= paths.floor_s[p] else 0.0
    rows, columns = table.shape
    bend = np.arcsinh((x - paths.mean_s[p]) / spread)
    u = (bend - BENDS[0]) / (BENDS[-1] - BENDS[0]) * (columns - 1)
    v = (ln_shape[p] - LN_SHAPES[0]) / (LN_SHAPES[-1] - LN_SHAPES[0]) * (rows - 1)
    if u <= 0.0:
        return 0.0
    if u >= columns - 1:
        return 1.0
    i, j = min(int(v), rows - 2), int(u)
    a, b = v - i, u - j
    upper = table[i, j] * (1.0 - b) + table[i, j + 1] * b
    lower = table[i + 1, j] * (1.0 - b) + table[i + 1, j + 1] * b
    return float(upper * (1.0 - a) + lower * a)


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
