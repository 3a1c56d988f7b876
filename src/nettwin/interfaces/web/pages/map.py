"""The map: where it is hot, how far the twin is from it, and what breaks if something fails."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
from fastapi import Request
from nicegui import ui

from nettwin.apps.whatif import WhatIf
from nettwin.errors import NettwinError
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.acting import fail_in_session
from nettwin.interfaces.web.addresses import address
from nettwin.interfaces.web.frame import Frame, frame, say
from nettwin.interfaces.web.map.layers import LAYERS, WORST, Paint
from nettwin.interfaces.web.map.network_map import NetworkMap
from nettwin.interfaces.web.pages.map_side import Side
from nettwin.interfaces.web.pages.shown import (
    AFTER,
    LIVE_SIDES,
    MEASURED,
    SESSION_SIDES,
    Shown,
)
from nettwin.interfaces.web.place import LIVE, Place
from nettwin.interfaces.web.work import Answer, ask, ask_whatif
from nettwin.observation import Observation


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "map", side=True, foot=True) as built:
        _Map(built, request).begin()


class _Map:
    """The page's parts, and what happens to them."""

    def __init__(self, built: Frame, request: Request) -> None:
        self.built, self.place = built, built.place
        query = request.query_params
        session = built.session
        reference = session.id if session else LIVE
        scenario = session.scenario if session else self.place.network
        self.shown = Shown(scenario, side=AFTER if session else MEASURED)
        self.shown.layer = LAYERS.get(query.get("layer", ""), LAYERS["carried"])
        sides = SESSION_SIDES if session else LIVE_SIDES
        if query.get("side", "") in sides:
            self.shown.side = query["side"]
        for kind in ("link", "node"):
            if name := query.get(kind, ""):
                self.shown.chosen = (kind, name)
        label = (
            f"Map of {scenario.topology.node_count} nodes and {scenario.topology.link_count} links."
            " Arrow keys move it, plus and minus zoom, n and p step through the links, the hottest"
            " first. The table beside it lists them."
        )
        pieces.heading("Map", 1).classes("sr")
        self.reference = reference
        self.map = NetworkMap(f"/desk/topology/{reference}", "/desk/outlines.json", label)
        with ui.element("div").classes("over top"):
            pieces.Choice(
                "What is shown",
                {layer.name: layer.title for layer in (*LAYERS.values(), WORST)},
                self.shown.layer.name,
                self._layer,
            )
            pieces.Choice("Which side", sides, self.shown.side, self._side)
            self.note = ui.label("").classes("soft").props('role="status"')
        self.legend = ui.element("div").classes("over legend")
        with ui.element("div").classes("over tools"):
            pieces.button("Show all", self.map.fit)
            pieces.button("PNG", self._png)
            pieces.button("SVG", self._svg)
            if session is None:
                pieces.button("New session", self._new_session)
        assert built.side is not None
        with built.side:
            self.side = Side(built, self)
        self.map.on_pick(self._picked)
        built.on_key = self._key

    def begin(self) -> None:
        """Show what there is, and go on showing it."""
        place, session = self.place, self.built.session
        if session is None:
            self._foot()
            self._live()
            place.feed.moment.subscribe(self._live)
        else:
            self.show()
            ui.timer(0.05, self._ask, once=True)

    # what is shown

    def _live(self) -> None:
        """The network as it was seen last."""
        if self.shown.past_s is not None:
            return
        moment = self.place.moment
        if moment is None:
            words = self.place.desk.live.trouble if self.place.desk.live else "no live network"
            self.note.set_text(words or "waiting for the first measurement; engines compile once")
        else:
            self.note.set_text("")
            before = self.shown.scenario.topology
            self.shown.scenario = moment.seen.scenario
            self.shown.measured, self.shown.predicted = moment.seen.metrics, moment.predicted
            if before.link_name != moment.seen.scenario.topology.link_name:
                self.map.load(f"/desk/topology/{self.reference}")
        self.show()

    async def _ask(self) -> None:
        """What the session's changes do."""
        session = self.built.session
        assert session is not None
        self.note.set_text("asking the twin ...")
        answer: Answer[WhatIf] = await ask_whatif(self.place, self.built.person, session)
        if answer.error:
            self.note.set_text(answer.error)
            self.note.classes(add="bad")
            return
        self.shown.whatif = answer.value
        self.note.set_text(f"predicted by {answer.engine}")
        self.show()

    def show(self) -> None:
        """Paint, and fill the side."""
        self._paint()
        self.side.show(self.shown)
        kind, name = self.shown.chosen
        names = self._names(kind)
        if name in names:
            self.map.choose(kind, names.index(name))

    def _paint(self) -> None:
        """Color the links at once; what the colors mean follows."""
        paint = self.shown.paint()
        self.map.paint(paint)
        ui.timer(0.05, lambda: self._draw_legend(paint), once=True)

    def _names(self, kind: str) -> tuple[str, ...]:
        topology = self.shown.scenario.topology
        return {"link": topology.link_name, "node": topology.node_name}.get(kind, ())

    def _draw_legend(self, paint: Paint) -> None:
        layer = paint.layer
        key = (layer.name, layer.edges, self.shown.side)
        if getattr(self, "_legend_key", None) == key:
            return
        self._legend_key = key
        self._only: set[int] = set()
        self.legend.clear()
        with self.legend:
            ui.label(f"{layer.words or layer.title}, toward the arrow's point")
            with ui.element("div").classes("legend-steps"):
                lows = ("", *(f"{edge:g}{layer.suffix}" for edge in layer.edges))
                for step, (color, low) in enumerate(zip(layer.palette, lows, strict=True)):
                    _legend_step(step, color, low or "below", self._filter)
            ui.label("dashed and crossed: down; hatched: not known; ?: the twin doubts it").classes(
                "soft"
            )

    def _filter(self, step: int, button: Any) -> None:
        """Show the links of the chosen steps alone."""
        self._only ^= {step}
        button.props(f"aria-pressed={'true' if step in self._only else 'false'}")
        self.map.only(sorted(self._only) or None)

    async def _layer(self, name: str) -> None:
        self.shown.layer = LAYERS.get(name, WORST)
        if name == WORST.name:
            await self._worst()
        self._paint()
        self._address()

    async def _worst(self) -> None:
        """Ask for the worst load of every link under any single failure."""
        self.note.set_text("failing every link, one after another ...")
        network = self.place.pinned(self.built.session)
        answer = await ask(
            self.place, self.built.person, "failures", {"network": network, "loads": True}
        )
        if answer.value is None:
            self.note.set_text(answer.error)
            return
        worst = {one["name"]: one for one in answer.value["resilience"]["links"]}
        names = self.shown.scenario.topology.link_name
        loads = [worst[n]["worst_offered_load"] if n in worst else np.nan for n in names]
        self.shown.worst = 100 * np.array(loads, np.float64)
        over = int(np.count_nonzero(self.shown.worst > 100))
        self.note.set_text(
            f"some single failure overloads {over} of {len(names)} links; Sessions, Failures tells"
            " which"
        )

    def _side(self, name: str) -> None:
        self.shown.side = name
        self.show()
        self._address()

    def _address(self) -> None:
        """The address bar names what is shown, so that it can be sent and Back works."""
        kind, name = self.shown.chosen
        query = {"layer": self.shown.layer.name, "side": self.shown.side}
        if kind:
            query[kind] = name
        ui.navigate.history.replace(address("/", self.built.session, **query))

    # what people do

    def _picked(self, kind: str, index: int) -> None:
        names = self._names(kind)
        self.shown.chosen = (kind, names[index]) if 0 <= index < len(names) else ("", "")
        self.side.show(self.shown)
        self._address()

    def choose(self, kind: str, name: str) -> None:
        """Select an element by its name."""
        self.shown.chosen = (kind, name)
        names = self._names(kind)
        self.map.choose(kind, names.index(name) if name in names else -1)
        self.side.show(self.shown)
        self._address()

    def _key(self, key: str) -> None:
        if key == "Escape":
            self.map.choose("", -1)
            self._picked("", -1)
        elif key == "f" and self.shown.chosen[0]:
            self.fail()

    def fail(self) -> None:
        """Fail what is selected, in this session or a new one."""
        kind, name = self.shown.chosen
        try:
            session = fail_in_session(self.built, kind, name)
        except NettwinError as error:
            say(error)
            return
        ui.navigate.to(address("/", session, **{kind: name}))

    def _new_session(self) -> None:
        """A session with the network as it is shown: of now, or of a moment of the history."""
        past = self.shown.past_s
        if past is None:
            session = self.place.begin_session(self.built.person)
        else:
            base = f"the history at {show.clock(past)}"
            session = self.place.session_of(self.shown.scenario, base, self.built.person)
        ui.navigate.to(address("/", session))

    async def _png(self) -> None:
        data = await ui.run_javascript(f"getElement({self.map.id}).png()")
        ui.download.content(base64.b64decode(str(data).partition(",")[2]), "map.png", "image/png")

    async def _svg(self) -> None:
        text = await ui.run_javascript(f"getElement({self.map.id}).svg()")
        ui.download.content(str(text), "map.svg", "image/svg+xml")

    # the past

    def _foot(self) -> None:
        """The time bar: the moments that were kept, and now."""
        assert self.built.foot is not None
        times = self.place.times_s()
        if not len(times):
            return
        with self.built.foot, ui.element("div").classes("timebar"):
            ui.label("Time").classes("soft")
            slider = ui.slider(min=0, max=len(times) - 1, value=len(times) - 1)
            slider.props('aria-label="Moment of the history"')
            said = ui.label("now").style("min-width: 150px")
            now = pieces.button("Now", lambda: slider.set_value(len(times) - 1), "quiet")
            now.tooltip("Back to the live network")

            async def moved() -> None:
                k = int(slider.value)
                if k >= len(times) - 1:
                    self.shown.past_s = None
                    said.set_text("now")
                    self._live()
                    return
                said.set_text(show.clock(float(times[k])))
                await self._past(float(times[k]))

            slider.on("change", moved)
            slider.on_value_change(
                lambda: said.set_text(
                    "now"
                    if int(slider.value) >= len(times) - 1
                    else show.clock(float(times[int(slider.value)]))
                )
            )

    async def _past(self, time_s: float) -> None:
        self.shown.past_s = time_s
        try:
            seen: Observation = await asyncio.to_thread(
                self.place.desk.workspace.repository.observation, time_s
            )
        except NettwinError as error:
            say(error)
            return
        if self.shown.past_s != time_s:  # another moment was chosen meanwhile
            return
        self.shown.scenario, self.shown.measured = seen.scenario, seen.metrics
        self.shown.predicted = None
        self.note.set_text(f"as measured at {show.clock(time_s)}")
        self.show()


def _legend_step(step: int, color: str, words: str, act: Any) -> None:
    """A step of the legend, which filters."""
    pressed = ui.element("button").classes("legend-step").props("type=button aria-pressed=false")
    pressed.props(f'aria-label="show only from {words}"')
    pressed.on("click", lambda: act(step, pressed))
    with pressed:
        ui.element("i").style(f"background: {color}")
        ui.label(words)
