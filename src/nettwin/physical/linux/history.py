"""History: the changes that routers of Linux have, on disk, so that they have them again after
they were started anew."""

from __future__ import annotations

import json
from pathlib import Path

from nettwin.errors import FormatError, NettwinError
from nettwin.formats.files import read_text, write_text
from nettwin.scenario.changes import (
    Change,
    SetPath,
    SetScheduler,
    SetWeight,
    change_from_dict,
    change_to_dict,
)

SCHEMA = "nettwin-linux-1"
VALUES = (SetPath, SetWeight, SetScheduler)  # a later one of a target replaces earlier ones


class History:
    """The changes in a file; none where it does not exist. Raises FormatError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = [(change, _line(change)) for change in _read(path)]

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them, oldest first, without those that a later one has replaced."""
        return tuple(change for change, _ in self._lines)

    def add(self, change: Change) -> None:
        """Remember another one; it is on the disk when this returns."""
        target = _target(change)
        kept = [one for one in self._lines if target is None or _target(one[0]) != target]
        lines = [*kept, (change, _line(change))]
        text = ",\n".join(line for _, line in lines)
        whole = f'{{"schema": "{SCHEMA}", "changes": [\n{text}\n]}}\n'
        write_text(self._path, whole, durable=True)
        self._lines = lines


def _line(change: Change) -> str:
    return json.dumps(change_to_dict(change))


def _read(path: Path) -> tuple[Change, ...]:
    if not path.exists():
        return ()
    try:
        data = json.loads(read_text(path))
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is {data['schema']}, must be {SCHEMA}")
        return tuple(map(change_from_dict, data["changes"]))
    except (ValueError, KeyError, TypeError, NettwinError) as error:
        reason = f"is not a record of a linux network ({error})"
        raise FormatError(path, "", reason, "Restore it, or begin a new workspace.") from None


def _target(change: Change) -> tuple[str, str] | None:
    """What a change sets; None where it adds to what was before."""
    name = str(next(iter(vars(change).values()), ""))
    return (change.kind, name) if isinstance(change, VALUES) else None
