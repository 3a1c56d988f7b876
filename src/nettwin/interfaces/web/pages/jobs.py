"""Jobs: what was asked and takes time; progress, and cancel."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from nicegui import ui

from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.frame import frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable

JOBS = (
    Column("kind", "Question"),
    Column("network", "Network"),
    Column("state", "State"),
    Column("progress", "Done", number=True, bar=True),
    Column("person", "By"),
    Column("created", "Asked"),
    Column("took", "Took", number=True),
)
STATES = {"done": "good", "failed": "bad", "interrupted": "bad", "cancelled": "warn"}


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "jobs") as built, ui.element("div").classes("page"):
        pieces.heading("Jobs", 1)
        jobs = place.desk.jobs
        running = ui.element("div").classes("stack")
        table = DataTable("Jobs, the newest first", JOBS, empty="Nothing was asked yet.", few=25)

        def fill() -> None:
            found = jobs.store.newest(200)
            table.show([_row(job) for job in found])
            open_ones = [job for job in found if not job.ended]
            key = [job.id for job in open_ones]
            if key == getattr(running, "shown_key", None):
                return
            running.shown_key = key  # type: ignore[attr-defined]
            running.clear()
            with running:
                for job in open_ones:
                    with ui.element("div").classes("row"):
                        ui.label(f"{job.kind}: {job.state}")
                        pieces.button("Cancel", lambda id=job.id: jobs.cancel(id))

        fill()
        ui.timer(1.0, fill)
        del built


def _row(job: Any) -> dict[str, Any]:
    took = None if job.started_s is None or job.ended_s is None else job.ended_s - job.started_s
    share = 1.0 if job.state == "done" else job.progress
    problem = (job.problem or {}).get("detail", "")
    return {
        "key": job.id,
        "kind": job.kind,
        "network": str(job.arguments.get("network", job.arguments.get("session", ""))),
        "state": f"{job.state}: {problem}" if problem else job.state,
        "state_class": STATES.get(job.state, ""),
        "progress": "–" if share is None else show.percent(share),
        "progress_sort": share,
        "progress_bar": 0 if share is None else 100 * share,
        "person": job.person,
        "created": show.clock(job.created_s),
        "took": "–" if took is None else show.duration(took),
        "took_sort": took,
    }
