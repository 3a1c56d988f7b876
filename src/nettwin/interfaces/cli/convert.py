"""nettwin convert: a network from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nettwin.errors import InputError
from nettwin.formats import FORMATS, write
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import streams
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import SourceFrom
from nettwin.interfaces.tables import facts as tables


def _list() -> None:
    rows = [
        (f.name, f.title, "reads, writes" if f.writes else "reads", " ".join(f.suffixes))
        for f in FORMATS.values()
    ]
    Output("convert").show(
        tables.listing("Formats", ("format", "what", "nettwin", "suffixes of new files"), rows)
    )


TARGET = o.argument(metavar="OUT", help="The file (or folder) to write; - is standard output.")


@command(
    "nettwin convert Geant2012.graphml geant.yaml",
    "nettwin convert network.yaml tables/ --to csv",
    "nettwin convert - network.yaml --from graphml < Geant2012.graphml",
    "nettwin convert --list",
)
@grouped
def convert(
    network: o.NetworkArg,
    target: Annotated[Path, TARGET],
    to: o.ToOption = None,
    *,
    source: SourceFrom,
    json: o.JsonOption = False,
    listed: Annotated[bool, o.listing(_list, "List the formats.")] = False,
) -> None:
    """Convert a network to another format, and report what was assumed or left out."""
    output = Output("convert", json)
    reading = source.read(network)
    notes = output.told(reading)
    stream = str(target) == streams.STREAM
    if stream and (json or to is None):
        raise InputError("OUT is standard output: it needs --to FORMAT, and takes no --json.")
    with streams.target(target) as file:
        write(reading.scenario, file, format=to)
    output.document({"source": network, "format": reading.format, "target": target, **notes})
    if not stream:
        output.wrote(target)
