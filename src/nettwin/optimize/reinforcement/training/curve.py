"""Curve: what a training went through, one row an iteration, in `curve.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from nettwin.formats.files import write_text

NAME = "curve.csv"
COLUMNS = (
    "iteration",
    "phase",
    "decisions",
    "gain",
    "loss",
    "entropy",
    "validation",
    "cpu_s",
)


class Curve:
    """Appends to the file in a folder; what lies beyond the iteration to go on from is cut off."""

    def __init__(self, folder: Path, iteration: int) -> None:
        self.path = folder / NAME
        write_text(self.path, _text([COLUMNS, *_until(self.path, iteration)]))
        self.file = self.path.open("a", encoding="utf-8", newline="")

    def add(self, iteration: int, values: Mapping[str, float | str]) -> None:
        """The values of an iteration."""
        known = {"iteration": iteration, **values}
        cells = [known.get(name, "") for name in COLUMNS]
        self.file.write(_text([[f"{c:.6g}" if isinstance(c, float) else str(c) for c in cells]]))
        self.file.flush()

    def __enter__(self) -> Curve:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()


def _text(rows: list[tuple[str, ...] | list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _until(path: Path, iteration: int) -> list[list[str]]:
    """The rows of a curve up to an iteration; one that was cut short ends it."""
    kept: list[list[str]] = []
    if iteration and path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
        for row in list(csv.reader(io.StringIO(text)))[1:]:
            if len(row) != len(COLUMNS) or not row[0].isdigit() or int(row[0]) > iteration:
                break
            kept.append(row)
    return kept
