"""Session: one attempt at a lab, kept in a folder: which fault, since when, what was done."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.apps.labs.certificate import signature, signed_well
from nettwin.apps.labs.lab import Lab
from nettwin.errors import InputError
from nettwin.formats.files import read_text, write_text
from nettwin.scenario.changes import Change, change_from_dict, change_to_dict

FILE, LARGEST_BYTES = "session.json", 2**20


@dataclass(frozen=True)
class Session:
    """An attempt. Of an exam, `student` is who takes it, and its file is signed."""

    lab: str  # its name in the catalog, or its file
    digest: str
    variant: int
    seed: int
    began_s: float
    changes: tuple[Change, ...] = ()
    hints: int = 0
    checks: int = 0
    exam: bool = False
    student: str = ""
    ended_s: float = 0.0

    def seconds(self, now_s: float | None = None) -> float:
        """How long it has taken."""
        end = self.ended_s or (time.time() if now_s is None else now_s)
        return max(end - self.began_s, 0.0)

    def late(self, lab: Lab, now_s: float | None = None) -> bool:
        """Whether the time of an exam is over."""
        return self.exam and self.seconds(now_s) > lab.minutes * 60


def begun(
    lab: Lab, place: str, seed: int, *, exam: bool = False, student: str = "", now_s: float = 0.0
) -> Session:
    """A new attempt, whose fault is drawn by the seed."""
    variant = int(np.random.default_rng([seed, 17]).integers(len(lab.variants)))
    return Session(
        place, lab.digest, variant, seed, now_s or time.time(), exam=exam, student=student
    )


def write_session(session: Session, folder: Path, key: bytes | None = None) -> None:
    """Keep a session in a folder. Raises InputError."""
    data = {**asdict(session), "changes": [change_to_dict(c) for c in session.changes]}
    if session.exam:
        if key is None:
            raise InputError("an exam needs the teacher's key: give --key env:NAME or file:PATH.")
        data = {"session": data, "signature": signature(data, key)}
    write_text(folder / FILE, json.dumps(data, indent=1) + "\n")


def read_session(folder: Path, key: bytes | None = None) -> Session:
    """The session in a folder. Raises InputError where there is none, or somebody changed it."""
    path = folder / FILE
    if not path.exists():
        raise InputError(
            f"{folder} holds no lab: it has no {FILE}. Start one: nettwin lab start NAME."
        )
    try:
        data: dict[str, Any] = json.loads(read_text(path, LARGEST_BYTES))
        if "signature" in data:
            if key is None:
                raise InputError("this is an exam: give its --key env:NAME or file:PATH.")
            if not signed_well(data["session"], data["signature"], key):
                raise InputError(
                    f"{path} was changed by hand, or has another key: this exam does not count."
                    " Begin a new one."
                )
            data = data["session"]
        elif data.get("exam"):
            raise InputError(f"{path} is an exam without a signature. Begin a new one.")
        changes = tuple(change_from_dict(change) for change in data.pop("changes"))
        return Session(**data, changes=changes)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} cannot be read: {error}. Begin the lab again.") from None


def check_lab(session: Session, lab: Lab) -> None:
    """Raise InputError where the lab's file is another than when the attempt began."""
    if session.digest != lab.digest:
        raise InputError(
            f"the lab {lab.name} has changed since this attempt began. Start it again."
        )


def with_changes(session: Session, changes: tuple[Change, ...]) -> Session:
    """The attempt after a check with these changes made in all."""
    return replace(session, changes=changes, checks=session.checks + 1)
