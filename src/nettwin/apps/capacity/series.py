"""Series: forecasts of traffic over time, with intervals.

Hours and days ahead: the mean of the last days at the same time of day (of the week, where there
are two weeks), smoothed, the nearest counting most; plus what the last hour was off it, by as much
of it as used to be left so many hours later. Intervals are from how far such forecasts were off
before.

Months and years ahead: a trend of the logarithm of the busy hours of days, with seasons of week and
year where the history is long enough to know them; errors that last (AR(1)) widen its intervals
(generalized least squares; Prais and Winsten, 1954).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nettwin.errors import InputError

DAY_S, YEAR_DAYS, WEEK_DAYS = 86400.0, 365.25, 7
CONFIDENCE = 0.9
FORGET = 0.8  # what a day counts for of the day after it
SMOOTH_S, LAST_S = 7200.0, 3600.0  # to both sides of a time of day; what the last values are
TESTED_DAYS = 14  # of history, on which forecasts are tried
TREND_DAYS, WEEKS_DAYS, YEARS_DAYS = 28, 14, 730  # of history for a trend, a week, a year
HARMONICS = 2  # of the year
PEAK = 95.0  # percentile of a day that its busy hours are told by
DRAWS, SEED = 400, 16
Floats = NDArray[np.float64]


class Forecast(NamedTuple):
    """What is expected at some times, and the interval that holds a value with `CONFIDENCE`.
    [times, series]"""

    times_s: Floats
    mean: Floats
    low: Floats
    high: Floats
    notes: tuple[str, ...]  # what the history was too short to know


def day_ahead(times_s: Floats, values: Floats, future_s: Floats) -> Forecast:
    """What series will be at times up to some days ahead, from values [times, series] at even
    steps within days. Raises InputError for a history of less than two days."""
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else DAY_S
    slots = round(DAY_S / step_s)
    days = (times_s[-1] - times_s[0] + step_s) / DAY_S
    if days < 2 - 1e-9 or slots < 2:
        raise InputError(
            f"the history is of {days:.3g} days at steps of {step_s:.10g} s: must be at least two"
            " days with several values each. Give more."
        )
    index = np.rint((times_s - times_s[-1]) / step_s).astype(np.int64)  # 0: the last
    begin = -((-int(index[0])) // slots) * slots - slots
    table = np.full((-begin, values.shape[1]), np.nan)
    table[index - begin - 1] = values
    by_day = table.reshape(-1, slots, values.shape[1])  # whole days that end with the last value
    known = np.isfinite(by_day).any(axis=(1, 2))
    by_day = by_day[np.argmax(known) :]
    weekly = len(by_day) >= WEEKS_DAYS
    notes = () if weekly else (f"{days:.3g} days of history tell nothing of weekends",)
    width = max(round(SMOOTH_S / step_s), 1)
    last = max(round(LAST_S / step_s), 1)
    shape = _shape(by_day, weekly, 0, width)
    low, high = _errors(by_day, weekly, width, last)
    ahead = np.rint((future_s - times_s[-1]) / step_s).astype(np.int64) - 1
    slot, later = ahead % slots, ahead // slots
    mean = shape[slot]
    if weekly:
        for day in np.unique(later % WEEK_DAYS).tolist():
            mine = later % WEEK_DAYS == day
            mean[mine] = _shape(by_day, weekly, day, width)[slot[mine]]
    mean = mean + _lasting(by_day, weekly, width, last, ahead)
    mean = np.maximum(mean, 0.0)
    wider = np.sqrt(np.maximum(later + 1, 1))[:, None]  # days drift apart
    scale = _scale(shape)[slot]
    return Forecast(
        future_s,
        mean,
        np.maximum(mean - wider * low * scale, 0.0),
        mean + wider * high * scale,
        notes,
    )


def _shape(by_day: Floats, weekly: bool, day: int, width: int) -> Floats:
    """A day after the last by the days before: the weighted mean of them, smoothed; with weeks, of
    the days a whole number of weeks before. [slots, series]"""
    age = np.arange(len(by_day))[::-1]  # 0: the last day
    weight = np.asarray(FORGET**age, np.float64)
    if weekly:
        same = (age - (WEEK_DAYS - 1 - day)) % WEEK_DAYS == 0
        weight = np.where(same, FORGET ** (age // WEEK_DAYS), 0.0)
    return _smoothed(by_day, weight, width)


def _smoothed(by_day: Floats, weight: Floats, width: int) -> Floats:
    """The weighted mean of days, each time of day together with those around it. [slots, series]"""
    known = np.isfinite(by_day)
    total = np.einsum("d,dsk->sk", weight, np.where(known, by_day, 0.0))
    share = np.einsum("d,dsk->sk", weight, known.astype(np.float64))
    kernel = np.bartlett(2 * width + 1)[1:-1]
    around = [
        np.sum(
            [p * np.roll(side, width - 1 - k, axis=0) for k, p in enumerate(kernel.tolist())],
            axis=0,
        )
        for side in (total, share)
    ]
    rows = np.divide(around[0], around[1], out=np.full(total.shape, np.nan), where=around[1] > 0)
    return np.asarray(np.where(np.isnan(rows), np.nan_to_num(_mean(rows)), rows))


def _mean(rows: Floats) -> Floats:
    known = np.isfinite(rows)
    return np.asarray(np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _scale(shape: Floats) -> Floats:
    """By what errors are measured: they grow with the level, though less than it."""
    level = np.abs(shape).mean(axis=0)
    return np.asarray(np.sqrt(np.abs(shape) * level) + 0.1 * level + 1e-300)


def _lasting(
    by_day: Floats, weekly: bool, width: int, last: int, ahead: NDArray[np.int64]
) -> Floats:
    """What is left, so many steps ahead, of how far the last values are off the other days. How
    much that is, is a correlation over the whole history and all series. [ahead, series]"""
    days, _, series = by_day.shape
    off = np.full(by_day.shape, np.nan)
    age = np.arange(days)[::-1].astype(np.float64)
    for day in range(max(days - TESTED_DAYS, 0), days):
        weight = FORGET ** np.abs(age - age[day])
        if weekly:
            weight = np.where((age - age[day]) % WEEK_DAYS == 0, weight, 0.0)
        weight[day] = 0.0
        off[day] = by_day[day] - _smoothed(by_day, weight, width)
    line = off.reshape(-1, series)
    size = np.sqrt(np.nanmean(line**2, axis=0))
    line = line / np.where(size > 0, size, np.inf)
    filled = np.nan_to_num(line)
    total = np.cumsum(np.concatenate([np.zeros((last, series)), filled]), axis=0)
    recent = (total[last:] - total[:-last]) / last
    kept = np.zeros(len(ahead))
    known: dict[int, float] = {}
    for k, steps in enumerate(ahead.tolist()):
        block = (steps // last) * last + last // 2 + 1  # one correlation for each hour
        if block not in known:
            old, new = recent[:-block], line[block:]
            there = np.isfinite(new)
            power = float((old[there] ** 2).sum())
            together = float((old[there] * new[there]).sum())
            known[block] = float(np.clip(together / power, 0.0, 1.0)) if power > 0 else 0.0
        kept[k] = known[block]
    return np.outer(kept, recent[-1] * size)


def _errors(by_day: Floats, weekly: bool, width: int, last: int) -> tuple[Floats, Floats]:
    """How far below and above a forecast a value may be, over the scale of its time of day, by the
    errors of forecasts of earlier days. [series]"""
    days, slots, _ = by_day.shape
    first = max(WEEK_DAYS if weekly else 1, days - TESTED_DAYS)
    errors = []
    for day in range(first, days):
        before = by_day[:day]
        shape = _shape(before, weekly, 0, width)
        said = shape
        if day >= 2:
            said = shape + _lasting(before, weekly, width, last, np.arange(slots))
        # a forecast from few days errs more than one from many: variances of means of days
        fair = np.sqrt((1 + _spread(days)) / (1 + _spread(day)))
        errors.append(fair * (by_day[day] - said) / _scale(shape))
    every = np.concatenate(errors)
    tail = (1 - CONFIDENCE) / 2
    # days are what is independent: quantiles of few of them are too near
    few = float(stats.t.ppf(1 - tail, max(len(errors), 1)) / stats.norm.ppf(1 - tail))
    few = min(few, 1.3)
    below = np.maximum(-np.nanquantile(every, tail, axis=0), 0.0)
    above = np.maximum(np.nanquantile(every, 1 - tail, axis=0), 0.0)
    return few * below, few * above


def _spread(days: int) -> float:
    """The variance of the weighted mean of so many days, over that of one."""
    weight = FORGET ** np.arange(days)
    return float((weight**2).sum() / weight.sum() ** 2)


@dataclass(frozen=True)
class Trend:
    """Busy hours of days over years, for each series: a line in the logarithm, seasons, errors that
    last. `coefficients` are [terms, series], `covariance` [terms, terms, series]."""

    begin_s: float
    end_s: float
    weekly: bool
    yearly: bool
    coefficients: Floats
    covariance: Floats
    noise: Floats  # [series] standard deviation of a day's error
    freedom: Floats  # [series] degrees of freedom
    floor: Floats  # [series]
    notes: tuple[str, ...]

    @property
    def growth(self) -> tuple[Floats, Floats, Floats]:
        """Relative growth a year, and its interval of CONFIDENCE. [series] each"""
        slope = self.coefficients[1]
        wide = np.sqrt(self.covariance[1, 1]) * stats.t.ppf((1 + CONFIDENCE) / 2, self.freedom)
        return np.expm1(slope), np.expm1(slope - wide), np.expm1(slope + wide)

    def forecast(self, future_s: Floats) -> Forecast:
        """Busy hours of days ahead, noise of days included in the interval."""
        terms = self._terms(future_s)
        center = terms @ self.coefficients
        spread = np.einsum("ti,ijk,tj->tk", terms, self.covariance, terms)
        wide = np.sqrt(spread + self.noise**2) * stats.t.ppf((1 + CONFIDENCE) / 2, self.freedom)
        return Forecast(
            future_s,
            np.exp(center),
            np.exp(center - wide),
            np.exp(center + wide),
            self.notes,
        )

    def run_out(self, series: int, limit: float, years: float = 10.0) -> tuple[float, float, float]:
        """The days after the end of the history until the expected busy hours pass a limit, with
        the interval of CONFIDENCE; inf: not within so many years."""
        day = np.arange(0, round(years * YEAR_DAYS) + 1)
        terms = self._terms(np.asarray(self.end_s + day * DAY_S, np.float64))
        random = np.random.default_rng(SEED)
        root = np.linalg.cholesky(
            self.covariance[:, :, series] + 1e-18 * np.eye(len(self.coefficients))
        )
        drawn = random.standard_normal((DRAWS, len(root)))
        scale = np.sqrt(self.freedom[series] / random.chisquare(self.freedom[series], DRAWS))
        # every error has its opposite, so that draws lie evenly around what is expected
        apart = (drawn * scale[:, None]) @ root.T
        every = (
            np.concatenate([np.zeros((1, len(root))), apart, -apart]) + self.coefficients[:, series]
        )
        over = (terms @ every.T) > np.log(limit)
        first = np.where(over.any(axis=0), over.argmax(axis=0), np.inf)
        tail = (1 - CONFIDENCE) / 2
        ends = np.quantile(first[1:], [tail, 1 - tail], method="nearest")
        return float(first[0]), float(ends[0]), float(ends[1])

    def _terms(self, times_s: Floats) -> Floats:
        return _terms(times_s, self.end_s, self.weekly, self.yearly)


def trend(times_s: Floats, values: Floats) -> Trend:
    """The trend of series from values [times, series] over days. Raises InputError for a history of
    less than four weeks, which no growth can be told from."""
    day, busy = busy_days(times_s, values)
    span = (day[-1] - day[0]) / DAY_S + 1 if len(day) else 0.0
    if span < TREND_DAYS or len(day) < TREND_DAYS / 2:
        raise InputError(
            f"the history is of {span:.3g} days: growth can be told from {TREND_DAYS} days on. Give"
            " more, or give growth in a file."
        )
    weekly, yearly = span >= WEEKS_DAYS, span >= YEARS_DAYS - 1
    notes = []
    if not yearly:
        notes.append(
            f"{span:.0f} days of history tell nothing of the season of a year, which may look like"
            " growth: that takes two years"
        )
    level = np.nanmean(busy, axis=0)
    floor = np.maximum(1e-3 * level, 1e-9)
    terms = _terms(day, day[-1], weekly, yearly)
    fits = [_fitted(terms, day, busy[:, k], floor[k]) for k in range(busy.shape[1])]
    return Trend(
        float(day[0]),
        float(day[-1]),
        weekly,
        yearly,
        np.stack([fit[0] for fit in fits], axis=1),
        np.stack([fit[1] for fit in fits], axis=2),
        np.array([fit[2] for fit in fits]),
        np.array([fit[3] for fit in fits]),
        floor,
        tuple(notes),
    )


def busy_days(times_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Each day (its middle) and the 95th percentile of its values [days, series]; days with less
    than half of the usual number of values are left out."""
    number = np.floor(times_s / DAY_S).astype(np.int64)
    days, count = np.unique(number, return_counts=True)
    days = days[count >= count.max() / 2]
    busy = np.stack([np.nanpercentile(values[number == d], PEAK, axis=0) for d in days])
    return (days + 0.5) * DAY_S, busy


def _terms(times_s: Floats, end_s: float, weekly: bool, yearly: bool) -> Floats:
    """Level and slope a year, from the end of the history; six days of the week against their mean;
    sines and cosines of the year."""
    years = (times_s - end_s) / (YEAR_DAYS * DAY_S)
    columns = [np.ones(len(years)), years]
    if weekly:
        day = np.floor(times_s / DAY_S).astype(np.int64) % WEEK_DAYS
        columns += [(day == k) * 1.0 - (day == WEEK_DAYS - 1) for k in range(WEEK_DAYS - 1)]
    if yearly:
        angle = 2 * np.pi * times_s / (YEAR_DAYS * DAY_S)
        for k in range(1, HARMONICS + 1):
            columns += [np.sin(k * angle), np.cos(k * angle)]
    return np.stack(columns, axis=1)


def _fitted(
    terms: Floats, day: Floats, busy: Floats, floor: float
) -> tuple[Floats, Floats, float, float]:
    """Coefficients, their covariance, the noise and the degrees of freedom of one series."""
    known = np.isfinite(busy)
    x, y = terms[known], np.log(np.maximum(busy[known], floor))
    gap = np.diff(day[known]) / DAY_S
    lasting = 0.0
    for _ in range(8):
        decay = lasting**gap
        root = np.sqrt(1 - decay**2)
        first = np.sqrt(1 - lasting**2)  # all errors of the variance of a step
        a = np.concatenate(
            [first * x[:1], (x[1:] - decay[:, None] * x[:-1]) * (first / root)[:, None]]
        )
        b = np.concatenate([first * y[:1], (y[1:] - decay * y[:-1]) * (first / root)])
        found = np.linalg.lstsq(a, b, rcond=None)[0]
        error = y - x @ found
        near = gap < 1.5
        pairs = error[:-1][near], error[1:][near]
        size = float((pairs[0] ** 2).sum())
        after = float((pairs[0] * pairs[1]).sum()) / size if size > 0 else 0.0
        # least squares takes some of what lasts for trend (Kendall, 1954)
        after = (len(y) * after + 1) / (len(y) - 3) if len(y) > 8 else after
        after = float(np.clip(after, 0.0, 0.99))
        if abs(after - lasting) < 1e-4:
            break
        lasting = after
    rest = b - a @ found
    freedom = max(len(y) - x.shape[1], 1)
    variance = float((rest**2).sum()) / freedom
    covariance = variance * np.linalg.pinv(a.T @ a)
    noise = np.sqrt(variance / (1 - lasting**2))
    independent = freedom * (1 - lasting) / (1 + lasting)
    return found, covariance, float(noise), float(max(independent, 2.0))
