"""Guard: what stands before every request and socket, of the API and of the pages alike.

In this order: the Host is one of ours; a browser of another origin changes nothing and opens no
socket; the body is no larger than allowed; whoever asks is known (but for a few open paths), and
asks no more often than allowed. Every answer leaves with the headers that keep browsers safe; pages
get a content policy of their own with a nonce for their scripts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nettwin.errors import InputError
from nettwin.interfaces.server import meters, problems
from nettwin.interfaces.server.access import COOKIE, Login
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.problems import ProblemError
from nettwin.workspace.people import Person

OPEN = ("/health", "/ready", "/metrics", "/openapi.json", "/login")
SAFE = ("GET", "HEAD", "OPTIONS")
CSRF_HEADER = "x-csrf-token"
PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'unsafe-eval'; style-src"
    " 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src"
    " 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
LOGIN_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # "no-referrer" makes the origin of forms null
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
SESSION_OVER = 4401  # the code that a socket is closed with
_SCRIPT = re.compile(rb"<script(?=[\s>])")
log = logging.getLogger("nettwin.server")


@dataclass(frozen=True)
class Addresses:
    """The names by which this server may be called, `host` or `host:port`."""

    hosts: tuple[str, ...]

    def knows(self, host: str) -> bool:
        """Whether a Host header is one of ours."""
        name = host.lower()
        bare = name.rpartition(":")[0] if re.search(r":\d+$", name) else name
        return name in self.hosts or bare in self.hosts

    def same(self, origin: str, host: str) -> bool:
        """Whether an Origin header names the server that was called."""
        return urlsplit(origin).netloc.lower() == host.lower()


class Guard:
    """The middleware."""

    def __init__(self, app: ASGIApp, desk: Desk, addresses: Addresses) -> None:
        self.app, self.desk, self.addresses = app, desk, addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    # requests

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.perf_counter()
        given = _headers(scope).get("x-request-id", "")
        id = given if re.fullmatch(r"[A-Za-z0-9-]{8,64}", given) else secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"], state["nonce"] = id, secrets.token_urlsafe(18)
        answer = _Answer(send, id, scope["path"], state)
        try:
            await self._let_in(scope)
            await self.app(scope, self._limited(scope, receive, answer), answer.send)
        except ProblemError as error:
            await self._refused(scope, answer, error)
        except Exception as error:
            if answer.begun:
                raise
            log.exception("request failed", extra={"request": {"id": id}})
            await _tell(
                answer.send, ProblemError(500, "internal", problems.of_error(error)["detail"])
            )
        finally:
            seconds = time.perf_counter() - begin
            route = getattr(scope.get("route"), "path", "") or "other"
            meters.REQUESTS.labels(scope["method"], route, str(answer.status)).inc()
            meters.SECONDS.labels(scope["method"], route).observe(seconds)
            person = state.get("person")
            log.info(
                "request",
                extra={
                    "request": {
                        "id": id,
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": answer.status,
                        "ms": round(1000 * seconds, 2),
                        "person": person.name if person else None,
                        "from": _address(scope),
                    }
                },
            )

    async def _let_in(self, scope: Scope) -> None:
        """Raise ProblemError where the request must not reach the application."""
        headers = _headers(scope)
        self._right_host(headers)
        method, path = scope["method"], scope["path"]
        if method not in SAFE:
            self._same_origin(headers, required="cookie" in headers)
        login = await self._who(scope, headers)
        if login is not None and method not in SAFE and path.startswith("/api/"):
            _same_session(headers, login)
        person = scope["state"].get("person")
        if person is not None:
            self.desk.rates.hit("requests", person.name)
        elif not _is_open(path):
            if _wants_page(scope, headers):
                query = scope.get("query_string", b"").decode("latin-1")
                whole = path + ("?" + query if query else "")
                there = "/login?next=" + quote(whole, safe="")
                raise ProblemError(303, "login", "log in first", headers={"location": there})
            raise ProblemError(
                401,
                "no-token",
                "this needs a person: the request carries no token and no session",
                "Send the header Authorization: Bearer TOKEN; nettwin people add makes a token.",
                headers={"www-authenticate": 'Bearer realm="nettwin"'},
            )

    async def _who(self, scope: Scope, headers: dict[str, str]) -> Login | None:
        """Find out who asks; the session of a browser, None for a token or nobody."""
        access, state = self.desk.access, scope["state"]
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            state["person"] = await self._of_token(token.strip(), _address(scope))
            return None
        if (id := _cookie(headers)) and (found := access.login(id)) is not None:
            state["login"], state["person"] = found
            return found[0]
        return None

    async def _of_token(self, token: str, address: str) -> Person:
        access = self.desk.access
        if (known := access.known(token)) is not None:
            return known
        self.desk.rates.test("logins", address)
        try:
            return await run_in_threadpool(access.check, token)
        except InputError as error:
            self.desk.rates.hit("logins", address)
            detail, remedy = problems.apart(str(error))
            headers = {"www-authenticate": 'Bearer realm="nettwin", error="invalid_token"'}
            raise ProblemError(401, "token", detail, remedy, headers=headers) from None

    def _right_host(self, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        if not self.addresses.knows(host):
            detail = f"the server is not called {host[:80]!r}"
            remedy = "Call it by its address, or start it with --name NAME."
            raise ProblemError(421, "host", detail, remedy)

    def _same_origin(self, headers: dict[str, str], *, required: bool) -> None:
        """Browsers tell where a request comes from; programs do not, and carry no cookie."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        wrong = origin is not None and not self.addresses.same(origin, headers.get("host", ""))
        wrong |= site not in (None, "same-origin", "none")
        if wrong or (required and origin is None and site is None):
            detail = (
                f"the request comes from the page of another origin ({(origin or 'unnamed')[:80]})"
            )
            raise ProblemError(403, "origin", detail, "Open the server's own address.")

    def _limited(self, scope: Scope, receive: Receive, answer: _Answer) -> Receive:
        """The body, as far as it may go."""
        limits = self.desk.limits
        upload = scope["path"].endswith("/networks") or scope["path"].startswith("/_nicegui")
        most = limits.upload_bytes if upload else limits.body_bytes
        stated = _headers(scope).get("content-length", "0")
        if stated.isdigit() and int(stated) > most:
            raise _too_large(most)
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                answer.instead = _too_large(most)  # whatever is made of what was cut off
                raise answer.instead
            return message

        return limited

    async def _refused(self, scope: Scope, answer: _Answer, error: ProblemError) -> None:
        if error.status in (401, 403, 421, 429):
            note_refusal(self.desk, scope, error)
        if not answer.begun:
            await _tell(answer.send, error)

    # sockets

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket is let in as a request is, and ends with its session."""
        headers = _headers(scope)
        scope.setdefault("state", {})
        try:
            self._right_host(headers)
            self._same_origin(headers, required="cookie" in headers)
            login = await self._who(scope, headers)
            if scope["state"].get("person") is None:
                raise ProblemError(401, "no-token", "the socket carries no session")
        except ProblemError as error:
            note_refusal(self.desk, scope, error)
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": error.kind})
            return
        if login is None:
            await self.app(scope, receive, send)
            return
        over = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.call_soon_threadsafe(over.set)

        login.ended.append(end)
        try:
            await self.app(scope, _until(over, receive, send), send)
        finally:
            if end in login.ended:
                login.ended.remove(end)


def _until(over: asyncio.Event, receive: Receive, send: Send) -> Receive:
    """What is received until a session is over; then the socket is closed."""

    async def received() -> Message:
        waits = [asyncio.ensure_future(receive()), asyncio.ensure_future(over.wait())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                if not one.done():
                    one.cancel()
        if waits[0] in done:
            return waits[0].result()  # type: ignore[return-value]
        await send({"type": "websocket.close", "code": SESSION_OVER, "reason": "session over"})
        return {"type": "websocket.disconnect", "code": SESSION_OVER}

    return received


class _Answer:
    """What is sent, with its headers; pages are rewritten so that their scripts carry a nonce."""

    def __init__(self, send: Send, id: str, path: str, state: dict[str, Any]) -> None:
        self._send, self._id, self._path, self._state = send, id, path, state
        self.begun, self.status = False, 0
        self._over = False
        self.instead: ProblemError | None = None  # told, whatever the application answers
        self._page: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if self.instead is not None and not self.begun:
            problem, self.instead = self.instead, None
            await _tell(self.send, problem)
            self._over = True
            return
        if self._over:
            return
        if message["type"] == "http.response.start":
            self.begun, self.status = True, message["status"]
            kind = next((v for k, v in message["headers"] if k.lower() == b"content-type"), b"")
            if kind.startswith(b"text/html"):
                self._page = message
                return
            message = {**message, "headers": self._with(message["headers"], DATA_POLICY)}
        elif message["type"] == "http.response.body" and self._page is not None:
            self._parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            await self._send_page(self._page)
            return
        await self._send(message)

    async def _send_page(self, start: Message) -> None:
        nonce = str(self._state["nonce"])
        body = b"".join(self._parts)
        policy = LOGIN_POLICY if self._path == "/login" else PAGE_POLICY
        packed = any(k.lower() == b"content-encoding" for k, _ in start["headers"])
        if policy is PAGE_POLICY and not packed:
            body = _SCRIPT.sub(b'<script nonce="' + nonce.encode() + b'"', body)
        headers = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
        headers = self._with(headers, policy.format(nonce=nonce))
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _with(
        self, headers: Sequence[tuple[bytes, bytes]], policy: str
    ) -> list[tuple[bytes, bytes]]:
        found = [*headers, *HEADERS, (b"x-request-id", self._id.encode())]
        given = {key.lower() for key, _ in headers}
        if b"content-security-policy" not in given:
            found.append((b"content-security-policy", policy.encode()))
        if b"cache-control" not in given:
            found.append((b"cache-control", b"no-store"))
        return found


def note_refusal(desk: Desk, scope: Scope, error: ProblemError) -> None:
    """Write what was refused into the server's log: all of it, unless somebody floods it."""
    person = scope["state"].get("person")
    address = _address(scope)
    meters.REFUSED.labels(error.kind).inc()
    if not desk.rates.may("refusals", address):
        return
    details = {
        "words": error.detail,
        "path": scope["path"][:200],
        "method": scope.get("method", "SOCKET"),
        "address": address,
        "request": scope["state"].get("request_id", ""),
    }
    desk.note("refused", person.name if person else "nobody", **details)


def _same_session(headers: dict[str, str], login: Login) -> None:
    """Raise ProblemError where a browser's request does not name its session's own secret."""
    if not secrets.compare_digest(headers.get(CSRF_HEADER, "").encode(), login.csrf.encode()):
        detail = f"the request of a browser lacks the header {CSRF_HEADER} of its session"
        raise ProblemError(403, "csrf", detail, "Read it from /api/v1/me, and send it.")


def _too_large(most: int) -> ProblemError:
    detail = f"the body is larger than {most / 2**20:g} MiB, the most that is taken"
    return ProblemError(413, "too-large", detail, "Send less; networks may be sent packed as zip.")


def _is_open(path: str) -> bool:
    return path in OPEN


def _wants_page(scope: Scope, headers: dict[str, str]) -> bool:
    page = "text/html" in headers.get("accept", "")
    return page and scope["method"] == "GET" and not scope["path"].startswith("/api/")


def _headers(scope: Scope) -> dict[str, str]:
    return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "local"


async def _tell(send: Callable[[Message], Any], error: ProblemError) -> None:
    body = b"" if error.status == 303 else json.dumps(error.document()).encode()
    headers = [(k.encode(), v.encode("latin-1")) for k, v in error.headers.items()]
    if body:
        headers.append((b"content-type", problems.MEDIA_TYPE.encode()))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
