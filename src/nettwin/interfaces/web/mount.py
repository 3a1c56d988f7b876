"""Mount: the pages of a desk, put on the application that serves it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from nicegui import ui
from nicegui.page import page

from nettwin.interfaces.web.feed import Feed
from nettwin.interfaces.web.map import topology
from nettwin.interfaces.web.pages import PAGES
from nettwin.interfaces.web.place import Place

if TYPE_CHECKING:
    from nettwin.interfaces.server.desk import Desk

HERE = Path(__file__).parent
FOREVER = "private, max-age=86400"


def mount(app: FastAPI, desk: Desk) -> None:
    """Add the pages, what they fetch, and the framework that they are made of."""
    place = Place(desk, Feed())
    _add_files(app, place)
    for path, title, build in PAGES:
        _add_page(app, place, path, title, build)
    ui.run_with(
        app,
        title="nettwin",
        dark=None,
        language="en-US",
        tailwind=False,
        binding_refresh_interval=None,
        show_welcome_message=False,
        reconnect_timeout=10.0,
        gzip_middleware_factory=None,  # the guard must read pages; what it lets out is packed
        mount_path="/",
    )
    started = app.router.lifespan_context

    @asynccontextmanager
    async def alive(app: FastAPI) -> Any:
        async with started(app) as state:
            place.feed.begin(desk.live)
            yield state

    app.router.lifespan_context = alive


def _add_page(app: FastAPI, place: Place, path: str, title: str, build: Any) -> None:
    @page(path, title=f"{title} - nettwin")
    async def shown(request: Request) -> Any:
        return await build(place, request)


def _add_files(app: FastAPI, place: Place) -> None:
    """The topologies that maps fetch, the outlines of countries, and the style."""

    @app.get("/desk/topology/{reference}", include_in_schema=False)
    async def topology_of(reference: str) -> Response:
        scenario = await place.scenario(reference)
        return JSONResponse(topology.document(scenario.topology))

    @app.get("/desk/outlines.json", include_in_schema=False)
    async def outlines() -> Response:
        return FileResponse(HERE / "map" / "outlines.json", headers={"cache-control": FOREVER})

    @app.get("/desk/desk.css", include_in_schema=False)
    async def style() -> Response:
        return FileResponse(HERE / "static" / "desk.css", media_type="text/css")
