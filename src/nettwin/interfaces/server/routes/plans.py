"""Plans: proposed by operators, approved by somebody else, applied and undone."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.apps.loop.plans import known_plan, known_plans
from nettwin.change_plan import ChangePlan, plan_from_dict, plan_to_dict
from nettwin.interfaces.documents.questions import plan_row, receipt_of
from nettwin.interfaces.server.asking import (
    API,
    AtDesk,
    By,
    answer,
    asked,
    need,
    page_of,
    submitted,
)
from nettwin.interfaces.server.deeds import Deeds
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.keys import once
from nettwin.interfaces.server.problems import ProblemError
from nettwin.interfaces.server.replies import sent, sent_document
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import answers, gives
from nettwin.interfaces.server.routes.networks import Limit, Offset
from nettwin.workspace.people import Person

router = APIRouter(prefix=f"{API}/plans", tags=["plans"])
Id = Annotated[str, Path(max_length=64, description="a plan's id, or its beginning")]
Key = Annotated[str | None, Header(max_length=200, description="makes the deed happen once")]
PLAN = {
    "id": "3f2a9b7c1d4e",
    "time_s": 1767614400.0,
    "author": "ada",
    "state": "open",
    "why": "",
    "digest": "3f2a9b7c1d4e5f60",
    "changes": ["set_weight A->B 3"],
}
APPROVAL = {"approval": {"plan": "3f2a", "author": "ada", "by": "bob", "expires_s": 1767618000.0}}
VERIFIED = {"id": "3f2a9b7c1d4e", "plan": {}}
RECEIPT = {"receipt": "3f2a9b7c1d4e", "state": "applied", "changes": 3}
ROLES = {"add": "operator", "approve": "approver", "change": "operator or approver"}


@router.get("", summary="List the plans", responses=gives({"total": 1, "items": [PLAN]}))
async def list_plans(
    request: Request, desk: AtDesk, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """With authors and what became of them, the newest first."""

    def page() -> dict[str, Any]:
        found = known_plans(desk.workspace.repository)[::-1]
        return page_of([plan_row(one) for one in found], limit, offset)

    return await sent(request, await desk.views.get(f"plans {limit} {offset}", desk.fresh, page))


@router.get("/{plan}", summary="Look at a plan", responses=gives({**PLAN, "plan": {}}))
async def look(request: Request, desk: AtDesk, plan: Id) -> Response:
    """All of it, with its approvals."""

    def whole() -> dict[str, Any]:
        known = known_plan(desk.workspace.repository, plan)
        given = desk.workspace.approvals.of(known.id)
        return {
            **plan_row(known),
            "plan": plan_to_dict(known.plan),
            "approvals": [one.to_dict() for one in given],
        }

    return await sent_document(request, await run_in_threadpool(whole))


@router.post("", summary="Propose a plan", status_code=201, responses=gives(PLAN, status=201))
async def propose(
    request: Request, desk: AtDesk, person: By, body: m.Proposal, idempotency_key: Key = None
) -> Response:
    """Of a session, of a job that optimized, or as a document; for the network as it was seen
    last. Operators may."""
    need(person, ROLES["add"], "propose a plan")

    async def deed() -> dict[str, Any]:
        plan = await _given(desk, person, body)
        return plan_row(await Deeds(desk).add(plan, person))

    return await once(request, desk.keys, person, deed, 201)


@router.post("/{plan}/verify", summary="Verify a plan", responses=answers(VERIFIED))
async def verify(request: Request, desk: AtDesk, person: By, plan: Id) -> Response:
    """Judged again on the network as it was seen last, and simulated."""
    known = await run_in_threadpool(known_plan, desk.workspace.repository, plan)
    at = await run_in_threadpool(desk.pinned, "live")
    return await asked(request, desk, person, "verify", {"plan": known.id, "at": at})


@router.post("/{plan}/approval", summary="Approve a plan", responses=gives(APPROVAL))
async def approve(
    request: Request, desk: AtDesk, person: By, plan: Id, idempotency_key: Key = None
) -> Response:
    """Of somebody else; approvers may. It holds for a while, for one network."""
    need(person, ROLES["approve"], "approve a plan")
    known = await run_in_threadpool(known_plan, desk.workspace.repository, plan)
    if known.author == person.name:
        detail = f"the plan {known.id} is {person.name}'s own: somebody else must approve it"
        raise ProblemError(403, "own-plan", detail, "Ask another approver.")

    async def deed() -> dict[str, Any]:
        return {"approval": (await Deeds(desk).approve(known.id, person)).to_dict()}

    return await once(request, desk.keys, person, deed)


@router.post("/{plan}/apply", summary="Apply a plan", responses=gives(RECEIPT))
async def apply(
    request: Request, desk: AtDesk, person: By, plan: Id, idempotency_key: Key = None
) -> Response:
    """All of its changes or none; only with an approval that holds. Once, however often it is
    asked for."""
    need(person, ROLES["change"], "apply a plan")

    known = await run_in_threadpool(known_plan, desk.workspace.repository, plan)

    async def deed() -> dict[str, Any]:
        return receipt_of(await Deeds(desk).apply(known.id, person))

    return await once(request, desk.keys, person, deed)


@router.post("/{plan}/undo", summary="Take a plan back", responses=gives(RECEIPT))
async def undo(
    request: Request, desk: AtDesk, person: By, plan: Id, idempotency_key: Key = None
) -> Response:
    """The network is as before it."""
    need(person, ROLES["change"], "undo a plan")

    known = await run_in_threadpool(known_plan, desk.workspace.repository, plan)

    async def deed() -> dict[str, Any]:
        return receipt_of(await Deeds(desk).undo(known.id, person))

    return await once(request, desk.keys, person, deed)


async def _given(desk: Desk, person: Person, body: m.Proposal) -> ChangePlan:
    """The plan that a proposal names."""
    given = [name for name in ("session", "job", "plan") if getattr(body, name) is not None]
    if len(given) != 1:
        raise ProblemError(422, "input", "a proposal is one of session, job and plan", "Give one.")
    data = body.plan
    if body.job is not None:
        job = await run_in_threadpool(desk.jobs.find, body.job)
        data = json.loads((await answer(desk, job)).body).get("plan")
    if body.session is not None:
        session = await run_in_threadpool(desk.sessions.get, body.session)
        if session.owner != person.name:
            need(person, "operator", "propose a session of somebody else")
        pinned = await run_in_threadpool(desk.pinned, f"session:{body.session}")
        arguments = {"session": body.session, "of": pinned}
        job = await submitted(desk, person, "plan", arguments)
        job = await desk.jobs.ended(job.id, desk.limits.job_s)
        if job.problem is not None:
            found = dict(job.problem)
            detail, remedy = str(found["detail"]), str(found.get("remedy", ""))
            raise ProblemError(int(found["status"]), "plan", detail, remedy)
        data = json.loads((await answer(desk, job)).body)["plan"]
    if not isinstance(data, dict):
        raise ProblemError(
            422, "input", "that is no answer with a plan", "Name a job that optimized."
        )
    return plan_from_dict(data)
