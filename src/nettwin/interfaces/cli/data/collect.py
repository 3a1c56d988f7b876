"""nettwin data collect: telemetry of a source into the history of a workspace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import (
    FolderOption,
    ForOption,
    SinceOption,
    SourceFileArg,
    UntilOption,
    group,
    span_of,
)
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import flows as flow_tables
from nettwin.interfaces.tables import telemetry as tables
from nettwin.telemetry.polling import Polled
from nettwin.telemetry.source_file import SourceFile

if TYPE_CHECKING:
    from nettwin.apps.collection import Collected
    from nettwin.telemetry.flows.records import FlowSource
    from nettwin.workspace.workspace import Workspace

WHO = "nettwin data collect"


@command(
    "nettwin data collect prometheus.yaml --workspace twin",
    "nettwin data collect prometheus.yaml --workspace twin --since 7d",
    "nettwin data collect snmp.yaml --workspace twin --for 10m",
    group=group,
)
def collect(
    source: SourceFileArg,
    workspace: w.WorkspaceOption = w.HERE,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    lasting: ForOption = None,
    top: o.TopOption = 20,
    json: o.JsonOption = False,
) -> None:
    """Read telemetry of a source into the history of a workspace, and show what it tells."""
    from nettwin.apps.collection import collect as collected
    from nettwin.telemetry.flows.records import FlowSource
    from nettwin.telemetry.source_file import opened, read_source_file

    output = Output("data collect", json)
    file = read_source_file(source)
    place = w.opened(workspace)
    told: list[str] = []
    with opened(file, told, folder) as opening:
        if isinstance(opening, Polled):
            done = _polled(output, opening, file, place, told, since, until, lasting)
        elif isinstance(opening, FlowSource):
            with place.writing(WHO):
                span = span_of(opening, since, until, lasting=lasting)
                _flows(output, opening, file, place, span, told, top)
            return
        else:
            with place.writing(WHO):
                times = place.repository.times_s()
                last = float(times[-1]) if len(times) else None
                span = span_of(opening, since, until, last, lasting)
                done = collected(opening, file, place.network_now, place.repository, *span)
    if done is None:
        output.document({"source": str(source), "intervals": 0, "rows": 0, "ignored": told})
        output.note("Ignored", told)
        output.show(Text("The poll is kept. Two make an interval: collect again, or --for 5m."))
        return
    interval_s = done.told.parts[0].interval_s
    span_s = np.concatenate([part.time_s for part in done.told.parts])
    begin, end = w.moment(float(span_s.min())), w.moment(float(span_s.max()))
    findings = done.told.findings
    output.document(
        {
            "source": str(source),
            "intervals": done.intervals,
            "interval_s": interval_s,
            "rows": done.rows,
            "from": begin,
            "until": end,
            "ignored": told,
            **tables.findings_document(findings),
        }
    )
    output.note("Ignored", told)
    output.show(tables.findings(findings, top))
    words = f"{done.intervals} intervals of {interval_s:g} s, until {end}: {done.rows:,} rows"
    output.show(Text(words, "bold"))


def _polled(
    output: Output,
    opening: Polled,
    file: SourceFile,
    place: Workspace,
    told: list[str],
    since: str | None,
    until: str | None,
    lasting: str | None,
) -> Collected | None:
    """Poll a source; its intervals in all, with the findings of the last."""
    from nettwin.apps.polling import collect_polled

    once = None if lasting or until else "0s"
    _, end_s = span_of(opening, since, until, lasting=lasting or once)
    last: Collected | None = None
    rows = intervals = 0
    for done in collect_polled(
        opening, file, place.network_now, place.repository, end_s, lambda: place.writing(WHO), told
    ):
        if done is not None:
            last, rows, intervals = done, rows + done.rows, intervals + done.intervals
            output.say(f"{w.moment(float(done.told.parts[0].time_s[-1]))}: {done.rows} rows")
    return last and replace(last, rows=rows, intervals=intervals)


def _flows(
    output: Output,
    opening: FlowSource,
    file: SourceFile,
    place: Workspace,
    span: tuple[float, float],
    told: list[str],
    top: int,
) -> None:
    """Flow records into the history, reconciled with what it has of links."""
    from nettwin.apps.flows import collect_flows, read_flows

    plan, repository = place.plan, place.repository
    reading = read_flows(opening, file, plan, *span, repository=repository)
    done = collect_flows(reading, plan, repository)
    if done.strange:
        told.append(f"demands of {done.strange} pairs for which the network file has no flow")
    output.document(
        {
            "source": str(file.path),
            "flows": done.flows,
            "talkers": done.talkers,
            "ignored": told,
            **flow_tables.reading_document(reading, w.moment),
            **tables.findings_document(reading.findings),
        }
    )
    output.note("Ignored", told)
    output.show(*flow_tables.reading(reading, plan, top, w.moment))
    output.show(tables.findings(reading.findings, top))
    words = (
        f"{done.intervals} intervals of {reading.interval_s:g} s: rates of {done.flows} flows,"
        f" {done.talkers:,} of the largest records' flows"
    )
    output.show(Text(words, "bold"))
