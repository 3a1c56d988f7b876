"""Answers of a session: what its changes do, which failure breaks it, and what would be better."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from nicegui import ui

from nettwin.apps.loop.plans import Known
from nettwin.apps.sessions import Session
from nettwin.apps.whatif import WhatIf
from nettwin.errors import NettwinError
from nettwin.intent import State, judge
from nettwin.interfaces import operating
from nettwin.interfaces.server.jobs.job import Job
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.chart.best import best_so_far
from nettwin.interfaces.web.frame import Frame, say
from nettwin.interfaces.web.judgements import lines_table
from nettwin.interfaces.web.pages.failure_matrix import heat, matrix
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.interfaces.web.work import Answer, ask, ask_whatif
from nettwin.scenario.changes import change_from_dict

Kept = Callable[[Session], None]
CLASSES = (
    Column("name", "Class"),
    Column("flows", "Flows", number=True),
    Column("before", "Mean delay before", number=True),
    Column("after", "after", number=True),
    Column("loss_before", "Loss before", number=True),
    Column("loss_after", "after", number=True),
)
LINKS = (
    Column("name", "Link"),
    Column("before", "Offered before", number=True, bar=True),
    Column("after", "after", number=True, bar=True),
    Column("growth", "Growth", number=True),
)
FLOWS = (
    Column("name", "Flow"),
    Column("class", "Class"),
    Column("before", "Mean delay before", number=True),
    Column("after", "after", number=True),
    Column("loss", "Loss after", number=True),
)


class Answers:
    """What can be asked of a session."""

    def __init__(self, built: Frame) -> None:
        self.built, self.place = built, built.place

    # compare

    def compare(self, session: Session, kept: Kept) -> None:
        """Before and after, worst first, and whether the intent still holds."""
        said = ui.label("asking the twin ...").classes("soft").props('role="status"')
        box = ui.element("div").classes("stack")

        async def fill() -> None:
            answer = await ask_whatif(self.place, self.built.person, session)
            if answer.value is None:
                said.set_text(answer.error)
                said.classes(replace="bad")
                return
            said.set_text(f"Predicted by {answer.engine}, before and after by the same engine.")
            with box:
                self._compared(answer.value)

        ui.timer(0.02, fill, once=True)

    def _compared(self, found: WhatIf) -> None:
        intent = self._intent()
        if intent is not None:
            judged = [
                judge(intent, State(scenario, metrics))
                for scenario, metrics in (
                    (found.scenario_before, found.before),
                    (found.scenario_after, found.after),
                )
            ]
            words = "holds" if judged[1].met else "is missed"
            with ui.element("div").classes("row"):
                pieces.heading("The intent")
                pieces.tag(f"after the changes it {words}", "good" if judged[1].met else "bad")
            lines_table(judged[1], judged[0])
        rows = []
        for one in found.classes:
            rows.append(
                {
                    "key": one.name,
                    "name": one.name,
                    "flows": one.flows,
                    **_pair("", one.delay_before_s, one.delay_after_s, show.duration),
                    "loss_before": show.percent(one.loss_before, 2),
                    "loss_after": show.percent(one.loss_after, 2),
                }
            )
        DataTable("Traffic classes", CLASSES, rows)
        rows = []
        for link in found.links:
            growth = link.offered_load_after - link.offered_load_before
            rows.append(
                {
                    "key": link.name,
                    "name": link.name,
                    "before": show.percent(link.offered_load_before),
                    "before_sort": _finite(link.offered_load_before),
                    "before_bar": 100 * min(np.nan_to_num(link.offered_load_before), 1),
                    "after": show.percent(link.offered_load_after),
                    "after_sort": _finite(link.offered_load_after),
                    "after_bar": 100 * min(np.nan_to_num(link.offered_load_after), 1),
                    "after_class": "bad" if link.offered_load_after > 1 else "",
                    "growth": f"{100 * growth:+.0f} points" if np.isfinite(growth) else "–",
                    "growth_sort": _finite(growth),
                }
            )
        DataTable("Links that get fuller, the most first", LINKS, rows)
        rows = []
        for flow in found.flows[:500]:
            low, high = flow.delay_after_low_s, flow.delay_after_high_s
            rows.append(
                {
                    "key": flow.name,
                    "name": flow.name,
                    "class": flow.traffic_class,
                    **_pair("", flow.delay_before_s, flow.delay_after_s, show.duration),
                    "after_range": show.between(show.duration(low), show.duration(high)),
                    "after_mark": "the twin doubts this flow" if flow.flagged else "",
                    "loss": show.percent(flow.loss_after, 2),
                    "loss_sort": _finite(flow.loss_after),
                }
            )
        DataTable("Flows that suffer, the worst first", FLOWS, rows)

    # failures

    def failures(self, session: Session, kept: Kept) -> None:
        """Which failure hurts which link."""
        said = ui.label("asking what every failure does ...").classes("soft")
        bar = ui.linear_progress(0, show_value=False).props("instant-feedback")
        box = ui.element("div").classes("stack")

        async def fill() -> None:
            answer = await self._ask("failures", session, {}, _progress(said, bar))
            bar.visible = False
            if answer.value is None:
                said.set_text(answer.error)
                said.classes(replace="bad")
                return
            said.set_text("Every single link fails alone, both directions of it.")
            heated = await self._ask("failure matrix", session, {}, lambda job: None)
            with box:
                if heated.value is not None:
                    heat(heated.value)
                matrix(answer.value)

        ui.timer(0.02, fill, once=True)

    # optimize

    def optimize(self, session: Session, kept: Kept) -> None:
        """Search for changes that meet the intent, in sight of the bound."""
        intent = self._intent()
        if intent is None:
            pieces.empty("No intent", "Name a file under [intents] in nettwin.toml.")
            return
        with ui.element("div").classes("row"):
            ui.label(f"Intent: {intent.name}")
            seconds = ui.number("Seconds", value=5, min=0.1, max=600).props("dense outlined")
            seconds.style("width: 110px")
            start = pieces.button("Search", lambda: run(), "main")
            stop = pieces.button("Stop", lambda: halt())
            stop.visible = False
        said = ui.label("").classes("soft").props('role="status"')
        curve = best_so_far()
        curve.visible = False
        box = ui.element("div").classes("stack")
        running: list[Job] = []

        def halt() -> None:
            for job in running[-1:]:
                self.place.desk.jobs.cancel(job.id)

        def tell(job: Job) -> None:
            running.append(job)
            if job.told:
                said.set_text(_told(job))
                curve.add(job.told)

        async def run() -> None:
            start.disable()
            stop.visible = curve.visible = True
            curve.clear()
            box.clear()
            given = {"seconds": float(seconds.value or 5)}
            answer = await self._ask("optimize", session, given, tell)
            start.enable()
            stop.visible = False
            if answer.value is None:
                said.set_text(answer.error)
                return
            with box:
                self._found(answer.value, session, kept)

    def _found(self, document: dict[str, Any], session: Session, kept: Kept) -> None:
        """A plan that was found."""
        plan = document.get("plan", document)
        changes = [change_from_dict(change) for change in plan["changes"]]
        gap = plan.get("gap")
        words = [show.count(len(changes), "change")]
        words.append("the intent is met" if plan["met"] else "the intent is still missed")
        if plan.get("status") == "proven":
            words.append("proven: nothing better exists")
        elif gap is not None:
            words.append(f"{show.percent(gap, 1)} above the bound")
        with ui.element("div").classes("row"):
            ui.label("; ".join(words)).classes("strong")
            if changes:
                pieces.button(
                    "Put into the session", lambda: self._take(session, changes, kept), "main"
                )
        pieces.reasons("Why not", plan.get("reasons", ()))
        pieces.reasons("On the way", plan.get("warnings", ()))
        with ui.element("ol").style("margin-left: 18px"):
            for change in changes:
                with ui.element("li"):
                    ui.label(change.describe())

    def _take(self, session: Session, changes: list[Any], kept: Kept) -> None:
        try:
            more = session.with_change(*changes)
        except NettwinError as error:
            say(error)
            return
        ui.notify("The changes are in the session. Compare them, then make a plan.")
        kept(more)

    async def plan_of(self, session: Session) -> Known:
        """Make a plan of the steered changes and have it kept. Raises NettwinError."""
        desk = self.place.desk
        intent = desk.workspace.intent
        model = operating.model_of(desk.workspace.settings.loop)
        plan = await asyncio.to_thread(session.plan, intent, model)
        if desk.live is None:
            raise NettwinError("there is no live network here: plans are kept where a loop runs.")
        known: Known = await asyncio.wrap_future(desk.live.ask("add", plan, self.built.person))
        return known

    async def _ask(
        self, kind: str, session: Session, more: dict[str, Any], tell: Callable[[Job], None]
    ) -> Answer[dict[str, Any]]:
        engine = self.place.desk.workspace.settings.loop.engine
        arguments = {
            "network": self.place.pinned(session),
            "intent": "workspace",
            "engine": engine,
            **more,
        }
        return await ask(self.place, self.built.person, kind, arguments, tell)

    def _intent(self) -> Any:
        try:
            return self.place.desk.workspace.intent
        except NettwinError as error:
            ui.label(str(error)).classes("warn")
            return None


def _told(job: Job) -> str:
    best, bound = job.told.get("best"), job.told.get("bound")
    words = f"best so far {best:.4g}" if isinstance(best, int | float) else "searching"
    return f"{words}; bound {bound:.4g}" if isinstance(bound, int | float) else words


def _progress(said: ui.label, bar: ui.linear_progress) -> Callable[[Job], None]:
    def tell(job: Job) -> None:
        if job.progress is not None:
            bar.set_value(job.progress)
        if job.state == "queued":
            said.set_text("waits for another job ...")

    return tell


def _pair(name: str, before: float, after: float, words: Callable[[float], str]) -> dict[str, Any]:
    return {
        f"{name}before": words(before),
        f"{name}before_sort": _finite(before),
        f"{name}after": words(after),
        f"{name}after_sort": _finite(after),
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
