"""nettwin capacity forecast: traffic ahead, with intervals, and how it grows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from nettwin.apps.capacity.history import BYS, By, series_of
from nettwin.apps.capacity.series import (
    DAY_S,
    YEAR_DAYS,
    Forecast,
    Trend,
    busy_days,
    day_ahead,
    trend,
)
from nettwin.apps.history.past import Past
from nettwin.errors import InputError, UnknownNameError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.capacity.group import History, group
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.plots import check_drawable
from nettwin.interfaces.tables import capacity as tables
from nettwin.interfaces.tables.capacity import Grown
from nettwin.units import finite_or_none, moment

Floats = NDArray[np.float64]
NETWORK = o.given("--network", metavar="FILE", help="The network of --demands.")
BY = typer.Option("--by", help=f"Which series: {', '.join(BYS)}.")
DAYS = typer.Option("--days", min=1, max=3653, help="How many days ahead.")
PLOT = o.written("--plot", help="Draw the largest series and its forecast.")


@command(
    "nettwin capacity forecast --network network.yaml --demands month.npz --plot ahead.svg",
    "nettwin capacity forecast --workspace twin --by link --days 90 --json",
    group=group,
)
@grouped
def forecast(
    network: Annotated[str | None, NETWORK] = None,
    by: Annotated[str, BY] = "total",
    days: Annotated[int, DAYS] = 1,
    *,
    history: History,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    plot: Annotated[Path | None, PLOT] = None,
) -> None:
    """Show what traffic will be: the next days by the time of day; months and years ahead by the
    trend of busy hours. What the history is too short to know is said."""
    output = Output("capacity forecast", json)
    if plot:
        check_drawable(plot)
    past = history.past(source.read(network) if network else None, output)
    if past is None:
        raise InputError("there is no history: give --workspace, or --network and --demands.")
    names, values = series_of(past, _by(by))
    values = np.where(np.isnan(values), 0.0, values)
    known, notes = _trend(past, values)
    found = _ahead(past, values, known, days)
    notes += [note for note in found.notes if note not in notes]
    output.note("Not known", notes, "yellow")
    rows = _rows(names, past, values, found, known)
    output.document(
        {
            "by": by,
            "from": moment(float(past.times_s[0])),
            "until": moment(float(past.times_s[-1])),
            "days": days,
            "confidence": 0.9,
            "not_known": notes,
            "series": [
                {
                    **row._asdict(),
                    "growth": None if row.growth is None else list(map(finite_or_none, row.growth)),
                    "times_s": found.times_s.tolist(),
                    "mean": found.mean[:, names.index(row.name)].tolist(),
                    "low": found.low[:, names.index(row.name)].tolist(),
                    "high": found.high[:, names.index(row.name)].tolist(),
                }
                for row in rows
            ],
        }
    )
    output.show(tables.forecasts(rows, f"Busy hours, {days} days ahead", top))
    if plot:
        _draw(names, past, values, found, days, known, plot)
        output.wrote(plot)


def _by(word: str) -> By:
    for by in BYS:
        if by == word:
            return by
    raise UnknownNameError("kind of series", word, BYS)


def _trend(past: Past, values: np.ndarray) -> tuple[Trend | None, list[str]]:
    try:
        return trend(past.times_s, values), []
    except InputError as error:
        return None, [f"growth: {str(error).partition('. ')[0]}"]


def _ahead(past: Past, values: Floats, known: Trend | None, days: int) -> Forecast:
    """By the time of day for two weeks; by busy hours of days beyond."""
    times, step = past.times_s, past.interval_s
    if days > 14 or step > DAY_S / 2:
        if known is None:
            span = (times[-1] - times[0] + step) / DAY_S
            raise InputError(
                f"{days} days ahead need the growth, and {span:.3g} days of history do not tell it:"
                " ask for at most 14 days, or give more history."
            )
        return known.forecast(known.end_s + np.arange(1.0, days + 1) * DAY_S)
    return day_ahead(times, values, times[-1] + step * np.arange(1, round(days * DAY_S / step) + 1))


def _rows(
    names: tuple[str, ...],
    past: Past,
    values: Floats,
    found: Forecast,
    known: Trend | None,
) -> list[Grown]:
    recent = values[past.times_s > past.times_s[-1] - DAY_S]
    now = np.percentile(recent, 95, axis=0)
    ends = [np.percentile(x[-max(len(x) // 2, 1) :], 95, axis=0) for x in found[1:4]]
    growth = None if known is None else known.growth
    rows = []
    for k, name in enumerate(names):
        low, high, mean = (float(end[k]) for end in (ends[1], ends[2], ends[0]))
        grown = None
        if growth is not None:
            grown = float(growth[0][k]), float(growth[1][k]), float(growth[2][k])
        rows.append(Grown(name, float(now[k]), mean, low, high, grown))
    return sorted(rows, key=lambda row: -row.now_bps)


def _draw(
    names: tuple[str, ...],
    past: Past,
    values: Floats,
    found: Forecast,
    days: int,
    known: Trend | None,
    path: Path,
) -> None:
    from nettwin.interfaces.plots.capacity import Fan, fan

    k = int(np.argmax(values.mean(axis=0)))
    times, line = past.times_s, values
    if known is not None and len(found.times_s) == days:
        times, line = busy_days(past.times_s, values)
    kept = times > times[-1] - max(14.0, min(2 * days, 2 * YEAR_DAYS)) * DAY_S
    ahead = (found.mean[:, k], found.low[:, k], found.high[:, k])
    fan(Fan(names[k], times[kept], line[kept, k], found.times_s, *ahead), path)
