"""The server as a program: TLS, pages under their content policy, a kill in the middle."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import live

pytestmark = pytest.mark.system
LONG = {"network": "plan", "intent": "workspace", "seconds": 30.0, "method": "local_search"}


class Server:
    """A server that was started."""

    def __init__(self, process: subprocess.Popen[str], address: str, token: str, ca: Path | None):
        self.process, self.address, self.token = process, address, token
        self.context = ssl.create_default_context(cafile=str(ca)) if ca else None
        self.cookie = ""

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[Any, str]:
        request = urllib.request.Request(self.address + path)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if not self.cookie and path.startswith("/api"):
            request.add_header("authorization", f"Bearer {self.token}")
        if self.cookie:
            request.add_header("cookie", self.cookie)
        if body is not None:
            form = isinstance(body, str)
            request.data = body.encode() if form else json.dumps(body).encode()
            kind = "application/x-www-form-urlencoded" if form else "application/json"
            request.add_header("content-type", kind)
        opener = urllib.request.build_opener(
            _NoRedirect(),
            *([urllib.request.HTTPSHandler(context=self.context)] if self.context else []),
        )
        try:
            with opener.open(request, timeout=60) as found:
                return found, found.read().decode()
        except urllib.error.HTTPError as error:
            return error, error.read().decode()

    def wait(self) -> None:
        end = time.monotonic() + 300
        while self.ask("/ready")[0].status != 200:
            assert time.monotonic() < end
            time.sleep(0.3)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


@contextmanager
def serving(folder: Path, token: str, *more: str, ca: Path | None = None) -> Iterator[Server]:
    command = [sys.executable, "-m", "nettwin", "serve", "-w", str(folder), "--port", "0", *more]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        assert found, line
        yield Server(process, found[0], token, ca)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)
        process.stdout.close()


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, str]:
    made = live.workspace(tmp_path / "twin")
    return made.folder, made.add_person("ada", ("operator",))


def children(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child, *children(child)}
    return found


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private


def test_pages_over_tls_keep_to_their_policy(place: tuple[Path, str], tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    files = ("--certificate", str(cert), "--key", str(key))
    with serving(*place, *files, ca=cert) as server:
        assert server.address.startswith("https://")
        server.wait()
        found, _ = server.ask("/login", f"token={server.token}", origin=server.address)
        cookie = found.headers["set-cookie"]
        assert (found.status, "Secure" in cookie) == (303, True)
        server.cookie = cookie.partition(";")[0]
        nonces = set()
        for path in ("/", "/sessions", "/flows", "/plans", "/data", "/models"):
            page, text = server.ask(path, accept="text/html")
            assert page.status == 200, path
            policy = page.headers["content-security-policy"]
            scripts = policy.partition("script-src ")[2].partition(";")[0]
            nonce = re.fullmatch(r"'nonce-([\w-]+)' 'strict-dynamic' 'unsafe-eval'", scripts)
            assert nonce, policy
            nonces.add(nonce[1])
            for rule in ("default-src 'none'", "object-src 'none'", "frame-ancestors 'none'"):
                assert rule in policy
            tags = re.findall(r"<script[^>]*>", text)
            assert len(tags) > 3
            assert all(f'nonce="{nonce[1]}"' in tag for tag in tags)
            outside = re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]+", text)
            assert not outside
        assert len(nonces) == 6


def test_a_server_that_is_killed_goes_on(place: tuple[Path, str]) -> None:
    with serving(*place, "--no-live") as server:
        server.wait()
        found, text = server.ask("/api/v1/optimize", LONG, prefer="respond-async")
        assert found.status == 202, text
        job = json.loads(text)["job"]["id"]
        end = time.monotonic() + 60
        while json.loads(server.ask(f"/api/v1/jobs/{job}")[1])["job"]["state"] == "queued":
            assert time.monotonic() < end
            time.sleep(0.1)
        mine = children(server.process.pid)
        assert mine
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(10)
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in mine):
        assert time.monotonic() < end, "processes outlive their server"
        time.sleep(0.2)
    with serving(*place, "--no-live") as server:
        server.wait()
        end = time.monotonic() + 60
        while True:
            now = json.loads(server.ask(f"/api/v1/jobs/{job}")[1])["job"]
            if now["state"] != "queued":
                break
            assert time.monotonic() < end
            time.sleep(0.1)
        assert (now["state"], now["attempts"]) == ("running", 2)
        other = subprocess.run(
            [sys.executable, "-m", "nettwin", "serve", "-w", str(place[0]), "--port", "0"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert other.returncode == 2
        assert "is in use by nettwin serve" in other.stderr


def test_ctrl_c_leaves_nothing_behind(place: tuple[Path, str]) -> None:
    with serving(*place) as server:
        server.wait()
        mine = children(server.process.pid)
        assert len(mine) >= 3  # the loop, and two that do jobs
    assert server.process.returncode in (0, 130)
    gone_by = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in mine):
        assert time.monotonic() < gone_by, "something was left behind"
        time.sleep(0.1)


def test_names_that_are_html_stay_names(tmp_path: Path) -> None:
    """Elements are named as a page's script would be; no page has one script more for it."""
    from nettwin.scenario.scenario import Scenario
    from nettwin.scenario.topology import Link, Topology
    from nettwin.scenario.traffic import Flow, Traffic
    from nettwin.workspace.workspace import begin

    def scripts(nodes: list[str], folder: Path) -> dict[str, tuple[int, str]]:
        topology = Topology.build(nodes, [Link(*nodes, 1e7, 1e-3)], duplex=True)
        flows = [Flow(*nodes, 1e6, name=f"{nodes[0]} flow")]
        scenario = Scenario(topology, Traffic.build(topology, flows), name=nodes[0])
        place = begin(folder, scenario, live.INTENT, name="evil", settings=live.FAST)
        token = place.add_person("ada", ("operator",))
        found = {}
        with serving(place.folder, token) as server:
            server.wait()
            answer, _ = server.ask("/login", f"token={token}", origin=server.address)
            server.cookie = answer.headers["set-cookie"].partition(";")[0]
            for path in ("/", "/flows", "/sessions", "/plans", "/data"):
                page, text = server.ask(path, accept="text/html")
                assert page.status == 200
                found[path] = len(re.findall(r"<script[\s>]", text)), text
        return found

    evil = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
    good = scripts(["A", "B"], tmp_path / "good")
    bad = scripts([evil, "B"], tmp_path / "bad")
    for path, (count, text) in bad.items():
        assert count == good[path][0], path
        assert "<img src=x" not in text, path
