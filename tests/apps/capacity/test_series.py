"""Forecasts against histories whose future is known."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.apps.capacity.series import DAY_S, YEAR_DAYS, day_ahead, trend
from nettwin.errors import InputError

NOISE = 0.1


def _days(count: int, step_s: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Days with a curve over the day and independent noise of each day and hour."""
    times = np.arange(0, count * DAY_S, step_s)
    curve = 2 + np.sin(2 * np.pi * times / DAY_S)
    values = curve[:, None] * random.lognormal(0.0, NOISE, (len(times), 8))
    return times, values


def test_a_day_ahead_is_nearer_than_the_day_before_and_in_its_interval() -> None:
    times, values = _days(9, 900.0, np.random.default_rng(3))
    slots = 96
    known, then = slice(None, -slots), slice(-slots, None)
    found = day_ahead(times[known], values[known], times[then])
    off = np.abs(values[then] - found.mean).mean()
    before = np.abs(values[then] - values[-2 * slots : -slots]).mean()
    held = (values[then] >= found.low) & (values[then] <= found.high)
    assert off < 0.8 * before  # independent noise: the best possible is about 0.7
    assert 0.85 <= held.mean() <= 0.97
    assert "weekends" in found.notes[0]


def test_what_the_last_hour_was_off_lasts_as_long_as_it_used_to() -> None:
    random = np.random.default_rng(8)
    times = np.arange(0, 12 * DAY_S, 1800.0)
    drift = np.zeros((len(times), 6))
    for t in range(1, len(times)):
        drift[t] = 0.98 * drift[t - 1] + 0.06 * random.standard_normal(6)
    values = (3 + np.sin(2 * np.pi * times / DAY_S))[:, None] + drift
    cut = len(times) - 48
    found = day_ahead(times[:cut], values[:cut], times[cut:])
    first = np.abs(found.mean[:4] - values[cut : cut + 4]).mean()
    last = np.abs(found.mean[-4:] - values[-4:]).mean()
    assert first < 0.5 * last


def test_two_weeks_know_weekends() -> None:
    times = np.arange(0, 28 * DAY_S, 3600.0)
    weekday = np.floor(times / DAY_S) % 7 < 5
    values = np.where(weekday, 10.0, 4.0)[:, None]
    cut = 26 * 24  # the next two days are the sixth and seventh of a week
    found = day_ahead(times[:cut], values[:cut], times[cut:])
    assert found.mean == pytest.approx(values[cut:], rel=0.05)
    assert not found.notes


@pytest.mark.parametrize("days", [0.5, 1.5])
def test_less_than_two_days_are_no_history(days: float) -> None:
    times = np.arange(0, days * DAY_S, 900.0)
    with pytest.raises(InputError, match="at least two days"):
        day_ahead(times, np.ones((len(times), 1)), times[-1:] + 900)


def _years(seed: int, growth: float, days: int = 730) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    day = np.arange(days)
    error = np.zeros(days)
    for t in range(1, days):
        error[t] = 0.6 * error[t - 1] + 0.04 * random.standard_normal()
    line = np.log1p(growth) * day / YEAR_DAYS - 0.15 * (day % 7 >= 5)
    return (day + 0.5) * DAY_S, np.exp(line + error)[:, None]


def test_growth_and_run_out_of_two_years_are_in_their_intervals() -> None:
    held, late = [], []
    for seed in range(24):
        growth = 0.1 + 0.02 * seed
        found = trend(*_years(seed, growth))
        yearly, low, high = (float(x[0]) for x in found.growth)
        held.append(low <= growth <= high)
        assert yearly == pytest.approx(growth, abs=0.08)
        truth = 200  # days until the limit, on a weekday
        limit = np.exp(np.log1p(growth) * (729 + truth) / YEAR_DAYS)
        expected, early, last = found.run_out(0, limit)
        late.append(abs(expected - truth))
        assert early <= expected <= last
    assert sum(held) >= 19
    assert np.median(late) <= 30


def test_a_series_that_shrinks_never_runs_out() -> None:
    found = trend(*_years(1, -0.2))
    assert found.run_out(0, 5.0) == (np.inf, np.inf, np.inf)


def test_two_days_for_a_season_of_a_year_are_refused_and_a_hundred_say_what_they_lack() -> None:
    times, values = _years(1, 0.3)
    with pytest.raises(InputError, match="2 days: growth can be told from 28 days on"):
        trend(times[:2], values[:2])
    assert "season of a year" in trend(times[:100], values[:100]).notes[0]
