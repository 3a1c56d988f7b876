"""Bottlenecks: who fills a link, and what relieves it."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.resilience.bottlenecks import Bottleneck, Bottlenecks
from nettwin.interfaces.tables import style


def heading(found: Bottlenecks) -> Text:
    """The network, and which engine tells the delays."""
    words = Text.assemble((found.scenario.name, "bold"), "  the links with the highest loads")
    if found.metrics is not None:
        how = f"loads are exact; delay and loss {found.metrics.method} by {found.metrics.label}"
        words.append(f"\n{how}", style.FAINT)
    return words


def fillers(one: Bottleneck) -> Table:
    """The flows that fill a link."""
    rows = [
        (
            f.flow,
            f.traffic_class,
            units.rate(f.rate_bps),
            Text(style.bar(f.share).plain, "cyan"),
            units.percent(f.share),
        )
        for f in one.fillers
    ]
    return style.table(
        f"{one.link}: {units.percent(one.offered_load)} of {units.rate(one.capacity_bps)}, by",
        "<flow | ?<class | puts there | < | of its load",
        of=one.flows,
        rows=rows,
    )


def reliefs(one: Bottleneck, found: Bottlenecks) -> Table:
    """What relieves a link, the best first."""
    told = found.metrics is not None
    rows: list[list[str | Text]] = []
    for r in one.reliefs:
        cells: list[str | Text] = [r.describe(), style.load(r.offered_load)]
        cells += [style.load(r.offered_load_max), r.busiest_link]
        cells += [units.duration(r.owd_mean_s), style.loss(r.loss_ratio)] if told else []
        rows.append(cells)
    if found.metrics is not None:
        totals = found.metrics.totals(found.scenario)
        load = found.scenario.link_offered_load
        rows.append(
            [
                Text("nothing", style.FAINT),
                style.load(one.offered_load),
                style.load(totals["offered_load_max"]),
                found.scenario.topology.link_name[int(load.argmax())],
                units.duration(totals["owd_mean_s"]),
                style.loss(totals["loss_ratio"]),
            ]
        )
    return style.table(
        f"{one.link}: what relieves it",
        "<change | offered load | network's highest | ?<at",
        "mean delay | loss" if told else None,
        wraps=True,
        rows=rows,
    )
