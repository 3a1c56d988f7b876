"""Views: a past in the numbers that people plan by, and what was unusual in it."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.history.tracks import Hindsight, Track

HOUR_S, DAY_S = 3600.0, 86400.0
PERCENTILE = 95.0
RUN = 3  # intervals in a row outside of the interval: unusual
FAR = 3.0  # half intervals: unusual at once
MATERIAL = {"utilization": 0.005, "owd_mean_s": 0.0}  # by how much off counts, and relatively:
MATERIAL_SHARE = {"utilization": 0.0, "owd_mean_s": 0.01}
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Row(NamedTuple):
    """An element over the whole time: its mean, its 95th percentile, and its mean in the busy hours
    of the days, predicted and measured; how far off the mean prediction is (relative), and the
    share of measurements in their intervals. NaN is what is not known."""

    element: str
    mean: float
    mean_measured: float
    p95: float
    p95_measured: float
    busy: float
    busy_measured: float
    error: float
    coverage: float


class Unusual(NamedTuple):
    """A stretch in which what was measured of an element was outside of its intervals."""

    element: str
    quantity: str
    begin_s: float
    end_s: float
    predicted: float  # means over the stretch, as the next
    measured: float
    off: float  # by how much in all: utilizations, or shares of the prediction, added up


def busy_hours(found: Hindsight) -> tuple[Floats, Bools]:
    """When the busy hour of each day begins (UTC): the clock hour in which the network is offered
    most; and whether each time belongs to one [times]. Days with less than 12 hours have none."""
    begin_s = found.times_s - found.interval_s / 2  # an interval is named by its end
    hour, day = np.floor(begin_s / HOUR_S), np.floor(begin_s / DAY_S)
    starts, inside = [], np.zeros(len(begin_s), np.bool_)
    for one in np.unique(day):
        mine = day == one
        hours, place = np.unique(hour[mine], return_inverse=True)
        if len(hours) < 12:
            continue
        mean = np.bincount(place, found.offered_bps[mine]) / np.bincount(place)
        busiest = hours[int(np.argmax(mean))]
        starts.append(busiest * HOUR_S)
        inside |= hour == busiest
    return np.array(starts), inside


def rows(found: Hindsight, track: Track) -> list[Row]:
    """The elements of a track, those with the highest 95th percentile first; where any were
    measured, those that were come first."""
    _, busy = busy_hours(found)
    sides = track.predicted, track.measured
    columns: list[Floats] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of elements that were never measured
        columns += [np.nanmean(side, axis=0) for side in sides]
        columns += [np.nanpercentile(side, PERCENTILE, axis=0) for side in sides]
        columns += [np.nanmean(side[busy], axis=0) for side in sides]
        off = np.nanmean(np.abs(track.residual), axis=0) / np.nanmean(
            np.where(np.isfinite(track.residual), track.measured, np.nan), axis=0
        )
        known = np.isfinite(track.measured) & np.isfinite(track.low)
        inside = 1 - np.nanmean(np.where(known, track.outside, np.nan), axis=0)
    order = np.lexsort((-np.nan_to_num(columns[2], nan=-1.0), ~np.isfinite(columns[3])))
    table = np.array([*columns, off, inside]).T
    return [Row(track.element[k], *table[k].tolist()) for k in order.tolist()]


def unusual(found: Hindsight, track: Track) -> list[Unusual]:
    """Stretches outside of the intervals by so much that it matters: of at least RUN, or FAR out;
    those that are off by the most first."""
    half = np.maximum((track.high - track.low) / 2, 1e-12)
    middle = (track.high + track.low) / 2
    least = MATERIAL[track.quantity], MATERIAL_SHARE[track.quantity]
    with np.errstate(invalid="ignore"):
        far = np.abs(track.measured - middle) / half > FAR
        off = np.abs(track.residual)
        out = track.outside & (off >= least[0]) & (off >= least[1] * track.predicted)
        if least[1]:
            off = off / np.maximum(track.predicted, 1e-12)
    edge = np.zeros((1, out.shape[1]), np.int8)
    change = np.diff(np.concatenate([edge, out.astype(np.int8), edge]), axis=0)
    stretches = []
    for k in np.flatnonzero(out.any(axis=0)).tolist():
        begins, ends = np.flatnonzero(change[:, k] > 0), np.flatnonzero(change[:, k] < 0)
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            part = slice(begin, end)
            if end - begin >= RUN or far[part, k].any():
                stretches.append(
                    Unusual(
                        track.element[k],
                        track.quantity,
                        float(found.times_s[begin] - found.interval_s),
                        float(found.times_s[end - 1]),
                        float(track.predicted[part, k].mean()),
                        float(track.measured[part, k].mean()),
                        float(off[part, k].sum()),
                    )
                )
    return sorted(stretches, key=lambda one: -one.off)
