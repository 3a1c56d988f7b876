"""Data: where it comes from, how good it is, the traffic matrix, and the history."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
from fastapi import Request
from nicegui import ui

from nettwin.interfaces.server.live import age_s
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.chart.series import Line, chart
from nettwin.interfaces.web.frame import Frame, frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.scenario.scenario import Scenario

COUNTERS = (
    Column("name", "What was measured"),
    Column("known", "Known", number=True, bar=True),
)
MOST_NODES = 60
KINDS = {"link": "Links", "flow": "Flows"}
COLUMNS = {
    "link": {"utilization": ("carried load", "%", 100.0), "loss_ratio": ("loss", "%", 100.0)},
    "flow": {
        "owd_mean_s": ("mean delay", "ms", 1000.0),
        "loss_ratio": ("loss", "%", 100.0),
        "throughput_bps": ("throughput", "Mbit/s", 1e-6),
    },
}


async def build(place: Place, request: Request) -> None:
    """The page."""
    query = request.query_params
    with frame(place, request, "data") as built, ui.element("div").classes("page"):
        pieces.heading("Data", 1)
        _sources(built)
        await _history(built, query.get("kind", "link"), query.get("name", ""))
        _matrix(built.place.network)
        await _events(built)


def _sources(built: Frame) -> None:
    place = built.place
    settings = place.desk.workspace.settings
    with ui.element("div").classes("cards"):
        with ui.element("div").classes("card stack"):
            pieces.heading("Source")
            moment = place.moment
            rows = [("Network", f"{settings.name} ({settings.kind})")]
            if moment is not None:
                seen = moment.seen
                rows += [
                    ("Seen last", f"{show.clock(seen.time_s)} (network time)"),
                    ("Age", show.age(age_s(moment))),
                    ("Interval", show.duration(seen.interval_s)),
                ]
                share = seen.metrics.provenance.get("share")
                if share is not None:
                    rows.append(("Simulated", f"{show.percent(float(share), 1)} of each interval"))
            pieces.facts(rows)
            for note in place.desk.workspace.repository.records("note"):
                ui.label(str(json.loads(note.document).get("words", ""))).classes("soft")
            if moment is None:
                pieces.empty(
                    "No data yet",
                    "Run a loop here, or connect a source: nettwin data sources lists them.",
                )
        with ui.element("div").classes("card stack"):
            pieces.heading("What is measured")
            if moment is not None:
                DataTable("Measured columns", COUNTERS, _known(moment.seen.metrics), few=20)


def _known(metrics: Any) -> list[dict[str, Any]]:
    rows = []
    for kind in ("flow", "link", "queue"):
        for name, values in getattr(metrics, kind).columns.items():
            share = float(np.isfinite(values).mean()) if len(values) else 0.0
            rows.append(
                {
                    "key": f"{kind}/{name}",
                    "name": f"{kind} {name}",
                    "known": show.percent(share),
                    "known_sort": share,
                    "known_bar": 100 * share,
                }
            )
    return rows


async def _history(built: Frame, kind: str, name: str) -> None:
    place = built.place
    scenario = place.network
    names = {"link": scenario.topology.link_name, "flow": scenario.flow_names}
    kind = kind if kind in names else "link"
    with ui.element("div").classes("card stack"):
        pieces.heading("History")
        with ui.element("div").classes("row"):
            kinds = ui.select(KINDS, value=kind).props('dense outlined aria-label="Kind"')
            which = ui.select(
                list(names[kind]), value=name or names[kind][0] if names[kind] else None
            )
            which.props('dense outlined use-input aria-label="Element"').style("min-width: 260px")
            columns = {k: v[0] for k, v in COLUMNS[kind].items()}
            what = ui.select(columns, value=next(iter(columns)))
            what.props('dense outlined aria-label="What"')
        box = ui.element("div")

        async def draw() -> None:
            if not which.value:
                return
            words, unit, factor = COLUMNS[kinds.value][what.value]
            series = f"{kinds.value}/{which.value}/{what.value}"
            repository = place.desk.workspace.repository
            times, values = await asyncio.to_thread(repository.series, series)
            box.clear()
            with box:
                if len(times) < 2:
                    ui.label("Nothing was kept of it yet.").classes("soft")
                    return
                known = values[np.isfinite(values)] * factor
                high = float(np.percentile(known, 95)) if len(known) else np.nan
                line = Line("measured", times, factor * values)
                chart([line], unit, f"{words} of {which.value}", height=240)
                ui.label(
                    f"{show.count(len(times), 'interval')}, {show.clock(times[0])} to"
                    f" {show.clock(times[-1])}; 95th percentile {high:.3g} {unit}"
                ).classes("soft")

        def other() -> None:
            which.set_options(list(names[kinds.value]), value=names[kinds.value][0])
            columns = {k: v[0] for k, v in COLUMNS[kinds.value].items()}
            what.set_options(columns, value=next(iter(columns)))

        kinds.on_value_change(other)
        which.on_value_change(draw)
        what.on_value_change(draw)
        await draw()


def _matrix(scenario: Scenario) -> None:
    """The traffic matrix as a heat map, the largest nodes first where there are many."""
    topology, traffic = scenario.topology, scenario.traffic
    n = topology.node_count
    demand = np.zeros((n, n))
    np.add.at(demand, (traffic.flow_source, traffic.flow_target), traffic.flow_rate_bps)
    order = np.argsort(-(demand.sum(0) + demand.sum(1)), kind="stable")[:MOST_NODES]
    names = [topology.node_name[i] for i in order]
    most = float(demand.max()) or 1.0
    cells = [
        [x, y, round(float(demand[i, j]) / 1e6, 4)]
        for y, i in enumerate(order)
        for x, j in enumerate(order)
        if i != j
    ]
    with ui.element("div").classes("card stack"):
        pieces.heading("Traffic matrix")
        shown = "" if n <= MOST_NODES else f"; the {MOST_NODES} nodes with most traffic"
        ui.label(f"From the row to the column, Mbit/s{shown}.").classes("soft")
        grey = {"color": "#7c8a97", "fontSize": 11}
        ui.echart(
            {
                "animation": False,
                "tooltip": {"position": "top", "confine": True},
                "grid": {"left": 130, "right": 90, "top": 8, "bottom": 100},
                "xAxis": {
                    "type": "category",
                    "data": names,
                    "axisLabel": {**grey, "rotate": 60, "interval": 0},
                },
                "yAxis": {
                    "type": "category",
                    "data": names,
                    "inverse": True,
                    "axisLabel": {**grey, "interval": 0},
                },
                "visualMap": {
                    "min": 0,
                    "max": most / 1e6,
                    "calculable": False,
                    "orient": "vertical",
                    "right": 0,
                    "top": "middle",
                    "textStyle": grey,
                    "inRange": {"color": ["#e8eef4", "#8fbcd4", "#3d7fb8", "#1b3f66"]},
                },
                "series": [{"type": "heatmap", "data": cells, "name": "Mbit/s"}],
            }
        ).style(f"width: 100%; height: {min(160 + 18 * len(names), 900)}px").props(
            'role=img aria-label="Traffic matrix"'
        )


async def _events(built: Frame) -> None:
    with ui.element("div").classes("card stack"):
        pieces.heading("What happened")
        entries = await asyncio.to_thread(lambda: list(built.place.desk.workspace.audit.entries()))
        table = (Column("time", "Time"), Column("what", "Step"), Column("words", "What happened"))
        rows = [
            {
                "key": str(entry.number),
                "time": show.clock(entry.time_s),
                "what": entry.what,
                "words": str(entry.details.get("words", "")),
            }
            for entry in reversed(entries[-500:])
        ]
        DataTable("Events, the newest first", table, rows, empty="Nothing happened yet.")
