"""Deeds: tools that change the network: only where the server was told so, for approvers alone."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from nettwin.interfaces.mcp.gateway import Caller, Gateway, part

Plan = Annotated[str, Field(description="a plan's id", max_length=64)]
Small = dict[str, Any]
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
CHANGES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)


def add_deeds(server: MCPServer[Any], gateway: Gateway) -> None:
    """Add them."""

    @server.tool(annotations=ADDS, title="Propose a plan")
    async def propose_plan(
        job: Annotated[str, Field(description="a job that optimized", max_length=40)],
    ) -> Small:
        """Keep the plan that a search has found, under your name. Somebody else must approve it."""
        return await gateway.of().do("/plans", {"job": job})

    @server.tool(annotations=ADDS, title="Approve a plan")
    async def approve_plan(plan: Plan) -> Small:
        """Approve a plan of somebody else; of approvers alone, and never of one's own."""
        api = await _approver(gateway)
        return await api.do(f"/plans/{part(plan)}/approval")

    @server.tool(annotations=CHANGES, title="Apply a plan to the network")
    async def apply_plan(plan: Plan) -> Small:
        """Put an approved plan into the live network: all of its changes, or none. Say first what
        will change, and that undo_plan takes it back."""
        api = await _approver(gateway)
        return await api.do(f"/plans/{part(plan)}/apply")

    @server.tool(annotations=CHANGES, title="Take a plan out of the network")
    async def undo_plan(plan: Plan) -> Small:
        """The live network is as before the plan."""
        api = await _approver(gateway)
        return await api.do(f"/plans/{part(plan)}/undo")


async def _approver(gateway: Gateway) -> Caller:
    """The API, for a call with an approver's token. Raises ToolError for others."""
    api = gateway.of()
    me = await api.get("/me")
    if "approver" not in me["roles"]:
        raise ToolError(
            f"{me['name']} is no approver: tools that change the network need an approver's token."
        )
    return api
