"""nettwin history: what was seen and done in a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nettwin.apps.topology.events import EVENT, event_of
from nettwin.errors import InputError
from nettwin.formats import write
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.commands import COMMANDS
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import subcommands
from nettwin.interfaces.tables import topology as tables_of_topology
from nettwin.interfaces.tables import workspace as tables

SERIES = o.given(
    metavar="NAME",
    help="The values of one series: flow/NAME/owd_mean_s, link/NAME/utilization, ...",
)
AT = o.given(
    metavar="TIME", help="Write the network as it was at a time (of the network, UTC) to -o FILE."
)
OUT = o.given("--output", "-o", metavar="FILE", help="Where to.")


group = subcommands(
    "history",
    COMMANDS["history"],
    "nettwin history --workspace twin",
    "nettwin history --workspace twin --series 'link/A->B/utilization'",
    "nettwin history --workspace twin --at 2026-01-05T12:10 -o then.yaml",
    "nettwin history predict --workspace twin --since 7d",
    alone=True,
)


@group.callback()
def history(
    context: typer.Context,
    workspace: w.WorkspaceOption = w.HERE,
    series: Annotated[str | None, SERIES] = None,
    at: Annotated[str | None, AT] = None,
    out: Annotated[Path | None, OUT] = None,
    top: o.TopOption = 40,
    json: o.JsonOption = False,
) -> None:
    """Show what was seen and done in a workspace, or the network as it was at a time."""
    if context.invoked_subcommand is not None:
        return
    output = Output("history", json)
    place = w.opened(workspace)
    output.note("Damaged", place.repository.store.damaged(), "red")
    if (at is None) != (out is None):
        raise InputError("--at and -o belong together: the network at a time goes to a file.")
    if at is not None and out is not None:
        then = place.repository.as_of(w.time_of(at))
        write(then, out)
        output.document({"at": at, "written": str(out)})
        output.wrote(out)
        return
    if series is not None:
        times, values = place.repository.series(series)
        if not len(times):
            raise InputError(
                f"there is no series {series!r}: must be such as link/A->B/utilization or"
                " flow/A->B/owd_mean_s. Name one of this network."
            )
        stamps = list(map(w.moment, times.tolist()))
        output.document({"series": series, "time": stamps, "value": values.tolist()})
        output.show(tables.series(series, stamps[-top:], values.tolist()[-top:]))
        return
    entries = list(place.audit.entries())
    happened = [(one.time_s, event_of(one)) for one in place.repository.records(EVENT)]
    output.document(
        {
            "entries": [
                {**vars(entry), "details": dict(entry.details), "hash": entry.digest}
                for entry in entries
            ],
            "events": [
                {"time_s": time_s, "time": w.moment(time_s), **vars(one)}
                for time_s, one in happened
            ],
        }
    )
    if happened:
        output.show(tables_of_topology.events(happened[-top:], w.moment, len(happened)))
    output.show(tables.entries(entries[-top:], w.moment, len(entries)))
