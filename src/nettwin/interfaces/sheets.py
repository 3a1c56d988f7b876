"""Sheets: answers as CSV files with the columns of the JSON rows; what is unknown is empty."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nettwin.formats.files import write_text
from nettwin.interfaces import documents
from nettwin.metrics import Interval, Metrics
from nettwin.scenario.scenario import Scenario

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_answer(
    path: Path, scenario: Scenario, metrics: Metrics, intervals: Sequence[Interval] = ()
) -> list[Path]:
    """Write flows.csv, links.csv and queues.csv into a folder, or the flows alone to a `.csv` file.

    With intervals there are flows and links of each interval too. Gives the files written; raises
    InputError for a place that cannot be written.
    """
    flows = documents.flow_rows(scenario, metrics)
    if path.suffix.lower() == ".csv":
        return [write_rows(path, flows)]
    written = [
        write_rows(path / "flows.csv", flows),
        write_rows(path / "links.csv", documents.link_rows(scenario, metrics)),
        write_rows(path / "queues.csv", documents.queue_rows(scenario, metrics)),
    ]
    if intervals:
        parts = documents.intervals(intervals)
        for name in ("flows", "links"):
            rows = [
                {"start_s": part["start_s"], "end_s": part["end_s"], **row}
                for part in parts
                for row in part[name]
            ]
            written.append(write_rows(path / f"intervals_{name}.csv", rows))
    return written


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows that share their columns; gives the path."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
    write_text(path, text.getvalue())
    return path


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: what begins as one gets an apostrophe, which
    they hide."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    return "" if isinstance(value, float) and not math.isfinite(value) else value
