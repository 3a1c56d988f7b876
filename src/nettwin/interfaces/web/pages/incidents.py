"""Incidents: what is wrong, why, and what to do about it."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from fastapi import Request
from nicegui import ui

from nettwin.apps.troubleshooting.advice import Next
from nettwin.errors import NettwinError
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.addresses import address
from nettwin.interfaces.web.frame import Frame, frame, say
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.interfaces.web.work import ask
from nettwin.physical.network import Event
from nettwin.scenario.changes import change_from_dict, parse_change

CAUSES = (
    Column("words", "Cause"),
    Column("category", "Kind"),
    Column("probability", "Probability", number=True, bar=True),
    Column("alike", "Cannot be told from"),
)
CLUES = (
    Column("side", "Speaks"),
    Column("words", "What was measured"),
)
SIMULATED = "simulated"


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "incidents") as built, ui.element("div").classes("page"):
        pieces.heading("Incidents", 1)
        ui.label(
            "Every fault that could explain what was measured lately is predicted by the twin and"
            " held against it. The most probable one comes first."
        ).classes("soft")
        _Incidents(built)


class _Incidents:
    def __init__(self, built: Frame) -> None:
        self.built, self.place = built, built.place
        with ui.element("div").classes("row"):
            self.before = ui.number("Intervals before", value=12, min=0, max=500).props(
                "dense outlined"
            )
            self.during = ui.number("Intervals of it", value=2, min=1, max=100).props(
                "dense outlined"
            )
            pieces.button("What is wrong now?", self._diagnose, "main")
        self.said = ui.label("").classes("soft").props('role="status"')
        self.box = ui.element("div").classes("stack")
        if self.place.desk.workspace.settings.kind == SIMULATED and self.place.desk.live:
            self._happen()

    async def _diagnose(self) -> None:
        built = self.built
        self.said.classes(replace="soft")
        self.said.set_text("predicting every fault that could explain it ...")
        arguments = {
            "at_s": float(self.place.moment.seen.time_s) if self.place.moment else None,
            "before": int(self.before.value or 0),
            "during": int(self.during.value or 1),
            "engine": self.place.desk.workspace.settings.loop.engine,
        }
        answer = await ask(self.place, built.person, "troubleshoot", arguments)
        self.box.clear()
        if answer.value is None:
            self.said.set_text(answer.error)
            self.said.classes(replace="bad")
            return
        found = answer.value
        self.said.set_text(
            f"{show.count(found['networks_predicted'], 'network')} predicted by {found['engine']}"
            f" in {show.duration(found['seconds'])}"
        )
        with self.box:
            self._show(found)

    def _show(self, found: dict[str, Any]) -> None:
        for words in found["words"]:
            ui.label(words).style("max-width: 900px")
        rows = [
            {
                "key": str(k),
                "words": one["words"],
                "category": one["category"],
                "probability": show.percent(one["probability"]),
                "probability_sort": one["probability"],
                "probability_bar": 100 * one["probability"],
                "alike": ", ".join(one["not_told_apart"]) or "–",
            }
            for k, one in enumerate(found["causes"])
        ]
        DataTable("Causes, the most probable first", CAUSES, rows)
        if found["causes"]:
            first = found["causes"][0]
            clues = [("for it", c) for c in first["for"]] + [
                ("against", c) for c in first["against"]
            ]
            rows = [
                {
                    "key": str(k),
                    "side": side,
                    "side_class": "good" if side == "for it" else "bad",
                    "words": clue["words"],
                }
                for k, (side, clue) in enumerate(clues)
            ]
            DataTable("Evidence for the first cause, and against it", CLUES, rows)
        with ui.element("div").classes("cards"):
            with ui.element("div").classes("card stack"):
                pieces.heading("What to do")
                self._repair(found)
                pieces.reasons("By hand", found["by_hand"])
                pieces.reasons("So that it does not happen again", found["hardening"])
            with ui.element("div").classes("card stack"):
                pieces.heading("What to measure next")
                words = [_words(one) for one in found["next_measurements"]]
                pieces.reasons("What tells the first two causes apart best", words)
                recent = [f"{show.clock(r['time_s'])}  {r['words']}" for r in found["recent"]]
                pieces.reasons("What was changed shortly before", recent)

    def _repair(self, found: dict[str, Any]) -> None:
        if found["repair"] is None:
            ui.label("No change of the configuration repairs it.").classes("soft")
            return
        changes = [change_from_dict(change) for change in found["repair"]["changes"]]

        def try_it() -> None:
            session = self.place.begin_session(self.built.person, "repair")
            try:
                self.place.desk.sessions.keep(session.with_change(*changes))
            except NettwinError as error:
                say(error)
                return
            ui.navigate.to(address("/sessions", session))

        with ui.element("ol").style("margin-left: 18px"):
            for change in changes:
                with ui.element("li"):
                    ui.label(change.describe())
        pieces.button("Try the repair in a session", try_it, "main")

    def _happen(self) -> None:
        """What a simulated network can be made to suffer."""
        with ui.element("div").classes("card stack"):
            pieces.heading("Let something happen")
            ui.label(
                "This network is simulated: something can be made to happen to it, for real as far"
                " as it goes. Hidden means that its routers do not tell."
            ).classes("soft")
            with ui.element("div").classes("row"):
                words = ui.input(placeholder="fail_link Houston<->Atlanta")
                words.props('dense outlined aria-label="What happens"').style("width: 420px")
                hidden = ui.checkbox("hidden")

                async def go() -> None:
                    live = self.place.desk.live
                    assert live is not None
                    try:
                        event = Event(parse_change(str(words.value or "")), not hidden.value)
                        future = live.ask("inject", event, self.built.person)
                        await asyncio.wrap_future(future)
                    except NettwinError as error:
                        say(error)
                        return
                    ui.notify("It happens. The next measurement shows it.")

                pieces.button("Let it happen", go, "danger")


def _words(one: dict[str, Any]) -> str:
    """A measurement that would tell causes apart, in words."""
    known: dict[str, Any] = {k: math.nan if v is None else v for k, v in one.items()}
    return Next(**known).words()
