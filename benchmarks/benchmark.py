"""What a benchmark takes and gives: Options in, Outcome (figures and remarks) out."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Skipped(Exception):
    """A benchmark that cannot run here; the message says why and what to do."""


@dataclass(frozen=True)
class Options:
    """What every benchmark is given; `extra` holds the options that it declared itself."""

    data: Path | None = None
    limit: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """One measured number, with its target where it has one (`met` is None without)."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    met: bool | None = None
    sense: str = ""  # `>=` or `<=`: on which side the target lies

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON types; a number that is not known becomes null."""
        value = self.value if math.isfinite(self.value) else None
        out = {
            "name": self.name,
            "value": value,
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
        }
        return out | {"sense": self.sense} if self.sense else out


def at_least(name: str, value: float, target: float, unit: str = "") -> Figure:
    """A figure that should reach its target."""
    return Figure(name, value, unit, target, bool(value >= target), ">=")


def at_most(name: str, value: float, target: float, unit: str = "") -> Figure:
    """A figure that should stay at or below its target."""
    return Figure(name, value, unit, target, bool(value <= target), "<=")


@dataclass(frozen=True)
class Outcome:
    """The figures of a run and what a reader must know to judge them."""

    figures: tuple[Figure, ...]
    remarks: tuple[str, ...] = ()


class Benchmark(Protocol):
    """A module of benchmarks/suite: `TITLE`, `PROTOCOL`, `arguments` and `run`."""

    TITLE: str
    PROTOCOL: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare options of its own."""

    def run(self, options: Options) -> Outcome:
        """Measure; raises Skipped where it cannot."""


def say(text: str) -> None:
    """A line of progress, on the standard error stream."""
    print(text, file=sys.stderr, flush=True)


def cpu_seconds(work: Callable[[], object]) -> float:
    """The processor time of this process that `work` takes."""
    before = time.process_time()
    work()
    return time.process_time() - before
