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


@command(
    "nettwin status --workspace twin",
    "nettwin status --workspace twin --json",
    "nettwin status --server http://127.0.0.1:8080",
)
def status(
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: o.ServerTokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Show where the loop of a workspace stands, and what its network is like now."""
    from nettwin.change_plan import judgement_of

    output = Output("status", json)
    if server is not None:
        from nettwin.interfaces.cli.remote import client_of

        with client_of(server, token) as client:
            facts = client.status()
    else:
        facts = operating.status_document(w.opened(workspace))
    output.document({k: v for k, v in facts.items() if k not in ("nettwin", "command")})
    output.show(tables.status(facts))
    if "measured" in facts:
        output.show(tables.judged(judgement_of(facts["measured"])))
    output.note("Damaged", facts["issues"], "red")
    output.show(Text(counted(facts["applied"], facts["kept"], facts["rolled_back"]), "bold"))
