"""nettwin status: where the loop of a workspace stands."""

from __future__ import annotations

from rich.text import Text

from nettwin.interfaces import operating
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.loop import counted
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import workspace as tables


@command("nettwin status --workspace twin", "nettwin status --workspace twin --json")
def status(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """Show where the loop of a workspace stands, and what its network is like now."""
    from nettwin.apps.loop import checks

    output = Output("status", json)
    place = w.opened(workspace)
    facts = operating.status_document(place)
    output.document(facts)
    output.show(tables.status(facts))
    if "measured" in facts:
        seen = place.repository.observation(facts["last_s"])
        output.show(tables.judged(checks.measured(place.intent, seen)))
    output.note("Damaged", facts["issues"], "red")
    output.show(Text(counted(facts["applied"], facts["kept"], facts["rolled_back"]), "bold"))
