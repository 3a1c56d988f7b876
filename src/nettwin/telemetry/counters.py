"""Counters and gauges to totals over time.

A counter wraps at 32 or 64 bits, begins anew when its device restarts, is read twice before it is
updated, goes back for one sample where line cards answer in turn, or is not read at all. What it
counted in an interval is then corrected where that is certain, and otherwise not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WIDTHS = (2.0**32, 2.0**64)
OVER_SPEED = 1.25  # of the speed of a port: rates up to here may be of clocks that jitter
BRIDGED = 3.5  # intervals of the usual length: over a gap up to here the mean stands for each
GAP = 1.8  # intervals of the usual length: at least one sample is missing
REPEATED = 5  # readings in a row between two updates of a counter
AROUND = 15  # intervals beside them, which tell what is usual
LEAPT = (0.4, 2.5)  # of what is usual: the mean over the readings and the leap after them


@dataclass(frozen=True)
class Totals:
    """What was counted by each time: `total` [points] grows from 0; `known` [points - 1] tells of
    which intervals the growth is known. `counts` are findings by kind."""

    time_s: Floats
    total: Floats
    known: Bools
    counts: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_s)

    def at(self, times_s: Floats) -> Floats:
        """The total at times, interpolated; NaN outside. [times]"""
        if not len(self.time_s):
            return np.full(len(times_s), np.nan)
        return np.interp(times_s, self.time_s, self.total, left=np.nan, right=np.nan)

    def rates(self, edges_s: Floats) -> Floats:
        """The mean growth a second between neighboring edges; NaN where it is not known.
        [edges - 1]"""
        total = self.at(edges_s)
        doubt = np.concatenate([[0], np.cumsum(~self.known)])
        left = np.searchsorted(self.time_s, edges_s[:-1], side="right") - 1
        right = np.searchsorted(self.time_s, edges_s[1:], side="left")
        last = len(self.known)
        unsure = doubt[np.clip(right, 0, last)] - doubt[np.clip(left, 0, last)]
        rate = np.diff(total) / np.diff(edges_s)
        return np.asarray(np.where(unsure > 0, np.nan, rate))


def in_order(time_s: Floats, value: Floats) -> tuple[Floats, Floats, dict[str, int]]:
    """Samples in the order of their times, each time once, without what is not a number."""
    counts: dict[str, int] = {}
    good = np.isfinite(time_s) & np.isfinite(value)
    counts["garbage"] = int(np.count_nonzero(~good))
    time_s, value = time_s[good], value[good]
    counts["late"] = int(np.count_nonzero(np.diff(time_s) < 0))
    order = np.argsort(time_s, kind="stable")
    time_s, value = time_s[order], value[order]
    same = np.diff(time_s) == 0
    differs = same & (np.diff(value) != 0)
    counts["conflict"] = int(np.count_nonzero(differs))
    counts["duplicate"] = int(np.count_nonzero(same & ~differs))
    last = np.append(~same, True) if len(time_s) else np.zeros(0, bool)
    return time_s[last], value[last], counts


def fallen(time_s: Floats, value: Floats) -> Floats:
    """The times at which a counter is lower than before. [falls]"""
    time_s, value, _ = in_order(time_s, value)
    return np.asarray(time_s[1:][np.diff(value) < 0])


def counter_totals(
    time_s: Floats,
    value: Floats,
    *,
    most_per_s: float = np.inf,
    restarts_s: Floats | None = None,
    bits: float = 1.0,
) -> Totals:
    """What a counter counted by each time, in `bits` for each count. It cannot count more than
    `most_per_s` (of those), and began anew at each time of `restarts_s`."""
    time_s, value, counts = in_order(time_s, value)
    if len(value) < 2:
        return Totals(time_s, np.zeros(len(value)), np.zeros(max(len(value) - 1, 0), bool), counts)
    counts["gap"] = _sampled(np.diff(time_s))[1]
    keep = ~_went_back(value)
    counts["back"] = int(np.count_nonzero(~keep))
    time_s, value = time_s[keep], value[keep]
    most_per_s /= bits
    step, span = np.diff(value), np.diff(time_s)
    known, _ = _sampled(span)
    restarted = _restarted(time_s, restarts_s)
    counts["restart"] = int(np.count_nonzero(restarted & (step < 0)))
    most = OVER_SPEED * most_per_s if np.isfinite(most_per_s) else _usual_most(step, span)
    width = WIDTHS[0] if value.max(initial=0.0) < WIDTHS[0] else WIDTHS[1]
    falls = step < 0
    around = step + width
    wrapped = falls & ~restarted & (around / span <= most)
    counts["wrap"] = int(np.count_nonzero(wrapped))
    counts["reset"] = int(np.count_nonzero(falls & ~wrapped & ~restarted))
    step = np.where(wrapped, around, step)
    known &= ~falls | wrapped
    if wrapped.any() and width == WIDTHS[0]:
        # one that may wrap twice between two readings says nothing
        fast = (most_per_s * span > 2 * width) if np.isfinite(most_per_s) else np.zeros(1, bool)
        if fast.any():
            counts["too_slow"] = int(np.count_nonzero(wrapped))
            counts["wrap"] = 0
            known &= ~fast
    step = np.where(known, step, 0.0)
    time_s, step, known, counts["repeat"] = _spread(time_s, step, known)
    return _finished(time_s, step * bits, known, most_per_s * bits, counts)


def gauge_totals(time_s: Floats, value: Floats, *, most_per_s: float = np.inf) -> Totals:
    """What a rate adds up to by each time; a sample stands for the time since the one before."""
    time_s, value, counts = in_order(time_s, value)
    if len(value) < 2:
        return Totals(time_s, np.zeros(len(value)), np.zeros(max(len(value) - 1, 0), bool), counts)
    negative = value[1:] < 0
    counts["garbage"] += int(np.count_nonzero(negative))
    span = np.diff(time_s)
    known, counts["gap"] = _sampled(span)
    step = np.where(negative, 0.0, value[1:]) * span
    return _finished(time_s, step, known & ~negative, most_per_s, counts)


def _finished(
    time_s: Floats, step: Floats, known: Bools, most_per_s: float, counts: dict[str, int]
) -> Totals:
    span = np.diff(time_s)
    over = known & (step > OVER_SPEED * most_per_s * span)
    counts["above_speed"] = int(np.count_nonzero(over))
    total = np.concatenate([[0.0], np.cumsum(np.where(over, 0.0, step))])
    return Totals(time_s, total, known & ~over, counts)


def _sampled(span: Floats) -> tuple[Bools, int]:
    """Which intervals between samples are no long gaps; the number of gaps, short ones too."""
    usual = float(np.median(span))
    return span <= BRIDGED * usual, int(np.count_nonzero(span > GAP * usual))


def _went_back(value: Floats) -> Bools:
    """Samples that are lower than the one before, where the next is as high as that again."""
    back = np.zeros(len(value), bool)
    if len(value) > 2:
        back[1:-1] = (value[1:-1] < value[:-2]) & (value[2:] >= value[:-2])
    return back


def _restarted(time_s: Floats, restarts_s: Floats | None) -> Bools:
    """Whether a restart lies in each interval."""
    if restarts_s is None or not len(restarts_s):
        return np.zeros(len(time_s) - 1, bool)
    before = np.searchsorted(np.sort(restarts_s), time_s, side="right")
    return np.asarray(np.diff(before) > 0)


def _usual_most(step: Floats, span: Floats) -> float:
    """More than a port of unknown speed is believed to count in a second."""
    grown = (step / span)[step >= 0]
    return 4.0 * float(grown.max(initial=0.0)) if len(grown) else np.inf


def _spread(time_s: Floats, step: Floats, known: Bools) -> tuple[Floats, Floats, Bools, int]:
    """Readings that repeat the one before left out, where the next one makes up for them.

    A counter that its device updates less often than it is read stands still and then leaps: by
    about as many usual steps as it was read. What it counted in all stays the same.
    """
    still = (step == 0) & known
    if not still.any() or still.all():
        return time_s, step, known, 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]])))
    begins, ends = edges[::2], edges[1::2]
    total = np.concatenate([[0.0], np.cumsum(step)])
    leave = np.zeros(len(time_s), bool)
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if end >= len(step) or end - begin > REPEATED or not known[end]:
            continue
        # what was usual before; at the beginning, what is usual after
        a, b = (max(begin - AROUND, 0), begin) if begin else (end + 1, end + 1 + AROUND)
        b = min(b, len(step))
        if a >= b:
            continue
        usual = (total[b] - total[a]) / (time_s[b] - time_s[a])
        mean = step[end] / (time_s[end + 1] - time_s[begin])
        if LEAPT[0] * usual <= mean <= LEAPT[1] * usual:
            leave[begin + 1 : end + 1] = True
    if not leave.any():
        return time_s, step, known, 0
    total = total[~leave]
    doubt = np.concatenate([[0], np.cumsum(~known)])[~leave]
    return time_s[~leave], np.diff(total), np.diff(doubt) == 0, int(np.count_nonzero(leave))
