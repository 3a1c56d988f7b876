"""Work for pages: metrics of a network before and after changes, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nettwin.apps.resilience.resilience import load_matrix, resilience
from nettwin.apps.sessions import Sessions
from nettwin.apps.whatif import what_if
from nettwin.interfaces import wiring
from nettwin.interfaces.operating import corrected
from nettwin.interfaces.plots.failing import rows_and_columns
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.work import asked
from nettwin.metrics import Metrics, Table
from nettwin.workspace.workspace import Workspace

TABLES = ("flow", "link", "queue")


def session_whatif(work: Work) -> dict[str, Any]:
    """Both sides of a session, by one engine, with the corrections of the workspace's twin."""
    workspace = Workspace(work.folder)
    session = Sessions(work.folder / "sessions").get(str(work.arguments["session"]))
    model = wiring.engine(str(work.arguments["engine"]))
    network = corrected(workspace)(session.network)
    answer = what_if(network, session.changes, model)
    return {
        "engine": answer.after.label,
        "before": to_document(answer.before),
        "after": to_document(answer.after),
    }


def failure_matrix(work: Work) -> dict[str, Any]:
    """The loads of the links that fare worst, with nothing failed and under the failures that hurt
    them."""
    scenario = asked.network(work).scenario
    found = resilience(scenario, None, ["link"])
    links, failures = rows_and_columns(found)
    return {
        "links": links,
        "failures": [failure.name for failure in failures],
        "load": load_matrix(found, links, failures).tolist(),
    }


def to_document(metrics: Metrics) -> dict[str, Any]:
    """Metrics as plain JSON types; NaN is null."""
    found: dict[str, Any] = {"method": metrics.method, "engine": metrics.engine}
    for name in TABLES:
        table: Table = getattr(metrics, name)
        found[name] = {
            side: {column: _plain(values) for column, values in getattr(table, side).items()}
            for side in ("columns", "low", "high")
        }
    found["flagged"] = None if metrics.flagged is None else metrics.flagged.tolist()
    found["confidence"] = metrics.confidence
    found["answered_by"], found["because"] = metrics.answered_by, list(metrics.because)
    return found


def from_document(document: Mapping[str, Any]) -> Metrics:
    """The inverse of `to_document`."""
    tables = {
        name: Table(
            *(
                {k: np.array(v, np.float64) for k, v in document[name][side].items()}
                for side in ("columns", "low", "high")
            )
        )
        for name in TABLES
    }
    flagged = document["flagged"]
    return Metrics(
        **tables,
        method=document["method"],
        engine=document["engine"],
        flagged=None if flagged is None else np.array(flagged, np.bool_),
        confidence=document["confidence"],
        provenance={"answered_by": document["answered_by"], "because": document["because"]},
    )


def _plain(values: np.ndarray[Any, Any]) -> list[float | None]:
    return [value if value == value else None for value in values.tolist()]
