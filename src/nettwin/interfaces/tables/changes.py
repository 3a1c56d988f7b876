"""Changes: a network before and after."""

from __future__ import annotations

import math

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.whatif import LinkChange, WhatIf
from nettwin.interfaces.tables import style
from nettwin.metrics import Metrics

MIN_GROWTH = 1e-3  # of an offered load, that makes a link busier
TOTALS = (
    ("mean delay", "owd_mean_s"),
    ("worst flow's mean delay", "owd_worst_flow_s"),
    ("loss", "loss_ratio"),
    ("offered", "offered_bps"),
    ("delivered", "throughput_bps"),
    ("highest offered load", "offered_load_max"),
    ("highest utilization", "utilization_max"),
    ("unroutable flows", "unroutable_flows"),
)


def totals(answer: WhatIf) -> Table:
    """The whole network before and after."""
    before = answer.before.totals(answer.scenario_before)
    after = answer.after.totals(answer.scenario_after)
    content: list[tuple[str | Text, ...]] = []
    for words, name in TOTALS:
        old, new = before[name], after[name]
        if name in ("loss_ratio", "offered_load_max", "utilization_max"):
            show = style.loss if name == "loss_ratio" else style.load
            content.append((words, show(old), show(new), style.points(old, new)))
        elif name == "unroutable_flows":
            alarm = style.ALARM if new > old else ""
            content.append((words, f"{old:.0f}", Text(f"{new:.0f}", alarm), f"{new - old:+.0f}"))
        else:
            show_words = units.rate if name.endswith("_bps") else units.duration
            growth = (
                Text(units.change(old, new)) if name.endswith("_bps") else style.change(old, new)
            )
            content.append((words, show_words(old), show_words(new), growth))
    made = style.table("", "< | before | after | change", rows=content)
    made.title = Text.assemble((f"If {answer.describe()}", "bold"), by(answer.before))
    return made


def by(metrics: Metrics) -> tuple[str, str]:
    """Which engine answered, to stand under a table's title."""
    return f"\n{metrics.method} by {metrics.label}", style.FAINT


def classes(answer: WhatIf) -> Table:
    """Every traffic class before and after."""
    rows = [
        (
            c.name,
            units.count(c.flows),
            *style.delays(c.delay_before_s, c.delay_after_s),
            units.duration(c.p99_before_s),
            units.duration(c.p99_after_s),
            *style.losses(c.loss_before, c.loss_after),
        )
        for c in answer.classes
    ]
    return style.table(
        "Traffic classes",
        "<class | ?flows | mean delay | after | change | ?p99 | ?after | loss | after",
        rows=rows,
    )


def links(answer: WhatIf, top: int) -> Table:
    """The links whose offered load grows, the one that grows most first."""
    grown = [c for c in answer.links if _growth(c) > MIN_GROWTH]
    shown = grown[:top]
    rows = [
        (
            c.name,
            units.rate(c.capacity_bps),
            *style.loads(c.offered_load_before, c.offered_load_after),
            style.points(c.offered_load_before, c.offered_load_after),
            style.load(c.utilization_before),
            style.load(c.utilization_after),
            *style.losses(c.loss_before, c.loss_after),
        )
        for c in shown
    ]
    return style.table(
        "Links that get busier",
        "<link | ?capacity | offered load | < | after | ?points",
        "?utilization | ?after | ?loss before | after",
        of=len(grown),
        rows=rows,
    )


def _growth(link: LinkChange) -> float:
    """Of the offered load; a link that is not there is offered nothing."""
    before, after = (
        load if math.isfinite(load) else 0.0
        for load in (link.offered_load_before, link.offered_load_after)
    )
    return after - before


def flows(answer: WhatIf, top: int) -> Table:
    """The flows that suffer most."""
    shown = answer.flows[:top]
    flagged = any(f.flagged for f in shown)
    bounded, lost = ("owd_mean_s" in answer.after.flow.low, "loss_ratio" in answer.after.flow.low)
    sure = f"{answer.after.confidence * 100:.0f} %"
    rows: list[tuple[str | Text, ...]] = [
        (
            f.name,
            *([style.flag(f.flagged)] if flagged else []),
            units.rate(f.rate_bps),
            units.duration(f.delay_before_s),
            units.duration(f.delay_after_s),
            *([style.half(f.delay_after_low_s, f.delay_after_high_s)] if bounded else []),
            style.change(f.delay_before_s, f.delay_after_s),
            *style.losses(f.loss_before, f.loss_after),
            *([style.between(f.loss_after_low, f.loss_after_high)] if lost else []),
        )
        for f in shown
    ]
    return style.table(
        "Flows that suffer most",
        "<flow",
        "<" if flagged else None,
        "?offered | mean delay | after",
        f"?± {sure}" if bounded else None,
        "change | loss | after",
        f"?{sure} between" if lost else None,
        of=len(answer.flows),
        rows=rows,
    )
