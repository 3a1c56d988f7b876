"""Data: where it comes from, how good it is, the traffic matrix, and the history."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import numpy as np
from fastapi import Request
from nicegui import ui

from nettwin.errors import NettwinError
from nettwin.interfaces.server.live import age_s
from nettwin.interfaces.server.outside import check_url
from nettwin.interfaces.server.problems import ProblemError
from nettwin.interfaces.server.quality import quality_of
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.chart.series import Line, chart
from nettwin.interfaces.web.frame import Frame, frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.interfaces.web.work import Answer, ask
from nettwin.scenario.scenario import Scenario

COUNTERS = (
    Column("name", "What was measured"),
    Column("known", "Known", number=True, bar=True),
)
TABLES = (
    Column("table", "Table"),
    Column("days", "Days", number=True),
    Column("files", "Files", number=True),
    Column("bytes", "Bytes", number=True),
)
FINDINGS = (
    Column("severity", "Severity"),
    Column("found", "What was found"),
    Column("places", "Places", number=True),
    Column("done", "What was done"),
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
        await _quality(built)
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


async def _quality(built: Frame) -> None:
    """What is wrong with the data, and a way to try a source."""
    found = await asyncio.to_thread(quality_of, built.place.desk)
    with ui.element("div").classes("cards"):
        with ui.element("div").classes("card stack"):
            pieces.heading("Quality")
            issues = [*found["issues"], *found["contradictions"]]
            if found["trouble"]:
                issues.append(found["trouble"])
            if issues:
                pieces.reasons("What is wrong", issues)
            else:
                ui.label("Nothing damaged, and nothing that contradicts itself.").classes("good")
            rows = [{"key": one["table"], **one} for one in found["tables"]]
            DataTable("What the history takes on disk", TABLES, rows, empty="Nothing was kept yet.")
        with ui.element("div").classes("card stack"):
            pieces.heading("Try a source")
            ui.label(
                "A Prometheus server is read for the last hour; nothing of it is kept. To collect"
                " for good: nettwin data collect."
            ).classes("soft")
            url = ui.input(placeholder="https://prometheus.example.net")
            url.props('dense outlined aria-label="Address of a Prometheus server"')
            said = ui.label("").classes("soft").props('role="status"')
            table = DataTable("What was found", FINDINGS, empty="Nothing was tried yet.")

            async def run() -> None:
                said.set_text("asking ...")
                answer = await _tried(built, str(url.value or ""))
                if answer.value is None:
                    said.set_text(answer.error)
                    return
                value = answer.value
                said.set_text(
                    f"{value['source']}: {show.count(value['intervals'], 'interval')},"
                    f" {value['links_known']} of {value['links']} links known"
                )
                table.show([{"key": one["kind"], **one} for one in value["kinds"]])

            pieces.button("Check", run, "main")


async def _tried(built: Frame, url: str) -> Answer[dict[str, Any]]:
    """What a source tells; addresses inside are refused before anything is asked."""
    limits = built.place.desk.limits
    try:
        built.person.need("operator", "have a source asked")
        await asyncio.to_thread(check_url, url, limits.inside)
    except (NettwinError, ProblemError) as error:
        return Answer(None, str(error))
    arguments = {
        "url": url,
        "devices": {},
        "links": {},
        "network": "plan",
        "hours": 1.0,
        "inside": list(limits.inside),
        "at_s": time.time(),
    }
    return await ask(built.place, built.person, "source", arguments)


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
