"""Percentiles of a delay from its floor, mean and variance."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

Floats = NDArray[np.float64]
LN_SHAPES = np.linspace(-7.0, 9.0, 641)


def percentile(p: float, floor_s: Floats, mean_s: Floats, variance_s2: Floats) -> Floats:
    """The p-quantile of floor + a gamma variable of this mean and variance. [flows]

    A gamma of small shape has the atom near 0 of a queue that is often empty, one of shape 1 the
    exponential tail of a busy one; a sum over many hops tends to the normal, and so does a gamma.
    """
    above = np.maximum(mean_s - floor_s, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = np.where(variance_s2 > 0, above**2 / variance_s2, np.inf)
        at = np.interp(np.log(shape), LN_SHAPES, gamma_table(p))
    sure = (above <= 0) | ~(variance_s2 > 0)
    return np.asarray(np.where(np.isnan(mean_s), np.nan, floor_s + above * np.where(sure, 1.0, at)))


@cache
def gamma_table(p: float) -> Floats:
    """The p-quantile over the mean, of gamma variables of shapes exp(LN_SHAPES)."""
    shapes = np.exp(LN_SHAPES)
    return np.asarray(gammaincinv(shapes, p) / shapes)
