"""Labs: faults to find and mend on a simulated network; what is wrong is told at the end."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from typing import Any

from fastapi import Request
from nicegui import ui

from nettwin.apps.labs import find_lab, lab_names
from nettwin.apps.labs.session import read_session, write_session
from nettwin.errors import NettwinError
from nettwin.interfaces.documents import labs as told
from nettwin.interfaces.server.work.labs import attempt_folder
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.frame import Frame, frame, say
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.interfaces.web.work import Answer, ask
from nettwin.scenario.changes import parse_change

LABS = (
    Column("title", "Lab", pick=True),
    Column("level", "Level", number=True),
    Column("minutes", "Minutes", number=True),
    Column("see", "What can be seen"),
    Column("may", "What may be done"),
)
GOALS = (
    Column("state", "State"),
    Column("text", "Goal"),
    Column("worst", "Worst"),
)
LINKS = (
    Column("link", "Link"),
    Column("carried", "Carried", number=True, bar=True),
    Column("loss", "Loss", number=True),
    Column("weight", "Weight", number=True),
    Column("up", "State"),
)
FLOWS = (
    Column("flow", "Flow"),
    Column("class", "Class"),
    Column("delay", "Mean delay", number=True),
    Column("loss", "Loss", number=True),
)


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "labs") as built, ui.element("div").classes("page"):
        pieces.heading("Training labs", 1)
        ui.label(
            "Each has a network with a fault, a story and goals. Find what is wrong and mend it;"
            " the debriefing tells what it was, and how you did."
        ).classes("soft")
        page = _Labs(built)
        found = await asyncio.to_thread(lambda: [told.lab(find_lab(n)) for n in lab_names()])
        page.listed(found)


class _Labs:
    def __init__(self, built: Frame) -> None:
        self.built, self.place = built, built.place
        self.attempt, self.made, self.checks = "", list[str](), 0
        self.list = ui.element("div")
        self.box = ui.element("div").classes("stack")

    def listed(self, labs: list[dict[str, Any]]) -> None:
        """The labs, the easiest first."""
        rows = [
            {
                "key": one["lab"],
                **{name: one[name] for name in ("title", "level", "minutes")},
                "see": ", ".join(one["see"]),
                "may": ", ".join(one["may"]),
            }
            for one in sorted(labs, key=lambda one: (one["level"], one["minutes"]))
        ]
        with self.list:
            DataTable("Labs, the easiest first", LABS, rows, few=20, on_pick=self._start)

    async def _ask(self, kind: str, more: dict[str, Any]) -> Answer[dict[str, Any]]:
        arguments = {"person": self.built.person.name, "attempt": self.attempt, **more}
        return await ask(self.place, self.built.person, kind, arguments)

    async def _start(self, name: str) -> None:
        self.attempt, self.made, self.checks = secrets.token_hex(5), [], 0
        self.list.visible = False
        self.box.clear()
        with self.box:
            ui.label("measuring the network ...").classes("soft")
        answer = await self._ask("lab start", {"lab": name, "seed": secrets.randbelow(10**6)})
        self.box.clear()
        if answer.value is None:
            self.list.visible = True
            say(NettwinError(answer.error))
            return
        with self.box:
            self._lab(answer.value)

    def _lab(self, lab: dict[str, Any]) -> None:
        begin_s = time.time()
        with ui.element("div").classes("row"):
            pieces.heading(lab["title"])
            clock = ui.label("").classes("soft")
            pieces.button("All labs", lambda: ui.navigate.to("/labs"))
        ui.timer(1.0, lambda: clock.set_text(_left(lab["minutes"], begin_s)))
        with ui.element("div").classes("card stack"):
            for words in lab["words"]:
                ui.label(words).style("white-space: pre-line; max-width: 900px")
        with ui.element("div").classes("card stack"):
            pieces.heading("Your changes")
            self.basket = ui.element("div")
            with ui.element("div").classes("row"):
                self.words = ui.input(placeholder=f"{lab['may'][0]} ...")
                self.words.props('dense outlined aria-label="A change, in words"')
                self.words.style("width: 420px; max-width: 100%")
                pieces.button("Make it, and measure", self._check, "main")
                pieces.button("Take the last one back", self._back)
                pieces.button("Hint", self._hint)
                pieces.button("Debriefing", self._debrief, "danger")
            self.hints = ui.element("div").classes("stack")
        self.said = ui.label("").classes("soft").props('role="status"')
        self.seen = ui.element("div").classes("stack")
        self._draw()
        with self.seen:
            _seen(lab)

    def _draw(self) -> None:
        self.basket.clear()
        with self.basket:
            if not self.made:
                ui.label("None yet.").classes("soft")
            for words in self.made:
                ui.label(words)

    async def _check(self) -> None:
        text = str(self.words.value or "").strip()
        try:
            if text:
                parse_change(text)
                self.made.append(text)
        except NettwinError as error:
            say(error)
            return
        if not await self._measure() and text:
            self.made.pop()
        self.words.set_value("")
        self._draw()

    async def _back(self) -> None:
        if self.made:
            self.made.pop()
            await self._measure()
            self._draw()

    async def _measure(self) -> bool:
        self.checks += 1
        self.said.set_text("measuring ...")
        more = {"changes": list(self.made), "number": self.checks}
        answer = await self._ask("lab check", more)
        if answer.value is None:
            self.said.set_text("")
            say(NettwinError(answer.error))
            return False
        self.said.set_text(
            "All goals are met." if answer.value["met"] else "Not all goals are met."
        )
        self.seen.clear()
        with self.seen:
            _seen(answer.value)
        return True

    def _hint(self) -> None:
        folder = attempt_folder(
            self.place.desk.workspace.folder, self.built.person.name, self.attempt
        )
        session = read_session(folder)
        hints = find_lab(session.lab).hints
        if session.hints >= len(hints):
            ui.notify(f"There are no more than {len(hints)} hints here.")
            return
        write_session(replace(session, hints=session.hints + 1), folder)
        with self.hints:
            ui.label(f"Hint {session.hints + 1} of {len(hints)}: {hints[session.hints]}")

    async def _debrief(self) -> None:
        self.said.set_text("measuring what you left, and the model solution ...")
        answer = await self._ask("lab debrief", {})
        if answer.value is None:
            say(NettwinError(answer.error))
            return
        self.box.clear()
        with self.box:
            passed = bool(answer.value["passed"])
            with ui.element("div").classes("row"):
                pieces.heading("Debriefing")
                pieces.tag("passed" if passed else "not passed", "good" if passed else "bad")
                pieces.button("All labs", lambda: ui.navigate.to("/labs"), "main")
            for words in answer.value["words"]:
                ui.label(words).style("white-space: pre-line; max-width: 900px")


def _seen(found: dict[str, Any]) -> None:
    """What is measured, as far as the lab lets it be seen."""
    goals = [
        {
            "key": str(k),
            "state": "met" if line["met"] else "missed",
            "state_class": "good" if line["met"] else "bad",
            "text": line["text"],
            "worst": line["worst"],
        }
        for k, line in enumerate(found["goals"])
    ]
    DataTable("Goals", GOALS, goals)
    if "links" in found:
        links = sorted(found["links"], key=lambda one: -(one["utilization"] or 0.0))
        rows = [
            {
                "key": one["link"],
                "link": one["link"],
                "carried": _percent(one["utilization"]),
                "carried_sort": one["utilization"],
                "carried_bar": 100 * (one["utilization"] or 0.0),
                "loss": _percent(one["loss_ratio"], 2),
                "loss_sort": one["loss_ratio"],
                "weight": "–" if one["weight"] is None else f"{one['weight']:g}",
                "up": "up" if one["up"] else "down",
                "up_class": "" if one["up"] else "bad",
            }
            for one in links
        ]
        DataTable("Links, the busiest first", LINKS, rows)
    if "flows" in found:
        flows = sorted(found["flows"], key=lambda one: -(one["loss_ratio"] or 0.0))
        rows = [
            {
                "key": one["flow"],
                "flow": one["flow"],
                "class": one["class"],
                "delay": "–" if one["owd_mean_s"] is None else show.duration(one["owd_mean_s"]),
                "delay_sort": one["owd_mean_s"],
                "loss": _percent(one["loss_ratio"], 2),
                "loss_sort": one["loss_ratio"],
            }
            for one in flows
        ]
        DataTable("Flows, those that lose most first", FLOWS, rows)


def _percent(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else show.percent(value, digits)


def _left(minutes: float, begin_s: float) -> str:
    left = minutes * 60 - (time.time() - begin_s)
    return f"{left / 60:.0f} minutes left" if left > 0 else "the time is over"
