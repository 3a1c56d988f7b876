"""Markdown: tables and lines as text for issues, wikis and reports."""

from __future__ import annotations

import re

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_SPECIAL = re.compile(r"([\\`*_|<>\[\]#])")
WIDTH = 100


def to_markdown(part: RenderableType) -> str:
    """A part of an answer as Markdown: a table with its title, or a line; no column is left out."""
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Text | str):
        return "\n".join(map(_escaped, str(part).rstrip().splitlines()))
    console = Console(width=WIDTH, highlight=False, markup=False, emoji=False, color_system=None)
    with console.capture() as capture:
        console.print(part)
    return f"```\n{capture.get().rstrip()}\n```"


def _table(table: Table) -> str:
    title = str(table.title or "").strip()
    lines = [f"**{_escaped(title)}**", ""] if title else []
    if not table.row_count:
        return f"**{_escaped(title)}**: none" if title else "none"
    lines.append(_row([str(column.header) for column in table.columns]))
    marks = ["---:" if column.justify == "right" else "---" for column in table.columns]
    lines.append(f"| {' | '.join(marks)} |")
    lines += [_row(list(map(_words, row))) for row in _cells(table)]
    return "\n".join(lines)


def _cells(table: Table) -> list[tuple[RenderableType, ...]]:
    return list(zip(*(list(column.cells) for column in table.columns), strict=True))


def _words(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(_escaped(' '.join(cell.split())) for cell in cells)} |"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
