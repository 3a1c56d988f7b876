"""Replies: documents as they leave: with an ETag, packed once for all who ask."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.interfaces import documents

JSON = "application/json"
LEAST_PACKED = 1024  # bytes that are worth it
LEVEL = 4
KEPT_BYTES = 128 * 2**20
APART_BYTES = 256 * 2**10  # what is larger is packed in another thread


@dataclass
class View:
    """A document's bytes, plain and packed, and the tag that names this content."""

    body: bytes
    tag: str
    media_type: str = JSON
    packed: bytes | None = None

    @classmethod
    def of(cls, body: bytes, media_type: str = JSON) -> View:
        """The view of a text."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:24]}"', media_type)

    def pack(self) -> bytes:
        """The body, packed; once."""
        if self.packed is None:
            self.packed = gzip.compress(self.body, LEVEL, mtime=0)
        return self.packed


class Views:
    """Views by name and version, the newest version of each; the oldest go where there is no
    room."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, tuple[Any, View]] = OrderedDict()
        self._making: dict[tuple[str, Any], asyncio.Future[View]] = {}
        self._lock = threading.Lock()
        self._bytes = 0

    def find(self, name: str, version: Any) -> View | None:
        """The view of a name, if it is of this version."""
        with self._lock:
            found = self._kept.get(name)
            if found is None or found[0] != version:
                return None
            self._kept.move_to_end(name)
            return found[1]

    async def get(self, name: str, version: Any, make: Callable[[], Any]) -> View:
        """The view of a name and version; where there is none, `make` gives bytes or a document,
        in another thread."""
        if (found := self.find(name, version)) is not None:
            return found
        under_way = self._making.get((name, version))
        if under_way is not None:  # many ask at once: one makes it
            return await asyncio.shield(under_way)

        def made() -> View:
            content = make()
            if not isinstance(content, bytes):
                content = documents.dumps(content).encode()
            view = View.of(content)
            self.keep(name, version, view)
            return view

        task = asyncio.ensure_future(run_in_threadpool(made))
        self._making[name, version] = task
        task.add_done_callback(lambda _: self._making.pop((name, version), None))
        return await asyncio.shield(task)

    def keep(self, name: str, version: Any, view: View) -> None:
        """Keep a view."""
        with self._lock:
            old = self._kept.pop(name, None)
            self._bytes -= len(old[1].body) if old else 0
            self._kept[name] = version, view
            self._bytes += len(view.body)
            while self._bytes > self._most and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= len(gone.body)


async def sent(
    request: Request,
    view: View,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A view as an answer: 304 where the asker has it, packed where they take it so."""
    own = {"etag": view.tag, "cache-control": "private, no-cache"}
    own |= dict(headers or {})
    given = request.headers.get("if-none-match", "")
    if status == 200 and given and (given == "*" or view.tag in given.replace("W/", "")):
        return Response(None, 304, own)
    body = view.body
    if len(body) >= LEAST_PACKED and "gzip" in request.headers.get("accept-encoding", ""):
        if view.packed is None and len(body) > APART_BYTES:
            await run_in_threadpool(view.pack)
        body = view.pack()
        own["content-encoding"] = "gzip"
    return Response(body, status, own, media_type=view.media_type)


async def sent_document(
    request: Request, content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A small document as an answer."""
    return await sent(request, View.of(documents.dumps(content).encode()), status, headers)
