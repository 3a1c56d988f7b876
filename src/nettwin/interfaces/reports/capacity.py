"""Capacity: the report of a capacity plan, for management."""

from __future__ import annotations

import numpy as np

from nettwin import units
from nettwin.apps.capacity import words
from nettwin.apps.capacity.runout import RunOuts
from nettwin.apps.capacity.upgrade import Upgrade
from nettwin.interfaces.plots import capacity as plots
from nettwin.interfaces.reports.report import Grid, Picture, Report

ROWS = 30


def report(outs: RunOuts, found: Upgrade) -> Report:
    """What grows, what runs out and when, what to buy, what it costs beside what people do, what
    was checked, and what all of this assumes."""
    case = found.case
    made = Report(f"Capacity plan: {case.name}")
    made.add("# In short", words.of_run_outs(outs), words.of_upgrade(found))
    made.add(
        "# What runs out",
        Picture("runout", "When links and intents run out", lambda p: plots.run_outs(outs, p)),
    )
    out = [one for one in outs.found if np.isfinite(one.early)]
    made.add(
        Grid(
            ("element", "now", "runs out", "at the earliest", "at the latest", "when this fails"),
            [
                (
                    one.element,
                    units.percent(one.now, 0) if one.kind == "link" else f"{one.now:.4g}",
                    *(words.when(outs, years) for years in (one.years, one.early, one.late)),
                    one.cause,
                )
                for one in out[:ROWS]
            ],
        )
    )
    if len(out) > ROWS:
        made.add(f"- {len(out) - ROWS} more run out later.")
    made.add(
        "# What to buy",
        Grid(
            ("period", "line", "modules", "capacity added", "cost"),
            [
                (
                    case.period_name(one.period),
                    one.line + (" (new)" if one.built else ""),
                    ", ".join(f"{count} x {name}" for name, count in one.modules),
                    units.rate(one.added_bps),
                    f"{one.cost:,.6g}",
                )
                for one in found.best.bought
            ],
        ),
        "# What it costs",
        Picture("costs", "What each method has paid by then", lambda p: plots.costs(found, p)),
        Grid(
            ("period", *(one.method for one in (found.best, *found.rules))),
            [
                (
                    case.period_name(k),
                    *(f"{one.paid[k]:,.6g}" for one in (found.best, *found.rules)),
                )
                for k in range(case.periods)
            ],
        ),
    )
    if found.checked:
        made.add(
            "# What was checked",
            Grid(
                ("period", "expected", "worst", "when this fails", ""),
                [
                    (
                        case.period_name(check.period),
                        check.expectation,
                        f"{check.value:.4g}",
                        check.cause,
                        "met" if check.met else "missed",
                    )
                    for check in found.checked
                ],
            ),
        )
    if found.exempt:
        made.add(
            "# What no capacity helps",
            Grid(
                ("when this fails", "flows without a path"),
                [
                    (
                        name,
                        ", ".join(flows[:4])
                        + (f" and {len(flows) - 4} more" if len(flows) > 4 else ""),
                    )
                    for name, flows in list(found.exempt.items())[:ROWS]
                ],
            ),
        )
    made.add(
        "# What this rests on",
        words.of_growth(case),
        "Modules: "
        + "; ".join(
            f"{m.name} ({units.rate(m.capacity_bps)}) for {m.cost:g}"
            + (f" and {m.cost_km:g} a km" if m.cost_km else "")
            for m in case.modules
        )
        + ".",
        "The hand rule upgrades every link that is offered more than 50 % with nothing failed, and"
        " then what a failure overloads; greedy upgrades only the latter. Both look at one period"
        " at a time. Every method passes the same check.",
    )
    if case.assumed:
        made.add("- Assumed: " + "; ".join(case.assumed) + ".")
    return made
