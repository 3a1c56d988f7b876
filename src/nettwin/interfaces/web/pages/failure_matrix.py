"""Failures: what each breaks, and for each link the failure that hurts it most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from nettwin.interfaces.web import show
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


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
