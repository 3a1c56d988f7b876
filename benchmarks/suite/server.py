"""server: how fast cached answers are read, alone and while jobs run; and load for a minute."""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, say
from nettwin.interfaces.cli.init import DEMO_INTENT, demo_network
from nettwin.interfaces.server.access import COOKIE
from nettwin.workspace.workspace import begin

TITLE = "The server: cached reads alone and beside jobs, and a minute of load"
PROTOCOL = (
    "`nettwin serve` on NSFNET (546 flows) with its loop, in processes of its own on this machine. "
    "Cached reads: documents of up to 100 kB (a prediction's links, a what-if, the newest "
    "measurement, what there is to choose from, the schema of intents), packed, one after another "
    "at 40 a second over one connection; the time is from sending to the last byte. Under jobs: "
    "every worker simulates packets meanwhile (at nice 10), a new job whenever one ends. Load: 50 "
    "clients of the API (reads, and a what-if in ten) and 18 browsers' sockets on the map, which "
    "follow the loop, for 60 s; an error is whatever is not the answer that was asked for. The "
    "clients run on this machine, too."
)
MOST_S = 0.05
RATE = 40.0
CLIENTS, SOCKETS = 50, 18
LARGEST = 100_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="of each part")


def run(options: Options) -> Outcome:
    """Measure; needs the extra `serve`."""
    try:
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError:
        raise Skipped("it needs the extra serve: pip install 'nettwin[serve]'") from None
    seconds = float(options.extra.get("seconds", 60.0))
    with serving() as place:
        paths = cached(place)
        idle = read(place, paths, seconds)
        say(f"idle: p50 {np.median(idle):.4f} s, p99 {np.quantile(idle, 0.99):.4f} s")
        with working(place):
            busy = read(place, paths, seconds)
        say(f"under jobs: p50 {np.median(busy):.4f} s, p99 {np.quantile(busy, 0.99):.4f} s")
        load = loaded(place, seconds)
    say(f"load: {load.requests} requests, {load.messages} messages, {len(load.errors)} errors")
    for error in load.errors[:10]:
        say(f"  {error}")
    figures = (
        at_most("p99 idle", float(np.quantile(idle, 0.99)), MOST_S, "s"),
        Figure("p50 idle", float(np.median(idle)), "s"),
        at_most("p99 under jobs", float(np.quantile(busy, 0.99)), MOST_S, "s"),
        Figure("p50 under jobs", float(np.median(busy)), "s"),
        at_most("errors under load", float(len(load.errors)), 0.0),
        Figure("requests under load", load.requests / seconds, "1/s"),
        Figure("p99 under load", float(np.quantile(load.times, 0.99)), "s"),
    )
    return Outcome(figures, (f"{len(idle)} and {len(busy)} reads",))


@dataclass(frozen=True)
class Place:
    """A server: its port, and the token of an operator."""

    port: int
    token: str

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        body: Any = None,
        prefer: str = "wait=60",
    ) -> tuple[int, bytes]:
        headers = {
            "authorization": f"Bearer {self.token}",
            "accept-encoding": "gzip",
            "prefer": prefer,
            "content-type": "application/json",
        }
        method = "GET" if body is None else "POST"
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v1{path}", data, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def serving() -> Iterator[Place]:
    """A server of its own, ready."""
    with tempfile.TemporaryDirectory() as folder:
        place = begin(Path(folder) / "twin", demo_network(), DEMO_INTENT, auto=True)
        token = place.add_person("ada", ("operator",))
        text = (place.folder / "nettwin.toml").read_text()
        # the loop measures every 5 s, as the demo does
        fast = re.sub(r"interval_s = 60\b", "interval_s = 5", text)
        (place.folder / "nettwin.toml").write_text(fast)
        command = [sys.executable, "-m", "nettwin", "serve", "-w", str(place.folder), "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
            if found is None:
                raise Skipped("the server did not begin; its words are above")
            server = Place(int(found[1]), token)
            wait_until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_ready(place: Place) -> None:
    """Until all is compiled and the loop has measured."""
    end = time.monotonic() + 600
    while time.monotonic() < end:
        connection = place.connect()
        try:
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise Skipped("the server was not ready after 600 s")


def cached(place: Place) -> list[str]:
    """Paths of answers that were made before; asked once each."""
    connection = place.connect()
    questions = (
        ("/predict", {"network": "plan", "parts": ["links", "queues"]}),
        ("/whatif", {"network": "plan", "changes": ["scale_traffic 1.1"], "parts": ["links"]}),
        ("/explain", {"network": "plan"}),
    )
    paths = ["/observations/last", "/kinds", "/intents/schema"]
    for path, body in questions:
        status, _ = place.ask(connection, path, body)
        assert status == 200, status
    status, jobs = place.ask(connection, "/jobs?limit=50")
    mine = [one for one in json.loads(gunzip(jobs))["items"] if one["state"] == "done"]
    paths += [f"/jobs/{one['id']}/answer" for one in mine if one["bytes"] < LARGEST]
    for path in paths:
        status, _ = place.ask(connection, path)
        assert status == 200, (path, status)
    return paths


def gunzip(body: bytes) -> bytes:
    import gzip

    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def read(place: Place, paths: list[str], seconds: float) -> np.ndarray[Any, Any]:
    """The times of reads at a steady rate."""
    connection = place.connect()
    times = []
    begin = time.perf_counter()
    for number, path in enumerate(itertools.cycle(paths)):
        due = begin + number / RATE
        if due > begin + seconds:
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        start = time.perf_counter()
        status, _ = place.ask(connection, path)
        times.append(time.perf_counter() - start)
        assert status == 200, (path, status)
    return np.array(times)


@contextmanager
def working(place: Place) -> Iterator[None]:
    """While every worker has something long to do."""
    stop = threading.Event()

    def keep_busy(seed: int) -> None:
        connection = place.connect()
        while not stop.is_set():
            seed += 10
            body = {"network": "plan", "engine": "packet", "seed": seed, "parts": []}
            status, text = place.ask(connection, "/predict", body, "respond-async")
            assert status in (200, 202), status
            if status == 202:
                job = json.loads(gunzip(text))["job"]["id"]
                while not stop.is_set() and place.ask(connection, f"/jobs/{job}/answer")[0] == 202:
                    time.sleep(0.2)

    threads = [threading.Thread(target=keep_busy, args=(k,), daemon=True) for k in (1, 2, 3)]
    for thread in threads:
        thread.start()
    time.sleep(2.0)
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)


@dataclass
class Load:
    """What became of load."""

    requests: int = 0
    messages: int = 0
    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def loaded(place: Place, seconds: float) -> Load:
    """Clients and sockets at once, in threads of this process."""
    load, stop = Load(), time.monotonic() + seconds
    paths = ["/observations/last", "/kinds", "/intents/measured", "/status", "/plans"]
    cookie = logged_in(place)

    def client(k: int) -> None:
        connection = place.connect()
        for n in itertools.count(k):
            if time.monotonic() > stop:
                return
            start = time.perf_counter()
            try:
                if n % 10 == 0:
                    scale = f"scale_traffic {1 + (n // 10) % 7 / 10:g}"
                    body = {"network": "plan", "changes": [scale], "parts": []}
                    status, _ = place.ask(connection, "/whatif", body)
                else:
                    status, _ = place.ask(connection, paths[n % len(paths)])
                if status != 200:
                    load.errors.append(f"status {status}")
            except OSError as error:
                load.errors.append(f"client: {error!r}")
                connection = place.connect()
            load.requests += 1
            load.times.append(time.perf_counter() - start)
            time.sleep(1.0)

    with ThreadPoolExecutor(CLIENTS + SOCKETS) as pool:
        done = [pool.submit(client, k) for k in range(CLIENTS)]
        done += [pool.submit(follow, place, cookie, stop, load) for _ in range(SOCKETS)]
        for one in done:
            one.result()
    return load


def logged_in(place: Place) -> str:
    """The cookie of a browser's session."""
    connection = place.connect()
    headers = {"origin": f"http://127.0.0.1:{place.port}"}
    connection.request("POST", "/login", f"token={place.token}", headers)
    answer = connection.getresponse()
    answer.read()
    return str(answer.headers["set-cookie"]).partition(";")[0].removeprefix(f"{COOKIE}=")


def follow(place: Place, cookie: str, stop: float, load: Load) -> None:
    """A browser's page and its socket, as NiceGUI's script opens it, until the time is over."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    try:
        connection = place.connect()
        headers = {"cookie": f"{COOKIE}={cookie}", "accept": "text/html"}
        connection.request("GET", "/", headers=headers)
        page = connection.getresponse().read().decode()
        found = re.search(r"['\"]client_id['\"]: ['\"]([0-9a-f-]{36})", page)
        if found is None:
            load.errors.append("page: it names no client")
            return
        query = (
            f"client_id={found[1]}&next_message_id=0&implicit_handshake=true"
            f"&tab_id={uuid.uuid4()}&document_id={uuid.uuid4()}&EIO=4&transport=websocket"
        )
        address = f"ws://127.0.0.1:{place.port}/_nicegui_ws/socket.io/?{query}"
        own = {"cookie": headers["cookie"], "origin": f"http://127.0.0.1:{place.port}"}
        with connect(address, additional_headers=own, origin=None, max_size=2**24) as socket:
            socket.send("40")
            while (left := stop - time.monotonic()) > 0:
                try:
                    message = socket.recv(timeout=min(left, 5.0))
                except TimeoutError:
                    continue
                load.messages += 1
                if message == "2":
                    socket.send("3")
    except (OSError, WebSocketException) as error:
        load.errors.append(f"socket: {error!r}")


if __name__ == "__main__":
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    print(run(Options(extra={"seconds": float([*sys.argv, "5"][1])})))
