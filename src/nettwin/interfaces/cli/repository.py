"""nettwin repository: the history of a workspace on disk."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from nettwin import units
from nettwin.errors import InputError, UnknownNameError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import WARNED, command, subcommands
from nettwin.interfaces.tables import style

group = subcommands(
    "repository",
    "The history of a workspace on disk: check, repair, maintain and export it.",
    "nettwin repository check --workspace twin",
    "nettwin repository maintain --workspace twin",
    "nettwin repository export links.csv --workspace twin --series 'link/*/utilization'",
)
SUFFIXES = (".csv", ".parquet")


@command("nettwin repository check --workspace twin --json", group=group)
def check(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """Show what the history takes, and what is wrong with it; exit with 3 where something is."""
    from nettwin.repository.maintenance import check as issues_of
    from nettwin.repository.maintenance import describe

    output = Output("repository check", json)
    place = w.opened(workspace)
    store = place.repository.store
    issues = [*issues_of(store), *place.audit.issues()]
    tables = describe(store)
    names = ("table", "days", "files", "bytes")
    output.document(
        {"tables": [dict(zip(names, row, strict=True)) for row in tables], "issues": issues}
    )
    rows = [(t, str(d), units.count(f), units.size(8.0 * size)) for t, d, f, size in tables]
    output.show(style.table("History", "<table | days | files | size", rows=rows))
    output.note("Damaged", issues, "red")
    if issues:
        raise typer.Exit(WARNED)
    output.show(Text("Nothing is wrong.", "bold green"))


@command("nettwin repository repair --workspace twin", group=group)
def repair(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """Put damaged files apart and remove unfinished ones; what is lost is not brought back."""
    from nettwin.repository.maintenance import repair as repaired

    output = Output("repository repair", json)
    place = w.opened(workspace)
    with place.writing("nettwin repository repair"):
        done = repaired(place.repository.store)
    output.document({"done": done})
    output.show(Text("\n".join(done) or "Nothing was to be repaired."))


@command("nettwin repository maintain --workspace twin", group=group)
def maintain(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """Roll new measurements up (5 minutes, an hour), compact days that are over, and forget what is
    older than nettwin.toml keeps it. Readers may go on meanwhile."""
    from nettwin.repository.maintenance import maintain as maintained

    output = Output("repository maintain", json)
    place = w.opened(workspace)
    with place.writing("nettwin repository maintain"):
        times = place.repository.times_s()
        now_s = float(times[-1]) if len(times) else time.time()  # the network's own time
        done = maintained(place.repository.store, now_s, place.settings.retention)
    output.document(vars(done))
    output.show(
        Text(
            f"Days: {done.rolled_up} rolled up, {done.compacted} compacted,"
            f" {done.forgotten} forgotten."
        )
    )


TARGET = o.argument(metavar="FILE", help="A .parquet or .csv file.")
TABLE = typer.Option(
    metavar="TABLE", help="observations, counters, records, rollup_5m or rollup_1h."
)
SERIES = o.given(metavar="PATTERN", help="Series of this pattern alone; * is anything.")
SINCE = o.given(metavar="TIME", help="From when (UTC).")
UNTIL = o.given(metavar="TIME", help="Until when (UTC).")


@command(
    "nettwin repository export all.parquet --workspace twin",
    "nettwin repository export links.csv --workspace twin --series 'link/*/utilization'",
    group=group,
)
def export(
    target: Annotated[Path, TARGET],
    workspace: w.WorkspaceOption = w.HERE,
    table: Annotated[str, TABLE] = "observations",
    series: Annotated[str | None, SERIES] = None,
    since: Annotated[str | None, SINCE] = None,
    until: Annotated[str | None, UNTIL] = None,
    json: o.JsonOption = False,
) -> None:
    """Write rows of the history to a file, for other tools."""
    from nettwin.repository.export import exported
    from nettwin.repository.tables import TABLES

    output = Output("repository export", json)
    if table not in TABLES:
        raise UnknownNameError("table", table, TABLES)
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(f"{target} must end in one of {', '.join(SUFFIXES)}. Name it so.")
    store = w.opened(workspace).repository.store
    times = [None if text is None else w.time_of(text) for text in (since, until)]
    rows = exported(store, target, table, series, *times)
    output.document({"target": str(target), "rows": rows})
    output.wrote(target)
