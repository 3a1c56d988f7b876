"""Failures: what breaks when links and nodes fail, the worst first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.resilience.resilience import Failure, Resilience
from nettwin.intent import Intent
from nettwin.interfaces.tables import style

MAX_BY_CLASS = 3  # failures whose classes are shown
WORDS = {"link": "link", "node": "node", "srlg": "group", "pair": "pair"}


def heading(found: Resilience) -> Text:
    """A network, what fails, and which engine answers."""
    words = Text.assemble((found.scenario.name, "bold"), "  ")
    kinds = {"link": "links", "node": "nodes", "srlg": "shared-risk groups", "pair": "link pairs"}
    words.append(
        f"{units.count(found.looked_at)} failures of {' and '.join(kinds[k] for k in found.kinds)}"
    )
    if not found.complete:
        words.append(f" (stopped; there are {units.count(found.failure_count)})", style.WARNING)
    how = "loads are exact"
    if found.metrics is not None:
        how += f"; delay and loss {found.metrics.method} by {found.metrics.label}"
    return words.append(f"\n{how}", style.FAINT)


def summary(sides: Sequence[Resilience], intent: Intent | None = None) -> Table:
    """All failures in a few numbers, without and with a change plan."""
    heads = ["without the plan", "with it"] if len(sides) > 1 else [""]
    told = [one.summary for one in sides]

    def counted(number: int, of: int) -> Text:
        return Text(f"{units.count(number)} of {units.count(of)}", style.ALARM if number else "")

    rows: list[tuple[str | Text, ...]] = [
        ("highest offered load", *(style.load(s.offered_load_max) for s in told)),
        ("  when this fails", *(s.cause or "-" for s in told)),
        (
            "links that a failure overloads",
            *(counted(s.overloaded_links, len(r.links)) for s, r in zip(told, sides, strict=True)),
        ),
        ("failures that overload a link", *(counted(s.overloading, s.failures) for s in told)),
        ("failures that cut traffic off", *(counted(s.cutting, s.failures) for s in told)),
    ]
    if intent is not None:
        rows.append(
            (
                "failures that break the intent",
                *(counted(s.breaking, len(r.failures)) for s, r in zip(told, sides, strict=True)),
            )
        )
    if any(one.metrics is not None for one in sides):
        rows += [
            ("most traffic lost", *(style.loss(s.lost_share_max) for s in told)),
            ("longest mean delay", *(units.duration(s.owd_mean_max_s) for s in told)),
        ]
    made = style.table("In short", "<", *heads, rows=rows)
    made.show_header = len(sides) > 1
    return made


def failures(found: Resilience, top: int) -> Table:
    """Failures, the one first that loses most traffic, then the one with the highest load."""
    shown = found.failures[:top]
    several = len(found.kinds) > 1
    told = [f for f in shown if f.predicted]
    flagged = any(f.flagged_flows for f in shown)
    content = []
    for f in shown:
        cells: list[str | Text] = [Text(WORDS[f.kind], style.FAINT)] if several else []
        cells += [
            f.name,
            style.load(f.offered_load_max),
            style.bar(f.offered_load_max),
            f.busiest_link,
            units.count(f.overloaded_links) if f.overloaded_links else Text("-", style.FAINT),
            _cut(f),
        ]
        if told:
            cells += [style.loss(f.lost_share), units.duration(f.owd_mean_s)]
            cells.append(style.change(found.owd_mean_before_s, f.owd_mean_s))
        cells += [units.count(f.flagged_flows)] if flagged else []
        content.append(cells)
    return style.table(
        "Failures, the worst first",
        "<" if several else None,
        "<what fails | offered load | < | ?<of link | ?overloaded | cut off",
        "traffic lost | mean delay | ?change" if told else None,
        "?flagged flows" if flagged else None,
        of=found.looked_at,
        rows=content,
    )


def links(found: Resilience, top: int) -> Table:
    """The worst load of each link, and the failure that causes it."""
    rows = [
        (
            link.name,
            units.rate(link.capacity_bps),
            style.load(link.offered_load),
            style.load(link.worst_offered_load),
            style.bar(link.worst_offered_load),
            link.cause or Text("nothing raises it", style.FAINT),
        )
        for link in found.links[:top]
    ]
    return style.table(
        "Worst load of each link",
        "<link | ?capacity | offered load | worst | < | <when this fails",
        of=len(found.links),
        rows=rows,
    )


def classes(found: Resilience, top: int) -> Table:
    """What each traffic class gets after the worst failures."""
    shown = [f for f in found.failures if f.predicted][: min(top, MAX_BY_CLASS)]
    before = {c.name: c for c in found.classes_before}
    content: list[tuple[str | Text, ...]] = []
    for f in shown:
        for k, c in enumerate(f.classes):
            old = before[c.name].delay_s if c.name in before else math.nan
            content.append(
                (
                    f.name if k == 0 else "",
                    c.name,
                    units.duration(c.delay_s),
                    style.change(old, c.delay_s),
                    units.duration(c.p99_s),
                    style.loss(c.loss),
                )
            )
    return style.table(
        "By traffic class",
        "<what fails | <class | mean delay | change | ?p99 delay | loss",
        shown=len(shown),
        of=found.looked_at,
        rows=content,
    )


def broken(found: Resilience, top: int) -> Table:
    """Expectations, and how many failures break each; the one first that breaks most often."""
    count: dict[str, list[str]] = {}
    for f in found.failures:
        for line in f.broken:
            count.setdefault(line, []).append(f.name)
    order = sorted(count, key=lambda line: -len(count[line]))
    rows = [
        (
            line,
            Text(units.count(len(count[line])), style.ALARM),
            count[line][0],
            Text("broken", style.ALARM) if line in found.broken_before else "met",
        )
        for line in order[:top]
    ]
    columns = "<<expected | failures | <the worst of them | ?<now"
    return style.table("Expectations that failures break", columns, rows=rows, of=len(order))


def _cut(failure: Failure) -> Text:
    if not failure.cut_flows:
        return Text("-", style.FAINT)
    flows = f"{units.count(failure.cut_flows)} flow{'' if failure.cut_flows == 1 else 's'}"
    return Text(f"{units.rate(failure.cut_bps)} ({flows})", style.ALARM)
