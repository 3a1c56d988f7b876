"""nettwin people: who works with a workspace."""

from __future__ import annotations

from typing import Annotated

from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command, subcommands
from nettwin.interfaces.tables import style

group = subcommands(
    "people",
    "People of a workspace: add them with roles, and list them.",
    "nettwin people add ada --role approver --workspace twin",
    "nettwin people list --workspace twin",
)


ROLE = o.given(metavar="ROLE", help="viewer, operator or approver.")


@command("nettwin people add ada --role operator --role approver --workspace twin", group=group)
def add(
    name: Annotated[str, o.argument(metavar="NAME", help="Their name.")],
    role: Annotated[list[str], ROLE],
    workspace: w.WorkspaceOption = w.HERE,
    json: o.JsonOption = False,
) -> None:
    """Add a person and show their token, once: nettwin.toml keeps its hash."""
    output = Output("people add", json)
    place = w.opened(workspace)
    token = place.add_person(name, tuple(role))
    output.document({"name": name, "roles": role, "token": token})
    output.show(Text(f"{name}'s token, which is kept nowhere: {token}"))


@command("nettwin people list --workspace twin", group=group, name="list")
def list_people(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """List the people and their roles."""
    output = Output("people list", json)
    people = w.opened(workspace).settings.people
    output.document({"people": [{"name": p.name, "roles": list(p.roles)} for p in people]})
    rows = [(p.name, ", ".join(p.roles)) for p in people]
    output.show(style.table("People", "<name", "<roles", rows=rows))
