"""Changes as they are written on the command line and in files."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nettwin import units
from nettwin.errors import ChangeError, FormatError, InputError, NettwinError
from nettwin.formats.files import read_text
from nettwin.formats.native.document import Document
from nettwin.interfaces.cli import streams
from nettwin.scenario.changes import CHANGES, Change, change_from_dict, parse_change

EXAMPLE = "fail_link 'A<->B'"


def changes_of(words: Sequence[str], file: Path | None) -> list[Change]:
    """The changes of a file, if any, then those of the command line."""
    found = read_changes(file) if file else []
    return found + [parse_change(line) for line in lines_of(words)]


def changes_or_files(words: Sequence[str]) -> list[Change]:
    """Changes from words of which each is a line of a change or a file with changes, in order.

    Words behind one that is the kind of a change, and nothing else, belong to that change.
    """
    found: list[Change] = []
    line = ""  # that more words may belong to
    for word in words:
        if not word.strip():
            raise InputError(f'a change is empty: must be a line such as "{EXAMPLE}", or a file.')
        first = word.split(maxsplit=1)[0]
        if line and first not in CHANGES:
            line += " " + shlex.quote(word)
            continue
        found += [parse_change(line)] if line else []
        line = word if word.strip() in CHANGES else ""
        is_line = first in CHANGES or (" " in word.strip() and not Path(word).exists())
        if not line:
            found += [parse_change(word)] if is_line else read_changes(Path(word))
    return found + ([parse_change(line)] if line else [])


def lines_of(words: Sequence[str]) -> list[str]:
    """Lines of changes from words: a line a word, or words that follow the kind of their change."""
    lines: list[str] = []
    for word in words:
        first = word.split(maxsplit=1)[0] if word.strip() else ""
        if first in CHANGES or not lines:
            lines.append(word)
        else:
            lines[-1] += " " + shlex.quote(word)
    return lines


def timed_changes(texts: Iterable[str]) -> list[tuple[float, Change]]:
    """Changes with the time they come at, from texts such as `3s fail_link A<->B`."""
    found = []
    for text in texts:
        time, _, line = text.strip().partition(" ")
        if not line.strip():
            raise InputError(
                f"event {text!r} has no change: must be a time and a change. "
                f"Write it as 3s {EXAMPLE}."
            )
        found.append((units.time_s(time), parse_change(line)))
    return found


def read_changes(path: Path) -> list[Change]:
    """The changes in a JSON or YAML file: a list, or a mapping with one at `changes`.

    Each is a line of text or a mapping. Raises FormatError that names the change.
    """
    path = Path(streams.given(str(path)))
    found = Document(path, read_text(path)).plain()
    if isinstance(found, Mapping):
        found = found.get("changes")
    if not isinstance(found, list):
        raise FormatError(path, "", "holds no list of changes", 'Give {"changes": [...]}.')
    return [_change(path, number, entry) for number, entry in enumerate(found, 1)]


def _change(path: Path, number: int, entry: Any) -> Change:
    try:
        if isinstance(entry, str):
            return parse_change(entry)
        if isinstance(entry, Mapping):
            return change_from_dict(entry)
        raise ChangeError("must be a line of text or a mapping")
    except NettwinError as error:
        raise FormatError(path, f"change {number}", str(error), "Correct it.") from None
