"""Sources: one of telemetry tried: what it tells, and what is wrong with it; nothing is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nettwin.apps.collection import read_loads
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.outside import check_url, outside_only
from nettwin.interfaces.server.work import asked
from nettwin.interfaces.tables.telemetry import findings_document
from nettwin.telemetry.ports import Names
from nettwin.telemetry.source_file import SourceFile, opened

HOUR_S = 3600.0
GIVEN = Path("the source")


def check(work: Work) -> dict[str, Any]:
    """As `nettwin data check --json`, of a Prometheus server."""
    given = work.arguments
    inside = list(given.get("inside", ()))
    check_url(str(given["url"]), inside)
    file = SourceFile(
        GIVEN,
        "prometheus",
        {"url": str(given["url"])},
        Names(dict(given.get("devices", {})), dict(given.get("links", {}))),
    )
    of = asked.network(work)
    told: list[str] = []
    until = float(given["at_s"])
    with outside_only(inside), opened(file, told, work.folder) as opening:
        about = opening.test()
        begin = until - HOUR_S * float(given.get("hours", 1.0))
        loads = read_loads(opening, file, of.scenario, begin, until)
    return {
        "source": about,
        "intervals": len(loads.time_s),
        "interval_s": loads.interval_s,
        "links_known": int((loads.bps == loads.bps).any(axis=0).sum()),
        "links": of.scenario.topology.link_count,
        "ignored": told,
        **findings_document(loads.findings),
    }
