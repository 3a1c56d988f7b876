"""nettwin whatif: the network after changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nettwin.apps.whatif import WhatIf, what_if
from nettwin.errors import InputError
from nettwin.interfaces import documents, sheets
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Files
from nettwin.interfaces.cli.changes import EXAMPLE, changes_of
from nettwin.interfaces.cli.engines import AskedEngine, working_at
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents import questions
from nettwin.interfaces.plots import delay_distribution, weathermap
from nettwin.interfaces.tables import changes as tables
from nettwin.interfaces.tables import facts
from nettwin.scenario.changes import CHANGES, takes


def _list() -> None:
    rows = [
        (kind, takes(kind), (c.__doc__ or "").partition("\n")[0]) for kind, c in CHANGES.items()
    ]
    Output("whatif").show(facts.listing("Changes", ("change", "takes", "what it does"), rows))


CHANGE = o.argument(
    metavar="CHANGE...", help="Changes, in quotes (--list shows them).", complete=o.complete_change
)
WHATIF_CHANGES = o.given(
    "--changes", "-c", help="A JSON or YAML file with changes, which come first.", metavar="FILE"
)
CSV = o.written(
    "--csv",
    help="Write flows.csv, links.csv and queues.csv into DIR/before and DIR/after.",
    metavar="DIR",
)


@command(
    "nettwin whatif network.yaml 'fail_link Madrid<->Paris' --plot after.svg",
    "nettwin whatif network.yaml 'scale_traffic 1.3' 'set_capacity A->B 20G' -e packet",
    "nettwin whatif network.yaml --changes maintenance.yaml --json",
    "nettwin whatif live 'fail_link Madrid<->Paris' --server http://127.0.0.1:8080",
    "nettwin whatif --list",
)
@grouped
def whatif(
    network: o.NetworkArg,
    change: Annotated[list[str] | None, CHANGE] = None,
    changes: Annotated[Path | None, WHATIF_CHANGES] = None,
    *,
    asked: AskedEngine,
    source: Source,
    server: o.ServerOption = None,
    token: o.ServerTokenOption = None,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    csv: Annotated[Path | None, CSV] = None,
    plot: o.PlotOption = None,
    plot_delays: o.PlotDelaysOption = None,
    strict: o.StrictOption = False,
    listed: Annotated[bool, o.listing(_list, "List the changes.")] = False,
) -> None:
    """Show what changes if a link fails, traffic grows, a weight or a queue is set."""
    output = Output("whatif", json, strict)
    made = changes_of(change or (), changes)
    if not made:
        raise InputError(
            f'nothing changes: give a CHANGE such as "{EXAMPLE}" or --changes FILE. For every'
            " failure in turn there is nettwin failures."
        )
    Files(csv, plot, plot_delays).check(1)
    given = (server, token, source, asked.engine)
    with working_at(output, *given, **asked.settings) as (answering, read):
        reading = read(network)
        notes = output.told(reading, [answering])
        answer = what_if(reading.scenario, made, answering)
        notes["warnings_after"] = output.warn_of(answer.scenario_after, [answering])
        notes["warnings_after"] += output.answered(answer.before, answer.after)
    output.document(
        {"network": documents.reading(reading, source.index), **notes, **questions.whatif(answer)}
    )
    output.show(tables.totals(answer))
    if len(answer.classes) > 1:
        output.show(tables.classes(answer))
    output.show(tables.links(answer, top), tables.flows(answer, top))
    _write(output, answer, csv, plot, plot_delays)
    output.finish()


def _write(
    output: Output,
    answer: WhatIf,
    csv: Path | None,
    plot: Path | None,
    plot_delays: Path | None,
) -> None:
    sides = {
        "before": (answer.scenario_before, answer.before),
        "after": (answer.scenario_after, answer.after),
    }
    for side, (scenario, metrics) in sides.items() if csv else ():
        assert csv is not None
        for path in sheets.write_answer(csv / side, scenario, metrics):
            output.wrote(path)
    if plot:
        title = f"{answer.scenario_after.name}: {answer.describe()}"
        weathermap(*sides["after"], plot, title=title, highlight=answer.touched_links)
        output.wrote(plot)
    if plot_delays:
        delay_distribution(sides, plot_delays, title=answer.describe())
        output.wrote(plot_delays)
