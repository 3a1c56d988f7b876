"""nettwin people: who works with a workspace."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import app
from nettwin.interfaces.tables import style

group = typer.Typer(
    help="People of a workspace: add them with roles, and list them.",
    epilog=o.examples(
        "nettwin people add ada --role approver --workspace twin",
        "nettwin people list --workspace twin",
    ),
    no_args_is_help=True,
)
app.add_typer(group, name="people")


@group.command(
    epilog=o.examples("nettwin people add ada --role operator --role approver --workspace twin")
)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Their name.", show_default=False)],
    role: Annotated[
        list[str],
        typer.Option(metavar="ROLE", help="viewer, operator or approver.", show_default=False),
    ],
    workspace: w.WorkspaceOption = w.HERE,
    json: o.JsonOption = False,
) -> None:
    """Add a person and show their token, once: nettwin.toml keeps its hash."""
    output = Output("people add", json)
    place = w.opened(workspace)
    token = place.add_person(name, tuple(role))
    output.document({"name": name, "roles": role, "token": token})
    output.show(Text(f"{name}'s token, which is kept nowhere: {token}"))


@group.command(name="list", epilog=o.examples("nettwin people list --workspace twin"))
def list_people(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """List the people and their roles."""
    output = Output("people list", json)
    people = w.opened(workspace).settings.people
    output.document({"people": [{"name": p.name, "roles": list(p.roles)} for p in people]})
    made = style.table("People", "<name", "<roles")
    output.show(style.rows(made, [(p.name, ", ".join(p.roles)) for p in people]))
