"""nettwin data links: what the links of a workspace's network carried."""

from __future__ import annotations

from typing import Annotated

from nettwin.errors import InputError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import group
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import telemetry as tables

AT = o.given(metavar="TIME", help="As of which time (UTC). Default: the last.")


@command(
    "nettwin data links --workspace twin",
    "nettwin data links --workspace twin --at 2026-01-05T12:10",
    group=group,
)
def links(
    workspace: w.WorkspaceOption = w.HERE,
    at: Annotated[str | None, AT] = None,
    top: o.TopOption = 40,
    json: o.JsonOption = False,
) -> None:
    """Show what each link carried as of a time, the busiest first."""
    output = Output("data links", json)
    place = w.opened(workspace)
    if at is None:
        times = place.repository.times_s()
        if not len(times):
            raise InputError("nothing was measured yet: nettwin data collect SOURCE reads some.")
        time_s = float(times[-1])
    else:
        time_s = w.time_of(at)
    seen = place.repository.observation(time_s)
    output.document(tables.links_document(seen, w.moment))
    output.show(tables.links(seen, top, w.moment))
