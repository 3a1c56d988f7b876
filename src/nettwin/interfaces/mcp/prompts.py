"""Prompts and resources: common investigations, and what is worth reading before."""

from __future__ import annotations

import json
from typing import Any

from mcp.server.mcpserver import MCPServer

from nettwin.interfaces.mcp import answers
from nettwin.interfaces.mcp.gateway import Gateway, part

JSON = "application/json"


def add_prompts(server: MCPServer[Any]) -> None:
    """Add the investigations."""

    @server.prompt(title="Why is a flow slow?")
    def slow_flow(flow: str) -> str:
        """From a flow that is too slow to its causes and remedies."""
        return (
            f"The flow {flow} is too slow. 1. network_summary: is the data fresh, does the intent"
            f" hold? 2. explain with flow={flow}: which queue, which causes. 3. history of"
            " link/NAME/utilization for the link of that queue: is it new? 4. what_if for two or"
            " three remedies (weights, capacity, less traffic). Answer with the cause, how sure it"
            " is (flagged flows, intervals), and the remedy that helps most. Change nothing."
        )

    @server.prompt(title="What if it fails?")
    def failure_risk(element: str = "") -> str:
        """Which failures the network does not survive, and what would help."""
        about = f"Look at {element} first with what_if fail_link or fail_node. " if element else ""
        return (
            f"{about}Use failures with kinds link and node, then what_if for the worst two. Say"
            " which traffic is cut off, which links overload and which lines of the intent break;"
            " then optimize with `after` set to the worst failure, and say what the plan costs."
        )

    @server.prompt(title="Plan maintenance")
    def maintenance(element: str) -> str:
        """Whether a link or node can be taken down, and how."""
        return (
            f"{element} is to be taken down. Use what_if with its failure; if a link gets above"
            " 80 % or the intent breaks, optimize with `after` set to the failure. Say whether it"
            " is safe, at which time of day load is lowest (history), and the plan step by step."
        )

    @server.prompt(title="Why is the intent missed?")
    def missed_intent() -> str:
        """From a line of the intent that is missed to a plan that meets it."""
        return (
            "Read nettwin://status and nettwin://intent. For each line that is missed: which link,"
            " flow or class, since when (history), and why (explain). Then optimize, and compare"
            " the plan with the bound. If a plan waits already, look at it with plan_status."
        )


def add_resources(server: MCPServer[Any], gateway: Gateway) -> None:
    """Add what can be read."""

    @server.resource("nettwin://status", title="Where the live network stands", mime_type=JSON)
    async def status() -> str:
        """Age of the data, the loop's step, whether the intent holds."""
        return _text(answers.status(await gateway.of().get("/status")))

    @server.resource("nettwin://intent", title="The intent in force", mime_type=JSON)
    async def intent() -> str:
        """What is wanted of the network."""
        return _text(await gateway.of().get("/intents"))

    @server.resource("nettwin://plans", title="The newest plans", mime_type=JSON)
    async def plans() -> str:
        """Ten plans, with what became of them."""
        return _text(await gateway.of().get("/plans", limit=10))

    @server.resource("nettwin://kinds", title="Engines, optimizers, changes", mime_type=JSON)
    async def kinds() -> str:
        """What there is to choose from, and how changes are written."""
        return _text(await gateway.of().get("/kinds"))

    @server.resource("nettwin://network/{network}", title="A network", mime_type=JSON)
    async def network(network: str) -> str:
        """Its nodes and links with their capacities and loads."""
        found = await gateway.of().get(f"/networks/{part(network)}")
        return _text(answers.small(found))


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)
