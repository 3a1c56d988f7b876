"""nettwin intent: an intent checked against a network before anything is searched."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from nettwin.intent import LEVER_OF, LEVERS, MEASURES
from nettwin.intent.diagnostics import Place
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import WRONG_INPUT, command, subcommands
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents import questions

group = subcommands(
    "intent",
    "Check an intent against a network; list the measures and levers that intents know.",
    "nettwin intent check voice.yaml network.yaml",
    "nettwin intent measures",
    "nettwin intent schema > intent.schema.json",
)


@command(
    "nettwin intent check voice.yaml network.yaml",
    "nettwin intent check voice.yaml topohub:gabriel/25/0 --load 80% --json",
    group=group,
)
@grouped
def check(
    file: Annotated[Path, o.argument(metavar="FILE", help="An intent (YAML or JSON).")],
    network: o.NetworkArg,
    *,
    source: Source,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
) -> None:
    """Show what each line of an intent selects in a network, and its issues: faults,
    contradictions, warnings; exit with 2 where it cannot be met."""
    from nettwin.formats.intent import intent_document, intent_from
    from nettwin.intent.check import check as hold
    from nettwin.interfaces.tables import intent as tables

    output = Output("intent check", json, strict)
    document = intent_document(file)
    intent = intent_from(document)
    reading = source.read(network)
    notes = output.told(reading)
    checked = hold(intent, reading.scenario)

    def number(place: Place) -> int | None:
        return document.line(place) if questions.written(document.data, place) else None

    def where(place: Place) -> str:
        found = number(place)
        return "default" if found is None else str(found)

    output.document(
        {
            "network": documents.reading(reading, source.index),
            **notes,
            **questions.checked(intent, checked, number),
        }
    )
    output.show(tables.lines(checked, where), tables.diagnostics(checked, where))
    if not checked.sound:
        raise typer.Exit(WRONG_INPUT)
    output.warnings += [str(finding) for finding in checked.diagnostics]
    output.finish()


@command("nettwin intent schema > intent.schema.json", group=group)
def schema() -> None:
    """Print the JSON schema of intents, for editors and other programs."""
    from nettwin.formats.intent import intent_schema

    typer.echo(json_text.dumps(intent_schema(), indent=2))


@command("nettwin intent measures", "nettwin intent measures --json", group=group)
def measures(json: o.JsonOption = False) -> None:
    """List the measures and levers that an intent can name."""
    from nettwin.interfaces.tables import intent as tables

    output = Output("intent measures", json)
    told = ("name", "unit", "kind", "worst", "meaning", "predicted")
    output.document(
        {
            "measures": [{name: getattr(m, name) for name in told} for m in MEASURES.values()],
            "levers": [
                {"name": name, "kind": LEVER_OF[name], "meaning": words}
                for name, words in LEVERS.items()
            ],
        }
    )
    output.show(tables.measures(), tables.levers())
