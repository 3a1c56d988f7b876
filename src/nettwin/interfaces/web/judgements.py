"""Judgements: an intent held against a network, as a table."""

from __future__ import annotations

from nettwin.intent import MEASURES, Judgement, Line
from nettwin.intent.intent import shown
from nettwin.interfaces.web.table.data_table import Column, DataTable

LINES = (
    Column("state", "State"),
    Column("text", "Expected"),
    Column("before", "Before", number=True),
    Column("value", "Now", number=True),
    Column("limit", "Limit", number=True),
    Column("worst", "Worst"),
)


def lines_table(judgement: Judgement, before: Judgement | None = None) -> DataTable:
    """Every line of an intent, those that are missed first."""
    earlier = {line.text: line for line in before.lines} if before is not None else {}
    rows = []
    for line in sorted(judgement.lines, key=lambda line: line.met):
        was = earlier.get(line.text)
        rows.append(
            {
                "key": line.text,
                "state": "met" if line.met else "missed",
                "state_class": "good" if line.met else "bad",
                "text": line.text,
                "before": value_of(line, was.value) if was is not None else "–",
                "value": value_of(line, line.value),
                "limit": value_of(line, line.limit),
                "worst": line.worst,
            }
        )
    columns = LINES if before is not None else [c for c in LINES if c.name != "before"]
    return DataTable("Lines of the intent", columns, rows, empty="The intent expects nothing.")


def value_of(line: Line, value: float) -> str:
    """A value in the unit of the measure."""
    return shown(MEASURES[line.measure], value) if line.measure in MEASURES else f"{value:.4g}"
