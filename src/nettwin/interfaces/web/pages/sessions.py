"""Sessions: sandboxes of the network, what their changes do, and what becomes of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Any

from fastapi import Request
from nicegui import ui
from nicegui.events import UploadEventArguments

from nettwin.apps.sessions import Session
from nettwin.errors import NettwinError
from nettwin.formats import read
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.addresses import address
from nettwin.interfaces.web.frame import Frame, frame, say
from nettwin.interfaces.web.pages.session_answers import Answers
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.interfaces.web.work import ask
from nettwin.scenario.changes import CHANGES, parse_change, takes

LISTED = (
    Column("name", "Session", pick=True),
    Column("changes", "Changes", number=True),
    Column("base", "Begun from"),
    Column("owner", "By"),
    Column("age", "Age", number=True),
)


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "sessions") as built, ui.element("div").classes("page"):
        if built.session is None:
            _list(built)
        else:
            _One(built, built.session).build(request.query_params.get("tab", "compare"))


def _list(built: Frame) -> None:
    place = built.place

    def begin() -> None:
        ui.navigate.to(address("/sessions", place.begin_session(built.person)))

    with ui.element("div").classes("row"):
        pieces.heading("Sessions", 1)
        ui.element("span").classes("grow")
        pieces.button("From a file", lambda: _from_file(built))
        pieces.button("New session from the live network", begin, "main")
    ui.label(
        "A session is a sandbox: a copy of the network in which changes are tried. Nothing that is"
        " done in it touches the network."
    ).classes("soft")
    if not place.desk.sessions.all():
        pieces.empty(
            "No session yet",
            "Begin one with the network as it is now, or choose a link on the map and press f.",
            ("New session", begin),
        )
        return
    table = DataTable(
        "Sessions, the newest first",
        LISTED,
        on_pick=lambda id: ui.navigate.to(f"/sessions?session={id}"),
    )

    def fill() -> None:
        now = time.time()
        table.show(
            [
                {
                    "key": one.id,
                    "name": one.name,
                    "changes": len(one.changes),
                    "base": one.base,
                    "owner": one.owner,
                    "age": show.age(now - one.began_s),
                    "age_sort": now - one.began_s,
                }
                for one in place.desk.sessions.all()
            ]
        )

    fill()
    place.feed.sessions.subscribe(fill)


def _from_file(built: Frame) -> None:
    """A session with a network of a file, in any format that nettwin reads."""
    place, limits = built.place, built.place.desk.limits
    with ui.dialog() as dialog, ui.card():
        ui.label("A session with a network of a file").classes("strong")
        ui.label(
            "Any format that nettwin reads: YAML, GraphML, GML, SNDlib, REPETITA, RFC 8345, JSON,"
            " or several files in a zip. What the file leaves out is assumed, and said."
        )
        said = ui.label("").props('role="status"')

        async def came(event: UploadEventArguments) -> None:
            said.set_text("reading ...")
            content = await event.file.read()
            id = await asyncio.to_thread(place.desk.networks.add, event.file.name, content)
            arguments = {
                "upload": id,
                "format": None,
                "index": 0,
                "name": "",
                "person": built.person.name,
                "limits": asdict(limits),
            }
            answer = await ask(place, built.person, "read", arguments)
            if answer.value is None:
                await asyncio.to_thread(place.desk.networks.remove, id)
                said.set_text(answer.error)
                said.classes(replace="bad")
                return
            file = place.desk.networks.file(id)
            network = await asyncio.to_thread(lambda: read(file, format="native").scenario)
            session = place.session_of(network, f"the file {event.file.name}", built.person)
            ui.navigate.to(address("/", session))

        ui.upload(
            on_upload=came, auto_upload=True, max_file_size=limits.upload_bytes, max_files=1
        ).props('flat bordered label="Choose or drop a file"')
        pieces.button("Close", dialog.close)
    dialog.open()


class _One:
    """The page of one session."""

    def __init__(self, built: Frame, session: Session) -> None:
        self.built, self.place, self.session = built, built.place, session
        self.answers = Answers(built)

    def build(self, tab: str) -> None:
        """Draw it."""
        with ui.element("div").classes("row"):
            pieces.heading(self.session.name, 1)
            ui.element("span").classes("grow")
            pieces.button("Show on the map", lambda: ui.navigate.to(address("/", self.session)))
            pieces.button("Make a plan", self._plan, "main")
            pieces.button("Discard", self._discard, "danger")
        with ui.element("div").classes("card stack"):
            pieces.heading("Changes")
            self.basket = ui.element("div")
            with ui.element("div").classes("row"):
                self.words = (
                    ui.input(placeholder="fail_link A<->B")
                    .props('dense outlined aria-label="A change, in words"')
                    .style("width: 420px; max-width: 100%")
                )
                self.words.on("keydown.enter", self._add)
                pieces.button("Add", self._add, "main")
                pieces.button("Undo", lambda: self._turn(Session.without_last))
                pieces.button("Redo", lambda: self._turn(Session.again))
            with ui.element("details"):
                with ui.element("summary"):
                    ui.label("What can be changed").style("display: inline")
                pieces.facts((kind, takes(kind)) for kind in CHANGES)
        self._draw()
        tabs = {"compare": "Compare", "failures": "Failures", "optimize": "Optimize"}
        choice = pieces.Choice("What is asked", tabs, tab if tab in tabs else "compare", self._tab)
        self.answer = ui.element("div").classes("stack")
        self._tab(choice.value)

    def _draw(self) -> None:
        self.basket.clear()
        with self.basket:
            if not self.session.changes:
                ui.label(
                    "None yet. Choose a link on the map and press f, or write one below."
                ).classes("soft")
            for k, change in enumerate(self.session.changes):
                with ui.element("div").classes("row"):
                    ui.label(f"{k + 1}.").classes("soft")
                    ui.label(change.describe())
                    if change in self.session.supposed:
                        pieces.tag("what if")
                    pieces.button("Remove", lambda k=k: self._remove(k), "quiet")

    def _kept(self, session: Session) -> None:
        self.session = self.place.desk.sessions.keep(session)
        self.built.session = self.session
        self.place.feed.sessions.emit()
        self._draw()
        self._tab(self.tab)

    def _add(self) -> None:
        try:
            self._kept(self.session.with_change(parse_change(str(self.words.value or ""))))
        except NettwinError as error:
            say(error)
            return
        self.words.set_value("")

    def _turn(self, turn: Any) -> None:
        try:
            self._kept(turn(self.session))
        except NettwinError as error:
            say(error)

    def _remove(self, place: int) -> None:
        self._turn(lambda session: session.without(place))

    def _discard(self) -> None:
        gone = self.place.desk.sessions.discard(self.session.id)
        self.place.feed.sessions.emit()
        ui.navigate.to("/sessions")
        ui.notify(f"{gone.name} is gone.")

    def _tab(self, name: str) -> None:
        self.tab = name
        self.answer.clear()
        with self.answer:
            getattr(self.answers, name)(self.session, self._kept)

    async def _plan(self) -> None:
        try:
            known = await self.answers.plan_of(self.session)
        except NettwinError as error:
            say(error)
            return
        if self.session.supposed:
            ui.notify(
                f"{show.count(len(self.session.supposed), 'change')} of the session only may happen"
                " and stay in it."
            )
        ui.navigate.to(f"/plans?plan={known.id}")
