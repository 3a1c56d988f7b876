"""nettwin data topology: a network as a source tells it now, and what changed since the last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from rich.text import Text

from nettwin.errors import InputError
from nettwin.formats import ImportDefaults, Reading, read, write
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import group, moment_of, span_of
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.tables import topology as tables
from nettwin.workspace.workspace import Workspace

TOPOLOGY = o.argument(
    metavar="TOPOLOGY",
    help="Link-state database, neighbors, NetBox inventory, a network in any known format; or a"
    " telemetry source file: ports tell their speeds and states.",
)
NAMES = o.given(
    "--names",
    metavar="FILE",
    help="A YAML file whose `devices` give the network's names for those of TOPOLOGY; a telemetry"
    " source file has them.",
)
AT = o.given("--at", metavar="TIME", help="As of which time (UTC). Default: now.")
OUT = o.given("--output", "-o", metavar="FILE", help="Also write the network as it is now.")


@command(
    "nettwin data topology ospf.json --workspace twin",
    "nettwin data topology prometheus.yaml --workspace twin",
    "nettwin data topology neighbors.json --workspace twin --names prometheus.yaml -o now.yaml",
    group=group,
)
@grouped
def topology(
    network: Annotated[str, TOPOLOGY],
    workspace: w.WorkspaceOption = w.HERE,
    names: Annotated[Path | None, NAMES] = None,
    at: Annotated[str | None, AT] = None,
    out: Annotated[Path | None, OUT] = None,
    *,
    source: Source,
    top: o.TopOption = 40,
    json: o.JsonOption = False,
) -> None:
    """Read a topology into the history of a workspace, and show what changed since the last one.
    What the source does not tell (capacities of a link-state database) stays as it was."""
    from nettwin.apps.topology.events import documents as records
    from nettwin.apps.topology.update import update

    output = Output("data topology", json)
    place = w.opened(workspace)
    called = _called(names)

    ports = _told_by_ports(network, place)

    def reading(assume: ImportDefaults) -> Reading:
        if ports is not None:
            return ports
        found = read(network, format=source.format, assume=assume, index=source.index)
        return _renamed(found, called)

    time_s = moment_of(at, time.time())
    with place.writing("nettwin data topology"):
        found = update(place.network_now, reading, source.assume())
        events = records(found.events, time_s)
        place.repository.keep_network(found.scenario, network, time_s, events)
    notes = output.told(replace(found.reading, scenario=found.scenario))
    output.note("Not taken along", found.left_out)
    if out is not None:
        write(found.scenario, out)
        output.wrote(out)
    output.document(
        {
            "network": documents.network(
                found.scenario, source=network, format=found.reading.format
            ),
            **notes,
            "at": w.moment(time_s),
            "left_out": list(found.left_out),
            "events": [vars(one) for one in found.events],
        }
    )
    output.show(tables.events([(time_s, one) for one in found.events[:top]], w.moment))
    if not found.events:
        output.show(Text("Nothing changed.", "bold green"))


def _told_by_ports(source: str, place: Workspace) -> Reading | None:
    """What ports of a telemetry source tell; None for another file."""
    from nettwin.telemetry.source_file import is_source_file, opened, read_source_file

    if not is_source_file(Path(source)):
        return None
    from nettwin.apps.collection import read_loads
    from nettwin.apps.topology.ports import told_by_ports

    file, network = read_source_file(Path(source)), place.network_now
    with opened(file) as opening:
        loads = read_loads(opening, file, network, *span_of(opening, None, None))
    return told_by_ports(network, loads, source)


def _called(path: Path | None) -> Mapping[str, str]:
    """The names of a file's `devices`."""
    if path is None:
        return {}
    from nettwin.formats.files import read_text
    from nettwin.formats.native.document import Document

    data = Document(path, read_text(path)).data
    devices = data.get("devices") if isinstance(data, Mapping) else None
    if not isinstance(devices, Mapping) or not all(isinstance(n, str) for n in devices.values()):
        raise InputError(f"{path} has no `devices`: must map names to names. Add `devices: {{}}`.")
    return {str(alias): name for alias, name in devices.items()}


def _renamed(found: Reading, called: Mapping[str, str]) -> Reading:
    """A reading with other names of nodes, and of the links that are named by them."""
    if not called:
        return found
    from nettwin.apps.topology.matching import with_names

    topology = with_names(found.scenario.topology, called)
    return replace(found, scenario=found.scenario.with_(topology=topology))
