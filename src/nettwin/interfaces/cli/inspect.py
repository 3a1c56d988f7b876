"""nettwin inspect: what a network is, before any engine is asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nettwin.apps.inspection import inspect as inspect_scenario
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.tables import facts as tables

MAX_LINES = 100  # of assumptions or warnings: the command is there to see them
MANY_FLOWS = 20_000  # from which on only engines are asked that need not look at every hop


ENGINES = typer.Option(
    help="Engines to ask, joined by commas.",
    autocompletion=o.complete_engines,
    show_default=f"all; theory and packet above {MANY_FLOWS:,} flows",
)


@command(
    "nettwin inspect network.yaml",
    "nettwin inspect gnnet2022/50 --index 7",
    "nettwin inspect network.yaml --engines gnn,twin",
    "nettwin inspect network.yaml --strict && nettwin simulate network.yaml",
)
@grouped
def inspect(
    network: o.NetworkArg,
    engines: Annotated[str | None, ENGINES] = None,
    *,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
) -> None:
    """Show what a network is, what was assumed, and the issues of each engine with it."""
    output = Output("inspect", json, strict, most=MAX_LINES)
    reading = source.read(network)
    names = _names(engines, reading.scenario.traffic.flow_count)
    if left := [] if engines else [name for name in wiring.ENGINES if name not in names]:
        output.say(f"Not asked, as the network is large: {', '.join(left)} (--engines asks them)")
    warn_of_compiling(output, *names)
    models = [wiring.engine(name) for name in names]
    found = inspect_scenario(reading.scenario, models, top=top)
    notes = output.told(reading, models)
    where = {"source": reading.source, "format": reading.format, "index": source.index}
    output.document({**where, **notes, **asdict(found)})
    output.show(tables.network(found, reading), tables.classes(found), tables.busiest(found))
    output.finish()


def _names(engines: str | None, flows: int) -> list[str]:
    """The engines to ask: those named, or of all those that are quick to say."""
    if engines is not None:
        return [wiring.choice(name.strip()).name for name in engines.split(",") if name.strip()]
    return [
        name
        for name, choice in wiring.ENGINES.items()
        if flows <= MANY_FLOWS or not choice.looks_at_hops
    ]
