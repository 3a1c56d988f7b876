"""Server: tools, resources and prompts, over stdio or beside the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from nettwin import __version__
from nettwin.interfaces.mcp.deeds import add_deeds
from nettwin.interfaces.mcp.gateway import Gateway
from nettwin.interfaces.mcp.prompts import add_prompts, add_resources
from nettwin.interfaces.mcp.tools import add_tools

PATH = "/mcp"
INSTRUCTIONS = """\
A digital twin of a communication network: it predicts delay, loss and load of every flow, link and
queue, now and after changes. Names are exact: links are A->B, both directions A<->B. Field names
end in their units: _s seconds, _bps bit/s, _ratio and load shares of 1. `flagged` and intervals say
how sure a value is. Start with network_summary. Looking, asking and optimizing change nothing.
"""


def mcp_server(gateway: Gateway, *, deeds: bool = False) -> MCPServer[Any]:
    """The server; with `deeds` also the tools that change the network."""
    server: MCPServer[Any] = MCPServer(
        "nettwin",
        title="nettwin: a digital twin of a network",
        instructions=INSTRUCTIONS,
        version=__version__,
        log_level="ERROR",
        middleware=[gateway.attend],
    )
    add_tools(server, gateway)
    add_resources(server, gateway)
    add_prompts(server)
    if deeds:
        add_deeds(server, gateway)
    return server


def mounted(*, deeds: bool = False) -> Callable[[Any, Any], None]:
    """What adds /mcp to the application of a desk: for the tokens that the API takes."""

    def mount(app: Any, desk: Any) -> None:
        server = mcp_server(Gateway(app=app), deeds=deeds)
        own = server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=True,
            # the guard has looked at Host and Origin
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        app.router.routes[:0] = own.routes
        before = app.router.lifespan_context

        @asynccontextmanager
        async def alive(app: Any) -> AsyncIterator[Any]:
            async with server.session_manager.run(), before(app) as state:
                yield state

        app.router.lifespan_context = alive

    return mount
