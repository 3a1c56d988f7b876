"""nettwin data demands: the traffic matrix that explains what links counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from nettwin.apps.demands import METHODS, DemandEstimate, estimate_demands
from nettwin.apps.demands.methods import DEFAULT
from nettwin.apps.flows import INTERVAL_S
from nettwin.errors import InputError
from nettwin.formats.counters import Counters, read_counters
from nettwin.formats.demands import read_demands, write_demands
from nettwin.formats.format import DemandSeries
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.data.counters import YAML
from nettwin.interfaces.cli.data.group import group
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.tables import demands as tables
from nettwin.interfaces.tables import facts
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.findings import KINDS

complete_method = o.completed(lambda: ((m.name, m.title) for m in METHODS.values()))


def _list() -> None:
    rows = [(m.name, m.title) for m in METHODS.values()]
    Output("data demands").show(facts.listing("Estimation methods", ("method", "what"), rows))


COUNTERS = o.argument(
    metavar="COUNTERS",
    help="CSV or Parquet: a time, and what each link carried (A->B); ->A is what enters the"
    " network at A, A-> what leaves it there.",
)
KNOWN = o.given(
    help="Demands that are known and are kept: CSV or npz, or the YAML file of a source of flow"
    " records.",
    metavar="FILE",
)
HISTORY = o.given(
    help="Demands that were measured on an earlier day, to learn from.", metavar="FILE"
)
METHOD = typer.Option(help=f"How: {', '.join(METHODS.own)}.", autocompletion=complete_method)
PEERS = o.given(
    help="Nodes that exchange nothing through this network in the gravity model, such as A,B.",
    metavar="NODES",
)
OUT = o.written("--output", "-o", help="Write the demands of all intervals: .npz or .csv.")


@command(
    "nettwin data demands network.yaml counters.csv -o demands.csv",
    "nettwin data demands network.yaml counters.csv --history monday.npz -o demands.npz",
    "nettwin data demands network.yaml counters.parquet --known flows.csv --json",
    "nettwin data demands network.yaml counters.parquet --known flows.yaml",
    "nettwin data demands --list",
    group=group,
)
@grouped
def demands(
    network: o.NetworkArg,
    counters: Annotated[Path, COUNTERS],
    known: Annotated[Path | None, KNOWN] = None,
    history: Annotated[Path | None, HISTORY] = None,
    method: Annotated[str, METHOD] = DEFAULT,
    peers: Annotated[str | None, PEERS] = None,
    *,
    source: Source,
    out: Annotated[Path | None, OUT] = None,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
    listed: Annotated[bool, o.listing(_list, "List the estimation methods.")] = False,
) -> None:
    """Estimate the demand of each pair of nodes from what links counted and how traffic is routed,
    with intervals of 90 %, and show what each link leaves unexplained."""
    output = Output("data demands", json, strict)
    reading = source.read(network)
    topology = reading.scenario.topology
    seen = read_counters(counters, topology)
    earlier = None if history is None else read_demands(history, topology=topology)
    told: list[str] = []
    exported = None if known is None else _known(known, reading.scenario, seen, told)
    found = estimate_demands(
        reading.scenario,
        seen,
        method_name=method,
        known=exported,
        earlier=earlier,
        peers=tuple(name.strip() for name in (peers or "").split(",") if name.strip()),
    )
    notes = _told(
        output, [reading.assumptions, seen.assumptions, tuple(told), found.assumptions], found
    )
    if out is not None:
        _write(out, found, topology.node_name)
        output.wrote(out)
    output.document(
        {
            "network": documents.reading(reading, source.index),
            **notes,
            "method": found.method,
            "confidence": found.confidence,
            "intervals": len(found.times_s),
            "noise": found.noise,
            "demands": tables.demand_rows(found, topology.node_name),
            "counters": tables.counter_rows(found),
        }
    )
    output.show(tables.demands(found, topology.node_name, top), tables.residuals(found, top))
    output.finish()


def _known(path: Path, scenario: Scenario, counters: Counters, told: list[str]) -> DemandSeries:
    """Demands of a file of them, or of a source of flow records at the time of the counters."""
    if path.suffix.lower() not in YAML:
        return read_demands(path, topology=scenario.topology)
    from nettwin.apps.flows import demands_of, read_flows
    from nettwin.telemetry.flows.records import FlowSource
    from nettwin.telemetry.source_file import opened, read_source_file

    file = read_source_file(path)
    times = counters.times_s
    step = float(np.median(np.diff(times))) if len(times) > 1 else INTERVAL_S
    file = replace(file, interval_s=file.interval_s or step)
    with opened(file, told) as opening:
        if not isinstance(opening, FlowSource):
            raise InputError(f"{path} is no source of flow records. Give one such as nfdump.")
        span = (float(times[0]) - step, float(times[-1]))
        reading = read_flows(opening, file, scenario, *span, counters=counters)
    told += [
        f"{one.where}: {KINDS[one.kind].found}: {one.detail}; {KINDS[one.kind].done}"
        for one in reading.findings.worst_first()
    ]
    series = demands_of(reading, scenario)
    told += series.assumptions
    return series


def _told(
    output: Output, assumed: list[tuple[str, ...]], found: DemandEstimate
) -> dict[str, list[str]]:
    """Tell what was assumed and what contradicts itself; the same for JSON."""
    assumptions = [line for lines in assumed for line in lines]
    if found.filled:
        assumptions.append(
            "counters that are missing, told by the balance of their node: "
            + ", ".join(found.filled)
        )
    findings = list(found.findings)
    output.note("Assumed", assumptions)
    output.note("Warning", findings, "yellow")
    output.warnings += findings
    return {"assumptions": assumptions, "warnings": findings}


def _write(path: Path, found: DemandEstimate, names: tuple[str, ...]) -> None:
    series = DemandSeries(found.times_s, found.demand_bps, names)
    write_demands(path, series, {"low_bps": found.low_bps, "high_bps": found.high_bps})
