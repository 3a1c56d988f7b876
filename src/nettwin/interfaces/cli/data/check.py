"""nettwin data check: what is wrong with the telemetry of a source, and what is done about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import (
    FolderOption,
    ForOption,
    NetworkOption,
    SinceOption,
    SourceFileArg,
    UntilOption,
    group,
    network_of,
    span_of,
)
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import flows as flow_tables
from nettwin.interfaces.tables import telemetry as tables

COUNTERS = o.given(
    metavar="FILE",
    help="What links carried, that flow records are compared with: CSV or Parquet, or the YAML file"
    " of a source. Default: the history of the workspace.",
)


@command(
    "nettwin data check prometheus.yaml --network network.yaml",
    "nettwin data check prometheus.yaml --workspace twin --since 6h --json",
    "nettwin data check flows.yaml --network network.yaml --counters counters.csv",
    group=group,
)
def check(
    source: SourceFileArg,
    network: NetworkOption = None,
    workspace: w.WorkspaceOption = w.HERE,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    lasting: ForOption = None,
    counters: Annotated[Path | None, COUNTERS] = None,
    top: o.TopOption = 40,
    json: o.JsonOption = False,
) -> None:
    """Show what is wrong with the telemetry of a source, the worst first, and what is done about
    it; flow records are reconciled with counters, link by link. Nothing is kept."""
    from nettwin.apps.collection import read_telemetry
    from nettwin.telemetry.flows.records import FlowSource
    from nettwin.telemetry.source_file import opened, read_source_file

    output = Output("data check", json)
    file = read_source_file(source)
    scenario = network_of(network, workspace)
    told: list[str] = []
    with opened(file, told, folder) as opening:
        about = opening.test()
        span = span_of(opening, since, until, lasting=lasting)
        if isinstance(opening, FlowSource):
            from nettwin.apps.flows import read_flows
            from nettwin.interfaces.cli.data.counters import counters_of

            counted = None if counters is None else counters_of(counters, scenario, span, folder)
            history = None if network or counted else w.opened(workspace).repository
            reading = read_flows(
                opening, file, scenario, *span, counters=counted, repository=history
            )
            findings = reading.findings
            document = flow_tables.reading_document(reading, w.moment)
            shown = flow_tables.reading(reading, scenario, top, w.moment)
        else:
            telemetry = read_telemetry(opening, file, scenario, *span)
            findings = telemetry.findings
            document = tables.telemetry_document(telemetry, scenario, w.moment)
            shown = tables.telemetry(telemetry, scenario, top, w.moment)
    output.document(
        {"source": about, **document, "ignored": told, **tables.findings_document(findings)}
    )
    output.note("Source", [about])
    output.note("Ignored", told)
    output.show(*shown, tables.kinds(findings), tables.findings(findings, top))
    if not findings.found:
        output.show(Text("Nothing is wrong.", "bold green"))
