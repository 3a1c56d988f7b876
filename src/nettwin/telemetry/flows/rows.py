"""Rows: the fields of flow records in a file: JSON, JSON lines, CSV, or nfdump's own format."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, SourceError
from nettwin.formats.files import read_head, read_text

Tell = Callable[[str], None]
Columns = dict[str, list[Any]]
OWN = b"\x0c\xa5"  # what files of nfcapd begin with
NO_FLOWS = "No matching flows"  # of nfdump, in CSV and JSON
MIN_COLUMNS = 3
TIMEOUT_S = 600.0
_SPACE = re.compile(r"\s*,?\s*")


def read_columns(
    path: Path, fields: Mapping[str, tuple[str, ...]], tell: Tell
) -> tuple[Columns, int]:
    """The fields of all records of a file, each by the first of its names that a record has, and
    the number of records; a field that none has is left out. What cannot be read is told.

    Raises FormatError where the file holds no records, SourceError where nfdump is not here.
    """
    text = _of_nfdump(path, tell) if read_head(path)[:2] == OWN else read_text(path)
    text = text.replace(f"\n{NO_FLOWS}\n", "\n")
    first = text.lstrip()[:1]
    if not first:
        return {}, 0
    if first not in "[{":
        return _of_csv(path, text, fields)
    rows = _json_rows(path, text, tell)
    columns: Columns = {}
    for key, names in fields.items():
        for name in names:
            values = [row.get(name) for row in rows]
            if key in columns:
                both = zip(columns[key], values, strict=True)
                columns[key] = [one if one is not None else other for one, other in both]
            elif any(value is not None for value in values):
                columns[key] = values
    return columns, len(rows)


def _of_nfdump(path: Path, tell: Tell) -> str:
    """What nfdump writes of a file of its own. Raises SourceError, FormatError."""
    program = shutil.which("nfdump")
    if program is None:
        raise SourceError(
            f"{path} holds nfdump's own format, and nfdump is not installed here. Install it, or"
            " write the file as text: nfdump -r FILE -o json."
        )
    try:
        done = subprocess.run(
            [program, "-r", str(path), "-o", "csv"],
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise SourceError(f"nfdump takes over {TIMEOUT_S:g} s for {path}. Give less.") from None
    text = done.stdout.decode(errors="replace")
    said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
    if said or done.returncode:  # of a file that is broken it tells no flows, and no failure
        if done.returncode or f"\n{NO_FLOWS}\n" in text:
            raise FormatError(path, "", f"nfdump cannot read it: {said}", "Check the file.")
        tell(f"{path.name}: nfdump says {said}")
    return text


def _of_csv(path: Path, text: str, fields: Mapping[str, tuple[str, ...]]) -> tuple[Columns, int]:
    import pandas as pd

    text = text.partition("\nSummary\n")[0]
    if text.partition("\n")[0].count(",") < MIN_COLUMNS:
        raise FormatError(path, "line 1", "is no header of flow records", "Write JSON or CSV.")
    try:
        frame = pd.read_csv(
            io.StringIO(text), dtype=str, keep_default_na=False, on_bad_lines="skip"
        )
    except (pd.errors.ParserError, ValueError) as error:
        reason = f"cannot be read as CSV: {' '.join(str(error).split())}"
        raise FormatError(path, "", reason, "Check the file.") from None
    found = {key: next((n for n in names if n in frame), "") for key, names in fields.items()}
    return {key: frame[name].tolist() for key, name in found.items() if name}, len(frame)


def _json_rows(path: Path, text: str, tell: Tell) -> list[Mapping[str, Any]]:
    """Records of a list, or one after another; what follows a record that is broken off is said."""
    try:
        if text.lstrip()[0] == "[":
            found = json.loads(text)
        else:
            found = json.loads(f"[{','.join(line for line in text.splitlines() if line.strip())}]")
        return [row for row in found if isinstance(row, dict)]
    except (ValueError, RecursionError):
        pass
    rows: list[Mapping[str, Any]] = []
    bad, first = 0, ""
    decoder, at = json.JSONDecoder(), text.index("[") + 1 if text.lstrip()[0] == "[" else 0
    while at < len(text):
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it may be empty
        try:
            row, at = decoder.raw_decode(text, at)
            if isinstance(row, dict):
                rows.append(row)
        except (ValueError, RecursionError):
            if text[at : at + 1] not in ("", "]"):
                bad += 1
                first = first or f"line {text.count(chr(10), 0, at) + 1}"
            following = text.find("\n", at)
            at = following + 1 if following >= 0 else len(text)
    if not rows:
        raise FormatError(path, first, "is no JSON of flow records", "Write it with -o json.")
    if bad:
        tell(f"{path.name}: {bad} lines that are no flow records, the first {first}")
    return rows
