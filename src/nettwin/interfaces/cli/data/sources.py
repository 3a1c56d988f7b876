"""nettwin data sources: the kinds of source, and the tier of each."""

from __future__ import annotations

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.data.group import group
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import style


@command("nettwin data sources --json", group=group)
def sources(json: o.JsonOption = False) -> None:
    """List the kinds of telemetry source, the tier of each on the quality scale, and what this
    machine lacks for it."""
    from nettwin.telemetry.registry import SOURCES

    output = Output("data sources", json)
    kinds = [
        (one.name, one.title, one.quality.tier, one.quality.tried_on or "untested", one.missing())
        for one in SOURCES.values()
    ]
    names = ("name", "title", "tier", "tried_on", "missing")
    output.document({"sources": [dict(zip(names, kind, strict=True)) for kind in kinds]})
    rows = [(n, tier, t, tried, lacks) for n, t, tier, tried, lacks in kinds]
    columns = "<name | <tier | <what it is | ?<tried on | ?<lacks here"
    output.show(style.table("Telemetry sources", columns, rows=rows))
