"""Telemetry: what is wrong with it, and what links carried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.collection import Telemetry
from nettwin.interfaces.tables import style
from nettwin.observation import Observation
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.findings import KINDS, Findings, summary
from nettwin.telemetry.links import LinkLoads
from nettwin.telemetry.probes import PathDelays

Moment = Callable[[float], str]
COLORS = {"error": style.ALARM, "warning": style.WARNING, "corrected": style.CALM}


def findings_document(found: Findings) -> dict[str, Any]:
    """All findings for JSON, the worst first."""
    return {
        "kinds": [
            {
                "kind": name,
                "severity": KINDS[name].severity,
                "places": places,
                "times": times,
                "found": KINDS[name].found,
                "done": KINDS[name].done,
            }
            for name, places, times in summary(found.found)
        ],
        "findings": [
            {
                "kind": one.kind,
                "severity": one.severity,
                "where": one.where,
                "count": one.count,
                "detail": one.detail,
            }
            for one in found.worst_first()
        ],
    }


def kinds(found: Findings) -> Table:
    """What was found and done, a line a kind, the worst first."""
    content = [
        (
            Text(KINDS[name].severity, COLORS[KINDS[name].severity]),
            str(places),
            units.count(times),
            KINDS[name].found,
            KINDS[name].done,
        )
        for name, places, times in summary(found.found)
    ]
    return style.table("Data quality", "<", "places", "times", "<found", "<done", rows=content)


def findings(found: Findings, top: int) -> Table:
    """Every finding at its place, the worst first."""
    rows = found.worst_first()
    content = [
        (
            Text(one.severity, COLORS[one.severity]),
            one.kind,
            one.where,
            units.count(one.count),
            one.detail,
        )
        for one in rows[:top]
    ]
    return style.table(
        "Findings", "<", "<kind", "<where", "times", "?<detail", of=len(rows), rows=content
    )


def telemetry_document(told: Telemetry, scenario: Scenario, moment: Moment) -> dict[str, Any]:
    """What a source tells, for JSON: of links how much is known, of probes the delays."""
    made: dict[str, Any] = {}
    if told.delays is not None:
        names = scenario.topology.node_name
        made["probes"] = [
            {
                "source": names[pair[0]],
                "target": names[pair[1]],
                **{key: units.finite_or_none(value) for key, value in numbers.items()},
            }
            for pair, numbers in _delay_rows(told.delays)
        ]
    return made | (coverage_document(told.loads, moment) if told.loads is not None else {})


def telemetry(told: Telemetry, scenario: Scenario, top: int, moment: Moment) -> list[Table]:
    """The same in tables."""
    shown: list[Table] = [] if told.loads is None else [coverage(told.loads, moment)]
    if told.delays is not None:
        names = scenario.topology.node_name
        content = [
            (
                f"{names[pair[0]]}->{names[pair[1]]}",
                units.duration(n["owd_mean_s"]),
                units.duration(n["low_s"]),
                units.duration(n["high_s"]),
                units.percent(n["loss_ratio"]),
                str(int(n["intervals"])),
            )
            for pair, n in _delay_rows(told.delays)[:top]
        ]
        columns = ("<path", "one-way delay", "low", "high", "loss", "intervals")
        of = len(told.delays.pair)
        shown.append(style.table("Probes", *columns, of=of, rows=content))
    return shown


def _delay_rows(delays: PathDelays) -> list[tuple[tuple[int, int], dict[str, float]]]:
    """Means over all intervals of each pair."""
    columns = {
        "owd_mean_s": delays.owd_mean_s,
        "low_s": delays.low_s,
        "high_s": delays.high_s,
        "loss_ratio": delays.loss_ratio,
    }
    known = {name: np.isfinite(values) for name, values in columns.items()}
    return [
        (
            pair,
            {
                **{
                    name: float(values[known[name][:, k], k].mean())
                    if known[name][:, k].any()
                    else float("nan")
                    for name, values in columns.items()
                },
                "intervals": float(known["owd_mean_s"][:, k].sum()),
            },
        )
        for k, pair in enumerate(delays.pair)
    ]


def coverage_document(loads: LinkLoads, moment: Moment) -> dict[str, Any]:
    """How much is known, for JSON."""
    return {
        "intervals": len(loads.time_s),
        "interval_s": loads.interval_s,
        "from": moment(float(loads.time_s[0] - loads.interval_s)),
        "until": moment(float(loads.time_s[-1])),
        "links_known": int(np.isfinite(loads.bps).any(axis=0).sum()),
        "links": loads.bps.shape[1],
    }


def coverage(loads: LinkLoads, moment: Moment) -> Table:
    """How much is known."""
    known = np.isfinite(loads.bps)
    begin = float(loads.time_s[0] - loads.interval_s)
    rows = [
        ("from", moment(begin)),
        ("until", moment(float(loads.time_s[-1]))),
        ("intervals", f"{len(loads.time_s):,} of {loads.interval_s:g} s"),
        ("links known", f"{int(known.any(axis=0).sum())} of {known.shape[1]}"),
        (
            "of their intervals known",
            units.percent(float(known[:, known.any(axis=0)].mean()) if known.any() else 0.0),
        ),
    ]
    return style.table("Telemetry", "<what", "<is", rows=rows)


def _link_values(seen: Observation) -> tuple[Any, Any]:
    table = seen.metrics.link
    none = np.full(seen.scenario.topology.link_count, np.nan)
    names = ("throughput_bps", "utilization")
    rate, load = (table.columns.get(name, none) for name in names)
    return rate, load


def links_document(seen: Observation, moment: Moment) -> dict[str, Any]:
    """What links carried, for JSON."""
    topology = seen.scenario.topology
    rate, load = _link_values(seen)
    return {
        "at": moment(seen.time_s),
        "interval_s": seen.interval_s,
        "links": [
            {
                "link": name,
                "capacity_bps": float(topology.link_capacity_bps[k]),
                "throughput_bps": units.finite_or_none(rate[k]),
                "utilization": units.finite_or_none(load[k]),
                "up": bool(topology.link_live[k]),
            }
            for k, name in enumerate(topology.link_name)
        ],
    }


def links(seen: Observation, top: int, moment: Moment) -> Table:
    """What links carried, the busiest first; those that are not known come last."""
    topology = seen.scenario.topology
    rate, load = _link_values(seen)
    order = np.argsort(-np.nan_to_num(load, nan=-1.0), kind="stable")
    content = []
    for k in order[:top].tolist():
        live = bool(topology.link_live[k])
        content.append(
            (
                topology.link_name[k],
                units.rate(float(topology.link_capacity_bps[k])),
                units.rate(float(rate[k])),
                style.bar(float(load[k])),
                style.load(float(load[k])),
                Text("up" if live else "down", style.CALM if live else style.ALARM),
            )
        )
    return style.table(
        f"Links at {moment(seen.time_s)}",
        "<link",
        "?capacity",
        "rate",
        "<",
        "utilization",
        "<state",
        of=len(order),
        rows=content,
    )
