"""Visit: whether a server that was just begun answers as a visitor would want: for `CI=true`."""

from __future__ import annotations

import time
from urllib.error import URLError
from urllib.request import Request, urlopen

from nettwin.errors import NettwinError
from nettwin.interfaces.server.desk import Desk

WAIT_S = 900.0  # a busy machine compiles slowly


def visit(address: str, token: str, desk: Desk, wait_s: float = WAIT_S) -> list[str]:
    """Wait until the page, the description of the API and one cycle of the loop have answered; what
    did, in words. Raises NettwinError where one of them does not in time."""
    found = []
    until_s = time.monotonic() + wait_s
    for path, within in (("/", b"nettwin"), ("/openapi.json", b"openapi")):
        begin = time.monotonic()
        while within not in _read(address + path, token):
            _on_time(path, until_s)
        found.append(f"{path} answered in {time.monotonic() - begin:.1f} s")
    begin = time.monotonic()
    assert desk.live is not None
    while desk.live.moment is None:
        if desk.live.trouble:
            raise NettwinError(desk.live.trouble)
        _on_time("the loop's first cycle", until_s)
    found.append(f"the loop's first cycle was over after {time.monotonic() - begin:.1f} s more")
    return found


def _on_time(what: str, until_s: float) -> None:
    if time.monotonic() > until_s:
        raise NettwinError(f"{what} did not answer in time.")
    time.sleep(0.2)


def _read(url: str, token: str) -> bytes:
    asked = Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(asked, timeout=10) as answer:
            return bytes(answer.read())
    except (URLError, OSError):
        return b""
