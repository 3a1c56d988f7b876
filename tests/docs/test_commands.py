"""Every command line of the pages is one that nettwin takes, and those that can be are run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from nettwin.interfaces.cli import app
from tests.docs.pages import PAGES, ROOT, commands

LINES = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in commands(page)]
# what takes hours, or needs what those make; or a package or a Prometheus that is not here
NOT_RUN = re.compile(
    r"nettwin (serve|mcp|top|dataset|train|models (install|verify)|plan (approve|apply|undo)"
    r"|network (inject|serve)|lab (start|check|hint|debrief|exam|submit|verify)"
    r"|data (check|map|collect|links|topology|snapshot)"
    r"|(history predict|watch|troubleshoot) --w)"
    r"|trained/|square\.edges|data/|recordings/|--server|neighbors\.json|ospf\.json|now\.yaml"
)
INTENT = """\
intent: keep voice fast
minimize: [offered_load]
expect:
  - {measure: delay_p99, class: voice, at_most: 100 ms}
change: {at_most: 5, with: [segments]}
"""
FEW = "intent: mended by few\nminimize: [offered_load]\nchange: {at_most: 5}\n"


def steps(line: str) -> Iterator[tuple[Any, list[str]]]:
    """The commands and subcommands that a line calls, each with the words that it gets."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    context = typer.Context(command)
    while hasattr(command, "commands") and words:
        found = command.get_command(context, words[0])  # imported when it is asked for
        if found is None:
            break
        command, words = found, words[1:]
    yield command, words


def test_there_are_lines() -> None:
    assert len(LINES) >= 30
    assert {"README.md", "docs/optimize.md", "docs/training.md"} <= {page for page, _ in LINES}


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{p}: {li}" for p, li in LINES])
def test_nettwin_takes_the_line(page: str, line: str) -> None:
    for command, words in steps(line):
        alone = getattr(command, "invoke_without_command", True)
        assert alone, f"{page}: no such command in {line!r}"
        command.make_context("nettwin", list(words), resilient_parsing=False)


def test_a_wrong_line_is_seen() -> None:
    ((command, words),) = steps("nettwin predict net.yaml --no-such-option")
    with pytest.raises(Exception, match="No such option"):
        command.make_context("nettwin", words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages name."""
    made = tmp_path_factory.mktemp("pages")
    shutil.copy(ROOT / "examples" / "intents" / "towns.yaml", made / "network.yaml")
    (made / "voice.yaml").write_text(INTENT, encoding="utf-8")
    (made / "few.yaml").write_text(FEW, encoding="utf-8")
    shutil.copy(ROOT / "examples" / "capacity" / "growth.yaml", made)
    shutil.copy(ROOT / "examples" / "labs" / "mine.yaml", made)
    samples = sorted((ROOT / "tests" / "formats" / "good" / "graphml").iterdir())
    shutil.copy(samples[0], made / "Geant2012.graphml")
    demand = np.full((3, 6, 6), 1e6) * np.arange(1, 4)[:, None, None]
    np.savez(made / "week.npz", demand_bps=demand * (1 - np.eye(6)), times_s=np.arange(3) * 300.0)
    hours = 1e6 * (2 + np.sin(2 * np.pi * np.arange(60) / 24))[:, None, None] * np.ones((6, 6))
    np.savez(made / "days.npz", demand_bps=hours, times_s=np.arange(60) * 3600.0)
    (made / "counters.csv").write_text(
        "time,Madrid->Rome [Mbit/s],Rome->Madrid [Mbit/s]\n2026-01-05T12:00:00Z,30,20\n",
        encoding="utf-8",
    )
    return made


RUN = [(page, line) for page, line in LINES if not NOT_RUN.search(line)]


@pytest.mark.system
@pytest.mark.parametrize(("page", "line"), RUN, ids=[f"{p}: {li}" for p, li in RUN])
def test_the_line_runs(folder: Path, page: str, line: str) -> None:
    """It answers; 4 is an answer, too: the intent is not met."""
    kept = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode in (0, 4), f"{page}: {line}\n{done.stderr}"
