"""Capacity: when the network runs out as traffic grows, and what is cheapest to buy."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from nicegui import ui

from nettwin.interfaces.server.jobs.job import Job
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.frame import Frame, frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.interfaces.web.work import ask

CASE = """\
# How traffic grows, and what may be bought. nettwin capacity --help, docs/capacity.md.
capacity: three years
periods: 3                # years
growth:
  rest: {yearly: 30%, low: 20%, high: 40%}
limit: 100%               # of a link, after any single failure
"""
RUN_OUTS = (
    Column("name", "What runs out"),
    Column("when", "When"),
    Column("between", "Between"),
    Column("cause", "When this fails"),
    Column("now", "Today", number=True),
)
BOUGHT = (
    Column("period", "Period"),
    Column("line", "Link"),
    Column("modules", "Modules"),
    Column("added", "Added", number=True),
    Column("cost", "Cost", number=True),
)
COSTS = (
    Column("method", "Method"),
    Column("cost", "Cost", number=True),
    Column("more", "More than the cheapest", number=True),
)


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "capacity") as built, ui.element("div").classes("page"):
        pieces.heading("Capacity", 1)
        ui.label(
            "Traffic grows as you say; links are looked at after every single failure. What is"
            " bought is the least that survives them all."
        ).classes("soft")
        _Capacity(built)


class _Capacity:
    def __init__(self, built: Frame) -> None:
        self.built = built
        with ui.element("div").classes("row").style("align-items: flex-start"):
            self.case = pieces.editor(CASE, "The capacity case, YAML", rows=8)
            self.case.style("width: min(680px, 100%)")
            with ui.element("div").classes("stack"):
                pieces.button("When does it run out?", lambda: self._ask("runout"), "main")
                pieces.button("What is cheapest to buy?", lambda: self._ask("upgrade"), "main")
        self.said = ui.label("").classes("soft").props('role="status"')
        self.bar = ui.linear_progress(0, show_value=False).props("instant-feedback")
        self.bar.visible = False
        self.box = ui.element("div").classes("stack")

    async def _ask(self, what: str) -> None:
        built = self.built
        settings = built.place.desk.workspace.settings
        arguments = {
            "network": built.place.pinned(built.session),
            "case": str(self.case.value),
            "engine": settings.loop.engine,
            "intent": "workspace" if settings.intents else None,
        }
        self.said.classes(replace="soft")
        self.said.set_text("looking at every failure ...")
        self.bar.visible = True

        def tell(job: Job) -> None:
            if job.progress is not None:
                self.bar.set_value(job.progress)

        answer = await ask(built.place, built.person, f"capacity {what}", arguments, tell)
        self.bar.visible = False
        self.box.clear()
        if answer.value is None:
            self.said.set_text(answer.error)
            self.said.classes(replace="bad")
            return
        self.said.set_text("")
        with self.box:
            ui.label(str(answer.value["words"])).style("white-space: pre-line; max-width: 900px")
            if what == "runout":
                _run_outs(answer.value)
            else:
                _upgrades(answer.value)


def _run_outs(document: dict[str, Any]) -> None:
    rows = []
    for k, one in enumerate(document["run_outs"]):
        early, late = one.get("early"), one.get("late")
        between = "" if early is None else f"{early:.1f} to {_years(late)} years"
        rows.append(
            {
                "key": str(k),
                "name": one["element"],
                "when": one["date"] or _years(one["years"]),
                "when_sort": one["years"],
                "between": between,
                "cause": one.get("cause") or "nothing fails",
                "now": _now(one),
                "now_sort": one["now"],
            }
        )
    DataTable("What runs out, the soonest first", RUN_OUTS, rows, few=15)


def _upgrades(document: dict[str, Any]) -> None:
    best = document["best"]
    rows = [
        {
            "key": str(k),
            "period": one["period"],
            "line": one["line"],
            "modules": ", ".join(f"{n} x {name}" for name, n in one["modules"].items()),
            "added": show.rate(one["added_bps"]),
            "added_sort": one["added_bps"],
            "cost": f"{one['cost']:,.0f}",
            "cost_sort": one["cost"],
        }
        for k, one in enumerate(best["bought"])
    ]
    DataTable("What is bought", BOUGHT, rows, few=20, empty="Nothing has to be bought.")
    costs = [
        {
            "key": one["method"],
            "method": one["method"],
            "cost": f"{one['cost']:,.0f}",
            "cost_sort": one["cost"],
            "more": show.percent(one["cost"] / best["cost"] - 1) if best["cost"] else "–",
        }
        for one in (best, *document["rules"])
    ]
    DataTable("What each method pays", COSTS, costs)


def _now(one: dict[str, Any]) -> str:
    """The worst value of today: of a link its load, of an intent a value and its limit."""
    if one["now"] is None:
        return "–"
    if one["kind"] == "link":
        return show.percent(one["now"])
    return f"{one['now']:.3g} of {one['limit']:.3g}"


def _years(value: float | None) -> str:
    return "beyond the horizon" if value is None else f"{value:.1f}"
