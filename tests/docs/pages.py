"""The pages of the documentation, and the code and commands in them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "plugin" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
_FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.M | re.S)
_INDENTED = re.compile(r"(?:^|(?<=\n\n))((?: {4}[^\n]*\n|\n)+)", re.M)


def blocks(page: Path) -> Iterator[str]:
    """Every block of code on a page, fenced or indented, without its indentation."""
    text = page.read_text(encoding="utf-8") + "\n"
    yield from (textwrap.dedent(code) for _, code in _FENCE.findall(text))
    rest = _FENCE.sub("", text)
    yield from (textwrap.dedent(code) for code in _INDENTED.findall(rest) if code.strip())


def commands(page: Path) -> list[str]:
    """The command lines of nettwin on a page, without what is remarked behind them."""
    lines = [line for code in blocks(page) for line in code.splitlines()]
    return [
        re.sub(r"\s+#.*", "", line.removeprefix("$ ")).strip()
        for line in lines
        if line.removeprefix("$ ").startswith("nettwin ")
    ]
