"""Gateway: how tools ask the API: a server elsewhere, or the application in this process; always as
the person whose token the call came with."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

import httpx
from mcp.server.mcpserver.exceptions import ToolError

API = "/api/v1"
HERE = "http://localhost"
WAIT_S = 25
_AUTHORIZATION: ContextVar[str] = ContextVar("authorization", default="")
Document = dict[str, Any]


class Gateway:
    """The API of a server, or of an application. `token` is whose calls they are where the protocol
    carries none, as over stdio."""

    def __init__(self, *, url: str = HERE, app: Any = None, token: str = "") -> None:
        self.token = token
        transport = None if app is None else httpx.ASGITransport(app=app)
        self._http = httpx.AsyncClient(base_url=url.rstrip("/"), transport=transport, timeout=90.0)

    async def attend(self, ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        """Remember, while a call is under way, what it came with: a middleware of the server."""
        headers = getattr(ctx.request, "headers", None)
        mine = f"Bearer {self.token}" if headers is None else headers.get("authorization", "")
        before = _AUTHORIZATION.set(mine)
        try:
            return await call_next(ctx)
        finally:
            _AUTHORIZATION.reset(before)

    def of(self) -> Caller:
        """The API for the call that is under way. Raises ToolError where it is nobody's."""
        given = _AUTHORIZATION.get()
        if given in ("", "Bearer "):
            raise ToolError(
                "This needs a person. Set NETTWIN_TOKEN, or send the header Authorization: Bearer"
                " TOKEN; nettwin people add makes a token."
            )
        return Caller(self._http, given)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class Caller:
    """The API, asked as somebody."""

    def __init__(self, http: httpx.AsyncClient, authorization: str) -> None:
        self._http, self._authorization = http, authorization

    async def get(self, path: str, **query: Any) -> Document:
        """A resource."""
        return await self._send("GET", path, params=query)

    async def ask(self, path: str, body: Mapping[str, Any]) -> Document:
        """The answer to a question; `{"job": ...}` where it takes longer than a call should."""
        given = {k: v for k, v in body.items() if v is not None}
        return await self._send("POST", path, json=given, headers={"prefer": f"wait={WAIT_S}"})

    async def do(self, path: str, body: Mapping[str, Any] | None = None) -> Document:
        """A deed, once."""
        key = {"idempotency-key": str(uuid.uuid4())}
        return await self._send("POST", path, json=body, headers=key)

    async def delete(self, path: str) -> Document:
        """Cancel or remove something."""
        return await self._send("DELETE", path)

    async def _send(self, method: str, path: str, **more: Any) -> Document:
        headers = {"authorization": self._authorization, **more.pop("headers", {})}
        try:
            found = await self._http.request(method, f"{API}{path}", headers=headers, **more)
        except httpx.HTTPError as error:
            raise ToolError(f"The server does not answer: {error}. Check that it runs.") from None
        try:
            content = found.json() if found.content else {}
        except json.JSONDecodeError:
            content = {}
        if found.status_code >= 400:
            detail = str(content.get("detail", f"the server answers {found.status_code}"))
            raise ToolError(f"{detail.rstrip('.')}. {content.get('remedy', '')}".strip())
        document: Document = content
        return document


def part(name: str) -> str:
    """A part of a path."""
    return quote(name, safe="")
