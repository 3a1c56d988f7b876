"""The API: it answers as the command line does, and tells errors as problems."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from nettwin import __version__
from nettwin.formats import read
from tests.interfaces.server.conftest import Served
from tests.live import square

FAIL = "fail_link C<->D"


def test_open_paths_need_no_token(at: Served) -> None:
    assert at.nobody.get("/health").json()["nettwin"] == __version__
    assert at.nobody.get("/openapi.json").json()["openapi"].startswith("3.1")
    text = at.nobody.get("/metrics").text
    assert 'nettwin_requests_total{method="GET",route="/health",status="200"}' in text
    assert at.nobody.get("/status").status_code == 401


def test_every_operation_is_described_with_an_example(at: Served) -> None:
    document = at.client.get("/openapi.json").json()
    lacking = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                told = path.startswith("/api") and status.startswith("2")
                if content is not None and told and "example" not in content:
                    lacking.append(f"{method} {path}")
            if not operation.get("summary"):
                lacking.append(f"{method} {path}: summary")
            if path.startswith("/api"):
                assert operation["security"] == [{"token": []}]
    assert not lacking
    assert len(document["paths"]) > 40
    assert document["paths"]["/health"]["get"]["security"] == []


def test_a_prediction_is_the_command_lines_document(at: Served, monkeypatch: Any) -> None:
    from nettwin.interfaces import documents, wiring

    answer = at.eve.post("/predict", {"network": "plan"})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    metrics = wiring.engine("theory").predict([read(at.desk.workspace.settings.plan).scenario])[0]
    expected = json.loads(documents.dumps(documents.answer(at.desk.workspace.plan, metrics)))
    (told,) = document["answers"]
    for part in ("flows", "links", "queues", "totals", "engine"):
        assert told[part] == expected[part]
    assert document["command"] == "predict"


def test_the_same_question_is_answered_once(at: Served) -> None:
    first = at.eve.post("/predict", {"network": "plan", "parts": ["links"]})
    again = at.ada.post("/predict", {"network": "plan", "parts": ["links"]})
    assert first.headers["x-job"] == again.headers["x-job"]
    assert set(first.json()["answers"][0]) & {"flows", "links", "queues"} == {"links"}


def test_etags_and_gzip(at: Served) -> None:
    first = at.eve.get("/intents/schema")
    tag = first.headers["etag"]
    assert first.headers["content-encoding"] == "gzip"  # as the client takes it
    assert at.eve.get("/intents/schema", {"if-none-match": tag}).status_code == 304
    plain = at.eve.get("/intents/schema", {"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == first.content
    assert plain.headers["vary"].lower() == "accept-encoding"


def test_uploads_in_and_files_out(at: Served) -> None:
    content = at.desk.workspace.settings.plan.read_bytes()
    made = at.ada.ask("POST", "/networks?file=square.yaml&name=mine", content=content)
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    assert made.headers["location"] == f"/api/v1/networks/{id}"
    assert made.json()["fingerprint"] == square().fingerprint()
    assert at.eve.get(f"/networks/{id}").json()["network"]["nodes"] == 5
    rfc = at.eve.get(f"/networks/{id}/file?format=ietf-network")
    assert "ietf-network:networks" in rfc.json()
    assert "attachment" in rfc.headers["content-disposition"]
    again = at.ada.ask("POST", "/networks?file=x.json", content=rfc.content)
    assert (again.json()["format"], again.json()["nodes"]) == ("ietf-network", 5)
    assert at.eve.ask("DELETE", f"/networks/{id}").status_code == 403
    assert at.ada.ask("DELETE", f"/networks/{id}").status_code == 204
    assert at.ada.get(f"/networks/{id}").status_code == 404


def test_a_broken_upload_is_told_and_not_kept(at: Served) -> None:
    before = set(at.desk.networks.folder.glob("n*"))
    answer = at.ada.ask("POST", "/networks?file=square.yaml", content=b"nettwin: 1\nnodes: 5\n")
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "urn:nettwin:problem:format"
    assert "square.yaml" in problem["detail"]
    assert str(at.desk.workspace.folder) not in answer.text
    assert set(at.desk.networks.folder.glob("n*")) == before


def test_pages_of_a_list(at: Served) -> None:
    for k in range(3):
        at.ada.post("/sessions", {"network": "plan", "name": f"page {k}"})
    first = at.ada.get("/sessions?limit=2").json()
    assert len(first["items"]) == 2
    rest = at.ada.get(f"/sessions?limit=1000&offset={first['next']}").json()
    assert rest["next"] is None
    assert first["total"] == 2 + len(rest["items"])


def test_a_session_is_changed_compared_and_thrown_away(at: Served) -> None:
    made = at.ada.post("/sessions", {"name": "what if"}).json()
    assert made["base"].startswith("live@")
    path = f"/sessions/{made['id']}"
    changed = at.ada.post(f"{path}/changes", {"changes": [FAIL, "scale_traffic 1.1"]}).json()
    assert [one["kind"] for one in changed["changes"]] == ["fail_link", "scale_traffic"]
    wrong = at.ada.post(f"{path}/changes", {"changes": ["fail_link A<->Z"]})
    assert wrong.status_code == 422
    assert 'there is no link "A<->Z"' in wrong.json()["detail"]
    compared = at.eve.get(f"{path}/comparison").json()
    up = {row["link"]: row["up"] for row in compared["after"]["links"]}
    assert (up["C->D"], up["A->B"]) == (False, True)
    assert at.ada.post(f"{path}/undo").json()["undone"][0]["kind"] == "scale_traffic"
    assert len(at.ada.post(f"{path}/redo").json()["changes"]) == 2
    assert at.ada.ask("DELETE", f"{path}/changes/0").json()["changes"][0]["kind"] == "scale_traffic"
    assert at.eve.post(f"{path}/undo").status_code == 403
    asked = at.eve.post("/predict", {"network": f"session:{made['id']}"})
    assert asked.status_code == 200
    assert at.ada.ask("DELETE", path).status_code == 204
    assert at.ada.get(path).status_code == 404


def test_questions_of_every_kind(at: Served) -> None:
    found = at.eve.post("/whatif", {"network": "plan", "changes": [FAIL]}).json()
    assert found["links"][0]["offered_load_after"] > found["links"][0]["offered_load_before"]
    found = at.eve.post("/failures", {"network": "plan", "kinds": ["link", "node"]}).json()
    assert found["resilience"]["complete"]
    assert found["resilience"]["failures_total"] == 6 + 5
    found = at.eve.post("/explain", {"network": "plan", "flow": ["A", "D"]}).json()
    assert found["words"]
    assert found["causes"]["kind"] == "flow"
    found = at.eve.post("/optimize", {"network": "plan", "seconds": 0.2, "happened": [FAIL]}).json()
    assert found["plan"]["after"]["violation"] <= found["plan"]["before"]["violation"]
    both = at.eve.post("/explain", {"network": "plan", "link": "A->B", "queue": "A->B:0"})
    assert both.status_code == 422


def test_a_question_that_nobody_waits_for_is_a_job(at: Served) -> None:
    body = {"network": "plan", "seconds": 0.3, "happened": [FAIL], "seed": 5}
    begun = at.ada.post("/optimize", body, {"prefer": "respond-async"})
    assert begun.status_code == 202
    job = begun.json()["job"]
    assert begun.headers["location"] == f"/api/v1/jobs/{job['id']}"
    lines = at.ada.get(f"/jobs/{job['id']}/events").text.split("\n")
    told = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    states = [json.loads(one)["state"] for one in told]
    assert states[-1] == "done"
    assert at.ada.get(f"/jobs/{job['id']}/answer").json()["plan"]["seed"] == 5
    assert any(one["id"] == job["id"] for one in at.eve.get("/jobs?kind=optimize").json()["items"])


def test_plans_need_two_people_and_happen_once(at: Served) -> None:
    session = at.cyd.post("/sessions").json()["id"]
    at.cyd.post(f"/sessions/{session}/changes", {"changes": ["set_weight A->C 4"]})
    key = {"idempotency-key": "first"}
    made = at.cyd.post("/plans", {"session": session}, key)
    assert made.status_code == 201, made.text
    plan = made.json()["id"]
    replayed = at.cyd.post("/plans", {"session": session}, key)
    assert (replayed.json(), replayed.headers["idempotent-replay"]) == (made.json(), "true")
    assert at.cyd.post("/plans", {"session": "0123456789"}, key).status_code == 422
    path = f"/plans/{plan}"
    assert at.eve.post("/plans", {"session": session}).status_code == 403
    own = at.cyd.post(f"{path}/approval")
    assert (own.status_code, own.json()["type"]) == (403, "urn:nettwin:problem:own-plan")
    assert at.ada.post(f"{path}/approval").status_code == 403
    early = at.ada.post(f"{path}/apply")
    assert (early.status_code, "nobody has approved" in early.json()["detail"]) == (409, True)
    assert at.ada.post(f"{path}/verify").json()["id"] == plan
    assert at.bob.post(f"{path}/approval").json()["approval"]["by"] == "bob"
    done = at.ada.post(f"{path}/apply", headers={"idempotency-key": "apply"})
    assert done.json() == {"receipt": plan, "state": "applied", "changes": 1}
    assert at.ada.post(f"{path}/apply", headers={"idempotency-key": "apply"}).json() == done.json()
    assert at.ada.get(path).json()["state"] == "applied"
    assert at.bob.post(f"{path}/undo").json()["state"] == "undone"
    replayed = at.ada.post(f"{path}/apply", headers={"idempotency-key": "apply"})
    assert replayed.headers["idempotent-replay"] == "true"
    assert at.ada.get(path).json()["state"] == "rolled back"  # and so it stays
    deeds = [one["what"] for one in at.eve.get("/audit?log=workspace").json()["items"]]
    assert deeds.count("apply") == deeds.count("undo") == 1


def test_intents_history_and_catalog(at: Served) -> None:
    assert at.eve.get("/intents").json()["intent"]["intent"] == "no link above its limit"
    assert at.eve.get("/intents/measured").json()["met"] in (True, False)
    checked = at.eve.post("/intents/check", {"intent": "expect:\n  - {measure: nonsense}\n"})
    assert checked.status_code == 422
    report = at.eve.post("/intents/report", {"intent": "workspace", "network": "plan"}).json()
    assert report["report"]["lines"][0]["measure"] == "offered_load"
    assert at.eve.get("/observations").json()["count"] >= 1
    series = at.eve.get("/observations/series/link/A->C/utilization").json()
    assert series["count"] == len(series["value"]) == 1
    assert at.eve.get("/observations/series/link/A->Z/utilization").status_code == 404
    last = at.eve.get("/observations/last?flows=true").json()
    assert {row["link"] for row in last["measured"]["links"]} >= {"A->C", "C->A"}
    assert at.eve.get("/data/quality").json()["issues"] == []
    assert at.eve.get("/status").json()["workspace"] == "square"
    kinds = at.eve.get("/kinds").json()
    assert "fail_link" in [one["kind"] for one in kinds["changes"]]
    assert at.eve.get("/models/none").status_code == 404


def test_a_year_is_read_from_what_was_rolled_up(tmp_path: Path) -> None:
    """A series over 90 days: the mean of each hour, then what is not rolled up yet."""
    import numpy as np

    from nettwin.interfaces.server.routes.history import _over_time
    from nettwin.repository.maintenance import Retention, maintain
    from nettwin.repository.repository import Repository

    repository = Repository(tmp_path)
    begin = 1767225600.0
    with repository.writing():
        for day in range(3):
            times = begin + day * 86400 + np.arange(1, 97) * 900.0
            columns = {
                "time": np.rint(times * 1e6).astype(np.int64).tolist(),
                "series": ["link/A->B/utilization"] * len(times),
                "value": (np.arange(len(times)) % 4 / 4).tolist(),
            }
            repository.store.append("observations", float(times[0]), columns)
            if day == 1:
                maintain(repository.store, float(times[-1]) + 1, Retention(observations=0))
    name, end = "link/A->B/utilization", begin + 90 * 86400
    times, values = _over_time(repository, name, begin, end, "auto")
    assert len(times) == 2 * 24 + 96
    assert values[0] == pytest.approx(np.mean([0, 0.25, 0.5, 0.75]))
    assert (np.diff(times) > 0).all()
    raw, _ = _over_time(repository, name, begin, end, "raw")
    assert len(raw) == 3 * 96


def test_downsampling_keeps_highs_and_lows() -> None:
    import numpy as np

    from nettwin.interfaces.server.routes.history import downsampled

    times = np.arange(100_000.0)
    values = np.sin(times / 5000)
    values[[31_234, 77_777]] = 9.0, -9.0
    keep = downsampled(times, values, 500)
    assert len(keep) <= 500
    assert {31_234, 77_777} <= set(keep.tolist())
    assert downsampled(times[:10], values[:10], 500).tolist() == list(range(10))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/predict", 405),
        ("GET", "/sessions?limit=0", 422),
        ("GET", "/plans/zzzz", 404),
        ("GET", "/jobs/zzzz", 404),
        ("GET", "/networks/zzzz", 404),
        ("GET", "/networks/live@1", 422),
        ("POST", "/predict", 422),
    ],
)
def test_errors_are_problems(at: Served, method: str, path: str, status: int) -> None:
    answer = at.ada.ask(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:nettwin:problem:")
    assert problem["detail"]


def test_what_was_packed_unpacks() -> None:
    from nettwin.interfaces.server.replies import View

    view = View.of(b"x" * 5000)
    assert gzip.decompress(view.pack()) == b"x" * 5000


def test_a_long_wait_ends(at: Served) -> None:
    begin = time.monotonic()
    body = {"network": "plan", "seconds": 30, "seed": 7}
    begun = at.ada.post("/optimize", body, {"prefer": "wait=1"})
    assert begun.status_code == 202
    assert time.monotonic() - begin < 5
    job = begun.json()["job"]["id"]
    assert at.eve.ask("DELETE", f"/jobs/{job}").status_code == 403
    at.ada.ask("DELETE", f"/jobs/{job}")
    ended = at.desk.jobs.wait(job, 30)
    assert ended.state == "done"  # a search that is cancelled gives its best so far
    assert time.monotonic() - begin < 25
