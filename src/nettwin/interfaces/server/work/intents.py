"""Intents: read from what a request holds, checked against a network, and reported on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nettwin.errors import InputError
from nettwin.formats.intent import intent_from
from nettwin.formats.native.document import Document
from nettwin.intent import Intent
from nettwin.intent.check import check as held
from nettwin.interfaces import documents
from nettwin.interfaces.documents import questions
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.work import asked
from nettwin.workspace.workspace import Workspace

MIN_LOAD = "least offered load"
GIVEN = Path("the intent")  # what errors call it


def intent_from_text(text: str) -> tuple[Intent, Document]:
    """The intent in a text of YAML or JSON. Raises FormatError with every issue of it."""
    document = Document(GIVEN, text)
    return intent_from(document), document


def intent_of(work: Work, *, required: bool = True) -> Intent | None:
    """The intent that a request gives: a text, `workspace` for what is in force, or none."""
    given = work.arguments.get("intent")
    if given == "workspace":
        return Workspace(work.folder).intent
    if given:
        return intent_from_text(str(given))[0]
    return Intent(name=MIN_LOAD) if required else None


def check(work: Work) -> dict[str, Any]:
    """As `nettwin intent check --json`."""
    of = asked.network(work)
    intent, document = intent_from_text(str(work.arguments["intent"]))
    found = held(intent, of.scenario)

    def line(place: Any) -> int | None:
        return document.line(place) if questions.written(document.data, place) else None

    content = {"network": asked.about(of), **asked.notes(of, [])}
    return documents.headed("intent check", content | questions.checked(intent, found, line))


def report(work: Work) -> dict[str, Any]:
    """Whether a network meets an intent: every line with its value, as an engine predicts it."""
    from nettwin.change_plan import judgement_to_dict

    of = asked.network(work)
    wanted = intent_of(work)
    if wanted is None:
        raise InputError("there is no intent to report on. Give one.")
    model = asked.engine(work)
    metrics = model.predict([of.scenario])[0]
    notes = asked.notes(of, [model])
    notes["warnings"] += questions.doubts(metrics)
    from nettwin.optimize.problem import Problem

    judged = Problem(of.scenario, wanted, model).before
    content = {"network": asked.about(of), **notes, **documents.engine(metrics)}
    return documents.headed("intent report", content | {"report": judgement_to_dict(judged)})
