"""nettwin data check: what is wrong with the telemetry of a source, and what is done about it."""

from __future__ import annotations

import time
from typing import Annotated

from rich.text import Text

from nettwin.errors import InputError
from nettwin.formats import read
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


NETWORK = o.given(
    "--network",
    metavar="FILE",
    help="The network, in any known format. Default: that of the workspace.",
)


@command(
    "nettwin data check prometheus.yaml --network network.yaml",
    "nettwin data check prometheus.yaml --workspace twin --since 6h --json",
    group=group,
)
def check(
    source: SourceFileArg,
    network: Annotated[str | None, NETWORK] = None,
    workspace: w.WorkspaceOption = w.HERE,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    top: o.TopOption = 40,
    json: o.JsonOption = False,
) -> None:
    """Show what is wrong with the telemetry of a source, the worst first, and what is done about
    it; nothing is kept."""
    from nettwin.apps.collection import read_loads
    from nettwin.telemetry.source import ALWAYS_S
    from nettwin.telemetry.source_file import opened, read_source_file

    output = Output("data check", json)
    file = read_source_file(source)
    scenario = read(network).scenario if network else w.opened(workspace).plan
    told: list[str] = []
    with opened(file, told, folder) as opening:
        about = opening.test()
        live = opening.live
        now_s = time.time()
        usual = (now_s - HOUR_S, now_s) if live else ALWAYS_S
        begin_s, end_s = moment_of(since, usual[0]), moment_of(until, usual[1])
        if begin_s >= end_s:
            raise InputError("--since must be before --until. Correct one of them.")
        loads = read_loads(opening, file, scenario, begin_s, end_s)
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
