"""nettwin data map: which node a device may be, and which link a port."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from rich.text import Text

from nettwin.formats.files import write_text
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import (
    FolderOption,
    ForOption,
    NetworkOption,
    SinceOption,
    SourceFileArg,
    UntilOption,
    group,
    network_of,
    span_of,
)
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import style

OUT = o.given(
    "--output",
    "-o",
    metavar="FILE",
    help="Where the source file goes with what is proposed.",
)


@command(
    "nettwin data map prometheus.yaml --network network.yaml -o mapped.yaml",
    group=group,
    name="map",
)
def map_names(
    source: SourceFileArg,
    network: NetworkOption = None,
    workspace: w.WorkspaceOption = w.HERE,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    lasting: ForOption = None,
    out: Annotated[Path | None, OUT] = None,
    json: o.JsonOption = False,
) -> None:
    """Propose the node of each unknown device and the link of each unknown port: by names that are
    alike, and by traffic that one port sends and another receives."""
    from nettwin.telemetry.mapping import merged, propose
    from nettwin.telemetry.source_file import opened, read_source_file, with_names

    output = Output("data map", json)
    file = read_source_file(source)
    scenario = network_of(network, workspace)
    with opened(file, folder=folder) as opening:
        samples = opening.read(*span_of(opening, since, until, lasting=lasting))
        found = propose(samples, scenario.topology, file.names)
    output.document({"proposals": [vars(one) for one in found]})
    rows = [(one.device, one.interface, one.stands_for, one.why) for one in found]
    columns = "<device | <interface | <is | ?<because"
    output.show(style.table("Proposed", columns, rows=rows))
    if out is not None:
        write_text(out, with_names(source, merged(file.names, found)))
        output.wrote(out)
    elif found:
        output.show(Text("-o FILE writes the source file with these."))
