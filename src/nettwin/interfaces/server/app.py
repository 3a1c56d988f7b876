"""App: the application that serves a desk: the API, the login page, the web pages."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from nettwin import __version__
from nettwin.errors import NettwinError
from nettwin.interfaces.server import problems
from nettwin.interfaces.server.asking import API
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.guard import Addresses, Guard
from nettwin.interfaces.server.problems import ProblemError
from nettwin.interfaces.server.routes import ROUTERS

LOCAL = ("localhost", "127.0.0.1", "[::1]")
WEB = "nettwin.interfaces.web"
log = logging.getLogger("nettwin.server")
ABOUT = """\
A digital twin of a communication network. Ask it what a network does now (`predict`), after changes
(`whatif`) and after every failure (`failures`), why (`explain`), and how to better it (`optimize`).
Try changes in sessions; have plans approved and applied.

Long work is a job: a request waits a while for it (`Prefer: wait=SECONDS`, or `respond-async`), and
then names it with status 202. Errors are problems of RFC 9457 with a `remedy`.
"""


def create_app(
    desk: Desk,
    *,
    names: Sequence[str] = (),
    web: bool = True,
    mount: Sequence[Callable[[FastAPI, Desk], None]] = (),
) -> FastAPI:
    """The application of a desk, which it starts and ends. It answers to the names of this machine
    and to `names` (`host` or `host:port`); `web` adds the pages where they are installed, `mount`
    whatever else."""

    @asynccontextmanager
    async def alive(app: FastAPI) -> AsyncIterator[None]:
        desk.begin()
        try:
            yield
        finally:
            desk.close()

    app = FastAPI(
        title="nettwin",
        version=__version__,
        description=ABOUT,
        lifespan=alive,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.desk = desk
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    for router in ROUTERS:
        app.include_router(router)
    _add_errors(app)
    if web and find_spec("nicegui") is not None and find_spec(WEB) is not None:
        from importlib import import_module

        import_module(WEB).mount(app, desk)
    for one in mount:
        one(app, desk)
    app.add_middleware(Guard, desk=desk, addresses=Addresses((*LOCAL, *map(str.lower, names))))
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    return app


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, which says what needs a token."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            license_info=app.license_info,
            separate_input_output_schemas=False,
        )
        schemes = found.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer", "description": "NAME.SECRET"}
        for path, operations in found["paths"].items():
            for operation in operations.values():
                operation["security"] = [{"token": []}] if path.startswith(API) else []
        app.openapi_schema = found
    return app.openapi_schema


def _add_errors(app: FastAPI) -> None:
    """Every error as a problem."""

    @app.exception_handler(ProblemError)
    async def refused(request: Request, error: ProblemError) -> Response:
        raise error  # the guard tells it, and writes it down

    @app.exception_handler(NettwinError)
    async def wrong(request: Request, error: NettwinError) -> Response:
        return told(request, problems.of_error(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        issues = [_issue(one) for one in error.errors()[:20]]
        detail = "; ".join(f"{one['where']}: {one['words']}" for one in issues[:3])
        return told(request, problems.problem(422, "input", detail, "Correct it.", issues=issues))

    @app.exception_handler(HTTPException)
    async def usual(request: Request, error: HTTPException) -> Response:
        kind = {404: "unknown-path", 405: "method"}.get(error.status_code, "request")
        found = problems.problem(error.status_code, kind, str(error.detail), "See /openapi.json.")
        return told(request, found, dict(error.headers or {}))


def told(
    request: Request, problem: dict[str, Any], headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem as an answer."""
    id = request.scope.get("state", {}).get("request_id", "")
    content = problem | {"instance": f"urn:nettwin:request:{id}"}
    return JSONResponse(content, problem["status"], headers, media_type=problems.MEDIA_TYPE)


def _issue(error: dict[str, Any]) -> dict[str, str]:
    return {"where": ".".join(map(str, error["loc"])), "words": str(error["msg"])}
