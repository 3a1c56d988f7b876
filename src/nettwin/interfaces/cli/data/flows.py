"""nettwin data flows: the largest flows of an interval of the history."""

from __future__ import annotations

from typing import Annotated

from rich.text import Text

from nettwin import units
from nettwin.errors import InputError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import group
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import flows as tables

AT = o.given(metavar="TIME", help="As of which time (UTC). Default: the last.")
FLOW = o.given(
    metavar="FLOW",
    help="One flow alone, such as '10.1.0.1 10.2.0.9 tcp 1024 443'; a small one at most so large.",
)


@command(
    "nettwin data flows --workspace twin",
    "nettwin data flows --workspace twin --at 2026-01-05T12:10 --top 100 --json",
    group=group,
)
def flows(
    workspace: w.WorkspaceOption = w.HERE,
    at: Annotated[str | None, AT] = None,
    flow: Annotated[str | None, FLOW] = None,
    top: o.TopOption = 20,
    json: o.JsonOption = False,
) -> None:
    """Show the largest flows of an interval, as flow records told them; they are exact, of all
    others together the octets are known."""
    output = Output("data flows", json)
    repository = w.opened(workspace).repository
    times = repository.talked_s()
    if not len(times):
        raise InputError("no flow records were collected yet: nettwin data collect SOURCE.")
    if at is not None:
        times = times[times <= w.time_of(at)]
        if not len(times):
            raise InputError(f"no flows were kept by {at}. Give a later time.")
    found = repository.talkers(float(times[-1]))
    moment = w.moment(float(times[-1]))
    document = tables.talkers_document(moment, found, top)
    if flow is not None:
        octets = int(found.octets_of([flow])[0])
        exact = flow in found.key
        document["flow"] = {"flow": flow, "octets": octets, "exact": exact}
        words = f"{flow}: {'' if exact else 'at most '}{units.count(octets)} octets"
        output.show(Text(words, "bold"))
    output.document(document)
    if flow is None:
        output.show(tables.talkers(moment, found, top))
        words = (
            f"{units.count(found.records)} flow records; all other flows together"
            f" {units.count(found.rest)} octets, each told by at most"
            f" {units.percent(found.stated_error, 2)} of these too large"
        )
        output.show(Text(words))
