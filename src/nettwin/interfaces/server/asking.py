"""Asking: a request's question as a job; its answer, or where to look for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.errors import UnknownNameError
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.jobs.job import Job
from nettwin.interfaces.server.problems import ProblemError
from nettwin.interfaces.server.replies import View, sent, sent_document
from nettwin.workspace.people import Person

API = "/api/v1"
LONGEST_WAIT_S = 60.0
_WAIT = re.compile(r"wait\s*=\s*(\d+)")


def desk_of(request: Request) -> Desk:
    """The desk that a request is served by."""
    found: Desk = request.app.state.desk
    return found


def person_of(request: Request) -> Person:
    """Who asks; the guard has found out."""
    found: Person = request.scope["state"]["person"]
    return found


AtDesk = Annotated[Desk, Depends(desk_of)]
By = Annotated[Person, Depends(person_of)]


def need(person: Person, role: str, deed: str) -> None:
    """Raise ProblemError (403) where a person lacks the role for a deed; `a or b` is either."""
    if not any(person.may(one) for one in role.split(" or ")):
        own = ", ".join(person.roles) or "no role"
        detail = f"{person.name} has the role {own}: must have {role} to {deed}"
        raise ProblemError(403, "role", detail, "Let somebody else do it, or ask for the role.")


async def asked(
    request: Request, desk: Desk, person: Person, kind: str, arguments: Mapping[str, Any]
) -> Response:
    """The answer to a question, or 202 with its job where it takes longer than is waited for."""
    job = await submitted(desk, person, kind, arguments)
    job = await desk.jobs.ended(job.id, wait_s(request, desk))
    return await told(request, desk, job)


async def submitted(desk: Desk, person: Person, kind: str, arguments: Mapping[str, Any]) -> Job:
    """The job of a question, about the network as it is now."""
    desk.rates.hit("jobs", person.name)

    def submit() -> Job:
        given = {k: v for k, v in arguments.items() if v is not None}
        if "network" in given:
            given["network"] = desk.pinned(given["network"])
        return desk.jobs.submit(kind, given, person.name)

    return await run_in_threadpool(submit)


async def told(request: Request, desk: Desk, job: Job, status: int = 200) -> Response:
    """What became of a job: its answer, its problem, or 202 while it is under way."""
    place = {"location": f"{API}/jobs/{job.id}", "x-job": job.id}
    if job.state == "done":
        return await sent(request, await answer(desk, job), status, place)
    if job.problem is not None:
        more = dict(job.problem)
        base = {"type", "title", "status", "detail", "remedy"}
        raise ProblemError(
            int(more["status"]),
            str(more["type"]).rpartition(":")[2],
            str(more["detail"]),
            str(more.get("remedy", "")),
            headers=place,
            **{k: v for k, v in more.items() if k not in base},
        )
    if job.state == "cancelled":
        raise ProblemError(409, "cancelled", f"the job {job.id} was cancelled", "Ask again.")
    return await sent_document(request, {"job": job.to_dict()}, 202, place | {"retry-after": "1"})


async def answer(desk: Desk, job: Job) -> View:
    """The answer of a job that is done. Raises UnknownNameError where it is not kept."""
    if job.state != "done":
        raise UnknownNameError("answer of the job", job.id, ())
    return await desk.views.get(f"job {job.id}", job.id, lambda: desk.jobs.answer(job))


def wait_s(request: Request, desk: Desk) -> float:
    """For how long a request waits for its job (RFC 7240): `Prefer: wait=5`, `respond-async`."""
    prefer = request.headers.get("prefer", "").lower()
    if "respond-async" in prefer:
        return 0.0
    found = _WAIT.search(prefer)
    return min(float(found[1][:6]), LONGEST_WAIT_S) if found else desk.limits.wait_s


def page_of(items: list[Any], limit: int, offset: int, total: int | None = None) -> dict[str, Any]:
    """A page of a list: `items`, and where the next one begins."""
    count = len(items) if total is None else total
    shown = items if total is not None else items[offset : offset + limit]
    after = offset + len(shown)
    return {
        "total": count,
        "offset": offset,
        "next": after if after < count else None,
        "items": shown,
    }
