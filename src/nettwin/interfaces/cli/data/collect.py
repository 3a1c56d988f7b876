"""nettwin data collect: telemetry of a source into the history of a workspace."""

from __future__ import annotations

import time

from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import (
    FolderOption,
    SinceOption,
    SourceFileArg,
    UntilOption,
    group,
    moment_of,
)
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import telemetry as tables

HOUR_S = 3600.0


@command(
    "nettwin data collect prometheus.yaml --workspace twin",
    "nettwin data collect prometheus.yaml --workspace twin --since 7d",
    group=group,
)
def collect(
    source: SourceFileArg,
    workspace: w.WorkspaceOption = w.HERE,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    top: o.TopOption = 20,
    json: o.JsonOption = False,
) -> None:
    """Read telemetry of a source into the history of a workspace, and show what it tells."""
    from nettwin.apps.collection import collect as collected
    from nettwin.telemetry.source import ALWAYS_S
    from nettwin.telemetry.source_file import opened, read_source_file

    output = Output("data collect", json)
    file = read_source_file(source)
    place = w.opened(workspace)
    now_s = time.time()
    begin_s, end_s = moment_of(since, ALWAYS_S[0]), moment_of(until, ALWAYS_S[1])
    told: list[str] = []
    with opened(file, told, folder) as opening, place.writing("nettwin data collect"):
        if opening.live:
            times = place.repository.times_s()
            usual_s = float(times[-1]) if len(times) else now_s - HOUR_S
            begin_s, end_s = moment_of(since, min(usual_s, now_s)), moment_of(until, now_s)
        done = collected(opening, file, place.plan, place.repository, begin_s, end_s)
    loads = done.loads
    output.document(
        {
            "source": str(source),
            "intervals": done.intervals,
            "interval_s": loads.interval_s,
            "rows": done.rows,
            "from": w.moment(float(loads.time_s[0])),
            "until": w.moment(float(loads.time_s[-1])),
            "ignored": told,
            **tables.findings_document(loads.findings),
        }
    )
    output.note("Ignored", told)
    output.show(tables.findings(loads.findings, top))
    words = (
        f"{done.intervals} intervals of {loads.interval_s:g} s, until"
        f" {w.moment(float(loads.time_s[-1]))}: {done.rows:,} rows"
    )
    output.show(Text(words, "bold"))
