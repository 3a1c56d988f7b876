"""Texts written to files, and how they are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nettwin.errors import FormatError


def written(folder: Path, text: str, name: str = "x.yaml") -> Path:
    """A file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(reader: Callable[[Path], Any], path: Path) -> FormatError:
    """How a file is refused: with a reason and a remedy."""
    with pytest.raises(FormatError) as caught:
        reader(path)
    assert caught.value.reason and caught.value.remedy
    return caught.value
