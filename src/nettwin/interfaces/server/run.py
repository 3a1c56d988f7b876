"""Run: a desk over HTTP until Ctrl-C, by uvicorn in one worker."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nettwin.errors import InputError, MissingExtraError
from nettwin.interfaces.server.desk import Desk

SWITCH_S = 0.001  # of threads: answers do not wait long for what is made beside them


@dataclass(frozen=True)
class Serving:
    """Where a server listens. `certificate` and `key` are PEM files; `names` are the names by which
    others call it. Port 0 takes one that is free."""

    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None

    def check(self) -> None:
        """Raise InputError for what does not go together."""
        if (self.certificate is None) != (self.key is None):
            raise InputError("--certificate and --key belong together. Give both, or none.")
        for path in (self.certificate, self.key):
            if path is not None and not path.is_file():
                raise InputError(f"{path} is not a file: must be PEM. Give another one.")

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.certificate else "http"


def serve(
    desk: Desk,
    serving: Serving,
    *,
    mount: Sequence[Callable[..., None]] = (),
    mcp_apply: bool = False,
    told: Callable[[str], None] = lambda address: None,
    until: threading.Event | None = None,
) -> None:
    """Serve until Ctrl-C, SIGTERM or an event, with MCP at /mcp; with `mcp_apply` it offers tools
    that apply plans. `told` gets the address once requests are taken. Raises InputError where the
    address is taken, MissingExtraError without the extra `serve`."""
    try:
        import uvicorn

        from nettwin.interfaces.mcp.server import mounted
        from nettwin.interfaces.server.app import create_app
    except ImportError as error:
        raise MissingExtraError(f"a server ({error.name} is missing)", "serve") from None
    serving.check()
    sys.setswitchinterval(SWITCH_S)
    listening = _listening(serving)
    port = listening.getsockname()[1]
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    names = (*serving.names, *(() if serving.host in ("0.0.0.0", "::") else (host,)))
    app = create_app(desk, names=names, mount=[*mount, mounted(deeds=mcp_apply)])
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
        limit_concurrency=1000,
        h11_max_incomplete_event_size=64 * 2**10,
        ws_max_size=2**22,
        ssl_certfile=None if serving.certificate is None else str(serving.certificate),
        ssl_keyfile=None if serving.key is None else str(serving.key),
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                told(f"{serving.scheme}://{host}:{port}")

    server = Server(config)
    if until is not None:

        def end() -> None:
            until.wait()
            server.should_exit = True

        threading.Thread(target=end, daemon=True).start()
    server.run(sockets=[listening])


def _listening(serving: Serving) -> socket.socket:
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((serving.host, serving.port))
    except OSError as error:
        found.close()
        raise InputError(
            f"{serving.host}:{serving.port} cannot be listened at: {error.strerror}. Give another"
            " --port."
        ) from None
    found.listen(512)
    return found


class JsonLines(logging.Formatter):
    """A line of JSON for every record: time, level, logger, words, and its request."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        found |= getattr(record, "request", {})
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False)


def log_to(level: str) -> None:
    """Write the log as lines of JSON to standard error: from this level on, or from the one that
    was asked for before."""
    asked = logging.getLogger("nettwin").level
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for name in ("nettwin", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(asked or level.upper())
