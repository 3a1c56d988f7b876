"""Capacity: when the network runs out, and the cheapest upgrades."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from nettwin.interfaces.server.asking import API, AtDesk, By, asked
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import answers
from nettwin.interfaces.server.routes.questions import NETWORK, NOTES

router = APIRouter(prefix=f"{API}/capacity", tags=["capacity"])
HEAD = {"nettwin": "0.1.0", "network": NETWORK, **NOTES, "case": {"name": "next", "limit": 1.0}}
RUNOUT = HEAD | {
    "command": "capacity runout",
    "words": "Traffic grows: all other traffic by 30 % a year.",
    "run_outs": [{"kind": "link", "element": "A->B", "years": 1.4, "cause": "C<->D"}],
    "exempt": {},
}
UPGRADE = HEAD | {
    "command": "capacity upgrade",
    "words": "The cheapest plan upgrades 5 of 21 lines for 12.5.",
    "met": True,
    "best": {"cost": 12.5, "bound": 12.5, "bought": []},
    "rules": [],
    "exempt": {},
}


@router.post("/runout", summary="When the network runs out", responses=answers(RUNOUT))
async def runout(request: Request, desk: AtDesk, person: By, body: m.RunOut) -> Response:
    """The run-out date of each link and expectation under the worst single failure."""
    return await asked(request, desk, person, "capacity runout", body.model_dump())


@router.post("/upgrade", summary="The cheapest upgrades", responses=answers(UPGRADE))
async def upgrade(request: Request, desk: AtDesk, person: By, body: m.Upgrade) -> Response:
    """What to buy and when, beside what people do. Nothing is changed."""
    return await asked(request, desk, person, "capacity upgrade", body.model_dump())
