"""Health: whether the server runs, whether it is ready, and its figures. Open to everybody."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from nettwin import __version__
from nettwin.interfaces.server import meters
from nettwin.interfaces.server.asking import AtDesk

router = APIRouter(tags=["server"])


@router.get("/health", summary="Whether the server runs")
async def health(desk: AtDesk) -> dict[str, Any]:
    """Answers as long as the server does."""
    seconds = time.time() - desk.started_s
    return {"status": "up", "nettwin": __version__, "seconds": round(seconds, 1)}


@router.get("/ready", summary="Whether the server can do work")
async def ready(desk: AtDesk) -> Response:
    """503 while something still compiles or the live network has not been seen."""
    parts = {"jobs": desk.jobs.ready, "live": desk.live is None or desk.live.moment is not None}
    good = all(parts.values())
    content = {"status": "ready" if good else "starting", **parts}
    return JSONResponse(content, 200 if good else 503)


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(desk: AtDesk) -> Response:
    """The text format of Prometheus."""
    return Response(meters.text(desk), media_type=meters.MEDIA_TYPE)
