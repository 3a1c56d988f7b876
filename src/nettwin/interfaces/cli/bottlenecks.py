"""nettwin bottlenecks: which flows fill the busiest links, and what relieves each most."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nettwin.apps.resilience.bottlenecks import Bottleneck
from nettwin.apps.resilience.bottlenecks import bottlenecks as find_bottlenecks
from nettwin.interfaces import documents, wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import AskedEngine, warn_of_compiling
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import bottlenecks as tables
from nettwin.scenario.changes import change_to_dict


@command(
    "nettwin bottlenecks network.yaml",
    "nettwin bottlenecks network.yaml --links 5 --top 10 -e twin --json",
)
@grouped
def bottlenecks(
    network: o.NetworkArg,
    links: Annotated[int, typer.Option(min=1, help="How many links.")] = 3,
    *,
    asked: AskedEngine,
    source: Source,
    top: o.TopOption = 5,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
) -> None:
    """Show the links with the highest offered loads: which flows fill each, and what relieves it
    most: more capacity, another weight, other paths."""
    output = Output("bottlenecks", json, strict)
    warn_of_compiling(output, asked.engine)
    reading = source.read(network)
    answering = wiring.engine(asked.engine, **asked.settings)
    notes = output.told(reading, [answering])
    with progress(output.err, "Looking for relief") as tell:
        found = find_bottlenecks(reading.scenario, answering, top=links, fillers=top, progress=tell)
    assert found.metrics is not None
    notes["warnings"] += output.answered(found.metrics)
    output.document(
        {
            "network": documents.reading(reading, source.index),
            **notes,
            **documents.engine(found.metrics),
            "bottlenecks": [_document(one) for one in found.found],
        }
    )
    output.show(tables.heading(found))
    for one in found.found:
        output.show(tables.fillers(one), tables.reliefs(one, found))
    output.finish()


def _document(one: Bottleneck) -> dict[str, Any]:
    return {
        "link": one.link,
        "capacity_bps": one.capacity_bps,
        "offered_load": one.offered_load,
        "flows": one.flows,
        "fillers": one.fillers,
        "reliefs": [
            {**r._asdict(), "changes": [change_to_dict(change) for change in r.changes]}
            for r in one.reliefs
        ],
    }
