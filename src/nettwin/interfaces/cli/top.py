"""nettwin top: a live network on a terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from nettwin.errors import MissingExtraError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.program import command

PACE = typer.Option("--every", metavar="SECONDS", min=0.2, help="How often to look.")


@command(
    "nettwin top --workspace twin",
    "nettwin top --server http://127.0.0.1:8080 --token $ADA",
)
def top(
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: o.ServerTokenOption = None,
    every: Annotated[float, PACE] = 2.0,
) -> None:
    """Show links, flows, events and the loop of a live network on the terminal, the worst first."""
    try:
        from nettwin.interfaces.top import Top, at_server, at_workspace
    except ImportError as error:
        raise MissingExtraError(f"nettwin top ({error.name} is missing)", "top") from None
    if server is None:
        place = w.opened(workspace)
        Top(at_workspace(place), place.settings.name, every).run()
        return
    from nettwin.interfaces.cli.remote import client_of

    with client_of(server, token) as client:
        Top(at_server(client), server, every).run()
