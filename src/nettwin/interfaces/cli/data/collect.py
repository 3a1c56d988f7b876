"""nettwin data collect: telemetry of a source into the history of a workspace."""

from __future__ import annotations

from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import (
    FolderOption,
    SinceOption,
    SourceFileArg,
    UntilOption,
    group,
    span_of,
)
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import telemetry as tables


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
    from nettwin.telemetry.source_file import opened, read_source_file

    output = Output("data collect", json)
    file = read_source_file(source)
    place = w.opened(workspace)
    told: list[str] = []
    with opened(file, told, folder) as opening, place.writing("nettwin data collect"):
        times = place.repository.times_s()
        span = span_of(opening, since, until, float(times[-1]) if len(times) else None)
        done = collected(opening, file, place.plan, place.repository, *span)
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
