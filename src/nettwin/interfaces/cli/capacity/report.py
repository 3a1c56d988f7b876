"""nettwin capacity report: run-out dates and upgrades as one document with pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nettwin.apps.capacity.runout import run_outs
from nettwin.apps.capacity.upgrade import upgrade
from nettwin.errors import InputError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.capacity.group import CaseArg, History, IntentOption, asked_of, group
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.progress import progress
from nettwin.interfaces.reports.report import SUFFIXES

OUT = typer.Option(
    "--output", "-o", metavar="FILE", help=f"What to write: {' or '.join(SUFFIXES)}."
)
SECONDS = typer.Option("--seconds", min=1.0, help="How long to search, at most.")


@command(
    "nettwin capacity report network.yaml growth.yaml -o plan.html",
    "nettwin capacity report network.yaml growth.yaml --intent voice.yaml -o plan.md",
    group=group,
)
@grouped
def report(
    network: o.NetworkArg,
    case: CaseArg,
    out: Annotated[Path, OUT] = Path("capacity.html"),
    intent: IntentOption = None,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    seconds: Annotated[float, SECONDS] = 300.0,
    *,
    history: History,
    source: Source,
) -> None:
    """Write the report of a capacity plan: what grows, what runs out, what to buy at which cost."""
    from nettwin.interfaces.plots import check_drawable
    from nettwin.interfaces.reports.capacity import report as made_of

    if out.suffix.lower() not in SUFFIXES:
        raise InputError(f"{out} must end with {' or '.join(SUFFIXES)}. Rename it.")
    check_drawable(out.with_suffix(".svg"))
    output = Output("capacity report")
    reading = source.read(network)
    output.told(reading)
    asked = asked_of(output, reading, case, intent, history)
    settings = {} if model is None else {"model": model}
    with working(output, engine, **settings) as answering, progress(output.err, "Planning") as tell:
        outs = run_outs(reading.scenario, asked.case, asked.intent, answering)
        tell(0.5)
        found = upgrade(reading.scenario, asked.case, asked.intent, answering, seconds=seconds)
    for path in made_of(outs, found).write(out):
        output.wrote(path)
