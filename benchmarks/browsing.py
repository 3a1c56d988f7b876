"""Browsing: a served workspace and a real browser, for benchmarks and tests of the pages."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
START_S = 120.0


class Watched:
    """A page, and whatever went wrong on it: errors on the console, requests to elsewhere."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.wrong: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", self._sockets)):
            self.wrong.append(f"outside: {request.url}")

    @property
    def _sockets(self) -> str:
        return self.address.replace("http", "ws", 1)

    def go(self, path: str) -> None:
        """Open a path, and wait until its socket answers."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector(".frame > header .fact")
        self.page.wait_for_timeout(400)


def missing() -> str:
    """What this machine lacks to browse, and where it comes from; empty where nothing."""
    if find_spec("playwright") is None:
        return "Playwright is not installed: pip install playwright"
    if not any(map(shutil.which, BROWSERS)):
        return "there is no Chromium here: apt install chromium"
    return ""


@contextmanager
def browser() -> Iterator[Any]:
    """A browser without a window."""
    path = next(filter(None, map(shutil.which, BROWSERS)))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        made = started.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield made
        finally:
            made.close()


@contextmanager
def serving(*arguments: str, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A server, its address and the links that it printed; it ends with Ctrl-C, and well."""
    log = folder / "serve.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "nettwin", "serve", "--port", "0", *arguments],
            cwd=ROOT,
            env={**os.environ, "CI": "", "COLUMNS": "300"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        until_s = time.monotonic() + START_S
        while not (found := re.search(r"at (http://\S+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until_s, log.read_text()
            time.sleep(0.2)
        address = found[1]
        with urlopen(address + "/health", timeout=10) as answer:
            assert answer.status == 200
        yield address, re.findall(r"http://\S+/login\?\S+", log.read_text())
        process.send_signal(signal.SIGINT)
        process.wait(60)
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
