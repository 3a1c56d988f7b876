"""TOML documents: recipes, params and settings, read within limits, errors with their line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, UnknownNameError
from nettwin.formats.files import read_text

LARGEST_BYTES = 2**20


def names_in(folder: Path) -> list[str]:
    """The names of the TOML files in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def find_toml(name: str, folder: Path, noun: str) -> Path:
    """A file by its path, or by the name that it has in a folder. Raises UnknownNameError."""
    if Path(name).suffix:
        return Path(name)
    if name not in names_in(folder):
        raise UnknownNameError(noun, name, names_in(folder))
    return folder / f"{name}.toml"


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
