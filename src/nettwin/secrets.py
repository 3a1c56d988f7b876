"""Secrets: what a file names and does not hold: `env:VARIABLE` or `file:PATH`."""

from __future__ import annotations

import os
from pathlib import Path

from nettwin.errors import InputError

WORDS = ("password", "secret", "token", "community", "private_key")
REMEDY = "Write env:NAME for a variable of the environment, or file:PATH."


def is_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret."""
    return any(name.lower().endswith(word) for word in WORDS)


def is_reference(value: str) -> bool:
    """Whether a value names where a secret is."""
    return value.startswith(("env:", "file:"))


def secret(reference: str) -> str:
    """The secret that is named. Raises InputError where it is not there."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        if name not in os.environ:
            raise InputError(f"the secret env:{name} is not set. Set that variable.")
        return os.environ[name]
    if kind == "file":
        try:
            return Path(name).expanduser().read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InputError(f"the secret file:{name} cannot be read: {error.strerror}.") from None
    raise InputError(f"{kind or 'nothing'} is not a place for a secret. {REMEDY}")
