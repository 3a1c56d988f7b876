"""Style: how tables look, and which color a number has by how bad it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

from nettwin import units

CALM, WARNING, ALARM, OVER, FAINT = "green", "yellow", "red", "bold magenta", "bright_black"
BUSY, VERY_BUSY, FULL = 0.7, 0.9, 0.9995
LOSS_SEEN, LOSS_FELT = 1e-4, 1e-2
BAR_CELLS = 10
MIN_NAME, GAP = 14, 3  # columns of a terminal: that a name keeps, between two columns
EIGHTHS = " ▏▎▍▌▋▊▉█"


class FittingTable(Table):
    """A table that leaves out optional columns, the last first, where the terminal is narrow.

    Numbers are never cut; the names in columns that are aligned left are, to MIN_NAME.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.optional: list[Column] = []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.row_count:
            yield Text.assemble(self.title or "", ("  none", FAINT))
            return
        self._fit(options.max_width)
        yield from super().__rich_console__(console, options)

    def _fit(self, room: int) -> None:
        names = [c for c in self.columns if c.justify == "left" and c.no_wrap]
        width = {id(c): _longest(c) for c in self.columns}
        least = {
            id(c): min(width[id(c)], MIN_NAME) if c in names else width[id(c)] for c in self.columns
        }
        while self.optional and _sum(self.columns, least) > room:
            self.columns.remove(self.optional.pop())
        while _sum(self.columns, width) > room:
            wide = [c for c in names if c in self.columns and width[id(c)] > least[id(c)]]
            if not wide:
                break
            width[id(max(wide, key=lambda c: width[id(c)]))] -= 1
        for place, column in enumerate(self.columns):
            column._index = place  # by which rich pads; columns before it may be gone
            if column.no_wrap:
                column.width = width[id(column)]


def _longest(column: Column) -> int:
    return max(cell_len(str(cell)) for cell in (column.header, *column.cells))


def _sum(columns: Sequence[Column], width: Mapping[int, int]) -> int:
    return sum(width[id(column)] for column in columns) + GAP * (len(columns) - 1)


def table(
    title: str,
    *columns: str | None,
    rows: Sequence[Sequence[str | Text]] = (),
    shown: int | None = None,
    of: int = 0,
    wraps: bool = False,
) -> FittingTable:
    """A table with the columns of texts such as `<link | ?capacity | load`.

    A column `<name` is aligned left, others right; `<<name` may go over several lines; `?name` is
    optional. None is not a column.
    With `of` the title says how many things there are where fewer are `shown`: as many as rows,
    unless it is said. Cells that do not fit are cut, or with `wraps` go over several lines.
    """
    words = Text(title, style="bold")
    shown = len(rows) if shown is None else shown
    if of > shown:
        words.append(f"  {shown} of {units.count(of)}", style=FAINT)
    made = FittingTable(
        title=words,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        header_style="bold",
        show_edge=False,
        pad_edge=False,
        title_style="",
    )
    for name in (name for text in columns if text is not None for name in text.split(" | ")):
        left = name.lstrip("?").startswith("<")
        whole = not wraps and not name.lstrip("?").startswith("<<")
        made.add_column(name.lstrip("?<"), justify="left" if left else "right", no_wrap=whole)
        if name.startswith("?"):
            made.optional.append(made.columns[-1])
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return made


def facts(title: str, rows: Sequence[Sequence[str | Text]]) -> FittingTable:
    """A table of what a thing is, each fact with its name before it."""
    made = table(title, "<", "<", rows=rows, wraps=True)
    made.show_header = False
    return made


def severity(load: float) -> str:
    """The color of an offered load or a utilization."""
    if load >= FULL:
        return OVER
    if load >= VERY_BUSY:
        return ALARM
    return WARNING if load >= BUSY else CALM


def load(value: float) -> Text:
    """An offered load or a utilization as a number in its color."""
    return Text(units.percent(value), severity(value) if math.isfinite(value) else FAINT)


def bar(value: float) -> Text:
    """An offered load or a utilization as a bar of ten cells; what is above 100 % fills it."""
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


def flag(flagged: bool) -> Text:
    """The mark of a flow that the model flags."""
    return Text("flagged" if flagged else "", WARNING)


def between(low: float, high: float) -> Text:
    """The interval of a loss ratio."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return Text("-", FAINT)
    return Text(f"{low * 100:.2f} to {units.percent(high, 2)}", FAINT)


def delays(before: float, after: float) -> tuple[str, str, Text]:
    """Two delays and how much the second is longer."""
    return units.duration(before), units.duration(after), change(before, after)


def losses(before: float, after: float) -> tuple[Text, Text]:
    """Two loss ratios."""
    return loss(before), loss(after)


def loads(before: float, after: float) -> tuple[Text, Text, Text]:
    """Two offered loads, the second as a bar as well."""
    return load(before), bar(after), load(after)


def totals(found: Mapping[str, float]) -> tuple[str, str, Text, Text, Text]:
    """Of a whole network: mean delay, that of its worst flow, loss, and how full its links are."""
    return (
        units.duration(found["owd_mean_s"]),
        units.duration(found["owd_worst_flow_s"]),
        loss(found["loss_ratio"]),
        load(found["offered_load_max"]),
        load(found["utilization_max"]),
    )


def half(low: float, high: float) -> Text:
    """Half the width of the interval of a delay."""
    return Text(units.duration((high - low) / 2), FAINT)


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
