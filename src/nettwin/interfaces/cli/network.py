"""nettwin network: the network of a workspace: what happens to it, and what it tells."""

from __future__ import annotations

import time
from contextlib import ExitStack
from threading import Thread
from typing import Annotated

import typer
from rich.text import Text

from nettwin.errors import InputError, NetworkError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.changes import changes_or_files
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command, subcommands
from nettwin.interfaces.tables import style

group = subcommands(
    "network",
    "The network of a workspace: let something happen to it, serve its counters.",
    "nettwin network list",
    "nettwin network inject 'fail_link A<->B' --workspace twin",
    "nettwin network serve --workspace twin --port 9116",
)


@command("nettwin network list --json", group=group, name="list")
def list_kinds(json: o.JsonOption = False) -> None:
    """List the kinds of network, and what this machine lacks for them."""
    from nettwin.physical.registry import NETWORKS

    output = Output("network list", json)
    kinds = [(one.name, one.title, one.missing()) for one in NETWORKS.values()]
    output.document(
        {"networks": [{"name": n, "title": t, "missing": lacks} for n, t, lacks in kinds]}
    )
    output.show(style.table("Networks", "<name", "<what it is", "?<lacks here", rows=kinds))


EVENTS = o.argument(
    metavar="CHANGES...", help="What happens, in quotes (see nettwin whatif --list)."
)
HIDDEN = typer.Option("--hidden", help="The network behaves so, and does not tell it.")


@command(
    "nettwin network inject 'fail_link A<->B' --workspace twin",
    "nettwin network inject 'set_buffer A->B 2' --hidden --workspace twin",
    group=group,
)
def inject(
    events: Annotated[list[str], EVENTS],
    hidden: Annotated[bool, HIDDEN] = False,
    workspace: w.WorkspaceOption = w.HERE,
    json: o.JsonOption = False,
) -> None:
    """Let something happen to the network; the loop must not be running."""
    from nettwin.physical.network import Event

    output = Output("network inject", json)
    made = changes_or_files(events)
    if not made:
        raise InputError("nothing happens: give a change such as 'fail_link A<->B'.")
    place = w.opened(workspace)
    with place.writing("nettwin network inject"), place.network() as network:
        for change in made:
            network.inject(Event(change, told=not hidden))
    words = [change.describe() for change in made]
    output.document({"happened": words, "told": not hidden})
    output.show(Text("; ".join(words)))


@command("nettwin network clean", group=group)
def clean(json: o.JsonOption = False) -> None:
    """End the routers of linux networks whose owners have died. They end of themselves; this is for
    what outlived them."""
    from nettwin.physical.linux import runs

    output = Output("network clean", json)
    said = runs.clean()
    output.document({"cleaned": said})
    output.show(Text("\n".join(said) or "Nothing was left behind."))


LIVE = typer.Option("--live", help="Let the network's time run as the clock does; no loop may.")


@command("nettwin network serve --workspace twin --port 9116", group=group)
def serve(
    workspace: w.WorkspaceOption = w.HERE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port, on 127.0.0.1.")] = 9116,
    live: Annotated[bool, LIVE] = False,
) -> None:
    """Serve the counters of the network's routers at /metrics, with the names of snmp_exporter,
    until Ctrl-C; while the loop runs, too."""
    from nettwin.physical.exporter import PATH, Ports, server

    output = Output("network serve")
    place = w.opened(workspace)

    def ports() -> Ports:
        with place.network() as network:
            told = getattr(network, "ports", None)
            if told is None:
                raise NetworkError(
                    f"a network of the kind {network.name} serves its counters itself."
                )
            found: Ports = told()
            return found

    ports()
    with ExitStack() as stack:
        serving = stack.enter_context(server(ports, port))
        output.say(f"Serving http://127.0.0.1:{port}{PATH}; Ctrl-C ends.")
        if not live:
            serving.serve_forever()
        stack.enter_context(place.writing("nettwin network serve --live"))
        network = stack.enter_context(place.network())
        stack.callback(serving.shutdown)
        Thread(target=serving.serve_forever, daemon=True).start()
        due = time.monotonic()
        while True:
            due += network.observe().interval_s
            time.sleep(max(due - time.monotonic(), 0.0))
