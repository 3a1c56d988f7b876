"""Report: headings, paragraphs, tables and pictures, written as HTML or Markdown."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from nettwin.errors import InputError
from nettwin.formats.files import read_text, write_text

Draw = Callable[[Path], None]
SUFFIXES = (".html", ".md")
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#1b2733;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.7rem}h2{font-size:1.2rem;margin-top:2rem}"
    "table{border-collapse:collapse;margin:.5rem 0}th,td{text-align:left;"
    "padding:.2rem .8rem .2rem 0;"
    "border-bottom:1px solid #dfe5ea}svg,img{max-width:100%;height:auto}"
    ".note{color:#66727d;font-size:.9em}"
)


class Grid(NamedTuple):
    """A table."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Picture(NamedTuple):
    """A picture that `draw` draws into a file of its own."""

    name: str
    words: str
    draw: Draw


@dataclass
class Report:
    """A report: its title, and its parts in their order."""

    title: str
    parts: list[str | Grid | Picture] = field(default_factory=list)

    def add(self, *parts: str | Grid | Picture) -> None:
        """Add paragraphs (`# ` begins a heading, `- ` a note), tables and pictures."""
        self.parts += parts

    def write(self, path: Path) -> list[Path]:
        """Write it as its suffix says: HTML holds its pictures, Markdown has them beside it. Gives
        the files. Raises InputError for another suffix."""
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise InputError(
                f"{path} cannot be written: its suffix must be {' or '.join(SUFFIXES)}. Rename it."
            )
        made = [path]
        if suffix == ".html":
            with TemporaryDirectory() as folder:
                body = "\n".join(self._html(part, Path(folder)) for part in self.parts)
            title = html.escape(self.title)
            write_text(
                path,
                '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
                f"<title>{title}</title>"
                f"<style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}\n</body></html>\n",
            )
            return made
        lines = [f"# {self.title}"]
        for part in self.parts:
            if isinstance(part, Picture):
                beside = path.with_name(f"{path.stem}_{part.name}.svg")
                part.draw(beside)
                made.append(beside)
                lines.append(f"![{part.words}]({beside.name})")
            else:
                lines.append(_markdown(part))
        write_text(path, "\n\n".join(lines) + "\n")
        return made

    def _html(self, part: str | Grid | Picture, folder: Path) -> str:
        if isinstance(part, Picture):
            drawn = folder / f"{part.name}.svg"
            part.draw(drawn)
            text = read_text(drawn, 2**24)
            words = html.escape(part.words)
            drawing = text[text.index("<svg") :]
            return f'<figure>{drawing}<figcaption class="note">{words}</figcaption></figure>'
        if isinstance(part, Grid):
            head = "".join(f"<th>{html.escape(name)}</th>" for name in part.columns)
            rows = "".join(
                f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
                for row in part.rows
            )
            return f"<table><tr>{head}</tr>{rows}</table>"
        if part.startswith("# "):
            return f"<h2>{html.escape(part[2:])}</h2>"
        if part.startswith("- "):
            return f'<p class="note">{html.escape(part[2:])}</p>'
        return f"<p>{html.escape(part)}</p>"


def _markdown(part: str | Grid) -> str:
    if isinstance(part, Grid):
        cells = [[cell.replace("|", "\\|") for cell in row] for row in (part.columns, *part.rows)]
        rule = ["---"] * len(part.columns)
        return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:]))
    return f"#{part}" if part.startswith("# ") else part
