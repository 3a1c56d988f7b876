"""Matching: the files that the path of a source names, which may be a pattern."""

from __future__ import annotations

from pathlib import Path

from nettwin.errors import FormatError

MAX_FILES = 10_000


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files that match, in the order of their names; a relative pattern starts at `folder`.

    Raises FormatError where there is none, or more than MAX_FILES.
    """
    path = Path(pattern).expanduser()
    root = Path(path.anchor) if path.is_absolute() else folder
    within = str(path.relative_to(root) if path.is_absolute() else path)
    found = sorted(one for one in root.glob(within) if one.is_file())
    if not found:
        raise FormatError(folder / pattern, "", "there is no such file", "Correct the path.")
    if len(found) > MAX_FILES:
        raise FormatError(folder / pattern, "", f"there are {len(found):,} files", "Name fewer.")
    return found
