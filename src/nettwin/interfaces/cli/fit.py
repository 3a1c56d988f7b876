"""nettwin fit: whether new traffic fits, which flows it hurts, and how much would fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from nettwin import units
from nettwin.apps.resilience.customers import Demand, fit
from nettwin.errors import InputError
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import AskedEngine, working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.tables import changes, customers
from nettwin.scenario.traffic import BEST_EFFORT

FORM = re.compile(r"\s*(\S+(?:\s*\S*bit/s)?)\s+from\s+(.+?)\s+to\s+(.+?)\s*(?:,\s*(.+?)\s*)?")


DEMAND = o.argument(
    metavar="DEMAND", help="RATE from A to B, or RATE from A to B, CLASS; in quotes."
)
LIMIT = typer.Option(help="Offered load that no link on its path may exceed.")
INTENT = o.given(help="An intent that must stay met, too.", metavar="FILE")


@command(
    "nettwin fit network.yaml '500M from Madrid to Paris, voice'",
    "nettwin fit network.yaml '2G from A to B' --limit 80% -e twin",
    "nettwin fit network.yaml '500M from A to B, voice' --intent voice.yaml --json",
    name="fit",
)
@grouped
def fit_command(
    network: o.NetworkArg,
    demand: Annotated[str, DEMAND],
    limit: Annotated[str, LIMIT] = "100%",
    intent: Annotated[Path | None, INTENT] = None,
    *,
    asked: AskedEngine,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
) -> None:
    """Show whether new traffic fits, which flows it hurts, and the largest rate that fits; exit
    with 4 where it does not fit."""
    from nettwin.formats.intent import read_intent

    output = Output("fit", json, strict)
    new = parse_demand(demand)
    wanted = read_intent(intent) if intent else None
    reading = source.read(network)
    names = reading.scenario.traffic.class_name
    if new.traffic_class not in names:
        if "," in demand:
            raise InputError(
                f"there is no traffic class {new.traffic_class!r}: must be one of"
                f" {', '.join(names)}. Correct it."
            )
        new = new._replace(traffic_class=names[-1])
        output.note("Assumed", [f"the new traffic is of class {names[-1]}"])
    with working(output, asked.engine, **asked.settings) as answering:
        notes = output.told(reading, [answering])
        found = fit(reading.scenario, new, answering, intent=wanted, limit=units.share(limit))
        notes["warnings"] += output.answered(found.answer.before, found.answer.after)
    output.document(
        {
            "network": documents.reading(reading, source.index),
            **notes,
            **documents.engine(found.answer.before, found.answer.after),
            "demand": new,
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
