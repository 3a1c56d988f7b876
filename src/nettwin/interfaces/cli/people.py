"""nettwin people: who works with a workspace."""

from __future__ import annotations

import math
import time
from typing import Annotated, Any

import typer
from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command, subcommands
from nettwin.interfaces.tables import style
from nettwin.workspace import people

group = subcommands(
    "people",
    "People of a workspace: add them with roles, renew or revoke their tokens, and list them.",
    "nettwin people add ada --role approver --workspace twin",
    "nettwin people list --workspace twin",
)


ROLE = o.given(metavar="ROLE", help="viewer, operator or approver.")
DAYS = typer.Option("--days", metavar="DAYS", min=0, help="How long the token holds.")


@command("nettwin people add ada --role operator --role approver --workspace twin", group=group)
def add(
    name: Annotated[str, o.argument(metavar="NAME", help="Their name.")],
    role: Annotated[list[str], ROLE],
    days: Annotated[float, DAYS] = people.DAYS,
    workspace: w.WorkspaceOption = w.HERE,
    json: o.JsonOption = False,
) -> None:
    """Add a person and show their token, once: nettwin.toml keeps its hash."""
    output = Output("people add", json)
    place = w.opened(workspace)
    token = place.add_person(name, tuple(role), days)
    output.document({"name": name, "roles": role, "token": token})
    output.show(Text(f"{name}'s token, which is kept nowhere: {token}"))


NameArg = Annotated[str, o.argument(metavar="NAME", help="Their name.")]


@command("nettwin people renew ada --workspace twin", group=group)
def renew(
    name: NameArg,
    days: Annotated[float, DAYS] = people.DAYS,
    workspace: w.WorkspaceOption = w.HERE,
    json: o.JsonOption = False,
) -> None:
    """Show a new token of a person, once; the one they had holds no longer."""
    output = Output("people renew", json)
    token = w.opened(workspace).renew_token(name, days)
    output.document({"name": name, "token": token})
    output.show(Text(f"{name}'s token, which is kept nowhere: {token}"))


@command("nettwin people revoke ada --workspace twin", group=group)
def revoke(
    name: NameArg, workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False
) -> None:
    """Have a person's token hold no longer, at once."""
    output = Output("people revoke", json)
    w.opened(workspace).revoke_token(name)
    output.document({"name": name})
    output.show(Text(f"{name} has no token any more"))


@command("nettwin people list --workspace twin", group=group, name="list")
def list_people(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """List the people and their roles."""
    output = Output("people list", json)
    found = w.opened(workspace).settings.people
    output.document({"people": [_told(person) for person in found]})
    rows = [(p.name, ", ".join(p.roles), _token(p)) for p in found]
    output.show(style.table("People", "<name", "<roles", "<token", rows=rows))


def _told(person: people.Person) -> dict[str, Any]:
    until = person.expires_s
    return {
        "name": person.name,
        "roles": list(person.roles),
        "holds": person.holds(time.time()),
        "expires_s": until if math.isfinite(until) else None,
    }


def _token(person: people.Person) -> str:
    if not person.holds(time.time()):
        return "none that holds"
    if math.isinf(person.expires_s):
        return "holds"
    return f"until {w.moment(person.expires_s)}"
