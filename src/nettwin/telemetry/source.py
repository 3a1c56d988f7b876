"""Source: the contract of what telemetry is read from, and the quality scale of sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from nettwin.telemetry.series import Series

ALWAYS_S = (-1e11, 1e11)  # since and until, where all there is is wanted


@runtime_checkable
class Source(Protocol):
    """Where telemetry is read from. Whatever does not answer is a SourceError that says what
    and what to do."""

    live: bool  # whether it goes on: where no time is given, the last hour is read; else all

    def test(self) -> str:
        """Reach the source; one sentence about what it is. Raises SourceError, FormatError."""

    def read(self, since_s: float, until_s: float) -> Iterator[Series]:
        """The samples in since_s <= time < until_s, of each port and quantity once; a later call
        for the same time gives the same. Raises SourceError, FormatError."""

    def close(self) -> None:
        """Leave the source."""


@dataclass(frozen=True)
class Opening:
    """What a source is opened with: the settings that stand in its file, and the folder of that
    file, which paths in it start from. `told` collects sentences about what was left out."""

    settings: Mapping[str, Any]
    folder: Path = Path()
    told: list[str] = field(default_factory=list)


# The quality scale: each tier asks for all that the tiers before it ask for.
TIERS: Mapping[str, tuple[str, ...]] = {
    "bronze": ("tests_connection", "declares_units", "documented"),
    "silver": ("says_outage", "back_fills"),
    "gold": ("tried_on",),
}


@dataclass(frozen=True)
class Quality:
    """What a source does, by which its tier is found. `tried_on` names the daemon or the recording
    that it was tried on; empty where it has met none: it is untested."""

    tests_connection: bool = False
    declares_units: bool = False
    documented: bool = False
    says_outage: bool = False
    back_fills: bool = False
    tried_on: str = ""

    @property
    def tier(self) -> str:
        """The highest tier that is met; `none` where the first is not."""
        met = "none"
        for name, needs in TIERS.items():
            if not all(getattr(self, need) for need in needs):
                break
            met = name
        return met

    @property
    def missing(self) -> tuple[str, ...]:
        """What the next tier needs and is not there."""
        for needs in TIERS.values():
            lacks = tuple(need for need in needs if not getattr(self, need))
            if lacks:
                return lacks
        return ()


@dataclass(frozen=True)
class SourceChoice:
    """A kind of source as people choose it: its name, what it is, and how it is opened.

    `missing` says what this machine lacks for it; empty where it runs here.
    """

    name: str
    title: str
    open: Callable[[Opening], Source]
    quality: Quality = field(default_factory=Quality)
    missing: Callable[[], str] = lambda: ""
