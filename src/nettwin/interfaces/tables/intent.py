"""Intents: what each line selects, the issues found, and the measures and levers there are."""

from __future__ import annotations

from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.intent import LEVER_OF, LEVERS, MEASURES
from nettwin.intent.check import Checked
from nettwin.intent.diagnostics import Place, Selected
from nettwin.intent.intent import shown
from nettwin.interfaces.tables import style

COLORS = {"issue": style.OVER, "contradiction": style.ALARM, "warning": style.WARNING}
Where = Callable[[Place], str]  # the place of a line, for people


def lines(checked: Checked, where: Where) -> Table:
    """What each line selects, and what its value cannot be better than."""
    rows = [
        (
            where(line.place),
            line.text,
            units.count(line.selected),
            _kind(line),
            _first(line),
            "" if line.bound is None else shown(MEASURES[line.measure], line.bound),
        )
        for line in checked.lines
    ]
    return style.table(
        "What each line selects",
        "<line | <says | selects | < | <first | at best",
        wraps=True,
        rows=rows,
    )


def diagnostics(checked: Checked, where: Where) -> Table:
    """What is wrong, the worst first."""
    rows = [
        (
            ", ".join(map(where, finding.places)),
            Text(finding.kind, COLORS[finding.kind]),
            finding.reason,
            finding.remedy,
        )
        for finding in checked.diagnostics
    ]
    return style.table("Issues", "<lines | <kind | <issue | <remedy", wraps=True, rows=rows)


def measures() -> Table:
    """What can be asked about."""
    rows = [(m.name, m.kind, m.unit, m.worst, m.meaning) for m in MEASURES.values()]
    return style.table(
        "Measures", "<measure | <of each | <unit | <several as | <is", wraps=True, rows=rows
    )


def levers() -> Table:
    """What may be changed."""
    rows = [(name, LEVER_OF[name], words) for name, words in LEVERS.items()]
    return style.table("Levers", "<lever", "<selects", "<changes", wraps=True, rows=rows)


def _kind(line: Selected) -> str:
    return "" if line.kind == "plan" else line.kind + ("" if line.selected == 1 else "s")


def _first(line: Selected) -> str:
    more = line.selected - len(line.names)
    return ", ".join(line.names) + (f" and {units.count(more)} more" if more else "")
