"""nettwin generate: a whole network with traffic, of a kind."""

from __future__ import annotations

from typing import Annotated

import typer

from nettwin import units
from nettwin.errors import InputError
from nettwin.formats import write
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import streams
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import facts as tables
from nettwin.scenario.generate import GENERATORS
from nettwin.scenario.generate import generate as generate_scenario
from nettwin.scenario.scheduling import Queue, buffers_of


def _list() -> None:
    rows = [
        (g.name, g.title, str(g.nodes), units.rate(g.capacity_bps)) for g in GENERATORS.values()
    ]
    Output("generate").show(
        tables.listing("Kinds of networks", ("kind", "what", "nodes", "capacity"), rows)
    )


KIND = o.argument(
    metavar="KIND", help="The kind of network (--list shows them).", complete=o.complete_kind
)
NODES = typer.Option(help="How many nodes.", show_default="as --list says")
CLASSES = typer.Option(help="Traffic classes: single or three.", autocompletion=o.complete_mix)
SCHEDULER = typer.Option(
    help="Policy of every port: fifo, sp, wfq, lsf or drr.", autocompletion=o.complete_scheduler
)
ARRIVAL = typer.Option(
    help="How packets arrive: poisson, cbr, onoff, mmpp or autocorrelated.",
    autocompletion=o.complete_arrival,
)
CAPACITY = typer.Option(help="Capacity of every link.", show_default="as --list says")
BUFFER = typer.Option(
    help="What each queue can hold: 64 (packets), 64kB, 10ms or unlimited.",
    show_default="10ms, at least 32 packets",
)


@command(
    "nettwin generate nsfnet --load 70% --classes three --scheduler wfq -o net.yaml",
    "nettwin generate gabriel --nodes 30 --seed 7 --arrival onoff -o made.yaml",
    "nettwin generate --list",
)
def generate(
    kind: Annotated[str, KIND],
    target: o.TargetOption,
    nodes: Annotated[int | None, NODES] = None,
    seed: o.SeedOption = 1,
    load: Annotated[str, typer.Option(help="Load of the busiest link.")] = "60%",
    classes: Annotated[str, CLASSES] = "single",
    scheduler: Annotated[str, SCHEDULER] = "fifo",
    arrival: Annotated[str, ARRIVAL] = "poisson",
    capacity: Annotated[str | None, CAPACITY] = None,
    buffer: Annotated[str | None, BUFFER] = None,
    to: o.ToOption = None,
    force: o.ForceOption = False,
    json: o.JsonOption = False,
    listed: Annotated[bool, o.listing(_list, "List the kinds.")] = False,
) -> None:
    """Generate a network with gravity traffic: real, regular or random."""
    output = Output("generate", json)
    warn_of_compiling(output)
    scenario = generate_scenario(
        kind,
        nodes=nodes,
        seed=seed,
        load=units.share(load),
        classes=classes,
        scheduler=scheduler,
        arrival=arrival,
        capacity_bps=None if capacity is None else units.rate_bps(capacity),
        buffer=None if buffer is None else Queue(**buffers_of(buffer)),
    )
    stream = str(target) == streams.STREAM
    if stream and json:
        raise InputError("--json and -o - both go to standard output. Give one of them.")
    with streams.target(target, force=force) as file:
        write(scenario, file, format=to or (streams.FORMAT if stream else None))
    output.document({"target": target, "network": documents.network(scenario)})
    if not stream:
        output.wrote(target)
