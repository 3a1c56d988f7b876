"""The glossary: every public name stands in it, and every name that it gives as public exists."""

from __future__ import annotations

import re
from pathlib import Path

import nettwin

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"


def words() -> set[str]:
    """The names in the last column of every table, and what stands before their first dot."""
    found: set[str] = set()
    for row in re.findall(r"^\|.*\|$", PAGE.read_text(), re.M):
        for name in re.findall(r"`([\w.]+)", row.rsplit("|", 2)[1]):
            found |= {name, name.partition(".")[0]}
    return found


def test_every_public_name_is_in_the_glossary() -> None:
    public = {name for name in nettwin.__all__ if not name.startswith("__")}
    assert sorted(public - words()) == []


def test_names_that_look_public_are() -> None:
    classes = {name for name in words() if name[0].isupper() and "." not in name}
    assert sorted(classes - set(nettwin.__all__)) == []
