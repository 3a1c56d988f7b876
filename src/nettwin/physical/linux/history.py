"""History: the changes that routers of Linux have, on disk, so that they have them again after
they were started anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
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


def with_change(changes: Sequence[Change], change: Change) -> tuple[Change, ...]:
    """The changes after another one, without those that it replaces."""
    kept = [one for one in changes if _target(change) is None or _target(one) != _target(change)]
    return (*kept, change)


def write_history(path: Path, changes: Sequence[Change]) -> None:
    """Put the changes on the disk."""
    data = {"schema": SCHEMA, "changes": list(map(change_to_dict, changes))}
    write_text(path, json.dumps(data, indent=1) + "\n", durable=True)


def read_history(path: Path) -> tuple[Change, ...]:
    """The changes in a file; none where it does not exist. Raises FormatError."""
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
