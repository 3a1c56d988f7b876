"""Incidents: causes of what was measured, and what is odd over time."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from nettwin.interfaces.server.asking import API, AtDesk, By, asked
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import answers

router = APIRouter(prefix=API, tags=["incidents"])
CAUSES = {
    "nettwin": "0.1.0",
    "command": "troubleshoot",
    "words": ["Most probably link A->B loses 2.00% of all packets (probability 97 %)."],
    "causes": [{"probability": 0.97, "kind": "random_loss", "category": "device"}],
    "next_measurements": [],
    "repair": None,
}
INCIDENTS = {
    "nettwin": "0.1.0",
    "command": "watch",
    "words": ["1 incidents in 12 h."],
    "incidents": [{"begin": "2026-01-05 12:30:00", "place": "A->B", "kind": "device"}],
}


@router.post("/troubleshoot", summary="Rank causes of an incident", responses=answers(CAUSES))
async def troubleshoot(
    request: Request, desk: AtDesk, person: By, body: m.Troubleshoot
) -> Response:
    """What explains the newest observations, or those until a time, beside those before."""
    return await asked(request, desk, person, "troubleshoot", body.model_dump())


@router.post("/watch", summary="Find what is odd over time", responses=answers(INCIDENTS))
async def watch(request: Request, desk: AtDesk, person: By, body: m.Watch) -> Response:
    """Incidents of the history, with place and kind; so many false alarms a day as asked."""
    return await asked(request, desk, person, "watch", body.model_dump())
