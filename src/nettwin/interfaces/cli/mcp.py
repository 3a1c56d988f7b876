"""nettwin mcp: the twin for language models, over stdio."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from nettwin.errors import InputError, MissingExtraError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.program import command

APPLY = typer.Option(
    "--allow-apply",
    help="Offer tools that propose, approve, apply and undo plans; they need an approver's token.",
)


@command(
    "nettwin mcp --workspace twin",
    "nettwin mcp --server http://127.0.0.1:8080",
    "nettwin mcp --server http://127.0.0.1:8080 --allow-apply",
)
def mcp(
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: o.ServerTokenOption = None,
    apply: Annotated[bool, APPLY] = False,
) -> None:
    """Serve the twin to a language model over stdio (Model Context Protocol): of a workspace, or of
    a server that runs."""
    if not token:
        raise InputError(
            "this needs a person: give --token TOKEN, or set NETTWIN_TOKEN. nettwin people add"
            " makes one."
        )
    try:
        from nettwin.interfaces.mcp.gateway import Gateway
        from nettwin.interfaces.mcp.server import mcp_server
    except ImportError as error:
        raise MissingExtraError(f"MCP ({error.name} is missing)", "serve") from None
    os.environ.setdefault("NO_COLOR", "1")

    async def run() -> None:
        async with AsyncExitStack() as stack:
            if server is not None:
                gateway = Gateway(url=server, token=token)
            else:
                from nettwin.interfaces.server.app import create_app
                from nettwin.interfaces.server.desk import open_desk

                desk = open_desk(workspace, live=False)
                app = create_app(desk, web=False)
                await stack.enter_async_context(app.router.lifespan_context(app))
                gateway = Gateway(app=app, token=token)
            stack.push_async_callback(gateway.close)
            await mcp_server(gateway, deeds=apply).run_stdio_async()

    asyncio.run(run())
