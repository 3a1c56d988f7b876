"""Environments made for a test: nettwin built and installed as anybody else would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Clean(NamedTuple):
    """A virtual environment with nothing of the development environment in it."""

    folder: Path
    wheel: Path
    sdist: Path
    site_bytes: int  # of what a plain install of the wheel puts there

    def run(self, *command: str, cwd: Path, fails: bool = False) -> str:
        """What a command of the environment prints; it must succeed unless it `fails`."""
        program, *rest = command
        done = told([str(self.folder / "bin" / program), *rest], cwd)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    def install(self, *what: str) -> None:
        """Install more with pip, to the versions of constraints.txt."""
        constraints = str(ROOT / "constraints.txt")
        self.run("python", "-m", "pip", "install", "-q", "-c", constraints, *what, cwd=self.folder)


def told(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that sees nothing of this environment's paths."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(
        command, cwd=cwd, env=kept, capture_output=True, text=True, check=False, timeout=1800
    )


def made(folder: Path) -> Path:
    """A new virtual environment."""
    done = told([sys.executable, "-m", "venv", str(folder)], folder.parent)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """nettwin's sdist and the wheel that is built from it, installed where nothing else is."""
    work = tmp_path_factory.mktemp("clean")
    # the wheel is built from the sdist, so that both hold all that is needed
    done = told(
        [sys.executable, "-m", "build", "--no-isolation", "-o", str(work / "dist"), str(ROOT)], work
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (sdist,) = (work / "dist").glob("*.whl"), (work / "dist").glob("*.tar.gz")
    folder = made(work / "venv")
    environment = Clean(folder, wheel, sdist, 0)
    before = size_bytes(folder)
    environment.install(str(wheel))
    return environment._replace(site_bytes=size_bytes(folder) - before)


def size_bytes(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
