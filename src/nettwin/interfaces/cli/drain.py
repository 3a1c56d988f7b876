"""nettwin drain: take a node or a link out of service without harm, and bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nettwin.apps.resilience.maintenance import Drain
from nettwin.change_plan import plan_to_dict
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.cli.streams import check_place
from nettwin.scenario.changes import change_to_dict

ELEMENT = o.argument(metavar="ELEMENT...", help="Nodes and links (A<->B, A->B).")
INTENT = typer.Option(
    metavar="FILE",
    help="What must stay met while it is out of service.",
    show_default="no link is offered more than its capacity, or than the busiest is now",
)
METHOD = typer.Option(help="Which optimizer.", autocompletion=o.complete_optimizer)
SECONDS = typer.Option(min=0, help="How long to search, where that is needed.")
BACK = o.written(help="Write the changes that bring the element back (JSON).")


@command(
    "nettwin drain network.yaml Paris --out drain.yaml --back undrain.yaml",
    "nettwin drain network.yaml 'Madrid<->Paris' --intent voice.yaml -e twin",
)
@grouped
def drain(
    network: o.NetworkArg,
    element: Annotated[list[str], ELEMENT],
    intent: Annotated[Path | None, INTENT] = None,
    method: Annotated[str, METHOD] = "auto",
    seconds: Annotated[float, SECONDS] = 5.0,
    engine: o.EngineOption = "twin",
    model: o.ModelOption = None,
    seed: o.SeedOption = 1,
    *,
    source: Source,
    top: o.TopOption = 20,
    out: Annotated[Path | None, o.written("--out", "-o", help="Write the change plan.")] = None,
    back: Annotated[Path | None, BACK] = None,
    force: o.ForceOption = False,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
) -> None:
    """Find the smallest change plan that takes a node or link out of service and keeps an intent,
    and the changes that bring it back; exit with 4 where the intent is not met or traffic is
    left."""
    from nettwin.apps.resilience.maintenance import drain as find_drain
    from nettwin.formats.change_plan import write_change_plan
    from nettwin.formats.files import write_text
    from nettwin.formats.intent import read_intent
    from nettwin.intent import Intent
    from nettwin.interfaces.cli import searches
    from nettwin.interfaces.tables import drains
    from nettwin.optimize.stop import Seconds

    output = Output("drain", json, strict)
    for path in (out, back):
        if path:
            check_place(path, force=force)
    wanted = read_intent(intent) if intent else None
    reading = source.read(network)
    asked = wanted or Intent()
    options = searches.SearchOptions(method, seconds, None, seed, engine, model, False)
    searches.prepare(output, asked, options)
    predictor = searches.engine_of(asked, options)
    notes = output.told(reading, [predictor] if predictor else [])
    found = find_drain(
        reading.scenario,
        element,
        wanted,
        predictor,
        method=method,
        stop=Seconds(seconds),
        seed=seed,
    )
    if predictor:
        notes["warnings"] += searches.trusted(
            output, reading.scenario, asked, predictor, found.plan.changes
        )
    output.document(
        {
            "network": documents.reading(reading, source.index),
            **notes,
            **_document(found),
        }
    )
    output.show(drains.heading(found), drains.lines(found))
    output.show(drains.changes("To drain, in this order", found.plan.changes, top))
    output.show(drains.changes("To bring it back, in this order", found.back, top))
    output.note("Warning", found.plan.warnings, "yellow")
    output.warnings += found.plan.warnings
    if out:
        write_change_plan(found.plan, out)
        output.wrote(out)
    if back:
        content = {"changes": [change_to_dict(change) for change in found.back]}
        write_text(back, documents.dumps(content) + "\n")
        output.wrote(back)
    if not (found.plan.met and found.drained):
        raise typer.Exit(NOT_MET)
    output.finish()


def _document(found: Drain) -> dict[str, Any]:
    return {
        "elements": found.elements,
        "drained": found.drained,
        "met": found.plan.met,
        "plan": plan_to_dict(found.plan),
        "back": [change_to_dict(change) for change in found.back],
        "transit_before_bps": found.transit_before_bps,
        "transit_left_bps": found.transit_left_bps,
        "left": found.left,
        "own_bps": found.own_bps,
    }
