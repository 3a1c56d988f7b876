"""Customers: whether new traffic fits, where, and which flows it hurts."""

from __future__ import annotations

import math

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.resilience.customers import Fit
from nettwin.interfaces.tables import style


def verdict(found: Fit) -> Text:
    """Whether it fits, why not, and the largest rate that does."""
    d = found.demand
    words = Text(
        f"{units.rate(d.rate_bps)} from {d.source} to {d.target}, {d.traffic_class}, ", "bold"
    )
    words.append(
        "fits" if found.fits else "does not fit",
        f"bold {style.CALM if found.fits else style.ALARM}",
    )
    for reason in found.reasons[:5]:
        words.append(f"\n  {reason}")
    if len(found.reasons) > 5:
        words.append(f"\n  and {len(found.reasons) - 5} more reasons")
    if math.isfinite(found.largest_bps):
        limited = f", limited by {found.limited_by}" if found.limited_by else ""
        words.append(f"\nat most {units.rate(found.largest_bps)} fits{limited}")
    after = found.answer.after
    hurt = len(found.hurt)
    words.append(f"\n{units.count(hurt)} flows are hurt; ", style.ALARM if hurt else "")
    return words.append(f"{after.method} by {after.label}", style.FAINT)


def links(found: Fit, top: int) -> Table:
    """The links on its path, the one first that has the least room for it."""
    rows = [
        (
            c.link,
            units.rate(c.capacity_bps),
            *style.loads(c.offered_load_before, c.offered_load_after),
            units.rate(c.room_bps),
        )
        for c in found.links[:top]
    ]
    return style.table(
        "On its path",
        "<link | ?capacity | offered load | < | with it | room for it",
        of=len(found.links),
        rows=rows,
    )


def hurt(found: Fit, top: int) -> Table:
    """The flows that it hurts, the worst first."""
    shown = found.hurt[:top]
    flagged = any(f.flagged for f in shown)
    rows: list[tuple[str | Text, ...]] = [
        (
            f.name,
            *([style.flag(f.flagged)] if flagged else []),
            f.traffic_class,
            units.rate(f.rate_bps),
            *style.delays(f.delay_before_s, f.delay_after_s),
            *style.losses(f.loss_before, f.loss_after),
        )
        for f in shown
    ]
    return style.table(
        "Flows that it hurts",
        "<flow",
        "<" if flagged else None,
        "<class | ?offered | mean delay | with it | change | loss | with it",
        of=len(found.hurt),
        rows=rows,
    )
