"""Models: which engines answer, how well each is known to do, and how it fits the network now."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from fastapi import Request
from nicegui import ui

from nettwin.errors import NettwinError
from nettwin.interfaces import wiring
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.chart.series import Line, chart
from nettwin.interfaces.web.frame import Frame, frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable

LINKS = (
    Column("link", "Link"),
    Column("measured", "Carried measured", number=True),
    Column("predicted", "predicted", number=True),
    Column("difference", "Difference", number=True),
)
FIGURES = (
    Column("name", "Figure"),
    Column("value", "Value", number=True),
    Column("target", "Target", number=True),
    Column("met", "State"),
)


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "models") as built, ui.element("div").classes("page"):
        pieces.heading("Models", 1)
        _fit(built)
        pieces.heading("Engines")
        with ui.element("div").classes("cards"):
            boxes = {}
            for choice in wiring.ENGINES.values():
                with ui.element("div").classes("card stack"):
                    pieces.heading(choice.name, 3)
                    ui.label(choice.title)
                    boxes[choice.name] = ui.element("div")

        async def fill() -> None:
            for name, box in boxes.items():
                card = await asyncio.to_thread(_card_of, name)
                with box:
                    _card(card)

        ui.timer(0.05, fill, once=True)


def _fit(built: Frame) -> None:
    place = built.place
    engine = place.desk.workspace.settings.loop.engine
    with ui.element("div").classes("card stack"):
        pieces.heading("How well the twin fits the network now")
        said = ui.label("")
        drawn = ui.element("div")
        table = DataTable("Links, the largest difference first", LINKS)
        ui.label(
            "nettwin calibrate corrects the twin from what was measured: rates, overhead, capacity"
            " and base delay."
        ).classes("soft")

        def fill() -> None:
            moment = place.moment
            if moment is None or moment.predicted is None:
                said.set_text("Nothing was measured and predicted yet.")
                return
            seen, thought = moment.seen.metrics, moment.predicted
            found = place.feed.fit
            if found is None:
                return
            said.set_text(
                f"{engine}: mean delay within {show.percent(found.delay_error, 1)}, a link's"
                f" utilization within {100 * found.utilization_error:.1f} points, over"
                f" {show.count(found.flows, 'flow')}."
            )
            if len(place.feed.fits) > 2:
                times = np.array([time_s for time_s, _ in place.feed.fits])
                errors = np.array([100 * one.delay_error for _, one in place.feed.fits])
                drawn.clear()
                with drawn:
                    chart([Line("mean delay off", times, errors)], "%", "Error of the twin")
            names = moment.seen.scenario.topology.link_name
            real, thinks = seen.link["utilization"], thought.link["utilization"]
            rows: list[dict[str, Any]] = []
            for k, name in enumerate(names):
                gap = float(real[k] - thinks[k])
                rows.append(
                    {
                        "key": name,
                        "link": name,
                        "measured": show.percent(float(real[k]), 1),
                        "measured_sort": _finite(float(real[k])),
                        "predicted": show.percent(float(thinks[k]), 1),
                        "predicted_sort": _finite(float(thinks[k])),
                        "difference": f"{100 * gap:+.1f} points" if gap == gap else "–",
                        "difference_sort": _finite(abs(gap)),
                    }
                )
            table.show(sorted(rows, key=lambda row: -(row["difference_sort"] or 0.0)))

        fill()
        place.feed.moment.subscribe(fill)


def _card(card: dict[str, Any]) -> None:
    """What a card tells of a model: where it knows its way, and how well."""
    test = card.get("accuracy", {}).get("test", {})
    if not test:
        return
    own, theory = test["model"], test["theory"]
    rows = [("Knows", str(card.get("range", ""))), ("Tested on", f"{test['scenarios']} networks")]
    for words, name in (("Mean delay, median error", "owd_mean_s_median"), ("Loss", "loss_ratio")):
        rows.append(
            (words, f"{show.percent(own[name], 2)}; theory {show.percent(theory[name], 2)}")
        )
    pieces.facts(rows)
    figures = [
        {
            "key": f"{one['command']}/{f['name']}",
            "name": f["name"],
            "value": f"{f['value']:.4g} {f['unit']}",
            "target": f"{f.get('sense', '')} {f['target']:g}"
            if f.get("target") is not None
            else "",
            "met": "met" if f["met"] else "missed",
            "met_class": "good" if f["met"] else "bad",
        }
        for one in card.get("measured", ())
        for f in one["figures"]
    ]
    with ui.element("details"):
        with ui.element("summary"):
            ui.label("Figures that were measured").style("display: inline")
        DataTable(f"Figures of {card['name']}", FIGURES, figures)


def _card_of(name: str) -> dict[str, Any]:
    """The card of a learned model; empty for the other engines."""
    catalog = wiring.catalog()
    try:
        if name not in catalog.entries():
            return {}
        found: dict[str, Any] = dict(catalog.load(name).card)
    except NettwinError:
        return {}
    return found


def _finite(value: float) -> float | None:
    return value if value == value else None
