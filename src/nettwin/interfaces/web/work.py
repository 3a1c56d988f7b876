"""Work: what pages ask, as jobs of the server; the answer is waited for without holding anybody
up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from nettwin.apps.sessions import Session
from nettwin.apps.whatif import WhatIf
from nettwin.errors import NettwinError
from nettwin.interfaces.server.jobs.job import Job
from nettwin.interfaces.server.work.metrics import from_document
from nettwin.interfaces.web.place import Place
from nettwin.scenario.changes import apply_all, change_to_dict
from nettwin.workspace.people import Person

Value = TypeVar("Value")
LOOK_S = 0.05


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """An answer, or why there is none."""

    value: Value | None
    error: str = ""
    engine: str = ""


async def ask(
    place: Place,
    person: Person,
    kind: str,
    arguments: Mapping[str, Any],
    tell: Callable[[Job], None] = lambda job: None,
) -> Answer[dict[str, Any]]:
    """The document that answers a question; `tell` hears of its progress."""
    jobs = place.desk.jobs
    try:
        job = jobs.submit(kind, arguments, person.name)
    except NettwinError as error:
        return Answer(None, str(error))
    told = None
    while not job.ended:
        await asyncio.sleep(LOOK_S)
        job = jobs.find(job.id)
        if told != (job.state, job.progress, job.told):
            told = (job.state, job.progress, job.told)
            tell(job)
    if job.state != "done":
        problem = job.problem or {}
        words = " ".join(filter(None, (problem.get("detail"), problem.get("remedy"))))
        return Answer(None, words or f"the job was {job.state}")
    text = await asyncio.to_thread(jobs.store.path(job.id).read_text, "utf-8")
    return Answer(await asyncio.to_thread(json.loads, text))


async def ask_whatif(place: Place, person: Person, session: Session) -> Answer[WhatIf]:
    """What a session's changes do, by the engine of the workspace."""
    arguments = {
        "session": session.id,
        "engine": place.desk.workspace.settings.loop.engine,
        "changes": [change_to_dict(change) for change in session.changes],
    }
    found = await ask(place, person, "session", arguments)
    if found.value is None:
        return Answer(None, found.error)
    document = found.value
    network = await asyncio.to_thread(place.corrected, session.network)
    answer = WhatIf(
        session.changes,
        network,
        await asyncio.to_thread(apply_all, network, session.changes),
        from_document(document["before"]),
        from_document(document["after"]),
    )
    return Answer(answer, engine=str(document["engine"]))
