"""Servers that answer as real ones did: their answers stand in `samples/`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

SAMPLES = Path(__file__).parent / "samples"
PROMETHEUS = json.loads((SAMPLES / "prometheus.json").read_text())


@contextmanager
def serving(answer: Any, token: str = "") -> Iterator[str]:
    """A server whose JSON is `answer(path, form)`; its address. With a token it asks for that."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
            if token and self.headers.get("Authorization") != f"Bearer {token}":
                self.send_error(401)
                return
            found = answer(self.path, form)
            code, content = found if isinstance(found, tuple) else (200, found)
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def prometheus(path: str, form: dict[str, str]) -> Any:
    """What the real Prometheus answered."""
    if path != "/api/v1/query":
        return PROMETHEUS[path]
    metric = re.match(r"\w+", form["query"])
    assert metric
    return PROMETHEUS["queries"][metric[0]]
