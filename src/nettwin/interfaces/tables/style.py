"""Style: how tables look, and which color a number has by how bad it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from nettwin import units

CALM, WARNING, ALARM, OVER, FAINT = "green", "yellow", "red", "bold magenta", "bright_black"
BUSY, VERY_BUSY, FULL = 0.7, 0.9, 0.9995
LOSS_SEEN, LOSS_FELT = 1e-4, 1e-2
BAR_CELLS = 10
EIGHTHS = " ▏▎▍▌▋▊▉█"


def table(title: str, *columns: str, shown: int = 0, of: int = 0) -> Table:
    """An empty table; a column whose name begins with `<` is aligned left, others right.

    With `of` the title says how many rows there are where fewer are shown.
    """
    words = Text(title, style="bold")
    if of > shown:
        words.append(f"  {shown} of {units.count(of)}", style=FAINT)
    made = Table(
        title=words,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        header_style="bold",
        show_edge=False,
        pad_edge=False,
        title_style="",
    )
    for name in columns:
        left = name.startswith("<")
        made.add_column(
            name.removeprefix("<"),
            justify="left" if left else "right",
            no_wrap=not left,
            overflow="fold",
        )
    return made


def rows(made: Table, content: Sequence[Sequence[Any]]) -> Table:
    """The table with rows of texts and strings."""
    for row in content:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def severity(utilization: float) -> str:
    """The color of a utilization."""
    if utilization >= FULL:
        return OVER
    if utilization >= VERY_BUSY:
        return ALARM
    return WARNING if utilization >= BUSY else CALM


def utilization(value: float) -> Text:
    """A utilization as a number in its color."""
    return Text(units.percent(value), severity(value) if math.isfinite(value) else FAINT)


def bar(value: float) -> Text:
    """A utilization as a bar of ten cells."""
    if not math.isfinite(value):
        return Text("")
    eighths = round(min(max(value, 0.0), 1.0) * BAR_CELLS * 8)
    full, rest = divmod(eighths, 8)
    cells = "█" * full + (EIGHTHS[rest] if rest else "")
    return Text(cells.ljust(BAR_CELLS), severity(value))


def loss(value: float) -> Text:
    """A loss ratio in its color; faint where nothing is lost."""
    if not math.isfinite(value) or value == 0:
        return Text(units.percent(value, 2), FAINT)
    color = ALARM if value >= LOSS_FELT else WARNING if value >= LOSS_SEEN else ""
    return Text(units.percent(value, 2), color)


def change(before: float, after: float) -> Text:
    """A relative change: red where it grew, green where it shrank, by 5 % or more."""
    words = units.change(before, after)
    if words in ("", "-"):
        return Text(words, FAINT)
    if words == "new":
        return Text(words, ALARM)
    size = after / before - 1
    return Text(words, ALARM if size >= 0.05 else CALM if size <= -0.05 else FAINT)


def points(before: float, after: float) -> Text:
    """A change of a share, in points of percent; red where it grew by 5 or more."""
    if not (math.isfinite(before) and math.isfinite(after)):
        return Text("-", FAINT)
    size = (after - before) * 100
    color = ALARM if size >= 5 else CALM if size <= -5 else FAINT
    return Text(f"{size:+.1f}", color)
