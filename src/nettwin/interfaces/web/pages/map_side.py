"""The side of the map: all of what is selected, or of the network where nothing is."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from nicegui import ui

from nettwin.apps.resilience.bottlenecks import load_of_flows
from nettwin.apps.summary import worst_links
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.chart.series import Line, chart
from nettwin.interfaces.web.frame import Frame
from nettwin.interfaces.web.pages.shown import Shown
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

LINKS = (
    Column("link", "Link", pick=True),
    Column("offered", "Offered", number=True, bar=True, help="load offered over capacity"),
    Column("carried", "Carried", number=True),
)
MOST = 8
ROWS = 300  # the busiest ones; all of them are on the map


class Side:
    """The side panel of the map."""

    def __init__(self, built: Frame, page: Any) -> None:
        self.built, self.page = built, page
        self._key: Any = None
        self._box = ui.element("div").classes("stack")
        self._fill: Any = None

    def show(self, shown: Shown) -> None:
        """Show what is selected; where it is the same as before, its numbers alone."""
        key = (shown.chosen, shown.whatif is not None)
        if key != self._key:
            self._key = key
            self._box.clear()
            with self._box:
                self._fill = self._build(shown)
        self._fill(shown)

    def _build(self, shown: Shown) -> Any:
        kind, name = shown.chosen
        topology = shown.scenario.topology
        if kind == "link" and name in topology.link_name:
            return self._link(shown, topology.link_name.index(name))
        if kind == "node" and name in topology.node_name:
            return self._node(shown, topology.node_name.index(name))
        return self._network(shown)

    # nothing selected

    def _network(self, shown: Shown) -> Any:
        pieces.heading("Where it is hot")
        totals = ui.label("").classes("soft")
        table = DataTable(
            "Links, the busiest first",
            LINKS,
            few=MOST,
            empty="Nothing was measured yet.",
            on_pick=lambda name: self.page.choose("link", name),
        )
        pieces.heading("What happened")
        events = ui.element("div").classes("stack")

        def fill(shown: Shown) -> None:
            metrics = side_of(shown)
            if metrics is None:
                return
            scenario = shown.scenario
            found = metrics.totals(scenario)
            totals.set_text(
                f"{show.rate(found['offered_bps'])} offered; mean delay"
                f" {show.duration(found['owd_mean_s'])}; loss"
                f" {show.percent(found['loss_ratio'], 2)}"
            )
            table.show(link_rows(scenario, metrics))
            live = self.built.place.desk.live
            told = list(reversed(live.told))[:6] if live is not None else []
            if [one.words for one in told] != getattr(self, "_told", None):
                self._told = [one.words for one in told]
                events.clear()
                with events:
                    if not told:
                        ui.label("The loop has nothing to tell: the intent holds.").classes("soft")
                    for one in told:
                        with ui.element("div"):
                            ui.label(show.clock(one.time_s)).classes("soft")
                            ui.label(one.words)

        return fill

    # a link

    def _link(self, shown: Shown, k: int) -> Any:
        topology = shown.scenario.topology
        name = topology.link_name[k]
        pieces.heading(name)
        state = ui.label("")
        with ui.element("div").classes("row"):
            down = not topology.link_up[k]
            words = "Restore in session" if down else "Fail in session"
            pieces.button(words, self.page.fail, "main")
            pieces.button("Its flows", lambda: ui.navigate.to(self.built.link("/flows", link=name)))
            pieces.button(
                "Worst failure",
                lambda: ui.navigate.to(self.built.link("/sessions", tab="failures", link=name)),
            )
        grid = ui.element("dl").classes("facts")
        values: dict[str, tuple[ui.label, ui.label]] = {}
        first, second = ("Before", "After") if shown.whatif else ("Measured", "Predicted")
        with grid:
            _cell("dt", "")
            _cell("dd", first, "soft")
            _cell("dd", second, "soft predicted")
            for row in ("Carried", "Offered", "Loss", "Throughput"):
                _cell("dt", row)
                values[row] = (_cell("dd", ""), _cell("dd", "", "strong"))
        queues = DataTable(
            "Queues of its port",
            (
                Column("queue", "Queue"),
                Column("delay", "Delay", number=True),
                Column("loss", "Loss", number=True),
            ),
        )
        pieces.heading("Its history", 3)
        history = ui.element("div")
        with history:
            ui.label("reading ...").classes("soft")
        flows = DataTable(
            "Flows that fill it",
            (
                Column("flow", "Flow", pick=True),
                Column("rate", "Rate", number=True, bar=True),
            ),
            few=6,
            on_pick=lambda flow: ui.navigate.to(self.built.link("/flows", flow=flow)),
        )

        async def past() -> None:
            repository = self.built.place.desk.workspace.repository
            column = "utilization"
            times, numbers = await asyncio.to_thread(repository.series, f"link/{name}/{column}")
            history.clear()
            with history:
                if len(times) < 2:
                    ui.label("Nothing was kept yet.").classes("soft")
                else:
                    chart([Line("carried", times, 100 * numbers)], "%", f"Carried load of {name}")

        ui.timer(0.02, past, once=True)

        def fill(shown: Shown) -> None:
            scenario = shown.scenario
            if k >= scenario.topology.link_count:
                return
            live = bool(scenario.topology.link_live[k])
            state.set_text(
                f"{'up' if live else 'down'}; {show.rate(float(topology.link_capacity_bps[k]))};"
                f" {scenario.topology.schedulers[int(topology.link_scheduler[k])].policy.upper()}"
            )
            state.classes(replace="soft" if live else "bad strong")
            left, right = both_sides(shown)
            for side, metrics, at in (
                (0, left, shown.whatif.scenario_before if shown.whatif else scenario),
                (1, right, scenario),
            ):
                numbers = _of_link(at, metrics, k)
                for row, words in numbers.items():
                    values[row][side].set_text(words)
            metrics = side_of(shown)
            queues.show(_queue_rows(scenario, metrics, k) if metrics is not None else [])
            flows.show(_flow_rows(scenario, k))

        return fill

    # a node

    def _node(self, shown: Shown, i: int) -> Any:
        topology = shown.scenario.topology
        name = topology.node_name[i]
        pieces.heading(name)
        state = ui.label("")
        with ui.element("div").classes("row"):
            up = bool(topology.node_up[i])
            pieces.button("Fail in session" if up else "Restore in session", self.page.fail, "main")
            pieces.button("Its flows", lambda: ui.navigate.to(self.built.link("/flows", node=name)))
        links = DataTable(
            f"Links of {name}", LINKS, on_pick=lambda link: self.page.choose("link", link)
        )

        def fill(shown: Shown) -> None:
            scenario = shown.scenario
            traffic = scenario.traffic
            sends = float(traffic.flow_rate_bps[traffic.flow_source == i].sum())
            gets = float(traffic.flow_rate_bps[traffic.flow_target == i].sum())
            up = "up" if scenario.topology.node_up[i] else "down"
            state.set_text(f"{up}; sends {show.rate(sends)}, is sent {show.rate(gets)}")
            metrics = side_of(shown)
            if metrics is not None:
                mine = (scenario.topology.link_source == i) | (scenario.topology.link_target == i)
                links.show(link_rows(scenario, metrics, mine))

        return fill


def side_of(shown: Shown) -> Metrics | None:
    """The metrics of the side that is shown; of a difference the first."""
    if shown.whatif is not None:
        return shown.whatif.before if shown.side == "before" else shown.whatif.after
    if shown.side == "predicted":
        return shown.predicted
    return shown.measured


def both_sides(shown: Shown) -> tuple[Metrics | None, Metrics | None]:
    """Measured and predicted, or before and after."""
    if shown.whatif is not None:
        return shown.whatif.before, shown.whatif.after
    return shown.measured, shown.predicted


def link_rows(
    scenario: Scenario, metrics: Metrics, among: np.ndarray[Any, Any] | None = None
) -> list[dict[str, Any]]:
    """The links as rows, the busiest first."""
    offered, carried = scenario.link_offered_load, metrics.link["utilization"]
    names = scenario.topology.link_name
    order = worst_links(scenario, metrics)
    if among is not None:
        order = order[among[order]]
    rows = []
    for k in order[:ROWS].tolist():
        load = float(offered[k])
        down = not scenario.topology.link_live[k]
        rows.append(
            {
                "key": names[k],
                "link": names[k],
                "offered": "down" if down else show.percent(load),
                "offered_sort": load,
                "offered_bar": 100 * min(load, 1.0),
                "offered_class": "bad" if load > 1 or down else "",
                "carried": show.percent(float(carried[k])),
                "carried_sort": float(np.nan_to_num(carried[k], nan=-1.0)),
            }
        )
    return rows


def _of_link(scenario: Scenario, metrics: Metrics | None, k: int) -> dict[str, str]:
    offered = show.percent(float(scenario.link_offered_load[k]), 1)
    if metrics is None:
        return {"Carried": "–", "Offered": offered, "Loss": "–", "Throughput": "–"}
    link = metrics.link
    return {
        "Carried": show.percent(float(link["utilization"][k]), 1),
        "Offered": offered,
        "Loss": show.percent(float(link["loss_ratio"][k]), 2),
        "Throughput": show.rate(float(link["throughput_bps"][k])),
    }


def _queue_rows(scenario: Scenario, metrics: Metrics, k: int) -> list[dict[str, Any]]:
    table, names = metrics.queue, scenario.queue_names
    scheduler = scenario.topology.schedulers[int(scenario.topology.link_scheduler[k])]
    classes: dict[int, list[str]] = {}
    for name in scenario.traffic.class_name:
        classes.setdefault(scheduler.queue_of(name), []).append(name)
    rows = []
    mine = np.flatnonzero(scenario.topology.queues.link == k).tolist()
    for i, q in enumerate(mine):
        delay = float(table["delay_mean_s"][q]) if "delay_mean_s" in table else np.nan
        loss = float(table["loss_ratio"][q]) if "loss_ratio" in table else np.nan
        label = f"{i}: {', '.join(classes.get(i, ('nothing',)))}"
        rows.append(
            {
                "key": names[q],
                "queue": label,
                "delay": show.duration(delay),
                "delay_sort": delay if np.isfinite(delay) else None,
                "loss": show.percent(loss, 2),
                "loss_sort": loss if np.isfinite(loss) else None,
            }
        )
    return rows


def _flow_rows(scenario: Scenario, k: int) -> list[dict[str, Any]]:
    """The flows that cross a link, the largest first."""
    rates = load_of_flows(scenario, k)
    capacity = float(scenario.topology.link_capacity_bps[k])
    rows = []
    for f in np.argsort(-rates, kind="stable").tolist():
        if rates[f] <= 0:
            break
        rows.append(
            {
                "key": scenario.flow_names[f],
                "flow": scenario.flow_names[f],
                "rate": show.rate(float(rates[f])),
                "rate_sort": float(rates[f]),
                "rate_bar": 100 * float(rates[f]) / capacity,
            }
        )
    return rows


def _cell(tag: str, words: str, kind: str = "") -> ui.label:
    with ui.element(tag):
        return ui.label(words).classes(kind)
