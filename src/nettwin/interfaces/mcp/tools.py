"""Tools: questions that change nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from nettwin.interfaces.mcp import answers
from nettwin.interfaces.mcp.gateway import Gateway, part

Network = Annotated[
    str,
    Field(
        description="live (as seen last), live@SECONDS (since 1970), plan (as planned), session:ID,"
        " or the id of an upload"
    ),
]
Top = Annotated[int, Field(ge=1, le=50, description="at most so many rows")]
Changes = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=100,
        description="changes in order, such as `fail_link A<->B`, `scale_traffic 1.3`,"
        " `set_capacity A->B 20G`, `fail_node C`, `set_weight A->B 5`; nettwin://kinds lists all",
    ),
]
Engine = Annotated[
    str,
    Field(description="theory (milliseconds), twin (a learned model, intervals), packet (slow)"),
]
Small = dict[str, Any]
LOOKS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def add_tools(server: MCPServer[Any], gateway: Gateway) -> None:
    """Add them."""

    @server.tool(annotations=LOOKS, title="Summary of the network")
    async def network_summary(network: Network = "live", top: Top = 5) -> Small:
        """How a network fares now: delay, loss and load in total, the fullest links, the slowest
        flows; of the live one also how old the data is and whether the intent holds."""
        api = gateway.of()
        found = await api.ask("/predict", {"network": network, "parts": ["links", "flows"]})
        told = answers.under_way(found) or answers.network(found, top)
        if network == "live":
            told["live"] = answers.status(await api.get("/status"))
        return told

    @server.tool(annotations=LOOKS, title="Metrics of links, flows or queues")
    async def query_metrics(
        kind: Literal["links", "flows", "queues"] = "links",
        metric: Annotated[
            str, Field(description="to sort by: offered_load, utilization, loss_ratio, owd_mean_s")
        ] = "",
        containing: Annotated[
            str, Field(description="names with this in them", max_length=200)
        ] = "",
        network: Network = "live",
        engine: Engine = "theory",
        top: Top = 10,
    ) -> Small:
        """Predicted values of links, flows or queues, the highest first, with intervals where the
        engine has them. Delays are in seconds, rates in bit/s, loads are shares (1 is full)."""
        api = gateway.of()
        body = {"network": network, "engine": engine, "parts": [kind]}
        found = await api.ask("/predict", body)
        if (told := answers.under_way(found)) is not None:
            return told
        (answer,) = found["answers"]
        by = metric or answers.WORST[kind]
        rows = answers.worst(kind, answer[kind], by, top, containing)
        return {"sorted_by": by, "of": len(answer[kind]), kind: rows, **answers.trust(answer)}

    @server.tool(annotations=LOOKS, title="What if")
    async def what_if(
        changes: Changes,
        network: Network = "live",
        engine: Engine = "theory",
        top: Top = 5,
    ) -> Small:
        """What a network does after changes: failures, other traffic, capacities, weights. It is
        predicted; nothing is changed."""
        body = {"network": network, "changes": changes, "engine": engine, "parts": []}
        found = await gateway.of().ask("/whatif", body)
        return answers.under_way(found) or answers.whatif(found, top)

    @server.tool(annotations=LOOKS, title="Every failure")
    async def failures(
        network: Network = "live",
        kinds: Annotated[
            list[Literal["link", "node", "srlg", "pair"]], Field(min_length=1, max_length=4)
        ] = ["link"],  # noqa: B006  as the schema shows it
        loads_only: Annotated[bool, Field(description="no delays and losses, but at once")] = True,
        top: Top = 5,
    ) -> Small:
        """Which single failures hurt most: the load of the fullest link after each, traffic that is
        cut off, and the worst load of each link with its cause."""
        body = {"network": network, "kinds": kinds, "loads": loads_only}
        found = await gateway.of().ask("/failures", body)
        return answers.under_way(found) or answers.failures(found, top)

    @server.tool(annotations=LOOKS, title="Why")
    async def explain(
        flow: Annotated[str, Field(description="a flow by its name", max_length=500)] = "",
        link: Annotated[str, Field(description="a link, such as A->B", max_length=500)] = "",
        queue: Annotated[str, Field(description="a queue, such as A->B:0", max_length=500)] = "",
        network: Network = "live",
        top: Top = 5,
    ) -> Small:
        """Where the delay and loss of a flow, a link or a queue arise and which flows cause them;
        with none of them named, which queues decide how the whole network fares."""
        body = {
            "network": network,
            "flow": flow or None,
            "link": link or None,
            "queue": queue or None,
        }
        found = await gateway.of().ask("/explain", body)
        return answers.under_way(found) or answers.explanation(found, top)

    @server.tool(annotations=LOOKS, title="Search a plan")
    async def optimize(
        intent: Annotated[
            str,
            Field(
                description="an intent in YAML, or `workspace` for the one in force",
                max_length=20_000,
            ),
        ] = "workspace",
        network: Network = "live",
        after: Annotated[list[str], Field(description="changes that have happened")] = [],  # noqa: B006
        seconds: Annotated[float, Field(gt=0, le=300)] = 5.0,
    ) -> Small:
        """Search changes that meet an intent, in a safe order, with the bound that no plan beats.
        Nothing is applied; the answer names the job, with which a plan can be proposed."""
        api = gateway.of()
        body = {"network": network, "intent": intent, "happened": after, "seconds": seconds}
        found = await api.ask("/optimize", body)
        return answers.under_way(found) or answers.plan(found)

    @server.tool(annotations=LOOKS, title="Plans and where they stand")
    async def plan_status(
        plan: Annotated[str, Field(description="a plan's id; empty lists the newest")] = "",
    ) -> Small:
        """The plans of the workspace with authors and what became of them, or one plan whole."""
        api = gateway.of()
        if not plan:
            found = await api.get("/plans", limit=10)
            return {"total": found["total"], "newest": found["items"]}
        found = await api.get(f"/plans/{part(plan)}")
        about = {k: found[k] for k in ("id", "author", "state", "why", "approvals")}
        return about | answers.plan(found)

    @server.tool(annotations=LOOKS, title="A job and its answer")
    async def job_status(job: Annotated[str, Field(max_length=40)], top: Top = 5) -> Small:
        """Where a long question stands; its answer once it is done."""
        api = gateway.of()
        found = (await api.get(f"/jobs/{part(job)}"))["job"]
        if found["state"] != "done":
            keep = ("id", "kind", "state", "progress", "told", "problem")
            return {k: found[k] for k in keep}
        answer = await api.get(f"/jobs/{part(job)}/answer")
        return {"state": "done", "answer": answers.answer(found["kind"], answer, top)}

    @server.tool(annotations=LOOKS, title="A series over time")
    async def history(
        series: Annotated[
            str,
            Field(
                description="such as link/A->B/utilization, flow/NAME/owd_mean_s", max_length=1000
            ),
        ],
        points: Annotated[int, Field(ge=3, le=200)] = 40,
    ) -> Small:
        """What was measured of a link or flow over time, with highs and lows kept; times in seconds
        since 1970."""
        api = gateway.of()
        found = await api.get(f"/observations/series/{part(series)}", points=points)
        return dict(answers.small(found))
