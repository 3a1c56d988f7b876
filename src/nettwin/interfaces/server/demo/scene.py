"""Scene: the workspace of the live demo, made anew in a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from nettwin import units
from nettwin.repository.repository import Repository
from nettwin.repository.tables import Document
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.workspace import Workspace, begin

PAST = Path(__file__).parent / "past"
BEGIN = "2026-01-05T00:00:00+00:00"  # a Monday, of the two weeks
BEGIN_S = units.moment_s(BEGIN)
START = "2026-01-19T16:00:00+00:00"  # of what is live: the load grows until 20 h
STEP_S = 1800.0
INTERVAL_S = 300.0
PACE_S = 5.0  # of this machine's time for an interval: a day takes 24 minutes
LOAD = 0.9  # of the busiest link, at the peak of the day
NOTE = "note"
OPERATOR, APPROVER = "olivia", "arthur"
INTENT = """\
# What is wanted of the network. nettwin intent measures lists what can be asked and changed.
intent: voice in time, no link full
minimize: [changes, offered_load]
expect:
  - {measure: offered_load, at_most: 85 %}
  - {measure: delay, class: voice, reduce: mean, at_most: 16 ms}
change:
  at_most: 30
  with: [segments]
"""
SYNTHETIC = "two weeks of history, simulated by packets ahead of time and shipped with nettwin"


class Scene(NamedTuple):
    """A demo that was made: its workspace, and the tokens of its people by name."""

    workspace: Workspace
    tokens: dict[str, str]


def network() -> Scenario:
    """NSFNET with voice, video and the rest, as it is at the peak of the day."""
    made = generate("nsfnet", load=LOAD, classes="three", scheduler="sp")
    return made.with_(name="NSFNET")


def settings(start: str = START) -> dict[str, object]:
    """Settings of the simulated network and the loop, where they are not the usual ones."""
    return {
        "interval_s": INTERVAL_S,
        "simulated_s": 1.0,
        "start": start,
        "cooldown_s": 1800,
        "flap_window_s": 3600,
        "confirm_s": 3600,
        "seconds": 2.0,
    }


def make(folder: Path) -> Scene:
    """Make the workspace in a folder that is new or empty: with its past, an operator and an
    approver. The loop makes plans, and people approve them. Raises InputError."""
    workspace = begin(
        folder, network(), INTENT, name="NSFNET demo", auto=False, settings=settings()
    )
    if PAST.exists():
        place = workspace.settings.repository
        shutil.copytree(PAST, place, dirs_exist_ok=True)
        note = Document(BEGIN_S, NOTE, "synthetic", json.dumps({"words": SYNTHETIC}))
        repository = Repository(place)
        with repository.writing("nettwin serve --demo"):
            repository.keep(note)
    tokens = {
        OPERATOR: workspace.add_person(OPERATOR, ("operator",)),
        APPROVER: workspace.add_person(APPROVER, ("approver",)),
    }
    return Scene(Workspace(folder), tokens)
