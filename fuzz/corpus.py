"""Corpus: the samples of the tests and the cases once found, as bundles.

A bundle is a file or a folder in one piece of bytes: each file is a line `=== its/name` and its
content, so that a search may change names and contents alike.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "tests" / "formats"
FOUND = ROOT / "fuzz" / "corpus"
LARGEST_BUNDLE = 256 * 2**10
MAX_FILES = 50

_FILE = re.compile(rb"^=== ([A-Za-z0-9_./ -]{1,100})\n", re.MULTILINE)


def bundle(path: Path) -> bytes:
    """A file or folder as bytes."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    root = path.parent if path.is_file() else path
    parts = [f"=== {p.relative_to(root).as_posix()}\n".encode() + p.read_bytes() for p in files]
    return b"\n".join(parts)


def unbundle(data: bytes, folder: Path) -> Path:
    """Write a bundle into a folder; the path to read, which is a file where there is one only."""
    marks = list(_FILE.finditer(data))[:MAX_FILES]
    if not marks:
        (folder / "input").write_bytes(data)
        return folder / "input"
    ends = [mark.start() for mark in marks[1:]] + [len(data) + 1]
    written = set()
    for mark, end in zip(marks, ends, strict=True):
        parts = [p for p in PurePosixPath(mark[1].decode()).parts if p not in ("/", ".", "..")]
        path = folder.joinpath(*(p.strip() or "_" for p in parts or ["input"]))
        if any(part.is_file() for part in path.parents) or path.is_dir():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[mark.end() : end - 1])  # without the line end before the next mark
        written.add(path)
    return written.pop() if len(written) == 1 else folder


def seeds(name: str) -> list[bytes]:
    """Everything that a search of a format begins with, and that the tests replay."""
    samples = [p for kind in ("good", "broken") for p in _entries(SAMPLES / kind / name)]
    found = [p.read_bytes() for p in _entries(FOUND / name) if p.is_file()]
    bundles = [data for data in map(bundle, samples) if len(data) <= LARGEST_BUNDLE]
    return bundles + found


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
