"""Intents: what is wanted of the network, checked and reported on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from nettwin.errors import InputError
from nettwin.formats.files import read_text
from nettwin.formats.intent import intent_data, intent_schema
from nettwin.interfaces.server.asking import API, AtDesk, By, asked
from nettwin.interfaces.server.replies import sent, sent_document
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import answers, gives

router = APIRouter(prefix=f"{API}/intents", tags=["intents"])
INTENT = {"intent": {"intent": "few"}, "files": [{"name": "intent.yaml", "text": "intent: few\n"}]}
JUDGED = {"met": True, "violation": 0.0, "objectives": [], "lines": []}


@router.get("", summary="The intent in force", responses=gives(INTENT))
async def in_force(request: Request, desk: AtDesk) -> Response:
    """All intents together, and the text of each file."""

    def found() -> dict[str, Any]:
        files = desk.workspace.settings.intents
        texts = [{"name": path.name, "text": read_text(path)} for path in files]
        return {"intent": intent_data(desk.workspace.intent), "files": texts}

    return await sent(request, await desk.views.get("intents", desk.fresh, found))


@router.get("/schema", summary="The JSON schema of intents", responses=gives({"type": "object"}))
async def schema(request: Request) -> Response:
    """For editors and other programs."""
    return await sent_document(request, intent_schema())


@router.get("/measured", summary="Whether the intent holds now", responses=gives(JUDGED))
async def measured(request: Request, desk: AtDesk) -> Response:
    """What was measured last, line by line of the intent in force."""

    def found() -> dict[str, Any]:
        from nettwin.apps.loop import by_hand, checks
        from nettwin.change_plan import judgement_to_dict

        moment = desk.live.moment if desk.live is not None else None
        if moment is not None and moment.measured is not None:
            return {"time_s": moment.seen.time_s, **judgement_to_dict(moment.measured)}
        seen = by_hand.last_seen(desk.workspace)
        judged = checks.measured(desk.workspace.intent, seen)
        return {"time_s": seen.time_s, **judgement_to_dict(judged)}

    return await sent(request, await desk.views.get("measured", desk.fresh, found))


@router.post("/check", summary="Check an intent", responses=answers({"sound": True, "lines": []}))
async def check(request: Request, desk: AtDesk, person: By, body: m.IntentGiven) -> Response:
    """What each line selects in a network, and its faults, contradictions and warnings."""
    if body.intent == "workspace":
        raise InputError("the intent in force was checked already. Give a text.")
    return await asked(request, desk, person, "check", body.model_dump(exclude={"engine"}))


@router.post("/report", summary="Report on an intent", responses=answers({"report": JUDGED}))
async def report(request: Request, desk: AtDesk, person: By, body: m.IntentGiven) -> Response:
    """Whether a network meets it, line by line, as an engine predicts."""
    return await asked(request, desk, person, "report", body.model_dump())
