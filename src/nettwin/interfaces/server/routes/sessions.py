"""Sessions: sandboxes of a network in which changes are tried; nothing else is touched."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.apps.sessions import Session
from nettwin.interfaces.server.asking import API, AtDesk, By, asked, need, page_of
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.references import found as network_of
from nettwin.interfaces.server.references import revision
from nettwin.interfaces.server.replies import sent_document
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import answers, gives, other
from nettwin.interfaces.server.routes.networks import Limit, Offset
from nettwin.interfaces.server.routes.questions import WHATIF
from nettwin.interfaces.server.work.asked import changes as changes_of
from nettwin.scenario.changes import change_to_dict
from nettwin.workspace.people import Person

router = APIRouter(prefix=f"{API}/sessions", tags=["sessions"])
Id = Annotated[str, Path(max_length=100)]
HERE = m.SessionBegin.model_validate({})
SESSION = {
    "id": "0a1b2c3d4e",
    "name": "what if Palo Alto fails",
    "owner": "ada",
    "base": "live@1767614400.0",
    "began_s": 1767614410.0,
    "network": "NSFNET",
    "revision": "9f86d081884c",
    "changes": [{"kind": "fail_node", "node": "Palo Alto", "words": "fail_node 'Palo Alto'"}],
    "undone": [],
    "steered": 0,
}


def session_to_dict(session: Session) -> dict[str, Any]:
    """A session without its network."""
    return {
        "id": session.id,
        "name": session.name,
        "owner": session.owner,
        "base": session.base,
        "began_s": session.began_s,
        "network": session.network.name,
        "revision": revision(session),
        "changes": [{**change_to_dict(c), "words": c.describe()} for c in session.changes],
        "undone": [{**change_to_dict(c), "words": c.describe()} for c in session.undone],
        "steered": len(session.steps),
    }


def _own(desk: Desk, person: Person, id: str, deed: str) -> Session:
    """A session that a person may change."""
    session = desk.sessions.get(id)
    if session.owner != person.name:
        need(person, "operator", f"{deed} a session of somebody else")
    return session


@router.get("", summary="List the sessions", responses=gives({"total": 1, "items": [SESSION]}))
async def list_sessions(
    request: Request, desk: AtDesk, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """The newest first."""

    def page() -> dict[str, Any]:
        return page_of([session_to_dict(one) for one in desk.sessions.all()], limit, offset)

    return await sent_document(request, await run_in_threadpool(page))


@router.post("", summary="Begin a session", status_code=201, responses=gives(SESSION, status=201))
async def begin(
    request: Request, desk: AtDesk, person: By, body: m.SessionBegin = HERE
) -> Response:
    """A copy of a network: as it is now, as it was at a time, or of an upload."""

    def made() -> Session:
        reference = desk.pinned(body.network)
        of = network_of(reference, desk.workspace.folder)
        return desk.sessions.begin(of.scenario, reference, person.name, body.name)

    session = await run_in_threadpool(made)
    place = {"location": f"{API}/sessions/{session.id}"}
    return await sent_document(request, session_to_dict(session), 201, place)


@router.get("/{session}", summary="Look at a session", responses=gives(SESSION))
async def look(request: Request, desk: AtDesk, session: Id) -> Response:
    """Its changes, and what it began with."""
    found = await run_in_threadpool(desk.sessions.get, session)
    return await sent_document(request, session_to_dict(found))


@router.post("/{session}/changes", summary="Make changes", responses=gives(SESSION))
async def change(
    request: Request, desk: AtDesk, person: By, session: Id, body: m.SessionChanges
) -> Response:
    """All of them, or none where one does not fit."""

    def made() -> Session:
        mine = _own(desk, person, session, "change")
        return desk.sessions.keep(mine.with_change(*changes_of(body.changes)))

    return await sent_document(request, session_to_dict(await run_in_threadpool(made)))


@router.delete("/{session}/changes/{place}", summary="Take a change out", responses=gives(SESSION))
async def take_out(
    request: Request,
    desk: AtDesk,
    person: By,
    session: Id,
    place: Annotated[int, Path(ge=0, le=10_000, description="its place, counted from 0")],
) -> Response:
    """Those after it stay, where they can do without it."""

    def made() -> Session:
        return desk.sessions.keep(_own(desk, person, session, "change").without(place))

    return await sent_document(request, session_to_dict(await run_in_threadpool(made)))


@router.post("/{session}/undo", summary="Take the last change back", responses=gives(SESSION))
async def undo(request: Request, desk: AtDesk, person: By, session: Id) -> Response:
    """`redo` makes it again."""

    def made() -> Session:
        return desk.sessions.keep(_own(desk, person, session, "change").without_last())

    return await sent_document(request, session_to_dict(await run_in_threadpool(made)))


@router.post("/{session}/redo", summary="Make a change again", responses=gives(SESSION))
async def redo(request: Request, desk: AtDesk, person: By, session: Id) -> Response:
    """The one that was taken back last."""

    def made() -> Session:
        return desk.sessions.keep(_own(desk, person, session, "change").again())

    return await sent_document(request, session_to_dict(await run_in_threadpool(made)))


@router.get("/{session}/comparison", summary="Compare a session", responses=answers(WHATIF))
async def compare(request: Request, desk: AtDesk, person: By, session: Id) -> Response:
    """With what it began with, as a what-if."""
    found = await run_in_threadpool(desk.sessions.get, session)
    arguments = {
        "network": f"session:{session}:base",
        "changes": [change_to_dict(change) for change in found.changes],
        "engine": desk.workspace.settings.loop.engine,
    }
    return await asked(request, desk, person, "whatif", arguments)


@router.delete(
    "/{session}",
    summary="Throw a session away",
    status_code=204,
    responses=other(204, "It is gone", 401, 403, 404, 421, 422, 429),
)
async def discard(desk: AtDesk, person: By, session: Id) -> Response:
    """Nothing else is touched."""

    def gone() -> None:
        _own(desk, person, session, "discard")
        desk.sessions.discard(session)

    await run_in_threadpool(gone)
    return Response(None, 204)
