"""Agreement: how well engines agree with one another or with what was measured."""

from __future__ import annotations

import math

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.comparison import Agreement, Comparison
from nettwin.interfaces.tables import style

WORDS = {
    "owd_mean_s": "mean delay",
    "owd_p50_s": "p50 delay",
    "owd_p90_s": "p90 delay",
    "owd_p99_s": "p99 delay",
    "pdv_s2": "delay variance",
    "loss_ratio": "loss (absolute)",
}
GOOD, FAIR = 0.05, 0.15  # mean errors up to which an agreement is called good, or fair


def engines(comparison: Comparison) -> Table:
    """Every engine's totals side by side, with the time it took."""
    flagging = any(metrics.flagged_count for metrics in comparison.metrics.values())
    content: list[tuple[str | Text, ...]] = []
    for name, metrics in comparison.metrics.items():
        totals = metrics.totals(comparison.scenario)
        mark = "  (reference)" if name == comparison.reference else ""
        content.append(
            (
                Text(name if metrics.label == metrics.engine else metrics.label, "bold").append(
                    mark, style.FAINT
                ),
                units.duration(comparison.seconds.get(name, math.nan)),
                *style.totals(totals)[:3],
                style.load(totals["utilization_max"]),
                units.rate(totals["throughput_bps"]),
                *([units.count(metrics.flagged_count)] if flagging else []),
            )
        )
    return style.table(
        "Side by side",
        "<engine | took | mean delay | ?worst flow | loss | highest utilization | ?delivered",
        "?flagged flows" if flagging else None,
        rows=content,
    )


def errors(comparison: Comparison) -> Table:
    """Errors of each engine against the reference, over flows."""
    rows = [_row(a, WORDS.get(a.metric, a.metric)) for a in comparison.agreement()]
    return style.table(
        f"Per flow, against {comparison.reference}",
        "<engine | <metric | flows | mean error | worst | R² | ?<worst flow",
        rows=rows,
    )


def errors_by_class(comparison: Comparison) -> Table:
    """Errors of the mean delay, apart for each traffic class."""
    rows = [_row(a, a.traffic_class) for a in comparison.agreement_by_class()]
    return style.table(
        "Mean delay by traffic class",
        "<engine | <class | flows | mean error | worst | R² | ?<worst flow",
        rows=rows,
    )


def _row(found: Agreement, words: str) -> tuple[str | Text, ...]:
    digits = 1 if found.metric != "loss_ratio" else 2
    error = Text(units.percent(found.mean_error, digits))
    if found.metric != "loss_ratio" and math.isfinite(found.mean_error):
        good, fair = found.mean_error <= GOOD, found.mean_error <= FAIR
        error.stylize(style.CALM if good else style.WARNING if fair else style.ALARM)
    return (
        found.engine,
        words,
        units.count(found.flows),
        error,
        units.percent(found.worst_error, digits),
        f"{found.r2:.4f}" if math.isfinite(found.r2) else "-",
        found.worst_flow or "-",
    )
