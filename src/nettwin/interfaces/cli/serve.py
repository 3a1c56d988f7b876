"""nettwin serve: a workspace over HTTP, for browsers and programs."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from nettwin.errors import InputError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.serve_demo import serve_demo

HOST = typer.Option("--host", metavar="ADDRESS", help="Where to listen; others reach it elsewhere.")
PORT = typer.Option("--port", min=0, max=65535, help="The port; 0 takes one that is free.")
NAME = o.given(
    "--name", metavar="NAME", help="A name by which others call the server. May be repeated."
)
CERTIFICATE = o.given("--certificate", metavar="FILE", help="The server's certificate, PEM.")
KEY = o.given("--key", metavar="FILE", help="The certificate's private key, PEM.")
WORKERS = typer.Option("--workers", min=2, help="Processes that do jobs.")

MCP_APPLY = typer.Option(
    "--mcp-apply", help="Let /mcp offer tools that apply plans; they need an approver's token."
)
INSIDE = o.given(
    "--inside",
    metavar="NETWORK",
    help="Inner addresses that sources of telemetry may have, such as 10.1.0.0/16. May be"
    " repeated.",
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LIVE = typer.Option(
    "--live/--no-live", help="Run the loop, or leave it to another process and only look."
)


DEMO = typer.Option(
    "--demo", help="Serve NSFNET, simulated, under the load of a day, in a folder that goes again."
)


@command(
    "nettwin serve --demo",
    "nettwin serve --workspace twin",
    "nettwin serve --workspace twin --host 0.0.0.0 --name twin.example.net --certificate cert.pem"
    " --key key.pem",
)
def serve(
    workspace: w.WorkspaceOption = w.HERE,
    host: Annotated[str, HOST] = "127.0.0.1",
    port: Annotated[int, PORT] = 8080,
    name: Annotated[list[str] | None, NAME] = None,
    certificate: Annotated[Path | None, CERTIFICATE] = None,
    key: Annotated[Path | None, KEY] = None,
    workers: Annotated[int, WORKERS] = 2,
    live: Annotated[bool, LIVE] = True,
    demo: Annotated[bool, DEMO] = False,
    mcp_apply: Annotated[bool, MCP_APPLY] = False,
    inside: Annotated[list[str] | None, INSIDE] = None,
) -> None:
    """Serve a workspace over HTTP: the API and the web pages, for people with tokens."""
    from nettwin.interfaces.server.desk import open_desk
    from nettwin.interfaces.server.limits import Limits
    from nettwin.interfaces.server.run import Serving, log_to
    from nettwin.interfaces.server.run import serve as run

    output = Output("serve")
    log_to("warning")
    serving = Serving(host, port, tuple(name or ()), certificate, key)
    serving.check()
    if demo:
        serve_demo(output, serving, workers)
        return
    limits = Limits(inside=networks_of(inside or ()))
    desk = open_desk(workspace, limits, workers=workers, live=live)
    if host not in LOOPBACK and certificate is None:
        output.say("Others can read what is sent, tokens too: give --certificate and --key.")
    if not desk.workspace.settings.people:
        output.say("Nobody may log in yet: nettwin people add NAME --role operator makes a token.")

    def told(address: str) -> None:
        output.show(Text(f"Serving at {address}"))

    run(desk, serving, mcp_apply=mcp_apply, told=told)


def networks_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Networks of addresses. Raises InputError."""
    for text in texts:
        try:
            ip_network(text, strict=False)
        except ValueError:
            raise InputError(
                f"--inside {text} is no network: must be such as 10.1.0.0/16. Correct it."
            ) from None
    return tuple(texts)
