"""nettwin capacity upgrade: the cheapest upgrades that survive every single failure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nettwin.apps.capacity import words
from nettwin.apps.capacity.upgrade import Upgrade
from nettwin.apps.capacity.upgrade import upgrade as cheapest
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.capacity.group import CaseArg, History, IntentOption, asked_of, group
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents import capacity as told
from nettwin.interfaces.plots import check_drawable
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import capacity as tables

SECONDS = typer.Option("--seconds", min=1.0, help="How long to search, at most.")
OUT = o.written("--out", "-o", help="Write the network at the end of the plan.")
PLOT = o.written("--plot", help="Draw what each method pays.")


@command(
    "nettwin capacity upgrade network.yaml growth.yaml --plot costs.svg",
    "nettwin capacity upgrade network.yaml growth.yaml --intent voice.yaml -e twin -o later.yaml",
    group=group,
)
@grouped
def upgrade(
    network: o.NetworkArg,
    case: CaseArg,
    intent: IntentOption = None,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    seconds: Annotated[float, SECONDS] = 300.0,
    *,
    history: History,
    source: Source,
    top: o.TopOption = 20,
    json: o.JsonOption = False,
    out: Annotated[Path | None, OUT] = None,
    plot: Annotated[Path | None, PLOT] = None,
) -> None:
    """Find the cheapest capacity modules and new links that let the network survive every single
    failure as it grows; exit with 4 where the budget does not suffice or an expectation is
    missed."""
    from nettwin.formats import write

    output = Output("capacity upgrade", json)
    if plot:
        check_drawable(plot)
    reading = source.read(network)
    notes = output.told(reading)
    asked = asked_of(output, reading, case, intent, history)
    settings = {} if model is None else {"model": model}
    with working(output, engine, **settings) as answering, progress(output.err, "Buying") as tell:
        found = cheapest(
            reading.scenario,
            asked.case,
            asked.intent,
            answering,
            seconds=seconds,
            progress=tell,
        )
    output.note("Assumed", found.case.assumed)
    output.document(
        {"network": documents.reading(reading, source.index), **notes, **told.upgrade(found)}
    )
    output.show(words.of_upgrade(found))
    output.show(tables.bought(found, top), tables.costs(found))
    if found.checked:
        output.show(tables.checks(found))
    if out:
        write(found.best.network(found.case.periods - 1), out)
        output.wrote(out)
    if plot:
        from nettwin.interfaces.plots import capacity as plots

        plots.costs(found, plot)
        output.wrote(plot)
    end(found)


def end(found: Upgrade) -> None:
    """Exit with 4 where not everything is met."""
    if not found.met:
        raise typer.Exit(NOT_MET)
