"""Networks: uploads in any format, the live network and the plan; out as files."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.interfaces.server.asking import (
    API,
    AtDesk,
    By,
    answer,
    asked,
    need,
    page_of,
    submitted,
    told,
    wait_s,
)
from nettwin.interfaces.server.problems import ProblemError
from nettwin.interfaces.server.replies import sent_document
from nettwin.interfaces.server.routes.about import TEXT, answers, gives, other

router = APIRouter(prefix=f"{API}/networks", tags=["networks"])
ABOUT = {
    "id": "n0123456789ab",
    "name": "abilene",
    "file": "abilene.xml",
    "format": "sndlib-xml",
    "assumptions": ["packet size: 8000 bit, nowhere said"],
    "ignored": [],
    "nodes": 12,
    "links": 30,
    "flows": 132,
    "fingerprint": "5f2a",
    "recorded": False,
}
DESCRIBED = {
    "nettwin": "0.1.0",
    "command": "network",
    "network": {"name": "abilene", "nodes": 2, "links": 1, "flows": 1, "fingerprint": "5f2a"},
    "nodes": [{"node": "A", "latitude_deg": None, "longitude_deg": None, "up": True}],
    "links": [{"link": "A->B", "source": "A", "target": "B", "capacity_bps": 1e10, "up": True}],
}
Limit = Annotated[int, Query(ge=1, le=1000, description="rows")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="rows before the first")]


@router.get("", summary="List the networks", responses=gives({"total": 1, "items": [ABOUT]}))
async def list_networks(
    request: Request, desk: AtDesk, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """The uploads, the newest first; `live` and `plan` are always there beside them."""

    def page() -> dict[str, Any]:
        ids = desk.networks.ids()[::-1]
        shown = [desk.networks.about(id) for id in ids[offset : offset + limit]]
        return page_of(shown, limit, offset, len(ids))

    return await sent_document(request, await run_in_threadpool(page))


@router.post(
    "",
    summary="Upload a network",
    status_code=201,
    responses=answers(ABOUT, 201),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "example": "nettwin: 1\nnodes: [A, B]\nlinks: [{from: A, to: B}]\n",
                }
            },
        }
    },
)
async def upload(
    request: Request,
    desk: AtDesk,
    person: By,
    file: Annotated[str, Query(max_length=200, description="its name, with suffix")] = "network",
    name: Annotated[str, Query(max_length=200, description="what to call it")] = "",
    format: Annotated[str | None, Query(max_length=50, description="unless detected")] = None,
    index: Annotated[int, Query(ge=0, le=10**6, description="of several in it")] = 0,
) -> Response:
    """A file in any known format, as the body; several files of one network as a zip."""
    content = await request.body()
    if not content:
        raise ProblemError(422, "input", "the body is empty", "Send the network's file.")
    id = await run_in_threadpool(desk.networks.add, file, content)
    arguments = {
        "upload": id,
        "format": format,
        "index": index,
        "name": name,
        "person": person.name,
        "limits": asdict(desk.limits),
    }
    try:
        job = await submitted(desk, person, "read", arguments)
        job = await desk.jobs.ended(job.id, wait_s(request, desk))
        found = await told(request, desk, job, 201)
    except ProblemError:
        await run_in_threadpool(desk.networks.remove, id)
        raise
    if job.state == "done":
        found.headers["location"] = f"{API}/networks/{id}"
    return found


@router.get("/{network}", summary="Look at a network", responses=answers(DESCRIBED))
async def network(request: Request, desk: AtDesk, person: By, network: str) -> Response:
    """Its nodes and links with the load that is offered; no engine is asked."""
    return await asked(request, desk, person, "describe", {"network": network})


@router.get(
    "/{network}/file",
    summary="Get a network as a file",
    response_class=Response,
    responses=other(
        200, "The file", 401, 403, 404, 409, 421, 422, 429, 503, application_octet_stream=TEXT
    ),
)
async def file(
    request: Request,
    desk: AtDesk,
    person: By,
    network: str,
    format: Annotated[
        str, Query(max_length=50, description="native, or ietf-network for RFC 8345")
    ] = "native",
) -> Response:
    """In any format that can be written."""
    job = await submitted(desk, person, "write", {"network": network, "format": format})
    job = await desk.jobs.ended(job.id, wait_s(request, desk))
    if job.state != "done":
        return await told(request, desk, job)
    found = json.loads((await answer(desk, job)).body)
    text = found.get("text")
    body = base64.b64decode(found["base64"]) if text is None else text.encode()
    headers = {"content-disposition": f'attachment; filename="{found["file"]}"'}
    return Response(body, 200, headers, media_type="application/octet-stream")


@router.delete(
    "/{network}",
    summary="Remove an upload",
    status_code=204,
    responses=other(204, "It is gone", 401, 403, 404, 421, 422, 429),
)
async def remove(desk: AtDesk, person: By, network: str) -> Response:
    """Answers about it are kept as long as their jobs are. Those who uploaded it may, and
    operators."""
    about = await run_in_threadpool(desk.networks.about, network)
    if about.get("person") != person.name:
        need(person, "operator", "remove a network of somebody else")
    await run_in_threadpool(desk.networks.remove, network)
    return Response(None, 204)
