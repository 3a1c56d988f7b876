"""nettwin fit: whether new traffic fits, whom it hurts, and how much would fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from nettwin import units
from nettwin.apps.resilience.customers import Demand, fit
from nettwin.errors import InputError
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, app
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.tables import changes, customers
from nettwin.scenario.traffic import BEST_EFFORT

FORM = re.compile(r"\s*(\S+(?:\s*\S*bit/s)?)\s+from\s+(.+?)\s+to\s+(.+?)\s*(?:,\s*(.+?)\s*)?")


@app.command(
    name="fit",
    epilog=o.examples(
        "nettwin fit network.yaml '500M from Madrid to Paris, voice'",
        "nettwin fit network.yaml '2G from A to B' --limit 80% -e twin",
        "nettwin fit network.yaml '500M from A to B, voice' --intent voice.yaml --json",
    ),
)
def fit_command(
    network: o.NetworkArg,
    demand: Annotated[
        str,
        typer.Argument(
            metavar="DEMAND",
            help="RATE from A to B, or RATE from A to B, CLASS; in quotes.",
            show_default=False,
        ),
    ],
    limit: Annotated[
        str, typer.Option(help="Offered load that no link on its path may exceed.")
    ] = "100%",
    intent: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An intent that must stay met, too.", show_default=False),
    ] = None,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    seed: o.SeedOption = 1,
    index: o.IndexOption = 0,
    format: o.FormatOption = None,
    capacity: o.CapacityOption = None,
    link_delay: o.LinkDelayOption = None,
    load: o.LoadOption = None,
    packet_size: o.PacketSizeOption = None,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
) -> None:
    """Show whether new traffic fits, which flows it hurts, and the largest rate that fits; exit
    with 4 where it does not fit."""
    from nettwin.formats.intent import read_intent

    output = Output("fit", json, strict)
    asked = parse_demand(demand)
    wanted = read_intent(intent) if intent else None
    settings: dict[str, Any] = {"seed": seed} if engine == "packet" else {}
    settings |= {} if model is None else {"model": model}
    reading = Source(format, index, capacity, link_delay, load, packet_size).read(network)
    names = reading.scenario.traffic.class_name
    if asked.traffic_class not in names:
        if "," in demand:
            raise InputError(
                f"there is no traffic class {asked.traffic_class!r}: must be one of"
                f" {', '.join(names)}. Correct it."
            )
        asked = asked._replace(traffic_class=names[-1])
        output.note("Assumed", [f"the new traffic is of class {names[-1]}"])
    with working(output, engine, **settings) as answering:
        notes = output.told(reading, [answering])
        found = fit(reading.scenario, asked, answering, intent=wanted, limit=units.share(limit))
        notes["warnings"] += output.answered(found.answer.before, found.answer.after)
    output.document(
        {
            "network": documents.network(
                reading.scenario, source=reading.source, format=reading.format, index=index
            ),
            **notes,
            **documents.engine(found.answer.before, found.answer.after),
            "demand": asked,
            "limit": found.limit,
            "fits": found.fits,
            "reasons": found.reasons,
            "largest_bps": found.largest_bps,
            "limited_by": found.limited_by,
            "links": found.links,
            "hurt": found.hurt,
            "flows": found.answer.flows,
        }
    )
    output.show(customers.verdict(found), customers.links(found, top), customers.hurt(found, top))
    if len(found.answer.classes) > 1:
        output.show(changes.classes(found.answer))
    if not found.fits:
        raise typer.Exit(NOT_MET)
    output.finish()


def parse_demand(text: str) -> Demand:
    """A demand from a text such as `500M from A to B, voice`. Raises InputError."""
    found = FORM.fullmatch(text)
    if not found:
        raise InputError(
            f"the demand {text!r} cannot be read: must be RATE from A to B, or RATE from A to B,"
            " CLASS. Write it as '500M from A to B, voice'."
        )
    rate, source, target, traffic_class = found.groups()
    rate_bps = units.rate_bps(rate)
    if rate_bps <= 0:
        raise InputError(f"the demand's rate is {rate}: must be above 0. Give a larger one.")
    return Demand(rate_bps, source, target, traffic_class or BEST_EFFORT)
