"""Capacity: when links and intents run out, and the cheapest upgrades, as jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.capacity.history import with_measured_growth
from nettwin.apps.capacity.reader import case_from
from nettwin.apps.capacity.runout import HORIZON_YEARS, run_outs
from nettwin.apps.capacity.upgrade import upgrade as cheapest
from nettwin.apps.history.past import past_of_repository
from nettwin.formats.native.document import Document
from nettwin.interfaces import documents
from nettwin.interfaces.documents import capacity as told
from nettwin.interfaces.operating import corrected
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.references import Found
from nettwin.interfaces.server.work import asked
from nettwin.interfaces.server.work.intents import intent_of
from nettwin.workspace.workspace import Workspace

GIVEN = Path("the case")  # what errors call it
SECONDS = 60.0


def runout(work: Work) -> dict[str, Any]:
    """As `nettwin capacity runout --json`, of a case that is given as text."""
    of, model = asked.network(work), asked.engine(work)
    case = _case(work, of)
    years = float(work.arguments.get("years", HORIZON_YEARS))
    wanted = intent_of(work, required=False)
    tell = asked.telling(work)
    found = run_outs(of.scenario, case, wanted, model, horizon_years=years, progress=tell)
    content = {"network": asked.about(of), **asked.notes(of, [model]), **told.run_outs(found)}
    return documents.headed("capacity runout", content)


def upgrade(work: Work) -> dict[str, Any]:
    """As `nettwin capacity upgrade --json`."""
    of, model = asked.network(work), asked.engine(work)
    case = _case(work, of)
    seconds = float(work.arguments.get("seconds", SECONDS))
    wanted = intent_of(work, required=False)
    tell = asked.telling(work)
    found = cheapest(of.scenario, case, wanted, model, seconds=seconds, progress=tell)
    content = {"network": asked.about(of), **asked.notes(of, [model]), **told.upgrade(found)}
    return documents.headed("capacity upgrade", content)


def _case(work: Work, of: Found) -> CapacityCase:
    """The case that is given; growth that is to be measured is that of the workspace's history."""
    case = case_from(Document(GIVEN, str(work.arguments["case"])), of.scenario)
    if not any(group.measured for group in case.groups):
        return case
    place = Workspace(work.folder)
    past = past_of_repository(place.repository, corrected=corrected(place))
    return with_measured_growth(case, past)
