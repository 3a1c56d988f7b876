"""Lab: a task for people who learn to run networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nettwin.intent import Intent
from nettwin.scenario.changes import Change
from nettwin.scenario.changes.flows import AddFlow, RemoveFlow, ScaleTraffic
from nettwin.scenario.scenario import Scenario

SEES = ("topology", "loads", "flows", "configuration", "drops")
TRAFFIC = (AddFlow, RemoveFlow, ScaleTraffic)  # what is seen on the wire whoever is at fault


@dataclass(frozen=True)
class Fault:
    """What is wrong with the network; `seen` where the devices tell it in their configuration."""

    change: Change
    seen: bool = False

    @property
    def told(self) -> bool:
        """Whether what the network tells of itself shows it."""
        return self.seen or isinstance(self.change, TRAFFIC)


@dataclass(frozen=True)
class Wrong:
    """A solution that looks right and is not."""

    why: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Variant:
    """One way in which the network is at fault, and what mends it."""

    faults: tuple[Fault, ...]
    solution: tuple[Change, ...]
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True)
class Scoring:
    """Points: for goals that are met, for time that is left, for doing no damage; what a hint
    costs; and how many are needed."""

    result: float = 60.0
    time: float = 20.0
    collateral: float = 20.0
    hint: float = 5.0
    passing: float = 70.0


@dataclass(frozen=True)
class Lab:
    """A lab as its author wrote it. Changes that learners may make are of the kinds in `may`, at
    most so many as the goals allow."""

    name: str
    title: str
    story: str
    network: Scenario  # healthy
    goals: Intent
    variants: tuple[Variant, ...]
    debriefing: str
    may: tuple[str, ...]
    sees: tuple[str, ...] = SEES
    hints: tuple[str, ...] = ()
    minutes: float = 20.0
    level: int = 1
    scoring: Scoring = field(default_factory=Scoring)
    path: Path = Path()
    digest: str = ""  # of the file
    vary: float = 0.0  # by how much flows differ from seed to seed, relatively
