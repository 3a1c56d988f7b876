"""Labs: attempts at training labs, as jobs; which fault it is stays on the server until the end.

WORKSPACE/labs/PERSON/ID/session.json    an attempt
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from nettwin.apps.labs import Lab, find_lab, lab_names, words
from nettwin.apps.labs.grading import grade
from nettwin.apps.labs.practice import Practice
from nettwin.apps.labs.session import (
    Session,
    begun,
    check_lab,
    read_session,
    with_changes,
    write_session,
)
from nettwin.errors import InputError, UnknownNameError
from nettwin.interfaces import documents, practicing
from nettwin.interfaces.documents import labs as told
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.work import asked
from nettwin.optimize.problem import merged

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def attempt_folder(workspace: Path, person: str, id: str) -> Path:
    """Where an attempt is kept. Raises UnknownNameError for a name that could lead elsewhere."""
    for name in (person, id):
        if not NAME.fullmatch(name):
            raise UnknownNameError("attempt", name, ())
    return workspace / "labs" / person / id


def start(work: Work) -> dict[str, Any]:
    """Begin an attempt at a lab that nettwin brings."""
    given = work.arguments
    name = str(given["lab"])
    if name not in lab_names():
        raise UnknownNameError("lab", name, lab_names())
    lab, folder = find_lab(name), _folder(work)
    session = begun(lab, name, int(given["seed"]))
    practice = _practice(lab, session)
    seen = practice.before
    write_session(session, folder)
    content = {**told.lab(lab), "words": words.of_start(lab), **told.session(session)}
    content["attempt"] = str(given["attempt"])
    return documents.headed("lab start", content | told.seen(practice, seen))


def check(work: Work) -> dict[str, Any]:
    """Make changes on the network of an attempt, and measure it."""
    session, practice = _opened(work)
    made = merged((), asked.changes(work.arguments["changes"]))
    seen = practice.seen(made) if made else practice.before
    session = with_changes(session, tuple(made))
    write_session(session, _folder(work))
    content = {**told.session(session), "met": seen.judgement.met, **told.seen(practice, seen)}
    return documents.headed("lab check", content)


def hint(work: Work) -> dict[str, Any]:
    """The next hint of an attempt."""
    session, practice = _opened(work)
    hints = practice.lab.hints
    if session.hints >= len(hints):
        raise InputError(f"there are no more than {len(hints)} hints here.")
    write_session(replace(session, hints=session.hints + 1), _folder(work))
    content = {"hint": session.hints + 1, "of": len(hints), "text": hints[session.hints]}
    return documents.headed("lab hint", content)


def debrief(work: Work) -> dict[str, Any]:
    """End an attempt: what was wrong, how it went, and the points."""
    session, practice = _opened(work)
    session = replace(session, ended_s=session.ended_s or time.time())
    left = practice.seen(session.changes) if session.changes else practice.before
    solved = practice.seen(practice.variant.solution)
    marks = grade(practice, left, session.seconds(), session.hints)
    write_session(session, _folder(work))
    content = {**told.session(session), **told.debriefing(practice, left, solved, marks)}
    return documents.headed("lab debrief", content | {"passed": marks.passed})


def _folder(work: Work) -> Path:
    given = work.arguments
    return attempt_folder(work.folder, str(given["person"]), str(given["attempt"]))


def _opened(work: Work) -> tuple[Session, Practice]:
    session = read_session(_folder(work))
    lab = find_lab(session.lab)
    check_lab(session, lab)
    return session, _practice(lab, session)


def _practice(lab: Lab, session: Session) -> Practice:
    model = practicing.network_model(session.seed)
    return Practice(lab, session.variant, model, session.seed)
