"""A desk as tests ask it: the square's workspace, seen once, with people of every role."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from nettwin.interfaces.server.app import create_app
from nettwin.interfaces.server.desk import Desk, open_desk
from nettwin.interfaces.server.guard import OPEN
from nettwin.interfaces.server.limits import Limits
from tests import live

PATIENT = Limits(wait_s=60.0)  # whatever else this machine does meanwhile
PEOPLE = {"ada": ("operator",), "bob": ("approver",), "cyd": ("operator", "approver"), "eve": ()}
ADDRESS = "http://127.0.0.1:8080"


class Asker:
    """A program with the token of a person."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, headers: Mapping[str, str] = {}, **more: Any) -> Any:
        path = path if path in OPEN else f"/api/v1{path}"
        return self.client.request(method, path, headers={**self.headers, **headers}, **more)

    def get(self, path: str, headers: Mapping[str, str] = {}, **more: Any) -> Any:
        return self.ask("GET", path, headers, **more)

    def post(
        self, path: str, json: Any = None, headers: Mapping[str, str] = {}, **more: Any
    ) -> Any:
        return self.ask("POST", path, headers, json=json, **more)


class Served:
    """A desk, its application, and who may ask."""

    def __init__(self, desk: Desk, client: TestClient, tokens: Mapping[str, str]) -> None:
        self.desk, self.client, self.tokens = desk, client, tokens
        self.people = {name: Asker(client, token) for name, token in tokens.items()}
        self.nobody = Asker(client, "")

    def __getattr__(self, name: str) -> Asker:
        return self.people[name]


def made(folder: Path, limits: Limits | None = None) -> tuple[Desk, dict[str, str]]:
    """A desk over a new workspace of the square, without a loop, and the tokens of its people."""
    place = live.workspace(folder)
    with place.writing("tests"), place.network() as network:
        live.loop(place, network).cycle()
    tokens = {name: place.add_person(name, roles or ("viewer",)) for name, roles in PEOPLE.items()}
    return open_desk(folder, limits or PATIENT, live=False, warm=""), tokens


def served(folder: Path, limits: Limits | None = None) -> Iterator[Served]:
    """A desk that has begun, asked in this process."""
    desk, tokens = made(folder, limits)
    with TestClient(create_app(desk, web=False, names=["testserver"]), ADDRESS) as client:
        yield Served(desk, client, tokens)


@pytest.fixture(scope="package")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk that the tests of this folder share."""
    yield from served(tmp_path_factory.mktemp("desk") / "twin")


@contextmanager
def listening(desk: Desk, *, begun: bool = True, **more: Any) -> Iterator[str]:
    """A desk over HTTP, which has begun or begins now; its address."""
    app = create_app(desk, web=False, **more)
    lifespan: Any = "off" if begun else "on"
    config = uvicorn.Config(app, port=0, lifespan=lifespan, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="package")
def address(at: Served) -> Iterator[str]:
    """The desk that the tests of this folder share, over HTTP."""
    with listening(at.desk) as found:
        yield found
