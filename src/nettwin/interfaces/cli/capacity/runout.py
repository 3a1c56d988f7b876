"""nettwin capacity runout: when links and intents run out, under the worst single failure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nettwin.apps.capacity import words
from nettwin.apps.capacity.hose import hose
from nettwin.apps.capacity.runout import HORIZON_YEARS, run_outs
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.capacity.group import CaseArg, History, IntentOption, asked_of, group
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents import capacity as told
from nettwin.interfaces.plots import check_drawable
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import capacity as tables
from nettwin.units import finite_or_none

YEARS = typer.Option("--years", min=0.1, max=50.0, help="How far to look.")
HOSE = typer.Option(
    "--hose", help="Beside it what any matrix may do that keeps to what nodes send and receive."
)
PLOT = o.written("--plot", help="Draw when each link runs out, with its interval.")


@command(
    "nettwin capacity runout network.yaml growth.yaml --plot runout.svg",
    "nettwin capacity runout network.yaml growth.yaml --intent voice.yaml -e twin --hose",
    "nettwin capacity runout network.yaml growth.yaml --demands year.npz --json",
    group=group,
)
@grouped
def runout(
    network: o.NetworkArg,
    case: CaseArg,
    intent: IntentOption = None,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    years: Annotated[float, YEARS] = HORIZON_YEARS,
    most: Annotated[bool, HOSE] = False,
    *,
    history: History,
    source: Source,
    top: o.TopOption = 15,
    json: o.JsonOption = False,
    plot: Annotated[Path | None, PLOT] = None,
) -> None:
    """Show when each link is offered more than it may be, and when an intent is missed, under the
    worst single failure."""
    output = Output("capacity runout", json)
    if plot:
        check_drawable(plot)
    reading = source.read(network)
    notes = output.told(reading)
    asked = asked_of(output, reading, case, intent, history)
    output.note("Assumed", asked.case.assumed)
    settings = {} if model is None else {"model": model}
    with working(output, engine, **settings) as answering, progress(output.err, "Growing") as tell:
        found = run_outs(
            reading.scenario,
            asked.case,
            asked.intent,
            answering,
            horizon_years=years,
            progress=tell,
        )
    bounds = hose(reading.scenario, asked.case) if most else None
    content = told.run_outs(found)
    if bounds is not None:
        content["hose"] = {
            "link": list(reading.scenario.topology.link_name),
            **{k: list(map(finite_or_none, v.tolist())) for k, v in bounds._asdict().items()},
        }
    output.document({"network": documents.reading(reading, source.index), **notes, **content})
    output.show(words.of_run_outs(found))
    output.show(tables.run_outs(found, top, bounds))
    if plot:
        from nettwin.interfaces.plots import capacity as plots

        plots.run_outs(found, plot)
        output.wrote(plot)
