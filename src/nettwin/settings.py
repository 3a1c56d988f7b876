"""Settings: what a file says of something that people configure, checked into a dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from nettwin.errors import InputError, UnknownNameError

S = TypeVar("S")
KINDS: tuple[tuple[type, Any, str], ...] = (  # of a default, what may stand for it, in words
    (bool, bool, "true or false"),
    (str, str, "text"),
    (float, int | float, "a number"),
    (int, int | float, "a number"),
    (Mapping, Mapping, "a mapping, `name: value`"),
    (tuple, list | tuple, "a list"),
)


def settings_of(kind: type[S], settings: Mapping[str, Any], what: str) -> S:
    """Settings as they stand in a file, as a dataclass whose defaults are text, numbers, truths,
    mappings or tuples; `what` is what has them, such as `a simulated network`.

    Raises UnknownNameError for a name, InputError for a value of another type; what `kind` checks
    itself it raises, too.
    """
    known: dict[str, Any] = {
        f.name: f.default if f.default_factory is MISSING else f.default_factory()
        for f in fields(kind)  # type: ignore[arg-type]
    }
    found = {}
    for name, value in settings.items():
        if name not in known:
            raise UnknownNameError(f"setting of {what}", name, known)
        _, allowed, words = next(row for row in KINDS if isinstance(known[name], row[0]))
        truth = isinstance(value, bool) and not isinstance(known[name], bool)
        if truth or not isinstance(value, allowed):
            raise InputError(f"{name} is {value!r}: must be {words}. Correct it.")
        found[name] = tuple(value) if isinstance(known[name], tuple) else value
    return kind(**found)
