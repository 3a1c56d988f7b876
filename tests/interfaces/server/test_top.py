"""nettwin top: what it shows, of a workspace and of a server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nettwin.client import Client
from nettwin.interfaces.top import Look, Shown, Top, at_server, at_workspace, status_line
from tests.interfaces.server.conftest import Served


def screen(look: Look, keys: str = "") -> dict[str, Any]:
    """What stands on the screen after some keys."""

    async def run() -> dict[str, Any]:
        app = Top(look, "square", pace_s=60.0)
        async with app.run_test(size=(120, 40)) as pilot:
            for _ in range(100):
                await pilot.pause(0.05)
                if str(app.query_one("#status").render()):
                    break
            for key in keys:
                await pilot.press(key)
            return {
                "status": str(app.query_one("#status").render()),
                "links": [
                    app.table("links").get_row_at(k) for k in range(app.table("links").row_count)
                ],
                "flows": app.table("flows").row_count,
                "events": app.table("events").row_count,
                "tab": app.query_one("TabbedContent").active,
            }

    return asyncio.run(run())


def test_a_workspace_and_a_server_show_the_same(at: Served, address: str) -> None:
    here = screen(at_workspace(at.desk.workspace), "f")
    with Client(address, at.tokens["eve"]) as client:
        there = screen(at_server(client))
    assert (here["tab"], there["tab"]) == ("flows", "links")
    assert [str(row[0]) for row in here["links"]] == [str(row[0]) for row in there["links"]]
    assert here["flows"] == there["flows"] == 6
    loads = [float(str(row[1]).removesuffix("%").strip()) for row in here["links"][:2]]
    assert loads[0] >= loads[1]
    assert "next: observe" in here["status"]


def test_trouble_is_said() -> None:
    def look() -> Shown:
        from nettwin.errors import ServerError

        raise ServerError("http://x does not answer. Check the address.")

    assert "does not answer" in screen(look)["status"]
    assert "intent missed" in str(status_line("n", Shown({"measured": {"met": False}})))


@pytest.mark.parametrize("met", [True, False])
def test_the_intent_is_told(met: bool) -> None:
    line = str(status_line("n", Shown({"measured": {"met": met}, "age_s": 4.0})))
    assert ("holds" in line) == met
    assert "4.00 s old" in line
