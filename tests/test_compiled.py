"""Kept machine code: made anew when a module that is compiled into it changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def answer(folder: Path) -> str:
    return run(folder, "import outer; print(outer.answer())")


def run(folder: Path, code: str) -> str:
    """What code prints that imports from a folder, and keeps its machine code there."""
    searched = os.pathsep.join([str(folder), *filter(None, sys.path)])
    environment = os.environ | {"PYTHONPATH": searched, "NUMBA_CACHE_DIR": str(folder / "kept")}
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


def test_processes_that_compile_for_other_types_do_not_write_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "twice.py").write_text(
        "from nettwin.compiled import compiled\n@compiled\ndef twice(x):\n    return x + x\n"
    )
    code = """
import twice
# as where another process writes between our look at the index and our writing
twice.twice._cache._cache_file._load_index = lambda: {}
twice.twice(2), twice.twice(0.25)
"""
    run(tmp_path, code)
    assert len(list((tmp_path / "kept").rglob("*.nbc"))) == 2
    again = "import twice; print(twice.twice(2), twice.twice(0.25))"
    assert run(tmp_path, again) == "4 0.5"
