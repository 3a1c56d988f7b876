"""Tour: five steps for a newcomer: look, break, ask, optimize, apply."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import Request
from nicegui import ui

from nettwin.apps.sessions import Session
from nettwin.interfaces.web import pieces
from nettwin.interfaces.web.addresses import address

COOKIE = "nettwin_tour"
BEGINS = "tour"  # in the address of a page


class Step(NamedTuple):
    """A step: what it is about, what to do, and where."""

    title: str
    words: str
    path: str


STEPS = (
    Step(
        "Look: where is it hot?",
        "Each link is two arrows, colored by its load. The list on the right has the busiest first."
        " Click the first one.",
        "/",
    ),
    Step(
        "Break: fail it in a session",
        "Press f, or 'Fail in session'. A session is a sandbox: the violet bar says that you are in"
        " one, and nothing in it touches the network. Switch between before, after and difference.",
        "/",
    ),
    Step(
        "Ask: why is voice late?",
        "Here are the flows in the session, the worst first. Click one of voice: the right side"
        " says where its delay arises, hop by hop, and who causes it.",
        "/flows",
    ),
    Step(
        "Optimize: meet the intent",
        "Press Search. The curve is the best answer so far, the dashed line what no answer can"
        " beat. Put the answer into the session, then press 'Make a plan'.",
        "/sessions",
    ),
    Step(
        "Apply: with a second pair of eyes",
        "Open the approver's link from the terminal in a private window, choose the plan and"
        " approve it. Then apply it here, watch what is measured, and undo it.",
        "/plans",
    ),
)


def tour(request: Request, session: Session | None) -> None:
    """The card of the tour, where it was begun and not ended."""
    given = request.cookies.get(COOKIE, "")
    if request.query_params.get(BEGINS):
        given = given if given.isdigit() and int(given) < len(STEPS) else "0"
        _keep(given)
    if not given.isdigit() or int(given) >= len(STEPS):
        return
    card = ui.element("section").classes("tour").props('aria-label="Guided tour"')

    def show(step: int) -> None:
        _keep(str(step))
        card.clear()
        if step >= len(STEPS):
            card.delete()
            return
        one = STEPS[step]
        with card:
            pieces.tag(f"{step + 1} of {len(STEPS)}")
            ui.label(one.title).classes("strong")
            ui.label(one.words)
            with ui.element("div").classes("row"):
                tab = "optimize" if one.path == "/sessions" and session is not None else ""
                there = address(one.path, session, tab=tab)
                pieces.button("Go there", lambda: ui.navigate.to(there), "main")
                if step:
                    pieces.button("Back", lambda: show(step - 1))
                pieces.button("Next" if step + 1 < len(STEPS) else "Done", lambda: show(step + 1))
                pieces.button("End", lambda: show(len(STEPS)), "quiet")

    show(int(given))


def _keep(step: str) -> None:
    """Remember the step in a cookie."""
    ui.run_javascript(f"document.cookie='{COOKIE}={step}; path=/; max-age=86400; samesite=strict'")
