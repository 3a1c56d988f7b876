"""Failures: what each breaks, and for each link the failure that hurts it most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from nettwin.interfaces.plots.failing import WRITTEN
from nettwin.interfaces.web import show
from nettwin.interfaces.web.map.layers import LOADS, PERCENT
from nettwin.interfaces.web.table.data_table import Column, DataTable

FAILURES = (
    Column("name", "Failure"),
    Column("worst", "Worst offered load", number=True, bar=True),
    Column("busiest", "on link"),
    Column("cut", "Cut off", number=True),
    Column("lost", "Lost", number=True),
    Column("delay", "Mean delay", number=True),
    Column("broken", "Intent"),
)
LINKS = (
    Column("name", "Link"),
    Column("now", "Offered now", number=True, bar=True),
    Column("worst", "at worst", number=True, bar=True),
    Column("cause", "when this fails"),
)


def matrix(document: Mapping[str, Any]) -> None:
    """Both tables, the worst first, and a summary in words."""
    found = document.get("resilience", document)
    about = found["summary"]
    ui.label(
        f"{show.count(about['failures'], 'failure')}: {about['overloading']} overload a link,"
        f" {about['cutting']} cut traffic off, {about['breaking']} break the intent."
    ).classes("strong")
    rows = []
    for k, one in enumerate(found["failures"]):
        load = _number(one["offered_load_max"])
        broken = one["broken"]
        rows.append(
            {
                "key": str(k),
                "name": one["name"],
                "worst": show.percent(load),
                "worst_sort": load,
                "worst_bar": 100 * min(load, 1),
                "worst_class": "bad" if load > 1 else "",
                "busiest": one["busiest_link"],
                "cut": show.rate(_number(one["cut_bps"])) if one["cut_bps"] else "–",
                "cut_sort": one["cut_bps"],
                "lost": show.percent(_number(one["lost_share"]), 2),
                "lost_sort": one["lost_share"],
                "delay": show.duration(_number(one["owd_mean_s"])),
                "delay_sort": one["owd_mean_s"],
                "broken": "; ".join(broken) if broken else "holds",
                "broken_class": "bad" if broken else "good",
            }
        )
    DataTable("Failures, the worst first", FAILURES, rows)
    rows = []
    for one in found["links"]:
        now, worst = _number(one["offered_load"]), _number(one["worst_offered_load"])
        rows.append(
            {
                "key": one["name"],
                "name": one["name"],
                "now": show.percent(now),
                "now_sort": now,
                "now_bar": 100 * min(now, 1),
                "worst": show.percent(worst),
                "worst_sort": worst,
                "worst_bar": 100 * min(worst, 1),
                "worst_class": "bad" if worst > 1 else "",
                "cause": one["cause"] or "–",
            }
        )
    DataTable("Links, the worst under any failure first", LINKS, rows)


def heat(document: Mapping[str, Any]) -> None:
    """Which failure fills which link: a color for each, the numbers of those that are busy."""
    links, failures = document["links"], ["nothing", *document["failures"]]
    steps = [*PERCENT, None]
    pieces_of = [
        {
            "min": 0 if k == 0 else PERCENT[k - 1],
            **({"max": high} if high is not None else {}),
            "color": LOADS[k],
            "label": f"from {0 if k == 0 else PERCENT[k - 1]:g} %",
        }
        for k, high in enumerate(steps)
    ]
    cells = [
        {
            "value": [x, y, round(100 * value, 1)],
            "label": {"show": value >= WRITTEN, "color": "#fff" if value >= 0.9 else "#1b2733"},
        }
        for y, row in enumerate(document["load"])
        for x, value in enumerate(row)
        if value is not None
    ]
    grey = {"color": "#7c8a97", "fontSize": 11}
    ui.echart(
        {
            "animation": False,
            "tooltip": {"confine": True},
            "grid": {"left": 190, "right": 100, "top": 110, "bottom": 8},
            "xAxis": {
                "type": "category",
                "data": failures,
                "position": "top",
                "axisLabel": {**grey, "rotate": 50, "interval": 0},
            },
            "yAxis": {
                "type": "category",
                "data": links,
                "inverse": True,
                "axisLabel": {**grey, "interval": 0},
            },
            "visualMap": {
                "type": "piecewise",
                "pieces": pieces_of,
                "right": 0,
                "top": "middle",
                "textStyle": grey,
                "itemWidth": 12,
            },
            "series": [
                {
                    "type": "heatmap",
                    "name": "offered load in %",
                    "data": cells,
                    "label": {"show": True, "fontSize": 10, "formatter": "{@[2]}"},
                }
            ],
        }
    ).style(f"width: 100%; height: {130 + 20 * len(links)}px").props(
        'role=img aria-label="Offered load of links under failures; the tables below say it"'
    )


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
