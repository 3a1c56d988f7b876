"""Jobs: work that takes longer: where it stands, its answer, its progress as events, cancel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from nettwin.interfaces import documents
from nettwin.interfaces.server.asking import API, AtDesk, By, need, page_of, told
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.replies import sent_document
from nettwin.interfaces.server.routes.about import JOB, TEXT, answers, gives, other
from nettwin.interfaces.server.routes.networks import Limit, Offset

router = APIRouter(prefix=f"{API}/jobs", tags=["jobs"])
STREAM = "text/event-stream"
BEAT_S = 15.0  # without news a comment is sent, so that nobody between takes it for dead


@router.get("", summary="List the jobs", responses=gives({"total": 1, "items": [JOB["job"]]}))
async def list_jobs(
    request: Request,
    desk: AtDesk,
    kind: Annotated[str | None, Query(max_length=30)] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """The newest first."""

    def page() -> dict[str, Any]:
        found = [job.to_dict() for job in desk.jobs.store.newest(limit, offset, kind)]
        return page_of(found, limit, offset, desk.jobs.store.count(kind))

    return await sent_document(request, await run_in_threadpool(page))


@router.get("/{job}", summary="Look at a job", responses=gives(JOB))
async def look(request: Request, desk: AtDesk, job: str) -> Response:
    """Where it stands; `problem` tells why it has no answer."""
    found = await run_in_threadpool(desk.jobs.find, job)
    return await sent_document(request, {"job": found.to_dict()})


@router.get("/{job}/answer", summary="Get a job's answer", responses=answers({"nettwin": "0.1.0"}))
async def answer(request: Request, desk: AtDesk, job: str) -> Response:
    """The answer as it would have been given at once; its problem; or 202 while it is under way."""
    found = await run_in_threadpool(desk.jobs.find, job)
    return await told(request, desk, found)


@router.get(
    "/{job}/events",
    summary="Follow a job",
    response_class=StreamingResponse,
    responses=other(
        200,
        "Server-sent events: `job` whenever it moves on, the last one ended",
        *(401, 403, 404, 421, 422, 429),
        text_event_stream=TEXT,
    ),
)
async def events(desk: AtDesk, job: str) -> Response:
    """Progress as it comes, until the job has ended."""
    await run_in_threadpool(desk.jobs.find, job)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_events(desk, job), media_type=STREAM, headers=headers)


@router.delete("/{job}", summary="Cancel a job", responses=gives(JOB))
async def cancel(request: Request, desk: AtDesk, person: By, job: str) -> Response:
    """A search that is cancelled gives the best plan so far. Those who asked may, and operators."""
    found = await run_in_threadpool(desk.jobs.find, job)
    if found.person != person.name:
        need(person, "operator", "cancel a job of somebody else")
    found = await run_in_threadpool(desk.jobs.cancel, job)
    return await sent_document(request, {"job": found.to_dict()})


async def _events(desk: Desk, id: str) -> AsyncIterator[str]:
    following = desk.jobs.follow(id)
    number = 0
    try:
        while True:
            upcoming = asyncio.ensure_future(anext(following))
            while not (await asyncio.wait({upcoming}, timeout=BEAT_S))[0]:
                yield ": still there\n\n"
            try:
                job = upcoming.result()
            except StopAsyncIteration:
                return
            number += 1
            data = json.dumps(json.loads(documents.dumps(job.to_dict())))
            yield f"id: {number}\nevent: job\ndata: {data}\n\n"
    finally:
        await following.aclose()  # type: ignore[attr-defined]
