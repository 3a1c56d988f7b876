"""nettwin data links: what the links of a workspace's network carried."""

from __future__ import annotations

from typing import Annotated

from nettwin.apps.snapshot import whole_until
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import group
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import telemetry as tables

AT = o.given(metavar="TIME", help="As of which time (UTC). Default: the last.")


@command(
    "nettwin data links --workspace twin",
    "nettwin data links --workspace twin --at 2026-01-05T12:10 --plot map.svg",
    group=group,
)
def links(
    workspace: w.WorkspaceOption = w.HERE,
    at: Annotated[str | None, AT] = None,
    plot: o.PlotOption = None,
    top: o.TopOption = 40,
    json: o.JsonOption = False,
) -> None:
    """Show what each link carried as of a time, the busiest first."""
    output = Output("data links", json)
    if plot:
        from nettwin.interfaces.plots import check_drawable

        check_drawable(plot)
    place = w.opened(workspace)
    if at is None:
        time_s = float(whole_until(place.repository)[-1])
    else:
        time_s = w.time_of(at)
    seen = place.repository.observation(time_s)
    output.document(tables.links_document(seen, w.moment))
    output.show(tables.links(seen, top, w.moment))
    if plot:
        from nettwin.interfaces.plots import weathermap

        title = f"{seen.scenario.name}: measured at {w.moment(seen.time_s)}"
        weathermap(seen.scenario, seen.metrics, plot, title=title)
        output.wrote(plot)
