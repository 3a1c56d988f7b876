"""MCP: asked as language models ask, by the package's own client."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from nettwin.interfaces.mcp.server import mounted
from nettwin.interfaces.server.desk import Desk
from tests.interfaces.server.conftest import listening, made

FAIL = "fail_link C<->D"
LOOKING = {
    "network_summary",
    "query_metrics",
    "what_if",
    "failures",
    "explain",
    "optimize",
    "plan_status",
    "job_status",
    "history",
}
CHANGING = {"propose_plan", "approve_plan", "apply_plan", "undo_plan"}
LARGEST = 8000  # characters of an answer


class Place(NamedTuple):
    desk: Desk
    tokens: dict[str, str]
    address: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    desk, tokens = made(tmp_path_factory.mktemp("mcp") / "twin")
    with listening(desk, begun=False, mount=[mounted(deeds=True)]) as address:
        yield Place(desk, tokens, address)


def asked(place: Place, name: str, talk: Callable[[Client], Awaitable[Any]]) -> Any:
    """What comes of talking to /mcp as a person."""

    async def run() -> Any:
        headers = {"authorization": f"Bearer {place.tokens[name]}"} if name else {}
        async with (
            create_mcp_http_client(headers=headers) as http,
            Client(streamable_http_client(f"{place.address}/mcp", http_client=http)) as c,
        ):
            return await talk(c)

    return asyncio.run(run())


def call(place: Place, name: str, tool: str, **arguments: Any) -> dict[str, Any]:
    result = asked(place, name, lambda client: client.call_tool(tool, arguments))
    text = result.content[0].text
    assert len(text) < LARGEST, len(text)
    if result.is_error:
        return {"error": text}
    found: dict[str, Any] = json.loads(text)
    return found


def test_tools_tell_what_they_do(place: Place) -> None:
    tools = {tool.name: tool for tool in asked(place, "eve", lambda c: c.list_tools()).tools}
    assert set(tools) == LOOKING | CHANGING
    for name in LOOKING:
        hints = tools[name].annotations
        assert hints.read_only_hint and not hints.destructive_hint, name
    for name in CHANGING:
        hints = tools[name].annotations
        assert not hints.read_only_hint
        assert hints.destructive_hint == (name in ("apply_plan", "undo_plan"))
    for tool in tools.values():
        assert len(tool.description) > 20


def test_questions_are_answered_small_with_units_and_trust(place: Place) -> None:
    summary = call(place, "eve", "network_summary")
    assert summary["network"]["nodes"] == 5
    assert summary["engine"] == "theory"
    assert summary["live"]["intent_met"] in (True, False)
    first, second = summary["fullest_links"][:2]
    assert first["offered_load"] >= second["offered_load"]
    found = call(place, "eve", "query_metrics", kind="flows", metric="owd_p99_s", containing="A->D")
    assert {one["name"] for one in found["flows"]} == {"one", "two"}
    assert all(one["owd_p99_s"] > one["owd_mean_s"] for one in found["flows"])
    after = call(place, "eve", "what_if", changes=[FAIL], network="plan")
    assert after["totals_after"]["owd_mean_s"] != after["totals_before"]["owd_mean_s"]
    worst = call(place, "eve", "failures", network="plan", kinds=["link", "node"])
    assert worst["failures_total"] == 11
    why = call(place, "eve", "explain", link="A->C", network="plan")
    assert why["words"]
    past = call(place, "eve", "history", series="link/A->C/utilization")
    assert past["count"] == 1


def test_errors_say_what_to_do(place: Place) -> None:
    told = call(place, "eve", "what_if", changes=["fail_link A<->Z"])["error"]
    assert 'there is no link "A<->Z"' in told
    assert "no network" in call(place, "eve", "query_metrics", network="nowhere")["error"]
    assert "validation" in call(place, "eve", "failures", kinds=["cable"])["error"].lower()


def test_a_search_becomes_a_plan_that_somebody_else_applies(place: Place) -> None:
    found = call(place, "ada", "optimize", network="live", after=[FAIL], seconds=0.3)
    assert "meets_intent" in found
    jobs = place.desk.jobs.store.newest(1, kind="optimize")
    done = call(place, "ada", "job_status", job=jobs[0].id)
    assert (done["state"], done["answer"]["changes_total"]) == ("done", found["changes_total"])
    plan = call(place, "ada", "propose_plan", job=jobs[0].id)["id"]
    assert "is no approver" in call(place, "ada", "approve_plan", plan=plan)["error"]
    assert "is no approver" in call(place, "ada", "apply_plan", plan=plan)["error"]
    assert "nobody has approved" in call(place, "bob", "apply_plan", plan=plan)["error"]
    assert call(place, "bob", "approve_plan", plan=plan)["approval"]["author"] == "ada"
    assert call(place, "eve", "plan_status", plan=plan)["approvals"][0]["by"] == "bob"
    assert call(place, "bob", "apply_plan", plan=plan)["state"] == "applied"
    assert call(place, "bob", "undo_plan", plan=plan)["state"] == "undone"


def test_nobody_gets_in_without_a_token(place: Place) -> None:
    with pytest.raises(ExceptionGroup):  # of the client's tasks
        asked(place, "", lambda client: client.list_tools())
    last = list(place.desk.log.entries())[-1]
    assert (last.what, last.details["path"]) == ("refused", "/mcp")


def test_resources_and_prompts(place: Place) -> None:
    async def talk(client: Client) -> None:
        uris = {str(one.uri) for one in (await client.list_resources()).resources}
        assert {f"nettwin://{name}" for name in ("status", "intent", "plans", "kinds")} <= uris
        for uri in (*uris, "nettwin://network/plan"):
            (content,) = (await client.read_resource(uri)).contents
            assert json.loads(content.text)
        prompts = {one.name for one in (await client.list_prompts()).prompts}
        assert prompts == {"slow_flow", "failure_risk", "maintenance", "missed_intent"}
        said = await client.get_prompt("slow_flow", {"flow": "A->B"})
        assert "A->B" in said.messages[0].content.text

    asked(place, "eve", talk)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["workspace", "server"])
def test_over_stdio(place: Place, where: str, tmp_path: Path) -> None:
    here = {"workspace": str(place.desk.workspace.folder), "server": place.address}[where]
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "nettwin", "mcp", f"--{where}", here],
        env={**os.environ, "NETTWIN_TOKEN": place.tokens["eve"]},
    )

    async def run() -> Any:
        async with Client(parameters) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert names == LOOKING  # without --allow-apply
            return await client.call_tool("what_if", {"changes": [FAIL], "network": "plan"})

    result = asyncio.run(run())
    assert not result.is_error, result
    assert json.loads(result.content[0].text)["totals_after"]
