"""Plans: made of sessions, and judged again on the network as it was seen last."""

from __future__ import annotations

from typing import Any

from nettwin.apps.loop import by_hand
from nettwin.apps.sessions import Sessions
from nettwin.change_plan import plan_to_dict
from nettwin.interfaces import documents, operating, wiring
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.workspace.workspace import Workspace


def verify(work: Work) -> dict[str, Any]:
    """As `nettwin plan verify --json`."""
    place = Workspace(work.folder)
    settings = place.settings.loop
    model, verifier = operating.model_of(settings), operating.verifier_of(settings)
    id = str(work.arguments["plan"])
    found = by_hand.verify(place, id, model, verifier, operating.corrected(place))
    content = {"id": found.known.id, "plan": plan_to_dict(found.plan)}
    return documents.headed("plan verify", content)


def of_session(work: Work) -> dict[str, Any]:
    """The steered changes of a session as a plan for its network."""
    place = Workspace(work.folder)
    session = Sessions(work.folder / "sessions").get(str(work.arguments["session"]))
    model = None
    if place.intent.predicted:
        model = wiring.engine(str(work.arguments.get("engine", place.settings.loop.engine)))
    plan = session.plan(place.intent, model)
    return documents.headed("session plan", {"session": session.id, "plan": plan_to_dict(plan)})
