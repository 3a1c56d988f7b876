"""TOML documents: recipes, params and settings, read within limits, errors with their line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError
from nettwin.formats.files import read_text

LARGEST_BYTES = 2**20


def load_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises FormatError, with the line where it is not TOML."""
    return parse_toml(read_text(path, LARGEST_BYTES), path)


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """The tables of a text in TOML; errors name `path`. Raises FormatError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line \d+", str(error))
        reason = f"is not TOML: {str(error).partition(' (at')[0]}"
        raise FormatError(path, line[0] if line else "", reason, "Correct it there.") from None
