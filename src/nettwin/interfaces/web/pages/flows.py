"""Flows: the delay of each with its interval, where it arises, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import Request
from nicegui import ui

from nettwin.apps.resilience.bottlenecks import load_of_flows
from nettwin.apps.summary import worst_flows
from nettwin.errors import NettwinError
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.frame import Frame, frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.interfaces.web.work import ask, ask_whatif
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

FLOWS = (
    Column("flow", "Flow", pick=True),
    Column("class", "Class"),
    Column("rate", "Rate", number=True),
    Column("measured", "Mean delay measured", number=True),
    Column("predicted", "predicted", number=True, help="with the interval of the twin"),
    Column("p99", "99th percentile", number=True),
    Column("loss", "Loss", number=True),
)
PARTS = (
    Column("queue", "Queue"),
    Column("delay", "Delay", number=True, bar=True),
    Column("waited", "of it waiting", number=True),
)
CAUSES = (
    Column("name", "Cause"),
    Column("effect", "Takes away", number=True, bar=True),
)
ROWS = 2000
PERCENTILES = (("owd_p50_s", 50), ("owd_p90_s", 90), ("owd_p99_s", 99))


async def build(place: Place, request: Request) -> None:
    """The page."""
    query = request.query_params
    with frame(place, request, "flows", side=True) as built:
        page = _Flows(built, query.get("link", ""), query.get("node", ""))
        page.build()
        if flow := query.get("flow", ""):
            ui.timer(0.3, lambda: page.pick(flow), once=True)


class _Flows:
    def __init__(self, built: Frame, link: str, node: str) -> None:
        self.built, self.place = built, built.place
        self.link, self.node = link, node
        self.scenario: Scenario = built.session.scenario if built.session else self.place.network
        self.measured: Metrics | None = None
        self.predicted: Metrics | None = None

    def build(self) -> None:
        """Draw the table, and the side for one flow."""
        with ui.element("div").classes("page"):
            pieces.heading("Flows", 1)
            if self.link or self.node:
                where = f"cross {self.link}" if self.link else f"begin or end at {self.node}"
                with ui.element("div").classes("row"):
                    ui.label(f"Those that {where}.")
                    ui.link("All flows", self.built.link("/flows"))
            self.said = ui.label("").classes("soft").props('role="status"')
            self.table = DataTable(
                "Flows, the worst first",
                FLOWS,
                few=25,
                empty="Nothing was measured yet.",
                on_pick=self.pick,
            )
        assert self.built.side is not None
        with self.built.side:
            self.detail = ui.element("div").classes("stack")
            with self.detail:
                pieces.heading("One flow")
                ui.label("Choose a flow to see where its delay arises, and why.").classes("soft")
        if self.built.session is None:
            self._live()
            self.place.feed.moment.subscribe(self._live)
        else:
            ui.timer(0.05, self._session, once=True)

    def _live(self) -> None:
        moment = self.place.moment
        if moment is None:
            self.said.set_text("waiting for the first measurement")
            return
        self.scenario = moment.seen.scenario
        self.measured, self.predicted = moment.seen.metrics, moment.predicted
        self.table.show(self.rows())

    async def _session(self) -> None:
        session = self.built.session
        assert session is not None
        answer = await ask_whatif(self.place, self.built.person, session)
        if answer.value is None:
            self.said.set_text(answer.error)
            return
        self.said.set_text(f"In the session, as {answer.engine} predicts.")
        self.scenario, self.predicted = answer.value.scenario_after, answer.value.after
        self.table.show(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """The flows, the worst first."""
        first = self.predicted if self.predicted is not None else self.measured
        if first is None:
            return []
        scenario, traffic = self.scenario, self.scenario.traffic
        order = worst_flows(first)
        order = order[self._among()[order]]
        if len(order) > ROWS:
            self.said.set_text(f"The {ROWS:,} that fare worst, of {len(order):,}.")
        rows = []
        for f in order[:ROWS].tolist():
            row: dict[str, Any] = {
                "key": scenario.flow_names[f],
                "flow": scenario.flow_names[f],
                "class": traffic.class_name[traffic.flow_class[f]],
                "rate": show.rate(float(traffic.flow_rate_bps[f])),
                "rate_sort": float(traffic.flow_rate_bps[f]),
            }
            row |= _delay("measured", self.measured, f) | _delay("predicted", self.predicted, f)
            table = first.flow
            row["p99"] = (
                show.duration(float(table["owd_p99_s"][f])) if "owd_p99_s" in table else "–"
            )
            row["p99_sort"] = _finite(table["owd_p99_s"][f]) if "owd_p99_s" in table else None
            loss = float(table["loss_ratio"][f])
            row |= {"loss": show.percent(loss, 2), "loss_sort": _finite(loss)}
            row["loss_class"] = "bad" if loss > 1e-3 else ""
            rows.append(row)
        return rows

    def _among(self) -> np.ndarray[Any, Any]:
        scenario, topology = self.scenario, self.scenario.topology
        everything = np.ones(scenario.traffic.flow_count, np.bool_)
        if self.link in topology.link_name:
            return load_of_flows(scenario, topology.link_name.index(self.link)) > 0
        if self.node in topology.node_name:
            i = topology.node_name.index(self.node)
            traffic = scenario.traffic
            return np.asarray((traffic.flow_source == i) | (traffic.flow_target == i))
        return everything

    # one flow

    def pick(self, name: str) -> None:
        """Show one flow."""
        if name not in self.scenario.flow_names:
            return
        f = self.scenario.flow_names.index(name)
        self.table.choose(name)
        self.detail.clear()
        with self.detail:
            pieces.heading(name)
            for words, metrics in (("Measured", self.measured), ("Predicted", self.predicted)):
                if metrics is not None:
                    _distribution(words, metrics, f)
            flagged = self.predicted.flagged if self.predicted is not None else None
            if flagged is not None and flagged[f]:
                ui.label("The twin doubts this flow: it is unlike what it was made with.")
            pieces.heading("Why", 3)
            said = ui.label("asking the twin ...").classes("soft").props('role="status"')
            box = ui.element("div").classes("stack")

        async def why() -> None:
            network = self.place.pinned(self.built.session)
            engine = self.place.desk.workspace.settings.loop.engine
            arguments: dict[str, Any] = {"network": network, "flow": name, "engine": engine}
            answer = await ask(self.place, self.built.person, "explain", arguments)
            if answer.value is None:
                said.set_text(answer.error)
                return
            said.set_text("")
            with box:
                _why(answer.value)

        try:
            ui.timer(0.02, why, once=True)
        except NettwinError as error:
            said.set_text(str(error))
        ui.navigate.history.replace(self.built.link("/flows", flow=name, link=self.link))


def _why(document: dict[str, Any]) -> None:
    """An explanation: sentences, the parts of the delay, and what causes it."""
    for words in document["words"]:
        ui.label(words)
    parts = document.get("parts") or ()
    if parts:
        most = max(_sum(part) for part in parts)
        rows = []
        for k, part in enumerate(parts):
            total = _sum(part)
            rows.append(
                {
                    "key": str(k),
                    "queue": part["queue"],
                    "delay": show.duration(total),
                    "delay_sort": total,
                    "delay_bar": 100 * total / most if most > 0 else 0,
                    "waited": show.duration(_waited(part)),
                    "waited_sort": _waited(part),
                }
            )
        DataTable("Where the delay arises, hop by hop", PARTS, rows, few=20)
    causes = (document.get("causes") or {}).get("found", ())
    if causes:
        most = max((abs(_number(one["effect"])) for one in causes), default=0) or 1.0
        rows = [
            {
                "key": str(k),
                "name": one["name"],
                "effect": show.duration(_number(one["effect"])),
                "effect_sort": one["effect"],
                "effect_bar": 100 * max(_number(one["effect"]), 0) / most,
            }
            for k, one in enumerate(causes)
        ]
        DataTable("What causes it", CAUSES, rows, few=8)


def _sum(part: dict[str, Any]) -> float:
    """The delay of a hop: what it waits, is sent and travels."""
    return sum(
        _number(value) for name, value in part.items() if name.endswith("_s") and value is not None
    )


def _waited(part: dict[str, Any]) -> float:
    return _number(part["waiting_s"]) + _number(part["correction_s"])


def _distribution(words: str, metrics: Metrics, f: int) -> None:
    """The percentiles of a flow's delay, as far as they are known."""
    table = metrics.flow
    rows = [("mean", _with_interval(table, "owd_mean_s", f))]
    rows += [(f"{p} %", _with_interval(table, name, f)) for name, p in PERCENTILES if name in table]
    ui.label(f"{words} delay").classes("soft")
    pieces.facts(rows)


def _with_interval(table: Any, column: str, f: int) -> str:
    words = show.duration(float(table[column][f]))
    if column in table.low:
        low, high = float(table.low[column][f]), float(table.high[column][f])
        between = show.between(show.duration(low), show.duration(high))
        return f"{words}   ({between})" if between else words
    return words


def _delay(name: str, metrics: Metrics | None, f: int) -> dict[str, Any]:
    if metrics is None:
        return {name: "–"}
    table = metrics.flow
    value = float(table["owd_mean_s"][f])
    row: dict[str, Any] = {name: show.duration(value), f"{name}_sort": _finite(value)}
    if "owd_mean_s" in table.low:
        low, high = float(table.low["owd_mean_s"][f]), float(table.high["owd_mean_s"][f])
        row[f"{name}_range"] = show.between(show.duration(low), show.duration(high))
    if metrics.flagged is not None and metrics.flagged[f]:
        row[f"{name}_mark"] = "the twin doubts this flow"
    return row


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
