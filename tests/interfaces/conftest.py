"""The command line as tests run it."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from nettwin.interfaces import wiring
from nettwin.interfaces.cli import app
from tests.plain_engine import Plain

COLUMNS = 110


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETTWIN_DEBUG", raising=False)
    monkeypatch.setattr(wiring, "first_start", lambda *_: False)  # whatever this machine has kept

    def run_it(line: str, *more: object, columns: int = COLUMNS, typed: str = "") -> Ran:
        words = [*shlex.split(line), *map(str, more)]
        runner = CliRunner(env={"COLUMNS": str(columns), "NO_COLOR": "1"})
        done = runner.invoke(app, words, input=typed)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run_it


@pytest.fixture
def net(run: Run) -> Path:
    """net.yaml: four nodes in a ring, three classes."""
    made = run("generate ring --nodes 4 --classes three --scheduler sp --load 90% -o net.yaml")
    assert made == (0, "", "Wrote net.yaml\n")
    return Path("net.yaml")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both engines replaced by ones whose answers never change, and clocks that stand still."""
    for name, wait_s in (("theory", 1e-3), ("packet", 1.1e-3)):

        def make(name: str = name, wait_s: float = wait_s, **_: Any) -> Plain:
            return Plain(name, wait_s)

        choice = dataclasses.replace(wiring.ENGINES[name], make=make, slow=False)
        monkeypatch.setitem(wiring.ENGINES, name, choice)
    for module in ("cli.predict", "cli.simulate"):
        monkeypatch.setattr(f"nettwin.interfaces.{module}.perf_counter", lambda: 0.0)
    monkeypatch.setattr("nettwin.apps.comparison.perf_counter", lambda: 0.0)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with tests/interfaces/golden/NAME.txt.

    GOLDEN_REFRESH=1 pytest tests/interfaces/test_golden.py writes the files anew; read the
    difference before committing it.
    """
    folder = Path(__file__).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / f"{name}.txt"
        tidy = "".join(line.rstrip() + "\n" for line in text.splitlines())
        if os.environ.get("GOLDEN_REFRESH"):
            path.write_text(tidy, encoding="utf-8")
        assert tidy == path.read_text(encoding="utf-8")

    return compare
