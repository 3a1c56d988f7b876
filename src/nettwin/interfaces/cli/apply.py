"""nettwin apply: a network file with changes made in it."""

from __future__ import annotations

from typing import Annotated

from nettwin.errors import InputError
from nettwin.formats import write
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import streams
from nettwin.interfaces.cli.changes import EXAMPLE, changes_or_files
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.scenario.changes import apply_all, change_to_dict

CHANGES = o.argument(
    metavar="CHANGES...",
    help="Changes, in quotes (see nettwin whatif --list), or files with changes; - is"
    " standard input. In their order.",
    complete=o.complete_change,
)


@command(
    "nettwin apply network.yaml 'fail_link Madrid<->Paris' -o failed.yaml",
    "nettwin apply network.yaml plan.yaml -o optimized.yaml",
    "nettwin apply network.yaml 'scale_traffic 1.3' -o - | nettwin predict -",
)
@grouped
def apply(
    network: o.NetworkArg,
    changes: Annotated[list[str], CHANGES],
    out: o.TargetOption,
    to: o.ToOption = None,
    force: o.ForceOption = False,
    *,
    source: Source,
    json: o.JsonOption = False,
) -> None:
    """Write a network file with changes made. It edits files only: no device, and no network that
    runs, is touched."""
    output = Output("apply", json)
    stream = str(out) == streams.STREAM
    if json and stream:
        raise InputError("--json and -o - both go to standard output. Give one of them.")
    made = changes_or_files(changes)
    if not made:
        raise InputError(f'nothing changes: give a change such as "{EXAMPLE}".')
    reading = source.read(network)
    notes = output.told(reading)
    scenario = apply_all(reading.scenario, made)
    kind = to or (streams.FORMAT if stream else None)
    with streams.target(out, force=force) as file:
        write(scenario, file, format=kind)
    notes["warnings_after"] = output.warn_of(scenario, [])
    output.document(
        {
            "network": documents.network(reading.scenario, source=reading.source),
            "changes": [change_to_dict(change) for change in made],
            "after": documents.network(scenario, target=str(out)),
            **notes,
        }
    )
    if not stream:
        output.wrote(out)
