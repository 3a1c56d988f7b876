"""Troubleshooting: the causes of what was measured lately, as a job."""

from __future__ import annotations

from typing import Any

from nettwin.apps.troubleshooting import advice, diagnose, incident_of
from nettwin.interfaces import documents
from nettwin.interfaces.documents.troubleshooting import troubleshooting
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.work import asked
from nettwin.workspace.workspace import Workspace

BEFORE, DURING = 12, 2


def troubleshoot(work: Work) -> dict[str, Any]:
    """As `nettwin troubleshoot --json`, of the history of the workspace: an incident that ended at
    `at_s` (the newest observation, if None) and lasted `during` intervals, after `before`."""
    place = Workspace(work.folder)
    given = work.arguments
    at_s = None if given.get("at_s") is None else float(given["at_s"])
    before, during = int(given.get("before", BEFORE)), int(given.get("during", DURING))
    incident = incident_of(place.repository, at_s, before, during)
    model = asked.engine(work)
    found = diagnose(incident, model)
    repair = advice.repair_plan(found, model)
    content = {"incident": place.settings.name, **troubleshooting(found, repair)}
    return documents.headed("troubleshoot", content)
