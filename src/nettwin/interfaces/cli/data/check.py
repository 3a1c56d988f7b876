"""nettwin data check: what is wrong with the telemetry of a source, and what is done about it."""

from __future__ import annotations

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
from nettwin.interfaces.tables import telemetry as tables


@command(
    "nettwin data check prometheus.yaml --network network.yaml",
    "nettwin data check prometheus.yaml --workspace twin --since 6h --json",
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
    top: o.TopOption = 40,
    json: o.JsonOption = False,
) -> None:
    """Show what is wrong with the telemetry of a source, the worst first, and what is done about
    it; nothing is kept."""
    from nettwin.apps.collection import read_loads
    from nettwin.telemetry.source_file import opened, read_source_file

    output = Output("data check", json)
    file = read_source_file(source)
    scenario = network_of(network, workspace)
    told: list[str] = []
    with opened(file, told, folder) as opening:
        about = opening.test()
        loads = read_loads(
            opening, file, scenario, *span_of(opening, since, until, lasting=lasting)
        )
    output.document(
        {
            "source": about,
            "intervals": len(loads.time_s),
            "interval_s": loads.interval_s,
            "from": w.moment(float(loads.time_s[0] - loads.interval_s)),
            "until": w.moment(float(loads.time_s[-1])),
            "links_known": int((loads.bps == loads.bps).any(axis=0).sum()),
            "links": scenario.topology.link_count,
            "ignored": told,
            **tables.findings_document(loads.findings),
        }
    )
    output.note("Source", [about])
    output.note("Ignored", told)
    output.show(
        tables.coverage(loads, w.moment),
        tables.kinds(loads.findings),
        tables.findings(loads.findings, top),
    )
    if not loads.findings.found:
        output.show(Text("Nothing is wrong.", "bold green"))
