"""Percentiles of a delay from its floor and its first three moments."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

Floats = NDArray[np.float64]
LN_SHAPES = np.linspace(-7.0, 9.0, 641)


def percentile(
    p: float, floor_s: Floats, mean_s: Floats, variance_s2: Floats, third_s3: Floats
) -> Floats:
    """The p-quantile of a gamma variable, moved, of these moments (Pearson's type III). [flows]

    A gamma of small shape has the atom near 0 of a queue that is often empty, one of shape 1 the
    exponential tail of a busy one; a sum over many hops tends to the normal, and so does a gamma.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ln_shape = np.log(4.0 * variance_s2**3) - 2.0 * np.log(third_s3)
        ln_shape = np.where(third_s3 > 0, np.clip(ln_shape, *LN_SHAPES[[0, -1]]), LN_SHAPES[-1])
        deviations = np.interp(ln_shape, LN_SHAPES, gamma_table(p))
        found = mean_s + np.sqrt(variance_s2) * deviations
    return np.asarray(np.where(np.isnan(mean_s), np.nan, np.maximum(found, floor_s)))


@cache
def gamma_table(p: float) -> Floats:
    """How many standard deviations the p-quantile is above the mean, of gamma variables of shapes
    exp(LN_SHAPES)."""
    shapes = np.exp(LN_SHAPES)
    return np.asarray((gammaincinv(shapes, p) - shapes) / np.sqrt(shapes))
