"""nettwin history predict: the past through the twin, against what was measured."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer

from nettwin import units
from nettwin.apps.history import (
    Hindsight,
    Past,
    Track,
    busy_hours,
    past_of_files,
    past_of_repository,
    predict_past,
    rows,
    unusual,
)
from nettwin.errors import InputError
from nettwin.interfaces import sheets
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import SinceOption, UntilOption, moment_of
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.history.shown import group
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.operating import corrected
from nettwin.interfaces.plots import check_drawable
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import history as tables
from nettwin.workspace.workspace import Workspace

NETWORK = o.given("--network", metavar="FILE", help="The network, where there is no workspace.")
DEMANDS = o.given("--demands", metavar="FILE", help="Traffic matrices over time (npz or CSV).")
MEASURED = o.given("--measured", metavar="FILE", help="What links carried then (CSV or Parquet).")
PLOT = o.written("--plot", help="Draw the busiest link and the mean delay over time.")
CSV = o.written("--csv", help="Write every time of every element into DIR.", metavar="DIR")
KEEP = typer.Option(
    "--keep/--no-keep", help="Whether residuals go into the history of the workspace."
)


@dataclass(frozen=True)
class Asked:
    """Which past is to be predicted: the texts of options (see `groups`)."""

    workspace: w.WorkspaceOption = w.HERE
    network: Annotated[str | None, NETWORK] = None
    demands: Annotated[Path | None, DEMANDS] = None
    measured: Annotated[Path | None, MEASURED] = None
    since: SinceOption = None
    until: UntilOption = None


@command(
    "nettwin history predict --workspace twin --since 7d --plot week.svg",
    "nettwin history predict --network network.yaml --demands week.npz --json",
    "nettwin history predict --network network.yaml --demands week.npz --measured counters.csv",
    group=group,
)
@grouped
def predict(
    asked: Asked,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    keep: Annotated[bool, KEEP] = True,
    *,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    plot: Annotated[Path | None, PLOT] = None,
    csv: Annotated[Path | None, CSV] = None,
    strict: o.StrictOption = False,
) -> None:
    """Predict every interval of the past, with intervals of 90 %, and compare it with what was
    measured: 95th percentiles, busy hours, and what was unusual. Residuals are kept."""
    output = Output("history predict", json, strict)
    if plot:
        check_drawable(plot)
    past, place = _past(output, asked, source)
    start = perf_counter()
    settings = {} if model is None else {"model": model}
    with (
        working(output, engine, **settings) as answering,
        progress(output.err, "Predicting") as tell,
    ):
        output.warn_of(next(past.scenarios()), [answering])
        found = predict_past(past, answering, progress=tell)
    seconds = perf_counter() - start
    output.note("Note", found.notes)
    kept = _keep(place, found) if place is not None and keep else 0
    output.document(_document(found, past, kept))
    output.show(tables.heading(found, past.demands, seconds, w.moment))
    for track in found.tracks:
        output.show(tables.elements(track, rows(found, track), top))
    strange = [one for track in found.tracks for one in unusual(found, track)]
    if any(np.isfinite(track.measured).any() for track in found.tracks):
        output.show(tables.unusual(strange, top, w.moment))
    if csv:
        for track in found.tracks:
            output.wrote(_sheet(csv, found, track))
    if plot:
        from nettwin.interfaces.plots.hindsight import hindsight

        hindsight(found, plot)
        output.wrote(plot)
    output.finish()


def _past(output: Output, asked: Asked, source: Source) -> tuple[Past, Workspace | None]:
    """What is to be predicted, and the workspace that it is of, if any."""
    if asked.network is None:
        if asked.demands or asked.measured:
            raise InputError("--demands and --measured are of a network: give --network FILE.")
        place = w.opened(asked.workspace)
        times = [None if t is None else moment_of(t, 0.0) for t in (asked.since, asked.until)]
        return past_of_repository(place.repository, *times, corrected=corrected(place)), place
    if asked.demands is None:
        raise InputError("--network needs the matrices: give --demands FILE.")
    from nettwin.formats.counters import read_counters
    from nettwin.formats.demands import read_demands

    reading = source.read(asked.network)
    topology = reading.scenario.topology
    series = read_demands(asked.demands, topology=topology)
    counters = None if asked.measured is None else read_counters(asked.measured, topology)
    output.told(reading)
    output.note("Assumed", series.assumptions)
    output.note("Ignored", series.ignored)
    return past_of_files(reading.scenario, series, counters), None


def _keep(place: Workspace, found: Hindsight) -> int:
    """Put the residuals into the history: `residual/link/NAME/utilization`; how many."""
    count = 0
    with place.writing("nettwin history predict") if found.tracks else nullcontext():
        for track in found.tracks:
            names = [f"residual/{track.kind}/{name}/{track.quantity}" for name in track.element]
            if np.isfinite(track.residual).any():
                count += place.repository.keep_series(names, found.times_s, track.residual)
    return count


def _document(found: Hindsight, past: Past, kept: int) -> dict[str, Any]:
    starts, _ = busy_hours(found)
    finite = units.finite_or_none
    return {
        "engine": found.engine,
        "from": w.moment(float(found.times_s[0] - found.interval_s)),
        "until": w.moment(float(found.times_s[-1])),
        "intervals": len(found.times_s),
        "interval_s": found.interval_s,
        "demands": past.demands,
        "notes": list(found.notes),
        "confidence": found.confidence,
        "busy_hours": [w.moment(float(start)) for start in starts],
        "residuals_kept": kept,
        **{
            f"{track.kind}s": {
                "quantity": track.quantity,
                "coverage": finite(track.coverage),
                "elements": [
                    {key: v if key == "element" else finite(v) for key, v in row._asdict().items()}
                    for row in rows(found, track)
                ],
                "unusual": [one._asdict() for one in unusual(found, track)],
            }
            for track in found.tracks
        },
        "times": [
            {"time": w.moment(float(t)), "time_s": float(t), "offered_bps": float(rate)}
            for t, rate in zip(found.times_s, found.offered_bps, strict=True)
        ],
    }


def _sheet(folder: Path, found: Hindsight, track: Track) -> Path:
    """Every time of every element: predicted, low, high, measured."""
    lines = [
        {
            "time": w.moment(float(time_s)),
            track.kind: name,
            "predicted": float(track.predicted[t, k]),
            "low": float(track.low[t, k]),
            "high": float(track.high[t, k]),
            "measured": float(track.measured[t, k]),
        }
        for t, time_s in enumerate(found.times_s)
        for k, name in enumerate(track.element)
    ]
    return sheets.write_rows(folder / f"{track.kind}_{track.quantity}.csv", lines)
