"""Account: who asks; logging in and out with a browser."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from nettwin.errors import InputError
from nettwin.interfaces.server import problems
from nettwin.interfaces.server.access import COOKIE
from nettwin.interfaces.server.asking import API, AtDesk, By
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.guard import note_refusal
from nettwin.interfaces.server.problems import ProblemError
from nettwin.interfaces.server.replies import sent_document
from nettwin.interfaces.server.routes.about import gives
from nettwin.workspace.people import Person

router = APIRouter(tags=["people"])
ME = {"name": "ada", "roles": ["operator"], "csrf": None}
HOME = "/"
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in to nettwin</title>
<style nonce="{nonce}">
:root {{ color-scheme: light dark; --line: light-dark(#c9ced6, #3b424c);
  --alarm: light-dark(#a40000, #ff9a8f); --accent: light-dark(#0b5cad, #7ab8ff); }}
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid;
  place-items: center; }}
main {{ width: min(22rem, calc(100vw - 3rem)); }}
h1 {{ font-size: 20px; margin: 0 0 4px; }}
p {{ margin: 0 0 16px; }}
label {{ display: block; margin-bottom: 4px; font-weight: 600; }}
input, button {{ font: inherit; box-sizing: border-box; width: 100%; padding: 8px;
  border: 1px solid var(--line); border-radius: 4px; }}
:focus-visible {{ outline: 2px solid var(--accent); outline-offset: 2px; }}
button {{ margin-top: 12px; background: light-dark(#0b5cad, #1d4f86); color: #fff; border: 0;
  cursor: pointer; }}
[role=alert] {{ color: var(--alarm); }}
</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>The twin of a network. Log in with the token that <code>nettwin people add</code> showed.</p>
{alert}<form method="post" action="/login">
<input type="hidden" name="next" value="{next}">
{field}<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
"""
TOKEN_FIELD = """\
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
"""


@router.get("/login", include_in_schema=False)
async def login_page(request: Request, desk: AtDesk) -> Response:
    """A form; a one-time link asks for one press of a button, so that what looks links up in
    advance does not use it."""
    code = request.query_params.get("code", "")[:200]
    field = TOKEN_FIELD
    if code:
        field = f'<input type="hidden" name="code" value="{html.escape(code)}">\n'
        if request.headers.get("sec-fetch-dest", "document") == "document":
            try:
                person = await run_in_threadpool(desk.access.use_link, code)
            except InputError as error:
                return _page(request, desk, TOKEN_FIELD, str(error), 401)
            return _logged_in(request, desk, person, request.query_params.get("next", HOME))
    return _page(request, desk, field)


@router.post("/login", include_in_schema=False)
async def log_in(request: Request, desk: AtDesk) -> Response:
    """Begin a session: with a token, or the code of a one-time link."""
    from urllib.parse import parse_qs

    body = (await request.body())[:20_000].decode("utf-8", "replace")
    form = {name: values[0] for name, values in parse_qs(body).items()}
    address = request.client.host if request.client else "local"
    desk.rates.test("logins", address)
    try:
        if code := form.get("code"):
            person = await run_in_threadpool(desk.access.use_link, code)
        else:
            person = await run_in_threadpool(desk.access.check, form.get("token", ""))
    except InputError as error:
        desk.rates.may("logins", address)
        detail, remedy = problems.apart(str(error))
        note_refusal(desk, request.scope, ProblemError(401, "token", detail, remedy))
        return _page(request, desk, TOKEN_FIELD, str(error), 401)
    return _logged_in(request, desk, person, form.get("next", HOME))


@router.post("/logout", include_in_schema=False)
async def log_out(request: Request, desk: AtDesk) -> Response:
    """End the session; its sockets close."""
    login = request.scope["state"].get("login")
    if login is not None:
        desk.access.end(login.id)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


@router.get(f"{API}/me", summary="Who asks", responses=gives(ME))
async def me(request: Request, person: By) -> Response:
    """Name and roles; for a browser, what its requests must carry in X-CSRF-Token."""
    login = request.scope["state"].get("login")
    csrf = login.csrf if login is not None else None
    content = {"name": person.name, "roles": list(person.roles), "csrf": csrf}
    return await sent_document(request, content)


@router.get(f"{API}/people", summary="List the people", responses=gives({"people": [ME]}))
async def people(request: Request, desk: AtDesk) -> Response:
    """Names and roles."""
    found: list[dict[str, Any]] = [
        {"name": one.name, "roles": list(one.roles)} for one in desk.access.people
    ]
    return await sent_document(request, {"people": found})


def _logged_in(request: Request, desk: Desk, person: Person, there: str) -> Response:
    login = desk.access.begin(person)
    desk.note("log in", person.name, address=request.client.host if request.client else "local")
    answer = RedirectResponse(_inside(there), 303)
    answer.set_cookie(
        COOKIE,
        login.id,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        max_age=int(desk.limits.session_s),
    )
    return answer


def _inside(there: str) -> str:
    """A place of this server, whatever a link says."""
    parts = urlsplit(there.replace("\\", "/"))
    good = there.startswith("/") and not there.startswith("//") and there.isprintable()
    return there if good and not parts.scheme and not parts.netloc else HOME


def _page(
    request: Request, desk: Desk, field: str, alert: str = "", status: int = 200
) -> HTMLResponse:
    text = PAGE.format(
        nonce=request.scope["state"]["nonce"],
        name=html.escape(desk.workspace.settings.name),
        alert=f'<p role="alert">{html.escape(alert)}</p>\n' if alert else "",
        next=html.escape(_inside(request.query_params.get("next", HOME))),
        field=field,
    )
    return HTMLResponse(text, status)
