"""Attacks: what must be refused is refused, written down, and harms nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from nettwin.interfaces.server.access import COOKIE, Access
from nettwin.interfaces.server.app import create_app
from nettwin.interfaces.server.guard import CSRF_HEADER, SESSION_OVER
from nettwin.interfaces.server.limits import Limits
from nettwin.interfaces.server.problems import ProblemError
from tests.interfaces.server.conftest import ADDRESS, Served, served

SMALL = Limits(
    body_bytes=20_000, upload_bytes=200_000, unpacked_bytes=1_000_000, files=5, wait_s=60.0
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk with small limits."""
    yield from served(tmp_path_factory.mktemp("small") / "twin", SMALL)


def refusals(at: Served) -> list[dict[str, Any]]:
    return [dict(e.details) for e in at.desk.log.entries() if e.what == "refused"]


def log_in(at: Served, name: str) -> dict[str, str]:
    """The headers of a browser in which somebody has logged in."""
    answer = at.client.post(
        "/login",
        content=f"token={at.tokens[name]}",
        headers={"origin": ADDRESS},
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    at.client.cookies.clear()
    return {"cookie": cookie.partition(";")[0], "origin": ADDRESS}


# tokens


FORGED = ["", "x", "ada.", "ada.wrong", "zoe.wrong", "ada.%00\x7f", "a" * 9000]
ELSEWHERE = ["//evil.example", "https://evil.example", "\\\\evil", "/\\evil", "javascript:1"]
NO_ADDRESS = ["file:///etc/passwd", "gopher://x", "http://", "http://[", "x" * 1999]
UNKNOWN = "urn:nettwin:problem:unknown-name"


@pytest.mark.parametrize("token", FORGED)
def test_forged_tokens(at: Served, token: str) -> None:
    before = len(refusals(at))
    answer = at.client.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]
    assert len(refusals(at)) == before + 1
    assert not token or token not in json.dumps(refusals(at)[-1])


def test_expired_and_revoked_tokens(tmp_path: Path) -> None:
    from nettwin.errors import InputError
    from tests import live

    place = live.workspace(tmp_path / "twin")
    now = [1e9]
    old = place.add_person("old", ("viewer",), days=-1)
    mia = place.add_person("mia", ("viewer",))
    access = Access(place, Limits(), lambda: now[0])
    assert access.known(mia) is None
    assert access.check(mia).name == "mia"
    assert access.known(mia) is not None  # without argon2
    assert access.check(old).name == "old"
    now[0] = 4e9
    with pytest.raises(InputError, match="the token of old has expired"):
        access.check(old)
    now[0] = 1e9
    newer = place.renew_token("mia")
    assert access.known(mia) is None
    with pytest.raises(InputError, match="nobody's here"):
        access.check(mia)
    assert access.check(newer).name == "mia"
    place.revoke_token("mia")
    with pytest.raises(InputError):
        access.check(newer)
    assert access.known(newer) is None


def test_people_stay_while_their_file_cannot_be_read(tmp_path: Path) -> None:
    for at in served(tmp_path / "twin"):
        assert at.ada.get("/me").status_code == 200
        path = at.desk.workspace.folder / "nettwin.toml"
        good = path.read_text()
        path.write_text(good.replace("nettwin = 1", "nettwin = [1"))
        assert at.ada.get("/me").status_code == 200
        path.write_text(good.replace("[people.ada]", "[people.zoe]"))
        assert at.ada.get("/me").status_code == 401


def test_who_guesses_tokens_is_slowed_down(tmp_path: Path) -> None:
    for at in served(tmp_path / "twin", Limits(logins="3/minute")):
        codes = [
            at.client.get("/api/v1/me", headers={"authorization": f"Bearer ada.{k}"}).status_code
            for k in range(5)
        ]
        assert codes == [401, 401, 401, 429, 429]
        assert at.ada.get("/me").status_code == 429  # not even a good one, unless it was known


def test_too_many_requests(tmp_path: Path) -> None:
    for at in served(tmp_path / "twin", Limits(requests="5/minute")):
        codes = [at.ada.get("/me").status_code for _ in range(7)]
        assert codes == [200] * 5 + [429] * 2
        assert int(at.ada.get("/me").headers["retry-after"]) >= 1
        assert at.bob.get("/me").status_code == 200


# where requests come from


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil"])
def test_wrong_host(at: Served, host: str) -> None:
    answer = at.ada.get("/me", {"host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
def test_another_page_changes_nothing(at: Served, origin: str) -> None:
    browser = log_in(at, "ada") | {"origin": origin}
    for path in ("/api/v1/sessions", "/login", "/logout"):
        answer = at.client.post(path, headers=browser, json={})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:nettwin:problem:origin")


def test_a_browser_that_tells_no_origin_changes_nothing(at: Served) -> None:
    browser = log_in(at, "ada")
    del browser["origin"]
    assert at.client.post("/api/v1/sessions", headers=browser, json={}).status_code == 403


def test_csrf(at: Served) -> None:
    browser = log_in(at, "ada")
    told = at.client.get("/api/v1/me", headers=browser).json()
    refused = at.client.post("/api/v1/sessions", headers=browser, json={})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:nettwin:problem:csrf")
    wrong = browser | {CSRF_HEADER: "é" * 3}
    headers = [(k.encode(), v.encode("latin-1")) for k, v in wrong.items()]
    assert at.client.post("/api/v1/sessions", headers=headers, json={}).status_code == 403
    good = browser | {CSRF_HEADER: told["csrf"]}
    assert at.client.post("/api/v1/sessions", headers=good, json={}).status_code == 201


def test_a_link_logs_in_once(at: Served) -> None:
    code = at.desk.access.link("bob")
    assert at.client.head(f"/login?code={code}").status_code in (200, 405)
    first = at.client.get(f"/login?code={code}", follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    at.client.cookies.clear()
    again = at.client.get(f"/login?code={code}", follow_redirects=False)
    assert (again.status_code, "used already" in again.text) == (401, True)


@pytest.mark.parametrize("there", ELSEWHERE)
def test_a_login_leads_nowhere_else(at: Served, there: str) -> None:
    code = at.desk.access.link("bob")
    answer = at.client.get("/login", params={"code": code, "next": there}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    at.client.cookies.clear()


def test_logging_out_ends_the_session(at: Served) -> None:
    browser = log_in(at, "ada")
    assert at.client.get("/api/v1/me", headers=browser).status_code == 200
    at.client.post("/logout", headers=browser, follow_redirects=False)
    assert at.client.get("/api/v1/me", headers=browser).status_code == 401


def test_who_is_not_logged_in_is_sent_to_the_login(at: Served) -> None:
    answer = at.client.get("/map?x=1", headers={"accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fmap%3Fx%3D1"


# sockets


def test_sockets_are_let_in_as_requests_are(at: Served) -> None:
    def echo(app: Any, desk: Any) -> None:
        @app.websocket("/echo")
        async def talk(socket: WebSocket) -> None:
            await socket.accept()
            with suppress(WebSocketDisconnect):
                while True:
                    await socket.send_text(await socket.receive_text())

    app = create_app(at.desk, web=False, mount=[echo])
    client = TestClient(app, ADDRESS)  # not entered: the desk is running already
    browser = log_in(at, "ada")
    there = ADDRESS.replace("http", "ws") + "/echo"
    for wrong, reason in (
        ({}, "no-token"),
        ({"origin": ADDRESS}, "no-token"),
        (browser | {"origin": "https://evil.example"}, "origin"),
        ({"cookie": browser["cookie"]}, "origin"),
        (browser | {"host": "evil.example"}, "host"),
        ({"cookie": f"{COOKIE}=forged", "origin": ADDRESS}, "no-token"),
        ({"authorization": "Bearer ada.forged"}, "token"),
    ):
        with pytest.raises(WebSocketDisconnect) as refused:
            client.websocket_connect(there, headers=wrong).__enter__()
        assert refused.value.reason == reason
    with client.websocket_connect(there, headers=browser) as socket:
        socket.send_text("there?")
        assert socket.receive_text() == "there?"
        at.desk.access.end(browser["cookie"].partition("=")[2])
        with pytest.raises(WebSocketDisconnect) as over:
            socket.receive_text()
        assert over.value.code == SESSION_OVER


# what is sent


def test_bodies_too_large_or_too_deep(small: Served) -> None:
    large = small.ada.ask("POST", "/predict", content=b"[" + b"1," * 20_000 + b"1]")
    assert large.status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 1000

    assert small.ada.ask("POST", "/predict", content=chunks()).status_code == 413
    deep = b'{"network": ' + b"[" * 9000 + b"]" * 9000 + b"}"
    json_kind = {"content-type": "application/json"}
    assert small.ada.ask("POST", "/predict", json_kind, content=deep).status_code in (400, 422)
    nested: Any = "A"
    for _ in range(40):
        nested = {"kind": "fail_link", "link": nested}
    answer = small.ada.post("/whatif", {"network": "plan", "changes": [nested]})
    assert answer.status_code == 422
    odd = small.ada.ask("POST", "/predict", json_kind, content=b'{"seed": NaN}')
    assert odd.status_code == 422


def packed(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_zip_bombs_and_paths_that_lead_out(small: Served) -> None:
    bombs = {
        "too many": packed(*((f"{k}.csv", b"a") for k in range(9))),
        "too large": packed(("a.csv", b"0" * 3_000_000)),
        "leads out": packed(("../../../../evil.yaml", b"nettwin: 1")),
        "absolute": packed(("/nowhere/evil.yaml", b"nettwin: 1")),
        "garbled": packed(("a.csv", b"0" * 5000))[:-300],
    }
    for what, content in bombs.items():
        answer = small.ada.ask("POST", "/networks?file=net.zip", content=content)
        assert answer.status_code == 422, what
    assert not list(small.desk.workspace.folder.parent.rglob("evil*"))
    lying = bytearray(packed(("a.csv", b"0" * 3_000_000)))
    at = lying.index(b"PK\x01\x02") + 24
    lying[at : at + 4] = (10).to_bytes(4, "little")  # it says that it has 10 bytes
    answer = small.ada.ask("POST", "/networks?file=net.zip", content=bytes(lying))
    assert answer.status_code == 422
    good = packed(("net/square.yaml", small.desk.workspace.settings.plan.read_bytes()))
    assert small.ada.ask("POST", "/networks?file=net.zip", content=good).status_code == 201


def test_networks_that_are_too_large(tmp_path: Path) -> None:
    for at in served(tmp_path / "twin", Limits(links=10, networks=2, wait_s=60.0)):
        content = at.desk.workspace.settings.plan.read_bytes()
        told = at.ada.ask("POST", "/networks?file=square.yaml", content=content)
        assert told.status_code == 422
        assert "has 12 links: may have 10" in told.json()["detail"]
        for _ in range(2):
            at.desk.networks.add("x", b"x")
        assert at.ada.ask("POST", "/networks?file=a.yaml", content=content).status_code == 409


YAML_BOMB = b"nettwin: 1\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nnodes: *c\n"
XML = b'<?xml version="1.0"?>'
XML_BOMB = XML + b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><graphml>&b;</graphml>'
XML_FILE = XML + b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><graphml>&a;</graphml>'


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("net.yaml", YAML_BOMB),
        ("net.yaml", b"nettwin: 1\nnodes: " + b"[" * 5000),
        ("net.yaml", b"nettwin: 1\nnodes: !!python/object/apply:os.system ['true']\n"),
        ("net.graphml", XML_BOMB),
        ("net.graphml", XML_FILE),
        ("net.json", b'{"nettwin": ' + b"[" * 50_000),
        ("net.bin", bytes(range(256)) * 20),
        ("../../../etc/passwd", b"root"),
    ],
)
def test_uploads_that_would_harm(small: Served, file: str, content: bytes) -> None:
    answer = small.ada.ask("POST", "/networks", params={"file": file}, content=content)
    assert answer.status_code == 422, answer.text
    assert "root:" not in answer.text
    assert str(small.desk.workspace.folder) not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/networks/..%2F..%2Fnettwin.toml/file",
        "/networks/%2e%2e",
        "/networks/n000000000000%2F..%2F..%2Fnettwin.toml",
        "/sessions/..%2F..%2Floop",
        "/jobs/..%2F..%2Fnettwin.toml/answer",
        "/jobs/jobs.sqlite/answer",
        "/plans/..%2F..%2Faudit.head",
        "/models/..%2F..%2F..%2Fetc%2Fpasswd",
        "/observations/series/..%2F..%2Fnettwin.toml",
    ],
)
def test_paths_that_lead_out(at: Served, path: str) -> None:
    answer = at.ada.get(path)
    assert answer.status_code in (404, 422)
    assert "token_argon2" not in answer.text
    for reference in ("/etc/passwd", "../nettwin.toml", "topohub:gabriel/25/0", "plan/../x"):
        found = at.ada.post("/predict", {"network": reference})
        assert (found.status_code, found.json()["type"]) == (
            404,
            "urn:nettwin:problem:unknown-name",
        )


def test_engines_are_names_and_never_files(at: Served, tmp_path: Path) -> None:
    for engine in (str(tmp_path / "model.safetensors"), "gnn.safetensors", "os.system"):
        answer = at.ada.post("/predict", {"network": "plan", "engine": engine})
        assert (answer.status_code, answer.json()["type"]) == (
            422,
            "urn:nettwin:problem:unknown-name",
        )


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9090",
        "http://localhost:9090",
        "http://[::1]:9090",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.7",
        "http://192.168.1.1",
        "http://172.16.3.4",
        "http://0.0.0.0:80",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[fe80::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://user:pass@127.0.0.1/",
    ],
)
def test_addresses_inside_are_refused_before_a_socket_opens(
    at: Served, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    opened: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: opened.append(a))
    monkeypatch.setattr(socket.socket, "connect", lambda *a, **k: opened.append(a))
    before = at.desk.jobs.store.count("source")
    answer = at.ada.post("/data/check", {"url": url})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:nettwin:problem:inside")
    assert not opened
    assert at.desk.jobs.store.count("source") == before
    assert refusals(at)[-1]["path"] == "/api/v1/data/check"


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_address_of_a_server(at: Served, url: str) -> None:
    assert at.ada.post("/data/check", {"url": url}).status_code == 422


def test_a_name_that_turns_inside_meanwhile_is_refused() -> None:
    import socket

    from nettwin.interfaces.server.outside import check_url, outside_only

    check_url("http://127.0.0.1", ["127.0.0.0/8"])  # as the server was told
    with outside_only(), pytest.raises(ProblemError, match="an address inside"):
        socket.getaddrinfo("127.0.0.1", 80)
    assert socket.getaddrinfo("127.0.0.1", 80)


# what comes out


def test_names_that_are_html_or_formulas(at: Served) -> None:
    from nettwin.formats.native import native_text
    from nettwin.interfaces.server.replies import View
    from nettwin.interfaces.server.routes.history import _csv
    from nettwin.scenario.scenario import Scenario
    from nettwin.scenario.topology import Link, Topology
    from nettwin.scenario.traffic import Flow, Traffic

    evil = "<script>alert(1)</script>\"'&"
    nodes = [evil, "=cmd|' /C calc'!A1"]
    topology = Topology.build(nodes, [Link(*nodes, 1e6, 1e-3)], duplex=True)
    scenario = Scenario(topology, Traffic.build(topology, [Flow(*nodes, 1e5)]), name=evil)
    sent = native_text(scenario).encode()
    made = at.ada.ask("POST", "/networks", params={"file": "e.json", "name": evil}, content=sent)
    assert made.status_code == 201, made.text
    found = at.ada.get(f"/networks/{made.json()['id']}")
    assert found.headers["content-type"] == "application/json"  # no browser makes a page of it
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert found.json()["nodes"][0]["node"] == evil
    import numpy as np

    head = _csv(nodes[1], np.array([1.0]), np.array([2.0])).decode().split("\n")[0]
    assert head.endswith("'=cmd|' /C calc'!A1")
    assert View.of(b"").media_type == "application/json"


def test_tables_as_csv_hold_no_formulas(tmp_path: Path) -> None:
    from nettwin.interfaces.sheets import write_rows

    names = ["=1+1", "+1", "-1", "@sum", "\t=1", "A->B"]
    path = write_rows(tmp_path / "rows.csv", [{"name": name, "value": -1.0} for name in names])
    cells = [line.partition(",")[0].strip('"') for line in path.read_text().split("\n")[1:-1]]
    assert cells == [f"'{name}" for name in names[:-1]] + ["A->B"]
    assert ",-1.0" in path.read_text()  # numbers stay numbers


def test_headers_that_keep_browsers_safe(at: Served) -> None:
    page = at.client.get("/login?next=%22%3E%3Cscript%3E")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy  # it needs none
    assert "<script" not in page.text
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert f'<style nonce="{nonce}">' in page.text
    assert nonce not in at.client.get("/login").text
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


def test_a_request_id_cannot_carry_anything(at: Served) -> None:
    good = at.ada.get("/me", {"x-request-id": "0123456789-abc"})
    assert good.headers["x-request-id"] == "0123456789-abc"
    odd = at.ada.get("/me", {"x-request-id": "a b<script>"})
    assert len(odd.headers["x-request-id"]) == 16


def test_the_log_of_refusals_cannot_be_flooded(tmp_path: Path) -> None:
    for at in served(tmp_path / "twin", Limits(refusals="4/minute")):
        for _ in range(9):
            at.nobody.get("/me")
        assert len(refusals(at)) == 4
        assert at.desk.log.issues() == []
