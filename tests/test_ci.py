"""`.ci/run` runs the suites that it is told, fails where one fails, and never for want of apt."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

BOTH = ("test", "test-system")
RUN = Path(__file__).parents[1] / ".ci" / "run"


def ran(
    folder: Path, *failing: str, suites: tuple[str, ...] = BOTH, apt: str = "exit 0"
) -> tuple[int, list[str]]:
    """The exit code, and the suites that were run, where commands are played by scripts."""
    failures = "".join(f"[ $1 = {suite} ] && exit 2\n" for suite in failing)
    played = {
        "make": f"echo $1 >> {folder}/suites\n{failures}exit 0\n",
        "id": "echo 0\n",
        "apt-get": f"{apt}\n",
    }
    for name, script in played.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), "/usr/bin", "/bin"])
    done = subprocess.run([str(RUN), *suites], env={"PATH": path}, capture_output=True, check=False)
    return done.returncode, (folder / "suites").read_text(encoding="utf-8").split()


@pytest.mark.parametrize(
    ("failing", "code"),
    [((), 0), (("test",), 2), (("test-system",), 2), (("test", "test-system"), 2)],
)
def test_it_fails_where_a_suite_fails(tmp_path: Path, failing: tuple[str, ...], code: int) -> None:
    assert ran(tmp_path, *failing) == (code, ["test", "test-system"])


def test_it_runs_the_fast_tests_unless_told_otherwise(tmp_path: Path) -> None:
    assert ran(tmp_path, suites=()) == (0, ["test"])


def test_it_does_without_packages_that_cannot_be_installed(tmp_path: Path) -> None:
    assert ran(tmp_path, apt="exit 100") == (0, ["test", "test-system"])
