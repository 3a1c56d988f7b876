"""Catalog: what there is to choose from: engines, models, optimizers, changes, formats."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.errors import NettwinError
from nettwin.formats import FORMATS
from nettwin.interfaces import wiring
from nettwin.interfaces.server.asking import API, AtDesk
from nettwin.interfaces.server.jobs.kinds import KINDS
from nettwin.interfaces.server.replies import sent, sent_document
from nettwin.interfaces.server.routes.about import gives
from nettwin.scenario.changes import CHANGES, takes

router = APIRouter(prefix=API, tags=["catalog"])
MODEL = {"name": "gnn", "shipped": True, "issue": "", "card": {"task": "delay"}}
CHOICES = {
    "engines": [{"name": "theory", "title": "queueing theory", "slow": False}],
    "optimizers": [{"name": "auto", "title": "the one that suits", "installed": True}],
    "changes": [{"kind": "fail_link", "takes": "LINK", "does": "Fail a link."}],
    "formats": [{"name": "native", "title": "nettwin network file", "writes": True}],
    "jobs": ["predict"],
}


@router.get("/kinds", summary="What there is to choose from", responses=gives(CHOICES))
async def kinds(request: Request, desk: AtDesk) -> Response:
    """Engines, optimizers, kinds of change and formats."""

    def found() -> dict[str, Any]:
        return {
            "engines": [
                {"name": one.name, "title": one.title, "slow": one.slow}
                for one in wiring.ENGINES.values()
            ],
            "optimizers": [
                {"name": one.name, "title": one.title, "installed": wiring.installed(one.extra)}
                for one in wiring.optimizers().values()
            ],
            "changes": [
                {"kind": name, "takes": takes(name), "does": (c.__doc__ or "").partition("\n")[0]}
                for name, c in CHANGES.items()
            ],
            "formats": [
                {"name": one.name, "title": one.title, "writes": one.writes}
                for one in FORMATS.values()
            ],
            "jobs": list(KINDS),
        }

    return await sent(request, await desk.views.get("kinds", 1, found))


@router.get("/models", summary="List the learned models", responses=gives({"models": [MODEL]}))
async def models(request: Request, desk: AtDesk) -> Response:
    """Those that nettwin ships and those that were installed, with their cards."""
    version = await run_in_threadpool(_version)
    found = await desk.views.get("models", version, lambda: {"models": _models()})
    return await sent(request, found)


@router.get("/models/{name}", summary="A model's card", responses=gives(MODEL))
async def model(
    request: Request, desk: AtDesk, name: Annotated[str, Path(max_length=100)]
) -> Response:
    """What it was trained on, and how well it does."""
    entry = await run_in_threadpool(wiring.catalog().find, name)
    return await sent_document(request, await run_in_threadpool(_model, entry))


def _version() -> str:
    return repr(wiring.catalog().entries())


def _models() -> list[dict[str, Any]]:
    return [_model(entry) for entry in wiring.catalog().entries().values()]


def _model(entry: Any) -> dict[str, Any]:
    card: dict[str, Any] = {}
    issue = ""
    try:
        card = dict(wiring.catalog().load(entry.name).card)
    except NettwinError as error:
        issue = str(error)
    about = {k: v for k, v in asdict(entry).items() if k != "path"}
    return {**about, "issue": issue, "card": card}
