"""Drains: an element out of service, what it takes, and what brings it back."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.resilience.maintenance import Drain
from nettwin.intent import MEASURES
from nettwin.intent.intent import shown
from nettwin.interfaces.tables import style
from nettwin.scenario.changes import Change


def heading(found: Drain) -> Text:
    """Whether the elements can go, and what is left on them."""
    words = Text(", ".join(found.elements), "bold")
    if found.drained:
        words.append(" can be taken out of service", f"bold {style.CALM}")
    else:
        words.append(" still carries other traffic", f"bold {style.ALARM}")
    count = len(found.plan.changes)
    words.append(f"\n{units.count(count)} change{'' if count == 1 else 's'}; ")
    words.append(f"{units.rate(found.transit_before_bps)} crosses it now, ")
    words.append(f"{units.rate(found.transit_left_bps)} after them")
    if found.own_bps:
        words.append(f"; {units.rate(found.own_bps)} of its own traffic stops with it")
    if found.left:
        more = f" and {len(found.left) - 3} more" if len(found.left) > 3 else ""
        words.append(f"\nno other path: {', '.join(found.left[:3])}{more}", style.ALARM)
    return words


def lines(found: Drain) -> Table:
    """The intent's expectations before, and with the elements out of service."""
    rows = [
        (
            new.text,
            shown(MEASURES[new.measure], old.value)
            if new.measure in MEASURES
            else units.percent(old.value),
            shown(MEASURES[new.measure], new.value)
            if new.measure in MEASURES
            else units.percent(new.value),
            Text("met", style.CALM) if new.met else Text("missed", style.ALARM),
        )
        for old, new in zip(found.plan.before.lines, found.plan.after.lines, strict=True)
    ]
    title = f"Intent: {found.plan.intent}"
    return style.table(title, "<<expected | before | after | <", rows=rows)


def changes(title: str, made_of: Sequence[Change], top: int) -> Table:
    """Changes in their order."""
    shown_ones = made_of[:top]
    rows = [(f"{k}", c.describe()) for k, c in enumerate(shown_ones, 1)]
    return style.table(title, "", "<change", of=len(made_of), rows=rows)
