"""Settings: what a workspace's file says of a kind of network, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from nettwin.errors import InputError, UnknownNameError

S = TypeVar("S")


def settings_of(kind: type[S], settings: Mapping[str, Any], network: str) -> S:
    """Settings as they stand in a file, as a dataclass whose defaults are text or numbers.

    Raises UnknownNameError for a name, InputError for a value of another type; what `kind` checks
    itself it raises, too.
    """
    known = {f.name: f.default for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in settings.items():
        if name not in known:
            raise UnknownNameError(f"setting of a {network} network", name, known)
        text = isinstance(known[name], str)
        if isinstance(value, bool) or not isinstance(value, str if text else int | float):
            wanted = "text" if text else "a number"
            raise InputError(f"{name} is {value!r}: must be {wanted}. Correct it.")
    return kind(**settings)
