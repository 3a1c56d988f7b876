"""Frame: what stands around every page: the status line, the rail, the side panel, the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from nettwin.apps.sessions import Session
from nettwin.errors import NettwinError
from nettwin.interfaces.server.live import age_s
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.addresses import address
from nettwin.interfaces.web.place import Place, person_of
from nettwin.interfaces.web.tour import tour
from nettwin.workspace.people import Person

RAIL = (
    ("map", "Map", "/"),
    ("sessions", "Sessions", "/sessions"),
    ("flows", "Flows", "/flows"),
    ("plans", "Plans", "/plans"),
    ("data", "Data", "/data"),
    ("models", "Models", "/models"),
)
MORE = (
    ("incidents", "Incidents", "/incidents"),
    ("capacity", "Capacity", "/capacity"),
    ("labs", "Training labs", "/labs"),
    ("jobs", "Jobs", "/jobs"),
    ("audit", "Audit", "/audit"),
    ("settings", "Settings", "/settings"),
)
OLD_S = 30.0
KEYS = (
    ("1 to 6", "the six pages"),
    ("/", "search nodes, links and flows"),
    ("f", "fail the selected link or node in a session"),
    ("n, p", "on the map: next and previous link, hottest first"),
    ("+, -, 0", "on the map: zoom in, out, show all"),
    ("Esc", "let go of what is selected"),
    ("?", "this list"),
)


@dataclass
class Frame:
    """A page being built: who looks, which session it shows, and its parts."""

    place: Place
    person: Person
    request: Request
    session: Session | None
    main: Element
    side: Element | None
    foot: Element | None
    on_key: Callable[[str], Any] | None = None

    def link(self, path: str, **query: str) -> str:
        """The address of a page that stays in the session."""
        return address(path, self.session, **query)


@contextmanager
def frame(
    place: Place, request: Request, active: str, *, side: bool = False, foot: bool = False
) -> Iterator[Frame]:
    """Build a page: its main part is filled while the block runs."""
    session = place.session(request)
    person = person_of(request)
    ui.add_head_html('<link rel="stylesheet" href="/desk/desk.css">')
    dark = {"dark": True, "light": False}.get(request.cookies.get("nettwin_theme", ""))
    theme = ui.dark_mode(dark)
    ui.colors(primary="#1f5fa8")
    with ui.element("div").classes("frame"):
        if session is not None:
            _session_bar(place, session)
        with ui.element("header"):
            _status(place, session, person, theme)
        tour(request, session)
        with ui.element("nav").props('aria-label="Pages"'):
            _rail(session, active)
        main = ui.element("div").classes("content")
        side_part = ui.element("aside").props('aria-label="Selection"') if side else None
        foot_part = ui.element("footer") if foot else None
    ui.skip_link("Skip to the content", target=main)
    built = Frame(place, person, request, session, main, side_part, foot_part)
    with main:
        yield built
    _keys(built)


def _status(place: Place, session: Session | None, person: Person, theme: ui.dark_mode) -> None:
    """How old the data is, how far the twin is from the network, whether the intents hold."""
    desk = place.desk
    ui.link(f"nettwin · {desk.workspace.settings.name}", "/").classes("brand")
    data = ui.link("", "/data").classes("fact")
    fit = ui.link("", "/models").classes("fact")
    intent = ui.link("", "/plans").classes("fact")
    trouble = ui.label("").classes("bad").props('role="alert"')
    ui.element("span").classes("grow")
    search = (
        ui.input(placeholder="Search  /")
        .props('dense outlined clearable aria-label="Search nodes, links and flows"')
        .style("width: 220px")
    )
    search.on("keydown.enter", lambda: _find(place, session, str(search.value or "")))
    search.mark("search")
    who = pieces.button(person.name, lambda: None, "quiet").props("aria-haspopup=menu")
    with who, ui.menu():
        ui.menu_item(", ".join(person.roles)).props("disable")
        for _, title, path in MORE:
            ui.menu_item(title, lambda path=path: ui.navigate.to(path))
        ui.menu_item("Guided tour", lambda: ui.navigate.to(address("/", session, tour="1")))
        ui.menu_item("Dark or light", lambda: _turn(theme))
        ui.menu_item("Log out", _log_out)

    def refresh() -> None:
        moment = place.moment
        if moment is None:
            data.set_text("no data yet" if desk.live is not None else "no live network")
            fit.set_text("")
            intent.set_text("")
        else:
            old = age_s(moment)
            data.set_text(f"data {show.age(old)} old")
            data.classes(replace="fact bad" if old > OLD_S else "fact")
            found = place.feed.fit
            fit.set_text(
                f"twin within {show.percent(found.delay_error, 1)}" if found else "twin: not known"
            )
            held = moment.measured
            if held is None:
                intent.set_text("no intent")
            else:
                missed = sum(not line.met for line in held.lines)
                intent.set_text("intent holds" if held.met else f"intent missed in {missed}")
                intent.classes(replace="fact good" if held.met else "fact bad")
        trouble.set_text(desk.live.trouble if desk.live is not None else "")

    refresh()
    place.feed.moment.subscribe(refresh)
    ui.timer(1.0, refresh)


def _log_out() -> None:
    """End the session; what changes something is never a plain link."""
    ui.run_javascript("fetch('/logout', {method: 'POST'}).then(() => { location = '/login'; })")


def _turn(theme: ui.dark_mode) -> None:
    """The other theme, kept in a cookie."""
    theme.value = not theme.value
    kept = "dark" if theme.value else "light"
    ui.run_javascript(
        f"document.cookie='nettwin_theme={kept}; path=/; max-age=31536000; samesite=strict'"
    )


def _rail(session: Session | None, active: str) -> None:
    for number, (name, title, path) in enumerate(RAIL, 1):
        link = ui.link("", address(path, session)).classes("rail-link")
        with link:
            ui.label(title)
            ui.label(str(number)).classes("rail-key").props('aria-hidden="true"')
        if name == active:
            link.props('aria-current="page"')


def _session_bar(place: Place, session: Session) -> None:
    """The bar that tells a session from the live network."""
    with ui.element("div").classes("sessionbar").props('role="status"'):
        ui.label(f"Session: {session.name}")
        ui.label(f"{show.count(len(session.changes), 'change')}; from {session.base}")
        ui.element("span").classes("grow")
        ui.link("Compare", address("/sessions", session))
        ui.link("Plan", address("/plans", session))
        ui.link("Back to the live network", "/")


def _find(place: Place, session: Session | None, words: str) -> None:
    """Go to what a search finds: a node or link on the map, a flow on its page."""
    text = words.strip().casefold()
    if not text:
        return
    scenario = session.scenario if session is not None else place.network
    topology = scenario.topology
    for kind, names in (
        ("node", topology.node_name),
        ("link", topology.link_name),
        ("flow", scenario.flow_names),
    ):
        for exact in (True, False):
            for name in names:
                folded = name.casefold()
                if folded == text if exact else text in folded:
                    if kind == "flow":
                        ui.navigate.to(address("/flows", session, flow=name))
                    else:
                        ui.navigate.to(address("/", session, **{kind: name}))
                    return
    ui.notify(f"Nothing is called {words!r}. Type a part of a node's, link's or flow's name.")


def _keys(built: Frame) -> None:
    with ui.dialog() as help, ui.card():
        ui.label("Keys").classes("strong").props('role="heading" aria-level="2"')
        with ui.element("dl").classes("facts2"):
            for key, words in KEYS:
                with ui.element("dt"):
                    ui.label(key).classes("kbd")
                with ui.element("dd"):
                    ui.label(words)
        pieces.button("Close", help.close)

    def pressed(event: Any) -> None:
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.alt:
            return
        key = event.key.name
        if key in "123456" and len(key) == 1:
            ui.navigate.to(built.link(RAIL[int(key) - 1][2]))
        elif key == "?":
            help.open()
        elif key == "/":
            ui.run_javascript("document.querySelector('header input')?.focus()")
        elif built.on_key is not None:
            built.on_key(key)

    ui.keyboard(on_key=pressed)


def say(error: NettwinError) -> None:
    """Tell an error."""
    ui.notify(str(error), type="negative", multi_line=True, timeout=8000, close_button="Close")
