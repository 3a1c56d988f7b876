"""Incidents: causes of what was measured, and what is odd over time, of the workspace's history."""

from __future__ import annotations

from typing import Any

from nettwin.apps.anomalies import watch as watched_time
from nettwin.apps.anomalies import watched_of
from nettwin.apps.history import past_of_repository
from nettwin.apps.troubleshooting import diagnose, incident_of
from nettwin.apps.troubleshooting.advice import repair_plan
from nettwin.interfaces import documents
from nettwin.interfaces.documents.anomalies import incidents
from nettwin.interfaces.documents.troubleshooting import troubleshooting
from nettwin.interfaces.operating import corrected
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.work import asked
from nettwin.workspace.workspace import Workspace


def troubleshoot(work: Work) -> dict[str, Any]:
    """As `nettwin troubleshoot --json` of the workspace."""
    given, model = work.arguments, asked.engine(work)
    repository = Workspace(work.folder).repository
    incident = incident_of(
        repository, given.get("at_s"), int(given["before"]), int(given["during"])
    )
    work.tell(None, {})
    found = diagnose(incident, model)
    return documents.headed("troubleshoot", troubleshooting(found, repair_plan(found, model)))


def watch(work: Work) -> dict[str, Any]:
    """As `nettwin watch --json` of the workspace."""
    given, model = work.arguments, asked.engine(work)
    place = Workspace(work.folder)
    past = past_of_repository(
        place.repository, given.get("since_s"), given.get("until_s"), corrected=corrected(place)
    )
    known = watched_of(past, model, lambda share: work.tell(share, {}))
    usual = given.get("usual") or len(known.times_s) // 3
    found = watched_time(known, int(usual), false_a_day=float(given["false_alarms"]))
    return documents.headed("watch", {"engine": model.name, **incidents(found)})
