"""History: what was seen, what is wrong with it, what happened and who did what."""

from __future__ import annotations

import csv
import io
import json
import math
import time
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from nettwin.apps.topology.events import EVENT
from nettwin.errors import InputError, UnknownNameError
from nettwin.interfaces import documents, sheets
from nettwin.interfaces.server.asking import API, AtDesk, By, asked, need, page_of
from nettwin.interfaces.server.desk import Desk
from nettwin.interfaces.server.quality import quality_of
from nettwin.interfaces.server.replies import View, sent, sent_document
from nettwin.interfaces.server.routes import models as m
from nettwin.interfaces.server.routes.about import TEXT, answers, gives, other
from nettwin.interfaces.server.routes.networks import Limit, Offset
from nettwin.repository.audit import AuditLog
from nettwin.repository.repository import Repository

router = APIRouter(prefix=API, tags=["history"])
POINTS = 1000
DAY_S = 86400.0
COARSER = ((60 * DAY_S, "rollup_1h"), (7 * DAY_S, "rollup_5m"))  # beyond so long a time
SERIES = {
    "series": "link/A->B/utilization",
    "count": 20160,
    "shown": 2,
    "time_s": [1767614400.0, 1767614460.0],
    "value": [0.41, 0.43],
}
ENTRY = {"number": 1, "time_s": 1767614400.0, "what": "apply", "who": "ada", "details": {}}
Since = Annotated[float | None, Query(description="from when, seconds since 1970")]
Until = Annotated[float | None, Query(description="until when, seconds since 1970")]


@router.get(
    "/observations",
    summary="What was observed when",
    responses=gives({"count": 20160, "first_s": 1766404800.0, "last_s": 1767614400.0}),
)
async def observations(request: Request, desk: AtDesk) -> Response:
    """How many intervals there are, the first and the last, in the network's time."""

    def found() -> dict[str, Any]:
        times = desk.workspace.repository.times_s()
        ends = (float(times[0]), float(times[-1])) if len(times) else (None, None)
        return {"count": len(times), "first_s": ends[0], "last_s": ends[1]}

    return await sent(request, await desk.views.get("observations", desk.fresh, found))


@router.get(
    "/observations/last",
    summary="What was observed last, and what the twin predicted",
    responses=gives({"time_s": 1767614400.0, "measured": {"links": []}, "predicted": None}),
)
async def last(
    request: Request,
    desk: AtDesk,
    flows: Annotated[bool, Query(description="rows of flows and queues too")] = False,
) -> Response:
    """Every link, measured and predicted side by side."""
    moment = desk.live.moment if desk.live is not None else None
    version: Any = moment.number if moment is not None else None
    if moment is None:
        version = await run_in_threadpool(desk.pinned, "live")

    def made() -> dict[str, Any]:
        if moment is not None:
            seen, predicted = moment.seen, moment.predicted
        else:
            seen, predicted = desk.workspace.repository.observation(float(version[5:])), None
        sides = {"measured": seen.metrics, "predicted": predicted}
        return {
            "time_s": seen.time_s,
            "interval_s": seen.interval_s,
            "at_s": None if moment is None else moment.at_s,
            "network": documents.network(seen.scenario),
            **{
                side: None if metrics is None else _tables(seen.scenario, metrics, flows)
                for side, metrics in sides.items()
            },
        }

    return await sent(request, await desk.views.get(f"last {flows}", version, made))


def _tables(scenario: Any, metrics: Any, flows: bool) -> dict[str, Any]:
    whole = documents.answer(scenario, metrics)
    return {k: v for k, v in whole.items() if flows or k not in ("flows", "queues")}


@router.get(
    "/observations/series/{name:path}",
    summary="One series over time",
    responses=other(
        200,
        "Times and values; CSV where `Accept: text/csv` asks for it",
        *(401, 403, 404, 421, 422, 429),
        application_json={"schema": {"type": "object"}, "example": SERIES},
        text_csv=TEXT,
    ),
)
async def series(
    request: Request,
    desk: AtDesk,
    name: Annotated[str, Path(max_length=2000, examples=["link/A->B/utilization"])],
    since_s: Since = None,
    until_s: Until = None,
    points: Annotated[int, Query(ge=2, le=100_000, description="at most so many")] = POINTS,
    resolution: Annotated[
        Literal["auto", "raw", "5m", "1h"],
        Query(description="as measured, or rolled up; auto: by the time that is asked for"),
    ] = "auto",
) -> Response:
    """Downsampled to what a chart can show: highs and lows stay. What was rolled up is the mean of
    each interval; where it is not rolled up yet, it is as measured."""

    def found() -> View:
        begin, end = (_time(one) for one in (since_s, until_s))
        times, values = _over_time(desk.workspace.repository, name, begin, end, resolution)
        if not len(times) and not len(desk.workspace.repository.series(name)[0]):
            raise UnknownNameError("series", name, ())
        keep = downsampled(times, values, points)
        if "text/csv" in request.headers.get("accept", ""):
            return View.of(_csv(name, times[keep], values[keep]), "text/csv; charset=utf-8")
        content = {
            "series": name,
            "count": len(times),
            "shown": len(keep),
            "time_s": times[keep].tolist(),
            "value": values[keep].tolist(),
        }
        return View.of(documents.dumps(content).encode())

    return await sent(request, await run_in_threadpool(found))


def _over_time(
    repository: Repository, name: str, begin: float | None, end: float | None, resolution: str
) -> tuple[Any, Any]:
    """The times and values of a series, the older ones rolled up where that is asked for."""
    table = {"5m": "rollup_5m", "1h": "rollup_1h"}.get(resolution, "")
    if resolution == "auto":
        span = math.inf if begin is None or end is None else end - begin
        table = next((name for most, name in COARSER if span > most), "")
    if not table:
        return repository.series(name, begin, end)
    rolled = repository.rollup(name, table, begin, end)
    times, values = rolled["time_s"], rolled["mean"]
    newer, measured = repository.series(name, float(times[-1]) if len(times) else begin, end)
    rest = newer > (times[-1] if len(times) else -math.inf)
    return np.concatenate([times, newer[rest]]), np.concatenate([values, measured[rest]])


def downsampled(times: Any, values: Any, points: int) -> Any:
    """The places of at most so many values that show what all of them do: MinMaxLTTB."""
    if len(times) <= points:
        return np.arange(len(times))
    if points < 3:
        return np.array([0, len(times) - 1])[:points]
    from tsdownsample import MinMaxLTTBDownsampler

    sampler: Any = MinMaxLTTBDownsampler
    return sampler().downsample(times, values, n_out=points).astype(np.int64)


def _time(value: float | None) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value) or abs(value) > 1e11:
        raise InputError(
            f"the time {value} is out of range: must be in seconds since 1970. Correct it."
        )
    return value


def _csv(name: str, times: Any, values: Any) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["time_s", sheets.harmless(name)])
    rows.writerows(zip(times.tolist(), values.tolist(), strict=True))
    return text.getvalue().encode()


@router.get(
    "/data/quality",
    summary="What is wrong with the data",
    responses=gives({"age_s": 4.0, "tables": [], "issues": []}),
)
async def quality(request: Request, desk: AtDesk) -> Response:
    """How old the newest observation is, what the history takes on disk, what is damaged, and what
    of the newest measurement cannot be true."""

    found = partial(quality_of, desk)
    return await sent(request, await desk.views.get("quality", desk.fresh, found))


@router.post(
    "/data/check",
    summary="Try a source of telemetry",
    responses=answers({"source": "Prometheus 3.1", "intervals": 60, "findings": []}),
)
async def check_source(request: Request, desk: AtDesk, person: By, body: m.SourceGiven) -> Response:
    """Read it for a while, keep nothing, and tell what is wrong with it. Operators may; addresses
    inside are refused before anything is asked."""
    from nettwin.interfaces.server.outside import check_url

    need(person, "operator", "have a source asked")
    await run_in_threadpool(check_url, body.url, desk.limits.inside)
    arguments = body.model_dump() | {"inside": list(desk.limits.inside), "at_s": time.time()}
    return await asked(request, desk, person, "source", arguments)


@router.get("/events", summary="What happened", responses=gives({"total": 1, "items": [ENTRY]}))
async def events(
    request: Request,
    desk: AtDesk,
    since_s: Since = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """What the loop and people did and found, and what the history records of the network, the
    newest first."""

    def page() -> dict[str, Any]:
        found = [_entry(one, "audit") for one in desk.workspace.audit.entries()]
        for one in desk.workspace.repository.records(EVENT):
            details = json.loads(one.document)
            found.append(
                {"time_s": one.time_s, "what": one.id, "who": "network", "details": details}
            )
        begin = _time(since_s)
        kept = [one for one in found if begin is None or one["time_s"] >= begin]
        return page_of(sorted(kept, key=lambda one: -one["time_s"]), limit, offset)

    return await sent(
        request, await desk.views.get(f"events {since_s} {limit} {offset}", desk.fresh, page)
    )


@router.get("/audit", summary="Who did what", responses=gives({"total": 1, "items": [ENTRY]}))
async def audit(
    request: Request,
    desk: AtDesk,
    log: Annotated[str, Query(pattern="^(workspace|server|both)$")] = "both",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """The workspace's log (decisions, plans) and the server's (log-ins, what was refused), the
    newest first; `issues` where one was tampered with."""

    def page() -> dict[str, Any]:
        logs = {"workspace": desk.workspace.audit, "server": desk.workspace.access_log}
        wanted = {name: one for name, one in logs.items() if log in (name, "both")}
        found = [_entry(e, name) for name, one in wanted.items() for e in _entries(one)]
        found.sort(key=lambda one: -one["time_s"])
        issues = [issue for one in wanted.values() for issue in one.issues()]
        return {**page_of(found, limit, offset), "issues": issues}

    return await sent(
        request, await desk.views.get(f"audit {log} {limit} {offset}", desk.fresh, page)
    )


def _entries(log: AuditLog) -> list[Any]:
    return list(log.entries())


def _entry(entry: Any, log: str) -> dict[str, Any]:
    return {
        "log": log,
        "number": entry.number,
        "time_s": entry.time_s,
        "what": entry.what,
        "who": entry.who,
        "details": dict(entry.details),
        "hash": entry.digest,
    }


@router.get(
    "/status",
    summary="Where the loop stands",
    responses=gives({"workspace": "twin", "network": "simulated", "step": "observe"}),
)
async def status(request: Request, desk: AtDesk) -> Response:
    """As `nettwin status --json`, with how old the data is."""

    def found() -> dict[str, Any]:
        return status_of(desk)

    return await sent(request, await desk.views.get("status", desk.fresh, found))


def status_of(desk: Desk) -> dict[str, Any]:
    """The loop's state, and how what was measured last meets the intent."""
    from nettwin.interfaces.operating import status_document

    moment = desk.live.moment if desk.live is not None else None
    facts = status_document(desk.workspace, moment.measured if moment is not None else None)
    return documents.headed(
        "status",
        facts
        | {
            "live": desk.live is not None,
            "age_s": None if moment is None else time.time() - moment.at_s,
            "trouble": desk.live.trouble if desk.live is not None else "",
        },
    )


@router.post(
    "/happenings",
    summary="Let something happen to a simulated network",
    status_code=201,
    responses=gives({"happened": ["fail_link A<->B"], "told": True}, status=201),
)
async def happen(request: Request, desk: AtDesk, person: By, body: m.Happening) -> Response:
    """A failure, more traffic: for trying the loop out. Operators may."""
    from nettwin.interfaces.server.deeds import Deeds
    from nettwin.interfaces.server.work.asked import changes as changes_of
    from nettwin.physical.network import Event

    need(person, "operator", "let something happen to the network")
    (change,) = changes_of([body.change])
    await Deeds(desk).inject(Event(change, told=not body.hidden), person)
    content = {"happened": [change.describe()], "told": not body.hidden}
    return await sent_document(request, content, 201)
