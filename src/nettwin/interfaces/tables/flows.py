"""Flow records: how they fit counters, the demands that they tell, and the largest of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.table import Table

from nettwin import units
from nettwin.apps.flows import FlowReading, demands_of
from nettwin.interfaces.tables import style
from nettwin.interfaces.tables.telemetry import Moment
from nettwin.repository.talkers import Talkers
from nettwin.scenario.scenario import Scenario


def reading_document(reading: FlowReading, moment: Moment) -> dict[str, Any]:
    """What was read and how it fits, for JSON."""
    gathered = reading.gathered
    return {
        "records": len(gathered.records),
        "octets": int(gathered.records.octets.sum()),
        "intervals": gathered.intervals,
        "interval_s": reading.interval_s,
        "from": moment(float(gathered.edges_s[0])),
        "until": moment(float(gathered.edges_s[-1])),
        "exporters": [
            {"exporter": name, "sampling": float(rate), "factor": float(factor)}
            for name, rate, factor in zip(
                gathered.exporter, gathered.sampling, reading.reconciled.factor, strict=True
            )
        ],
        "links": [one._asdict() for one in reading.reconciled.compared],
    }


def reading(reading: FlowReading, scenario: Scenario, top: int, moment: Moment) -> list[Table]:
    """The same in tables: what was read, and link by link how it fits."""
    gathered = reading.gathered
    known = demands_of(reading, scenario)
    assert known.listed is not None
    mean = float(known.demand_bps.sum(axis=(1, 2)).mean())
    rows = [
        ("from", moment(float(gathered.edges_s[0]))),
        ("until", moment(float(gathered.edges_s[-1]))),
        ("intervals", f"{gathered.intervals:,} of {reading.interval_s:g} s"),
        ("records", units.count(len(gathered.records))),
        ("exporters", ", ".join(name or "not told" for name in gathered.exporter[:5])),
        ("known demands", f"{int(known.listed.sum())} pairs, {units.rate(mean)} together"),
        ("links compared", str(len(reading.reconciled.compared))),
        *(("assumed", words) for words in known.assumptions),
    ]
    compared = sorted(
        reading.reconciled.compared,
        key=lambda one: -abs(np.log(max(one.scaled_bps, 1e-9) / max(one.counted_bps, 1e-9))),
    )
    content = [
        (
            one.link,
            one.exporter or "-",
            units.rate(one.counted_bps),
            units.rate(one.flows_bps),
            f"{one.ratio:.4g}",
            units.rate(one.scaled_bps),
        )
        for one in compared[:top]
    ]
    columns = ("<link", "<exporter", "counted", "flows", "ratio", "flows, scaled")
    title = "Flows and counters, the least alike first"
    tables: list[Table] = [style.table("Flow records", "<what", "<is", rows=rows)]
    if content:
        tables.append(style.table(title, *columns, of=len(compared), rows=content))
    return tables


def talkers_document(at: str, found: Talkers, top: int) -> dict[str, Any]:
    """The largest flows of an interval, for JSON."""
    return {
        "at": at,
        "records": found.records,
        "octets": int(found.octets.sum()) + found.rest,
        "octets_of_others": found.rest,
        "stated_error": found.stated_error,
        "largest": [
            {"flow": key, "octets": octets}
            for key, octets in zip(found.key[:top], found.octets[:top].tolist(), strict=True)
        ],
    }


def talkers(at: str, found: Talkers, top: int) -> Table:
    """The largest flows of an interval."""
    total = max(int(found.octets.sum()) + found.rest, 1)
    content = [
        (*key.split(" ", 4), units.count(octets), units.percent(octets / total))
        for key, octets in zip(found.key[:top], found.octets[:top].tolist(), strict=True)
    ]
    columns = ("<source", "<target", "<protocol", "port", "port", "octets", "of all")
    return style.table(f"Largest flows until {at}", *columns, of=len(found.key), rows=content)
