"""Answers: what a model says of a network, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.summary import by_class, worst_flows, worst_links, worst_queues
from nettwin.interfaces.tables import style
from nettwin.metrics import Interval, Metrics
from nettwin.scenario.scenario import Scenario

MAX_INTERVALS = 60  # that are all shown; of more only the worst


def heading(scenario: Scenario, metrics: Metrics, seconds: float | None = None) -> Text:
    """A network, its engine, and the totals, in three lines."""
    topology, totals = scenario.topology, metrics.totals(scenario)
    words = Text(scenario.name, "bold")
    words.append(
        f"  {topology.node_count} nodes, {topology.link_count} links,"
        f" {units.count(scenario.traffic.flow_count)} flows,"
        f" {units.rate(totals['offered_bps'])} offered\n"
    )
    words.append(_who(metrics, seconds) + "\n", style.FAINT)
    words.append(f"mean delay {units.duration(totals['owd_mean_s'])}, worst flow")
    words.append(f" {units.duration(totals['owd_worst_flow_s'])}, loss ")
    words.append_text(style.loss(totals["loss_ratio"]))
    words.append(", offered load up to ").append_text(style.load(totals["offered_load_max"]))
    words.append(", utilization up to ").append_text(style.load(totals["utilization_max"]))
    if totals["unroutable_flows"]:
        words.append(f", {totals['unroutable_flows']:.0f} unroutable flows", style.ALARM)
    return words


def _who(metrics: Metrics, seconds: float | None) -> str:
    words = [f"{metrics.method} by {metrics.label}" if metrics.engine else metrics.method]
    if seconds is not None:
        words[0] += f" in {units.duration(seconds)}"
    told = metrics.provenance
    if "packets_sent" in told:
        words.append(
            f"{units.count(told['packets_sent'])} packets in"
            f" {units.duration(told['simulated_s'])} of network time"
        )
        words.append(f"stopped by {told['stopped_by']}")
        if "known_least" in told:
            words.append(told["known_least"])
        if "not_measured" in told:
            words.append(f"{told['not_measured']} flows not measured: no packet arrived")
        words.append(f"seed {told['seed']}")
    if metrics.flagged_count:
        words.append(f"{metrics.flagged_count:,} of {len(metrics.flow):,} flows flagged")
    return "; ".join(words)


def classes(scenario: Scenario, metrics: Metrics) -> Table:
    """What each traffic class gets."""
    rows = [
        (
            name,
            units.count(got.flows),
            units.rate(got.rate_bps),
            units.duration(got.delay_s),
            units.duration(got.p99_s),
            style.loss(got.loss),
        )
        for name, got in by_class(scenario, metrics).items()
    ]
    return style.table(
        "Traffic classes", "<class | flows | offered | mean delay | p99 delay | loss", rows=rows
    )


def links(scenario: Scenario, metrics: Metrics, top: int) -> Table:
    """The busiest links."""
    topology, table = scenario.topology, metrics.link
    offered = scenario.link_offered_load
    order = worst_links(scenario, metrics)[:top]
    sent, lost = _column(metrics, "throughput_bps"), _column(metrics, "loss_ratio")
    rows = [
        (
            topology.link_name[k] if topology.link_live[k] else _down(topology.link_name[k]),
            units.rate(topology.link_capacity_bps[k]),
            units.rate(sent[k]),
            style.bar(offered[k]),
            style.load(offered[k]),
            style.load(table["utilization"][k]),
            style.loss(lost[k]),
        )
        for k in order.tolist()
    ]
    columns = "<link | capacity | ?sent | < | offered load | utilization | loss"
    return style.table("Busiest links", columns, rows=rows, of=topology.link_count)


def flows(scenario: Scenario, metrics: Metrics, top: int) -> Table:
    """The flows that fare worst: loss first where it can be felt, then the 99th percentile."""
    table, traffic = metrics.flow, scenario.traffic
    order = worst_flows(metrics)[:top]
    bounded = "owd_mean_s" in table.low
    lost = "loss_ratio" in table.low
    columns = ["<flow", *(["<"] if metrics.flagged_count else []), "offered", "mean delay"]
    columns += [f"?± {metrics.confidence * 100:.0f} %"] if bounded else []
    columns += ["?p50", "?p90", "p99", "?std. dev.", "loss"]
    columns += [f"?{metrics.confidence * 100:.0f} % between"] if lost else []
    deviation = np.sqrt(_flow_column(metrics, "pdv_s2"))
    loss, rate = _flow_column(metrics, "loss_ratio"), traffic.flow_rate_bps
    percentiles = [_flow_column(metrics, f"owd_{p}_s") for p in ("p50", "p90", "p99")]
    mean = table["owd_mean_s"]
    content = []
    for f in order.tolist():
        cells: list[str | Text] = [scenario.flow_names[f]]
        if metrics.flagged is not None and metrics.flagged_count:
            cells.append(style.flag(bool(metrics.flagged[f])))
        cells += [units.rate(rate[f]), units.duration(mean[f])]
        if bounded:
            cells.append(style.half(table.low["owd_mean_s"][f], table.high["owd_mean_s"][f]))
        cells += [units.duration(values[f]) for values in percentiles]
        cells += [units.duration(deviation[f]), style.loss(loss[f])]
        if lost:
            cells.append(style.between(table.low["loss_ratio"][f], table.high["loss_ratio"][f]))
        content.append(cells)
    return style.table("Worst flows", *columns, of=traffic.flow_count, rows=content)


def queues(scenario: Scenario, metrics: Metrics, top: int) -> Table:
    """The queues that fare worst: loss first where it can be felt, then the time spent in them."""
    table, order = metrics.queue, worst_queues(metrics)[:top]
    who = _who_waits(scenario)
    columns = {
        name: table[name] if name in table else np.full(len(scenario.queue_names), np.nan)
        for name in ("utilization", "occupancy_mean_bits", "occupancy_max_bits", "delay_mean_s")
    }
    lost = table["loss_ratio"] if "loss_ratio" in table else columns["utilization"] * np.nan
    rows = [
        (
            scenario.queue_names[q],
            who.get(q, "-"),
            style.load(columns["utilization"][q]),
            units.size(columns["occupancy_mean_bits"][q]),
            units.size(columns["occupancy_max_bits"][q]),
            units.duration(columns["delay_mean_s"][q]),
            style.loss(lost[q]),
        )
        for q in order.tolist()
    ]
    heads = "<queue | ?<class | utilization | waiting | ?max | delay | loss"
    return style.table("Worst queues", heads, rows=rows, of=len(scenario.queue_names))


def _who_waits(scenario: Scenario) -> dict[int, str]:
    """The traffic classes that are mapped to each queue."""
    names = scenario.traffic.class_name
    found: dict[int, list[str]] = {}
    for of_link in scenario.topology.class_queue(names).tolist():
        for name, queue in zip(names, of_link, strict=True):
            found.setdefault(queue, []).append(name)
    return {queue: ", ".join(words) for queue, words in found.items()}


def overview(answers: Mapping[str, tuple[Scenario, Metrics]]) -> Table:
    """Several networks, a line each."""
    flagging = any(metrics.flagged_count for _, metrics in answers.values())
    content: list[list[str | Text]] = []
    for name, (scenario, metrics) in answers.items():
        totals = metrics.totals(scenario)
        content.append(
            [
                name,
                metrics.label,
                units.count(scenario.traffic.flow_count),
                units.rate(totals["offered_bps"]),
                *style.totals(totals),
                *([units.count(metrics.flagged_count)] if flagging else []),
            ]
        )
    return style.table(
        "Networks",
        "<network | ?<engine | ?flows | ?offered | mean delay | worst flow",
        "loss | offered load | ?utilization",
        "?flagged flows" if flagging else None,
        rows=content,
    )


def intervals(found: Sequence[Interval], worst: Sequence[int], most: int = MAX_INTERVALS) -> Table:
    """A time series, a line for each interval; of a long one only the worst, the worst first."""
    few = len(found) <= most
    shown = list(found) if few else [found[i] for i in worst[: max(most // 4, 1)]]
    flagging = any(part.metrics.flagged_count for part in found)
    content: list[list[str | Text]] = []
    for part in shown:
        totals = part.metrics.totals(part.scenario)
        busiest = worst_links(part.scenario, part.metrics)
        content.append(
            [
                units.duration(part.start_s) if part.start_s > 1e-12 else "0 s",
                units.duration(part.end_s),
                units.rate(totals["throughput_bps"]),
                *style.totals(totals),
                part.scenario.topology.link_name[busiest[0]] if len(busiest) else "-",
                *([units.count(part.metrics.flagged_count)] if flagging else []),
            ]
        )
    return style.table(
        "In time" if few else f"In time, the worst {len(shown)} of {len(found)}",
        "from | to | delivered | mean delay | ?worst flow",
        "loss | offered load | ?utilization | ?<link",
        "?flagged flows" if flagging else None,
        rows=content,
    )


def _down(name: str) -> Text:
    return Text(f"{name} (down)", style.FAINT)


def _column(metrics: Metrics, name: str) -> NDArray[np.float64]:
    table = metrics.link
    return table[name] if name in table else np.full(len(table), np.nan)


def _flow_column(metrics: Metrics, name: str) -> NDArray[np.float64]:
    table = metrics.flow
    return table[name] if name in table else np.full(len(table), np.nan)
