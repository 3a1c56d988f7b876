"""Models: which engines answer, how well each is known to do, and how it fits the network now."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from nicegui import ui

from nettwin.apps.twin_fit import twin_fit
from nettwin.errors import NettwinError
from nettwin.interfaces import wiring
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.frame import Frame, frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable

LINKS = (
    Column("link", "Link"),
    Column("measured", "Carried measured", number=True),
    Column("predicted", "predicted", number=True),
    Column("difference", "Difference", number=True),
)


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "models") as built, ui.element("div").classes("page"):
        pieces.heading("Models", 1)
        _fit(built)
        pieces.heading("Engines")
        with ui.element("div").classes("cards"):
            for choice in wiring.ENGINES.values():
                _card(choice)


def _fit(built: Frame) -> None:
    place = built.place
    engine = place.desk.workspace.settings.loop.engine
    with ui.element("div").classes("card stack"):
        pieces.heading("How well the twin fits the network now")
        said = ui.label("")
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
            found = twin_fit(moment.seen.scenario, seen, thought)
            assert found is not None
            said.set_text(
                f"{engine}: mean delay within {show.percent(found.delay_error, 1)}, a link's"
                f" utilization within {100 * found.utilization_error:.1f} points, over"
                f" {show.count(found.flows, 'flow')}."
            )
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


def _card(choice: Any) -> None:
    with ui.element("div").classes("card stack"):
        pieces.heading(choice.name, 3)
        ui.label(choice.title)
        card = _card_of(choice.name)
        accuracy = card.get("accuracy", {}) if card else {}
        rows = []
        for part, found in accuracy.items():
            for name, value in found.items() if isinstance(found, dict) else ():
                if isinstance(value, int | float):
                    rows.append((f"{part}: {name}", f"{value:.4g}"))
        if card:
            pieces.facts(rows[:8])


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
