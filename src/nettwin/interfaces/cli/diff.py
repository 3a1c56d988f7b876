"""nettwin diff: what two networks have that is not the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from nettwin.apps.difference import Replaced, differences, replaced
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.tables import changes as tables_of_changes
from nettwin.interfaces.tables import difference as tables

NETWORK = o.argument(metavar="A", help="A network file or folder; - is standard input.")
ENGINE = o.given(
    "--engine",
    "-e",
    help="Also predict both networks with this engine.",
    complete=o.complete_engine,
)


@command(
    "nettwin diff monday.yaml tuesday.yaml",
    "nettwin diff network.yaml optimized.yaml --engine theory",
    "nettwin diff network.yaml - --json < optimized.yaml",
)
@grouped
def diff(
    network: Annotated[str, NETWORK],
    other: Annotated[str, o.argument(metavar="B", help="The network to compare it with.")],
    engine: Annotated[str | None, ENGINE] = None,
    seed: o.SeedOption = 1,
    *,
    source: Source,
    top: o.TopOption = 20,
    json: o.JsonOption = False,
) -> None:
    """Show what differs between two networks: topology, traffic, routing, and with --engine what
    delays, losses and loads become."""
    output = Output("diff", json)
    readings = [source.read(network), source.read(other)]
    before, after = (reading.scenario for reading in readings)
    notes = [output.told(reading) for reading in readings]
    found = differences(before, after)
    document: dict[str, Any] = {
        "networks": [
            {**documents.network(r.scenario, source=r.source, format=r.format), **told}
            for r, told in zip(readings, notes, strict=True)
        ],
        "differences": found,
    }
    answer: Replaced | None = None
    if engine is not None:
        settings: dict[str, Any] = {"seed": seed} if engine == "packet" else {}
        with working(output, engine, **settings) as model:
            for reading in readings:
                output.warn_of(reading.scenario, [model])
            answer = replaced(before, after, model)
            warnings = output.answered(answer.before, answer.after)
        document |= {
            **documents.engine(answer.before, answer.after),
            "warnings": warnings,
            "before": documents.answer(before, answer.before),
            "after": documents.answer(after, answer.after),
        }
    output.document(document)
    one, another = _called(network), _called(other)
    output.show(tables.heading(one, another, found), *tables.parts(found, top))
    if answer is not None:
        answer = replace(
            answer, scenario_before=before.with_(name=one), scenario_after=after.with_(name=another)
        )
        output.show(tables_of_changes.totals(answer))
        if len(answer.classes) > 1:
            output.show(tables_of_changes.classes(answer))
        output.show(tables_of_changes.links(answer, top), tables_of_changes.flows(answer, top))


def _called(source: str) -> str:
    """What people call a network: the file, as they named it."""
    return "standard input" if source == "-" else source
