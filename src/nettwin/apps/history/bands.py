"""Bands: intervals of predictions, from how far off the same model was in the day before.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei et al. 2018) over a window that
moves with time: errors relative to the prediction, of each element by itself. An interval knows
nothing of what was measured at its own time or later. Before enough was seen, the model's own
interval stands.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.9
MEMORY_S = 86400.0  # of errors that count; two times LEAST at least
RENEWED = 12  # intervals after which errors are looked at anew
LEAST = 24  # errors of an element from which its interval is made
ROUNDING = 1e-9  # of errors that are all alike
SMALL = 0.01  # of the usual prediction, below which errors are not relative
Floats = NDArray[np.float64]


def band_of(
    predicted: Floats, measured: Floats, times_s: Floats, own: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """The low and high end of each interval [times, elements], never below 0; `own` are those of
    the model, NaN where it has none."""
    low, high = own[0].copy(), own[1].copy()
    scale = np.maximum(predicted, SMALL * _usual(predicted))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = (measured - predicted) / scale
    error[~np.isfinite(error)] = np.nan
    for begin in range(0, len(times_s), RENEWED):
        block = slice(begin, begin + RENEWED)
        since = int(np.searchsorted(times_s, times_s[begin] - MEMORY_S))
        below, above = _ends(error[max(0, min(since, begin - 2 * LEAST)) : begin])
        known = np.isfinite(below)
        for ends, off, slack in ((low, below, -ROUNDING), (high, above, ROUNDING)):
            told = predicted[block] + (off + slack) * scale[block]
            ends[block] = np.where(known, told, ends[block])
    return np.maximum(low, 0.0), np.maximum(high, 0.0)


def _usual(predicted: Floats) -> float:
    positive = predicted[predicted > 0]
    return float(np.median(positive)) if len(positive) else 1.0


def _ends(error: Floats) -> tuple[Floats, Floats]:
    """How far below and above a prediction a measurement is, at the confidence; NaN where too few
    errors were seen. [elements]"""
    count = np.isfinite(error).sum(axis=0)
    low, high = np.full(len(count), np.nan), np.full(len(count), np.nan)
    rest = (1 - CONFIDENCE) / 2
    enough = count >= LEAST
    whole = enough & (count == len(error))
    if whole.any():
        ordered = np.sort(error[:, whole], axis=0)
        low[whole], high[whole] = _rank(ordered, rest), _rank(ordered, 1 - rest)
    for k in np.flatnonzero(enough & ~whole).tolist():
        mine = np.sort(error[np.isfinite(error[:, k]), k])
        low[k], high[k] = _rank(mine, rest), _rank(mine, 1 - rest)
    return low, high


def _rank(ordered: Floats, share: float) -> Floats:
    """The error that holds a share of what is next: its rank among one more than were seen."""
    count = len(ordered)
    rank = math.ceil((count + 1) * share) if share > 0.5 else math.floor((count + 1) * share)
    return np.asarray(ordered[min(max(rank, 1), count) - 1])
