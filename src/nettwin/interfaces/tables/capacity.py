"""Capacity: forecasts, run-out dates and upgrades as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.capacity import words
from nettwin.apps.capacity.hose import Hose
from nettwin.apps.capacity.runout import RunOut, RunOuts
from nettwin.apps.capacity.upgrade import Upgrade
from nettwin.intent import MEASURES
from nettwin.intent.intent import shown
from nettwin.interfaces.tables import style


class Grown(NamedTuple):
    """A series of a forecast: busy hours now and expected at the end, and its growth a year."""

    name: str
    now_bps: float
    mean_bps: float
    low_bps: float
    high_bps: float
    growth: tuple[float, float, float] | None  # NaN-free: yearly, low, high


def forecasts(rows: Sequence[Grown], title: str, top: int) -> Table:
    """The largest series of a forecast."""
    made = [
        (
            row.name,
            units.rate(row.now_bps),
            units.rate(row.mean_bps),
            f"{units.rate(row.low_bps)} to {units.rate(row.high_bps)}",
            "not known"
            if row.growth is None
            else f"{row.growth[0]:+.0%} ({row.growth[1]:+.0%} to {row.growth[2]:+.0%})",
        )
        for row in rows[:top]
    ]
    return style.table(
        title,
        "<series | now | expected | interval of 90 % | growth a year",
        rows=made,
        of=len(rows),
    )


def run_outs(found: RunOuts, top: int, most: Hose | None = None) -> Table:
    """What runs out, the first before the others."""
    shown_ones = found.found[:top]
    index = found.scenario.topology.link_index
    rows = []
    for one in shown_ones:
        value, limit = _values(found, one)
        row = [
            one.element,
            value,
            limit,
            _when(found, one.years),
            _between(found, one),
            one.cause,
        ]
        if most is not None:
            k = index.get(one.element)
            ends = [np.nan] * 2 if k is None else [most.worst[k], most.worst_most[k]]
            row += [units.percent(x, 0) if np.isfinite(x) else "" for x in ends]
        rows.append(row)
    hose = "at the end | hose" if most is not None else None
    return style.table(
        "What runs out",
        "<element | now | limit | <runs out | <between | <when this fails",
        hose,
        rows=rows,
        of=len(found.found),
    )


def _values(found: RunOuts, one: RunOut) -> tuple[str | Text, str]:
    if one.kind == "link":
        return style.load(one.now), units.percent(one.limit, 0)
    words_of = one.element.split()
    measure = next((MEASURES[w] for w in words_of if w in MEASURES), None)
    if measure is None or not np.isfinite(one.now):
        return f"{one.now:g}", f"{one.limit:g}"
    return shown(measure, one.now), shown(measure, one.limit)


def _when(found: RunOuts, years: float) -> Text:
    soon = style.ALARM if years <= 1 else style.WARNING if np.isfinite(years) else style.CALM
    return Text(words.when(found, years), soon)


def _between(found: RunOuts, one: RunOut) -> str:
    if one.early == one.late:
        return ""
    return f"{words.when(found, one.early)} to {words.when(found, one.late)}"


def bought(found: Upgrade, top: int) -> Table:
    """What the cheapest plan buys, period by period."""
    rows = [
        (
            found.case.period_name(one.period),
            f"{one.line}{' (new)' if one.built else ''}",
            ", ".join(f"{count} x {name}" for name, count in one.modules),
            units.rate(one.added_bps),
            f"{one.cost:,.6g}",
        )
        for one in found.best.bought
    ]
    return style.table(
        "What to buy, and when",
        "<period | <line | <modules | capacity added | cost",
        rows=rows[:top],
        of=len(rows),
    )


def costs(found: Upgrade) -> Table:
    """What each method pays in each period."""
    every = (found.best, *found.rules)
    rows = [
        (found.case.period_name(k), *(f"{one.paid[k]:,.6g}" for one in every))
        for k in range(found.case.periods)
    ]
    total = "all, discounted" if found.case.discount else "all"
    rows.append((total, *(f"{one.cost:,.6g}" for one in every)))
    names = " | ".join(one.method for one in every)
    return style.table("What it costs", f"<period | {names}", rows=rows)


def checks(found: Upgrade) -> Table:
    """What the model says of each expectation and period."""
    rows = [
        (
            found.case.period_name(check.period),
            check.expectation,
            "" if not np.isfinite(check.value) else f"{check.value:.4g}",
            check.cause,
            Text("met", style.CALM) if check.met else Text("missed", style.ALARM),
        )
        for check in found.checked
    ]
    title = f"Checked by {found.engine or 'loads'} after every failure"
    return style.table(title, "<period | <<expected | worst | <when this fails | <", rows=rows)
