"""forecast: traffic ahead on measured days, and run-out dates on histories of known growth."""

from __future__ import annotations

import argparse
from statistics import mean, median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, say
from benchmarks.suite.matrix_estimation import counters_of
from nettwin.apps.capacity.series import DAY_S, YEAR_DAYS, day_ahead, trend
from nettwin.errors import NettwinError
from nettwin.formats import read
from nettwin.formats.demands import read_demands

TITLE = "Forecasts of measured traffic, and run-out dates of known growth"
PROTOCOL = (
    "DIR as of matrix_estimation: NAME.npz and NAME.*. Series are what links are offered. Each of "
    "the last 3 days (the last day of a file of less than 5) is forecast from all before it. MASE: "
    "the mean absolute error over that of repeating the day before, mean over links, then over "
    "days held back. Coverage: the share of values in their intervals of 90 %. Run-out: histories "
    "of two years of days, growth drawn from 10 to 80 % a year, a season of the year up to 10 %, "
    "weekends up to 30 % lower, errors of 2 to 10 % that last (AR(1) up to 0.9); the limit is what "
    "the known curve reaches after 4 to 30 months; error: days between the date that is told and "
    "that of the known curve; coverage: the share of dates in their intervals of 90 %. "
    "Not blind: the forecast of a day was chosen with Abilene and GEANT in view."
)
HISTORIES, SEED, DAYS = 300, 2026, 730
Floats = NDArray[np.float64]


class Day(NamedTuple):
    """A day held back."""

    mase: float
    coverage: float


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of made histories."""
    if options.data is None:
        raise Skipped("give a folder with NAME.npz and NAME.* with --data")
    every: dict[str, list[Day]] = {}
    for path in sorted(options.data.glob("*.npz")):
        others = [p for p in sorted(path.parent.glob(f"{path.stem}.*")) if p.suffix != ".npz"]
        try:
            scenario = read(str(others[0])).scenario
            series = read_demands(path, topology=scenario.topology)
        except (IndexError, NettwinError) as reason:
            raise Skipped(f"{path}: {reason}") from None
        load = counters_of(scenario, series.times_s, series.demand_bps).link_bps
        every[path.stem] = held_back(series.times_s, load)
        for one in every[path.stem]:
            say(f"{path.stem}: MASE {one.mase:.3f}, coverage {one.coverage:.1%}")
    days = [day for some in every.values() for day in some]
    if not days:
        raise Skipped(f"{options.data} holds no NAME.npz")
    late, held = run_outs(options.limit or HISTORIES)
    cover = mean(day.coverage for day in days)
    figures = [
        at_most("MASE", mean(day.mase for day in days), 0.9),
        _between("coverage", cover, 0.85, 0.95),
        at_most("run-out error", median(late), 30.0, "days"),
        _between("run-out coverage", mean(held), 0.85, 0.95),
    ]
    for name, some in every.items():
        figures.append(Figure(f"MASE: {name}", mean(day.mase for day in some)))
        figures.append(Figure(f"coverage: {name}", mean(day.coverage for day in some)))
    return Outcome(tuple(figures), (f"{len(days)} days held back, {len(late)} histories.",))


def held_back(times_s: Floats, values: Floats) -> list[Day]:
    """Each day held back, forecast from all before it."""
    step = float(np.median(np.diff(times_s)))
    slots = round(DAY_S / step)
    count = 3 if times_s[-1] - times_s[0] + step >= 5 * DAY_S else 1
    found = []
    for day in range(count, 0, -1):
        begin = len(times_s) - slots * day
        mine = slice(begin, begin + slots)
        ahead = day_ahead(times_s[:begin], values[:begin], times_s[mine])
        off = np.abs(values[mine] - ahead.mean).mean(axis=0)
        before = np.abs(values[mine] - values[begin - slots : begin]).mean(axis=0)
        used = before > 0
        inside = (values[mine] >= ahead.low) & (values[mine] <= ahead.high)
        found.append(Day(float((off[used] / before[used]).mean()), float(inside[:, used].mean())))
    return found


def run_outs(count: int) -> tuple[list[float], list[float]]:
    """How many days off run-out dates are, and whether their intervals hold them."""
    random = np.random.default_rng(SEED)
    late, held = [], []
    while len(late) < count:
        growth, season, weekend = random.uniform((0.1, 0.0, 0.0), (0.8, 0.1, 0.3))
        lasting, size, phase = random.uniform((0.0, 0.02, 0.0), (0.9, 0.1, 2 * np.pi))

        def curve(day: Floats, g: float = growth, s: float = season, w: float = weekend,
                  p: float = phase) -> Floats:  # fmt: skip
            wave = s * np.sin(2 * np.pi * day / YEAR_DAYS + p)
            return np.asarray(np.log1p(g) * day / YEAR_DAYS + wave - w * (day % 7 >= 5))

        error = np.zeros(DAYS)
        drawn = random.standard_normal(DAYS) * size
        error[0] = drawn[0]
        for t in range(1, DAYS):
            error[t] = lasting * error[t - 1] + np.sqrt(1 - lasting**2) * drawn[t]
        day = np.arange(DAYS, dtype=np.float64)
        ahead = np.arange(DAYS - 1, DAYS + 3700, dtype=np.float64)
        known = curve(ahead)
        limit = known[round(random.uniform(4, 30) * 30)] + 1e-9
        truth = int(np.argmax(known > limit))
        if truth < 30:  # weekends or the season have reached it before
            continue
        found = trend((day + 0.5) * DAY_S, np.exp(curve(day) + error)[:, None])
        expected, early, last = found.run_out(0, float(np.exp(limit)))
        late.append(abs(expected - truth))
        held.append(float(early <= truth <= last))
    return late, held


def _between(name: str, value: float, low: float, high: float) -> Figure:
    """A figure that should lie between two targets; the nearer one is told."""
    near, sense = (low, ">=") if value < (low + high) / 2 else (high, "<=")
    return Figure(name, value, "", near, bool(low <= value <= high), sense)
