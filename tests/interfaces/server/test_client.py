"""The client, and commands that ask a server: the same answers as here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from nettwin.client import Client
from nettwin.errors import InputError, ServerError
from nettwin.interfaces.cli import remote
from tests.interfaces.conftest import Run
from tests.interfaces.server.conftest import Served
from tests.live import square

FAIL = "fail_link C<->D"


@pytest.fixture
def ada(at: Served, address: str) -> Iterator[Client]:
    with Client(address, at.tokens["ada"]) as client:
        yield client


def test_questions(at: Served, ada: Client) -> None:
    found = ada.predict("plan", parts=["links"])
    assert found["command"] == "predict"
    assert ada.whatif([FAIL], "plan")["changes"][0]["kind"] == "fail_link"
    assert ada.failures("plan", kinds=["link"])["resilience"]["complete"]
    assert ada.explain("plan", flow=["A", "D"])["words"]
    heard: list[dict[str, Any]] = []
    plan = ada.optimize(None, "plan", seconds=0.3, seed=11, happened=[FAIL], tell=heard.append)
    assert plan["plan"]["seed"] == 11
    assert heard[-1]["state"] == "done"
    assert ada.status()["workspace"] == "square"
    assert ada.series("link/A->C/utilization")["count"] == 1


def test_networks_sessions_and_plans(at: Served, ada: Client, address: str) -> None:
    sent = ada.download("plan")
    id = ada.upload(sent, "net.json", name="copy")["id"]
    assert ada.predict(id)["answers"][0]["network"]["fingerprint"] == square().fingerprint()
    ada.remove(id)
    with pytest.raises(ServerError, match="there is no network") as error:
        ada.predict(id)
    assert (error.value.status, error.value.problem["status"]) == (404, 404)
    session = ada.begin_session(name="of the client")["id"]
    ada.change_session(session, ["set_weight A->C 5"])
    assert ada.compare_session(session)["changes"][0]["kind"] == "set_weight"
    plan = ada.propose(session=session)["id"]
    assert plan in [one["id"] for one in ada.plans()]
    with pytest.raises(ServerError, match="must have approver"):
        ada.approve(plan)
    with Client(address, at.tokens["bob"]) as bob:
        assert bob.approve(plan)["approval"]["author"] == "ada"
        assert bob.apply(plan)["state"] == "applied"
        assert bob.undo(plan)["state"] == "undone"
    assert ada.plan(plan)["approvals"][0]["by"] == "bob"
    assert ada.verify(plan)["id"] == plan
    ada.discard_session(session)


def test_a_server_that_does_not_answer() -> None:
    with Client("http://127.0.0.1:1", "x") as client:
        with pytest.raises(ServerError, match="does not answer") as error:
            client.status()
        assert error.value.status == 0
        with pytest.raises(ServerError, match="does not answer"):
            list(client.follow("x"))
        with pytest.raises(ServerError, match="does not answer"):
            client.apply("x")  # tried twice under one key


@pytest.fixture
def there(at: Served, address: str) -> str:
    """The options of commands that ask the desk of these tests."""
    return f"--server {address} --token {at.tokens['ada']}"


def test_commands_answer_alike_here_and_there(at: Served, there: str, run: Run) -> None:
    plan = at.desk.workspace.settings.plan
    for words in (f"predict {plan}", f"whatif {plan} '{FAIL}'"):
        here = run(f"{words} --json")
        remotely = run(f"{words} --json {there}")
        assert (here.code, remotely.code) == (0, 0), remotely.err
        mine, theirs = json.loads(here.out), json.loads(remotely.out)
        for document in (mine, theirs):
            for answer in (
                *document.get("answers", ()),
                document.get("before"),
                document.get("after"),
            ):
                for changing in ("seconds", "provenance"):
                    (answer or {}).pop(changing, None)
        assert mine == theirs
    shown = run(f"predict plan {there}")
    assert (shown.code, "square" in shown.out) == (0, True)


def test_searching_plans_and_status_there(at: Served, there: str, run: Run) -> None:
    found = run(f"optimize plan --after '{FAIL}' --seconds 0.3 --out plan.yaml {there}")
    assert found.code == 0, found.err
    status = run(f"status {there}")
    assert (status.code, "square" in status.out) == (0, True)
    added = run(f"plan add plan.yaml --json {there}")
    assert added.code == 0, added.err
    id = json.loads(added.out)["id"]
    assert id in run(f"plan list {there}").out
    refused = run(f"plan approve {id} {there}")
    assert (refused.code, "must have approver" in refused.err) == (2, True)


def test_a_server_needs_a_token(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETTWIN_TOKEN", raising=False)
    told = run("status --server http://127.0.0.1:1")
    assert (told.code, "a server needs a person" in told.err) == (2, True)
    with pytest.raises(InputError):
        remote.client_of("http://127.0.0.1:1", None)
