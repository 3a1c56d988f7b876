"""Keys: an Idempotency-Key makes a deed happen once, however often it is sent.

The first answer under a key is kept in the workspace and given again; the same key with another
request is refused, and so is a second one while the first is under way.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.interfaces.server.problems import ProblemError
from nettwin.interfaces.server.replies import sent_document
from nettwin.workspace.people import Person

KEY = re.compile(r"[\x21-\x7e]{1,200}")
KEPT_S = 7 * 86400.0


class Keys:
    """The keys of a workspace, SQLite. Thread-safe."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, request TEXT NOT NULL,"
            " at_s REAL NOT NULL, status INTEGER, answer TEXT)"
        )
        self._base.execute("DELETE FROM keys WHERE status IS NULL")  # a server died at them

    def begin(self, key: str, request: str) -> tuple[int, Any] | None:
        """Take a key for a request; the first answer where there is one. Raises ProblemError."""
        with self._lock:
            now = time.time()
            self._base.execute("DELETE FROM keys WHERE at_s < ?", [now - KEPT_S])
            row = self._base.execute(
                "SELECT request, status, answer FROM keys WHERE key = ?", [key]
            ).fetchone()
            if row is None:
                self._base.execute(
                    "INSERT INTO keys (key, request, at_s) VALUES (?, ?, ?)", [key, request, now]
                )
                return None
        if row[0] != request:
            detail = "the Idempotency-Key was used for another request"
            raise ProblemError(422, "key", detail, "Take a new key.")
        if row[1] is None:
            detail = "the request of this Idempotency-Key is under way"
            raise ProblemError(409, "key", detail, "Wait, and ask again with the same key.")
        return int(row[1]), json.loads(row[2])

    def end(self, key: str, status: int, answer: Any) -> None:
        """Keep the first answer."""
        with self._lock:
            self._base.execute(
                "UPDATE keys SET status = ?, answer = ? WHERE key = ?",
                [status, json.dumps(answer), key],
            )

    def drop(self, key: str) -> None:
        """Free a key whose request failed: it may be sent again."""
        with self._lock:
            self._base.execute("DELETE FROM keys WHERE key = ?", [key])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()


async def once(
    request: Request,
    keys: Keys,
    person: Person,
    deed: Callable[[], Awaitable[dict[str, Any]]],
    status: int = 200,
) -> Response:
    """Do a deed, once under the request's Idempotency-Key where it has one."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return await sent_document(request, await deed(), status)
    if not KEY.fullmatch(given):
        detail = "the Idempotency-Key must be 1 to 200 plain characters"
        raise ProblemError(400, "key", detail, "Take a UUID.")
    key = f"{person.name} {given}"
    body = await request.body()
    text = f"{request.method} {request.url.path} {hashlib.sha256(body).hexdigest()}"
    if (found := await run_in_threadpool(keys.begin, key, text)) is not None:
        return await sent_document(request, found[1], found[0], {"idempotent-replay": "true"})
    try:
        answer = await deed()
    except BaseException:
        await run_in_threadpool(keys.drop, key)
        raise
    await run_in_threadpool(keys.end, key, status, answer)
    return await sent_document(request, answer, status)
