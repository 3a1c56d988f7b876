"""Output: tables and JSON to stdout; assumptions, warnings and progress to stderr; files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from nettwin.formats import Reading
from nettwin.interfaces import documents
from nettwin.interfaces.cli.program import MARKDOWN, WARNED
from nettwin.interfaces.documents import questions
from nettwin.interfaces.tables.markdown import to_markdown
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

MAX_LINES = 5  # of a list of assumptions or warnings on the terminal
PIPE_WIDTH = 132  # columns where there is no terminal to ask


class BrokenPipeConsole(Console):
    """A console that leaves a closed pipe to the program, as any other write does."""

    def on_broken_pipe(self) -> None:
        raise


def console(*, stderr: bool = False) -> Console:
    """A console that never guesses colors or markup into what it prints."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return BrokenPipeConsole(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)


@dataclass
class Output:
    """Where the answer of one command goes, and its warnings."""

    command: str
    json: bool = False
    strict: bool = False
    most: int = MAX_LINES
    warnings: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    out: Console = field(default_factory=console)
    err: Console = field(default_factory=lambda: console(stderr=True))

    def show(self, *parts: RenderableType) -> None:
        """Print parts for people, with an empty line after each; nothing with --json."""
        if not self.json:
            for part in parts:
                if MARKDOWN.get():
                    sys.stdout.write(to_markdown(part) + "\n\n")
                    continue
                self.out.print(part)
                self.out.print()

    def commands(self, lines: Sequence[str]) -> None:
        """Print commands to copy, each on one line however wide the terminal is."""
        for line in lines:
            self.out.print(Text("  $ ", "cyan").append(line, "default"), soft_wrap=True)
        self.out.print()

    def document(self, content: dict[str, Any]) -> None:
        """Print the JSON document; nothing without --json."""
        if self.json:
            sys.stdout.write(documents.dumps(documents.headed(self.command, content)) + "\n")

    def told(self, reading: Reading, models: Sequence[NetworkModel] = ()) -> dict[str, Any]:
        """Tell what was assumed and ignored while reading, and the issues of the models with it.

        Gives the same for JSON.
        """
        self.note("Assumed", reading.assumptions)
        self.note("Ignored", reading.ignored)
        return {
            "assumptions": list(reading.assumptions),
            "ignored": list(reading.ignored),
            "warnings": self.warn_of(reading.scenario, models),
        }

    def warn_of(self, scenario: Scenario, models: Sequence[NetworkModel]) -> list[str]:
        """Tell the routing's problems and why models should not be trusted; the same for JSON."""
        found = questions.issues(scenario, models)
        new = [warning for warning in found if warning not in self.warnings]
        self.note("Warning", new, "yellow")
        self.warnings += new
        return found

    def answered(self, *answers: Metrics) -> list[str]:
        """Tell where another engine than the one of first choice answered, and how many flows are
        flagged; the same for JSON."""
        found = questions.doubts(*answers)
        new = [warning for warning in found if warning not in self.warnings]
        self.note("Warning", new, "yellow")
        self.warnings += new
        return found

    def note(self, title: str, lines: Sequence[str], color: str = "cyan") -> None:
        """A short list on stderr."""
        if not lines:
            return
        shown = list(lines[: self.most])
        if len(lines) > len(shown):
            shown.append(f"and {len(lines) - len(shown)} more (all with --json)")
        for i, line in enumerate(shown):
            head = f"{title}: " if i == 0 else " " * (len(title) + 2)
            self.err.print(Text(head, f"bold {color}").append(line, "default"), soft_wrap=True)

    def say(self, words: str) -> None:
        """A line on stderr about progress."""
        self.said.append(words)
        self.err.print(Text(words, "cyan"), soft_wrap=True)

    def wrote(self, path: Path | str) -> None:
        """Tell of a file that was written."""
        self.err.print(Text("Wrote ", "bold green").append(str(path), "default"), soft_wrap=True)

    def finish(self) -> None:
        """End the command: with exit code 3 where warnings stand and --strict was given."""
        if self.strict and self.warnings:
            raise typer.Exit(WARNED)
