"""Capacity plans and training labs at a server."""

from __future__ import annotations

import json

from tests.interfaces.server.conftest import Served

CASE = "capacity: next\ngrowth: {rest: {yearly: 30%, low: 20%, high: 40%}}\n"


def test_what_runs_out_and_what_to_buy(at: Served) -> None:
    found = at.eve.post("/capacity/runout", {"network": "plan", "case": CASE}).json()
    assert found["run_outs"] and found["words"].startswith("Traffic grows")
    found = at.eve.post("/capacity/upgrade", {"network": "plan", "case": CASE}).json()
    assert {rule["method"] for rule in found["rules"]} == {"hand rule", "greedy"}
    wrong = at.eve.post(
        "/capacity/runout", {"network": "plan", "case": "capacity: x\ngrowth: 3x\n"}
    )
    assert wrong.status_code == 422 and "line 2" in wrong.text


def test_a_lab_keeps_its_fault_until_the_debriefing(at: Served) -> None:
    names = [one["lab"] for one in at.eve.get("/labs").json()["labs"]]
    assert "class-map" in names and len(names) >= 10
    began = at.eve.post("/labs/degraded-link/start", {"seed": 1})
    id = began.json()["attempt"]
    path = f"/labs/attempts/{id}"
    refused = at.eve.post(f"{path}/check", {"changes": ["set_capacity Porto->Paris 10M"]})
    assert refused.status_code == 422
    checked = at.eve.post(f"{path}/check", {"changes": ["set_weight Porto<->Paris 3"]})
    assert checked.json()["met"]
    for told in (began, checked):
        assert "fault" not in json.dumps({k: v for k, v in told.json().items() if k != "story"})
    assert at.ada.post(f"{path}/hint", {}).status_code == 422  # somebody else's
    hints = [at.eve.post(f"{path}/hint", {}).json()["hint"] for _ in range(2)]
    assert hints == [1, 2]
    ended = at.eve.post(f"{path}/debrief", {}).json()
    assert ended["fault"][0]["kind"] == "set_capacity" and ended["grade"]["met"]
    assert at.eve.post("/labs/attempts/..%2F..%2Fx/hint", {}).status_code in (404, 405, 422)
    assert at.eve.post("/labs/nowhere/start", {}).status_code == 422


def test_causes_and_incidents_of_the_history(at: Served) -> None:
    found = at.eve.post("/troubleshoot", {"during": 1, "before": 3})
    assert found.status_code == 200, found.text
    told = found.json()
    assert told["causes"] and abs(sum(c["probability"] for c in told["causes"]) - 1) < 0.05
    early = at.eve.post("/troubleshoot", {"at_s": 1.0})
    assert early.status_code == 422 and "no incident to look at" in early.text
    short = at.eve.post("/watch", {"usual": 1_000_000})
    assert short.status_code == 422 and "must be at least" in short.text
