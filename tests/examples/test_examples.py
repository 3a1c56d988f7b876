"""Every example runs and prints what is recorded under examples/output.

After a wanted change, send the example's output to its file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = sorted(FOLDER.glob("[0-9]*.py"))


def test_every_example_has_a_record_and_every_record_an_example() -> None:
    records = {path.stem for path in (FOLDER / "output").glob("*.txt")}
    assert EXAMPLES
    assert records == {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_prints_what_is_recorded(example: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(example)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (FOLDER / "output" / f"{example.stem}.txt").read_text(encoding="utf-8")
    assert not list(tmp_path.iterdir())
