"""Kept machine code: made anew when a module that is compiled into it changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def answer(folder: Path) -> str:
    code = "import outer; print(outer.answer())"
    environment = os.environ | {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "kept")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_code_follows_its_sources(tmp_path: Path) -> None:
    decorated = "from nettwin.compiled import compiled\n"
    inner, outer = tmp_path / "inner.py", tmp_path / "outer.py"
    inner.write_text(decorated + "@compiled\ndef number():\n    return 1\n")
    outer.write_text(
        decorated + "from inner import number\n@compiled\ndef answer():\n    return 10 * number()\n"
    )
    assert answer(tmp_path) == "10"
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.nbc")}
    assert kept
    assert answer(tmp_path) == "10"
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.nbc")}
    inner.write_text(inner.read_text().replace("return 1", "return 42"))
    assert answer(tmp_path) == "420"
