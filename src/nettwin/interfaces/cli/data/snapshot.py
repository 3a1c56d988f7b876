"""nettwin data snapshot: the network of a workspace as it was at a time, as a network file."""

from __future__ import annotations

import math
from typing import Annotated

from rich.text import Text

from nettwin import units
from nettwin.formats import write
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import group
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command

AT = o.given(metavar="TIME", help="As of which time (UTC). Default: the last.")


@command(
    "nettwin data snapshot --workspace twin -o now.yaml",
    "nettwin data snapshot --workspace twin --at 2026-01-05T12:10 -o then.yaml",
    group=group,
)
def snapshot(
    workspace: w.WorkspaceOption = w.HERE,
    at: Annotated[str | None, AT] = None,
    *,
    out: o.TargetOption,
    json: o.JsonOption = False,
) -> None:
    """Write the network as it was at a time, with what its flows offered: measured, or estimated
    from what links carried. Every command takes the file."""
    from nettwin.apps.snapshot import snapshot as taken

    output = Output("data snapshot", json)
    place = w.opened(workspace)
    found = taken(place.repository, math.inf if at is None else w.time_of(at))
    write(found.scenario, out)
    output.wrote(out)
    estimated = found.estimate is not None
    notes = [*found.estimate.assumptions, *found.estimate.findings] if found.estimate else []
    output.note("Note", notes)
    output.document(
        {
            "at": w.moment(found.time_s),
            "written": str(out),
            "demands": "estimated" if estimated else "measured",
            "notes": notes,
            "network": documents.network(found.scenario, source=str(workspace), format="native"),
        }
    )
    traffic = found.scenario.traffic
    words = (
        f"{w.moment(found.time_s)}: {units.count(traffic.flow_count)} flows of"
        f" {units.rate(float(traffic.flow_rate_bps.sum()))},"
        f" {'estimated from what links carried' if estimated else 'measured'}"
    )
    output.show(Text(words, "bold"))
