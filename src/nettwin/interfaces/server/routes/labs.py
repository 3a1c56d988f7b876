"""Labs: training labs; attempts are kept by the server, and each person sees their own."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from nettwin.apps.labs import find_lab, lab_names
from nettwin.interfaces.documents import labs as told
from nettwin.interfaces.server.asking import API, AtDesk, By, asked
from nettwin.interfaces.server.replies import sent
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import answers, gives
from nettwin.workspace.people import Person

router = APIRouter(prefix=f"{API}/labs", tags=["labs"])
Name = Annotated[str, Path(max_length=100)]
Id = Annotated[str, Path(max_length=100)]
LAB = {"lab": "black-hole", "title": "A link that swallows", "level": 2, "minutes": 20.0}
SEEN: dict[str, Any] = {"goals": [], "links": [], "flows": []}
BEGUN = {"nettwin": "0.1.0", "command": "lab start", "attempt": "0a1b2c3d4e", **LAB, **SEEN}
CHECKED = {"nettwin": "0.1.0", "command": "lab check", "met": False, "changes": [], **SEEN}
HINT = {"nettwin": "0.1.0", "command": "lab hint", "hint": 1, "of": 3, "text": "Look there."}
DEBRIEFED = {"nettwin": "0.1.0", "command": "lab debrief", "words": [], "grade": {"points": 91.0}}


@router.get("", summary="List the labs", responses=gives({"labs": [LAB]}))
async def labs(request: Request, desk: AtDesk) -> Response:
    """Those that nettwin brings: story, goals, what may be done."""

    def found() -> dict[str, Any]:
        return {"labs": [told.lab(find_lab(name)) for name in lab_names()]}

    return await sent(request, await desk.views.get("labs", 1, found))


@router.post("/{name}/start", summary="Begin a lab", responses=answers(BEGUN))
async def start(
    request: Request, desk: AtDesk, person: By, name: Name, body: m.LabBegin
) -> Response:
    """Its story, and what is measured; `attempt` is its id. Time runs from now."""
    given = {"lab": name, "attempt": secrets.token_hex(5), **body.model_dump()}
    return await asked(request, desk, person, "lab start", {"person": person.name, **given})


@router.post("/attempts/{id}/check", summary="Change and measure", responses=answers(CHECKED))
async def check(request: Request, desk: AtDesk, person: By, id: Id, body: m.LabCheck) -> Response:
    """What is measured after these changes, and which goals are met."""
    given = _of(person, id) | body.model_dump()
    return await asked(request, desk, person, "lab check", given)


@router.post("/attempts/{id}/hint", summary="The next hint", responses=answers(HINT))
async def hint(request: Request, desk: AtDesk, person: By, id: Id) -> Response:
    """Each costs points."""
    return await asked(request, desk, person, "lab hint", _of(person, id))


@router.post("/attempts/{id}/debrief", summary="End an attempt", responses=answers(DEBRIEFED))
async def debrief(request: Request, desk: AtDesk, person: By, id: Id) -> Response:
    """What was wrong, how it went, and the points."""
    return await asked(request, desk, person, "lab debrief", _of(person, id))


def _of(person: Person, id: str) -> dict[str, str]:
    """An attempt of a person; the number makes each request one of its own, whose answer is not
    that of the one before."""
    return {"person": person.name, "attempt": id, "number": secrets.token_hex(5)}
