"""Plans: what may be changed in the network, who agrees, what it did, and how it is undone."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from nicegui import ui

from nettwin.apps.loop.plans import Known, known_plan, known_plans
from nettwin.change_plan import ChangePlan
from nettwin.errors import NettwinError
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.frame import Frame, frame, say
from nettwin.interfaces.web.judgements import lines_table
from nettwin.interfaces.web.pages.intents import intents
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable

PLANS = (
    Column("id", "Plan", pick=True),
    Column("state", "State"),
    Column("changes", "Changes", number=True),
    Column("what", "First change"),
    Column("author", "By"),
    Column("time", "Made"),
)
STATES = {"kept": "good", "applied": "good", "failed": "bad", "refused": "bad", "waits": "warn"}
OPEN = ("open", "waits")
STANDS = ("applied", "kept")


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "plans") as built, ui.element("div").classes("page"):
        if id := request.query_params.get("plan", ""):
            await _One(built, id).build()
        else:
            await _list(built)


async def _list(built: Frame) -> None:
    place = built.place
    pieces.heading("Intents and plans", 1)
    intents(built)
    pieces.heading("Plans")
    repository = place.desk.workspace.repository
    table = DataTable(
        "Plans, the newest first",
        PLANS,
        empty="No plan yet. Optimize in a session, or wait until the loop makes one.",
        on_pick=lambda id: ui.navigate.to(f"/plans?plan={id}"),
    )

    async def fill() -> None:
        found = await asyncio.to_thread(known_plans, repository)
        table.show([_row(known) for known in reversed(found)])

    await fill()
    place.feed.moment.subscribe(fill)


def _row(known: Known) -> dict[str, Any]:
    changes = known.plan.changes
    return {
        "key": known.id,
        "id": known.id,
        "state": known.fate,
        "state_class": STATES.get(known.fate, ""),
        "changes": len(changes),
        "what": changes[0].describe() if changes else "–",
        "author": known.author,
        "time": show.clock(known.time_s),
    }


class _One:
    """The page of one plan."""

    def __init__(self, built: Frame, id: str) -> None:
        self.built, self.place, self.id = built, built.place, id

    async def build(self) -> None:
        """Draw it."""
        ui.link("All plans", "/plans")
        self.box = ui.element("div").classes("stack")
        self.now: ui.element | None = None
        await self._draw()
        self.place.feed.moment.subscribe(self._fill_now)

    async def _draw(self) -> None:
        try:
            known = await asyncio.to_thread(known_plan, self._workspace.repository, self.id)
        except NettwinError as error:
            with self.box:
                pieces.empty("There is no such plan", str(error))
            return
        self.known = known
        self.now = None
        self.box.clear()
        with self.box:
            self._show(known)

    @property
    def _workspace(self) -> Any:
        return self.place.desk.workspace

    def _show(self, known: Known) -> None:
        plan = known.plan
        with ui.element("div").classes("row"):
            pieces.heading(f"Plan {known.id}", 1)
            pieces.tag(known.fate, STATES.get(known.fate, ""))
            if known.why:
                ui.label(known.why).classes("soft")
        pieces.facts(_about(known))
        self._steps(known)
        with ui.element("div").classes("cards"):
            with ui.element("div").classes("card stack"):
                pieces.heading("What routers are told, in this order")
                with ui.element("ol").style("margin: 0 0 0 20px; padding: 0"):
                    for change in plan.changes:
                        with ui.element("li"):
                            ui.label(change.describe())
                pieces.reasons("On the way", plan.warnings)
            with ui.element("div").classes("card stack"):
                pieces.heading("What is predicted")
                lines_table(plan.after, plan.before)
                for evidence in plan.evidence:
                    met = evidence.judgement.met
                    with ui.element("div").classes("row"):
                        words = f"{evidence.method} by {evidence.engine}"
                        pieces.tag("meets the intent" if met else "misses it", _kind(met))
                        ui.label(words).classes("soft")
        self._measured(known)

    def _steps(self, known: Known) -> None:
        """Verify, approve, apply, undo: who may do what now."""
        person, live = self.built.person, self.place.desk.live
        given = self._workspace.approvals.of(known.id)
        with ui.element("div").classes("card stack"):
            pieces.heading("Steps")
            if live is None:
                ui.label("There is no live network here: nothing can be applied.").classes("warn")
                return
            if given:
                last = given[-1]
                ui.label(f"Approved by {last.by}, until {show.clock(last.expires_s)} UTC.")
            elif known.fate in OPEN:
                ui.label("Not approved yet. Somebody else than the author approves it.")
            said = ui.label("").classes("soft").props('role="status"')
            with ui.element("div").classes("row"):
                pieces.button("Verify by packets", lambda: self._do(said, "verify", known.id))
                if known.fate in OPEN:
                    if person.may("approver") and person.name != known.author:
                        pieces.button("Approve", lambda: self._ask(known, said, "approve"), "main")
                    if given and person.may("operator"):
                        pieces.button("Apply", lambda: self._ask(known, said, "apply"), "main")
                if known.fate in STANDS and person.may("operator"):
                    pieces.button("Undo", lambda: self._ask(known, said, "undo"), "danger")

    def _ask(self, known: Known, said: ui.label, what: str) -> None:
        """Say exactly what will change, on what, and how it is undone, before anything does."""
        changes = known.plan.changes
        words = {
            "approve": "You agree that this is changed in the network. The approval holds for this"
            " plan and this network alone, and expires.",
            "apply": "This is changed in the network now, in this order. If a step fails, all of it"
            " is taken back. Undo takes it back later.",
            "undo": "The network gets back what it had before this plan.",
        }[what]
        with ui.dialog() as dialog, ui.card().style("max-width: 640px"):
            ui.label(f"{what.capitalize()} plan {known.id}?").classes("strong")
            ui.label(words)
            with ui.element("ol").style("margin-left: 20px; max-height: 300px; overflow: auto"):
                for change in changes:
                    with ui.element("li"):
                        ui.label(change.describe())
            with ui.element("div").classes("row"):

                async def go() -> None:
                    dialog.close()
                    await self._do(said, what, known.id, self.built.person)

                pieces.button(what.capitalize(), go, "danger" if what == "undo" else "main")
                pieces.button("Cancel", dialog.close)
        dialog.open()

    async def _do(self, said: ui.label, what: str, *arguments: Any) -> None:
        said.set_text(f"{what} ...")
        id = arguments[0] if arguments else self.id
        try:
            live = self.place.desk.live
            assert live is not None
            future = live.ask(what, id, *arguments[1:])
            answer = await asyncio.wrap_future(future)
        except NettwinError as error:
            said.set_text("")
            say(error)
            return
        if what == "verify":
            plan: ChangePlan = answer.plan
            met = "meets" if plan.met else "misses"
            said.set_text(f"Judged again on the network of now: the plan {met} the intent.")
            with self.box:
                lines_table(plan.after, plan.before)
            return
        ui.notify(f"Plan {self.id}: {what} is done.")
        await self._draw()

    def _measured(self, known: Known) -> None:
        """What was measured since, beside what was predicted."""
        moment = self.place.moment
        if known.fate not in STANDS or moment is None or moment.measured is None:
            return
        with ui.element("div").classes("card stack"):
            pieces.heading("What is measured now, beside what was before")
            self.now = ui.element("div")
        self._fill_now()

    def _fill_now(self) -> None:
        moment = self.place.moment
        if self.now is None or moment is None or moment.measured is None:
            return
        self.now.clear()
        with self.now:
            lines_table(moment.measured, self.known.plan.before)


def _about(known: Known) -> list[tuple[str, str]]:
    plan = known.plan
    found = [
        ("Intent", plan.intent),
        ("Made by", f"{known.author}, {show.clock(known.time_s)}"),
    ]
    if plan.seconds:
        found.append(("Found by", f"{plan.method} in {show.duration(plan.seconds)}"))
    if plan.bound is not None and plan.gap is not None:
        proven = "; proven the best" if plan.proven else ""
        found.append(("Bound", f"{plan.bound:.4g}; {show.percent(plan.gap, 2)} above it{proven}"))
    return found


def _kind(met: bool) -> str:
    return "good" if met else "bad"
