"""nettwin whatif: the network after changes, or after every single failure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nettwin.apps.failures import single_failures
from nettwin.apps.whatif import WhatIf, what_if
from nettwin.errors import InputError
from nettwin.formats import Reading
from nettwin.interfaces import documents, sheets, wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Files
from nettwin.interfaces.cli.changes import EXAMPLE, changes_of
from nettwin.interfaces.cli.engines import warn_of_compiling, working
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import app
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.plots import delay_distribution, weathermap
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import changes as tables
from nettwin.interfaces.tables import facts
from nettwin.scenario.changes import CHANGES, change_to_dict, takes


def _list(asked: bool) -> None:
    if asked:
        rows = [
            (kind, takes(kind), (c.__doc__ or "").partition("\n")[0]) for kind, c in CHANGES.items()
        ]
        Output("whatif").show(facts.listing("Changes", ("change", "takes", "what it does"), rows))
        raise typer.Exit


@app.command(
    epilog=o.examples(
        "nettwin whatif network.yaml 'fail_link Madrid<->Paris' --plot after.svg",
        "nettwin whatif network.yaml 'scale_traffic 1.3' 'set_capacity A->B 20G' -e packet",
        "nettwin whatif network.yaml --changes maintenance.yaml --json",
        "nettwin whatif network.yaml --failures --top 5",
        "nettwin whatif --list",
    )
)
def whatif(
    network: o.NetworkArg,
    change: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CHANGE...",
            help="Changes, in quotes (--list shows them).",
            autocompletion=o.complete_change,
            show_default=False,
        ),
    ] = None,
    changes: Annotated[
        Path | None,
        typer.Option(
            "--changes",
            "-c",
            metavar="FILE",
            help="A JSON or YAML file with changes, which come first.",
            show_default=False,
        ),
    ] = None,
    failures: Annotated[
        bool, typer.Option("--failures", help="Fail every line alone and rank them.")
    ] = False,
    engine: o.EngineOption = "theory",
    seed: o.SeedOption = 1,
    index: o.IndexOption = 0,
    format: o.FormatOption = None,
    capacity: o.CapacityOption = None,
    link_delay: o.LinkDelayOption = None,
    load: o.LoadOption = None,
    packet_size: o.PacketSizeOption = None,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="DIR",
            help="Write flows.csv, links.csv and queues.csv into DIR/before and DIR/after (with"
            " --failures: failures.csv into DIR).",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    plot: o.PlotOption = None,
    plot_delays: o.PlotDelaysOption = None,
    strict: o.StrictOption = False,
    listed: Annotated[
        bool,
        typer.Option("--list", callback=_list, is_eager=True, help="List the changes."),
    ] = False,
) -> None:
    """Show what changes if a line fails, traffic grows, a weight or a queue is set."""
    output = Output("whatif", json, strict)
    source = Source(format, index, capacity, link_delay, load, packet_size)
    asked = changes_of(change or (), changes)
    if not asked and not failures:
        raise InputError(
            f'nothing changes: give a CHANGE such as "{EXAMPLE}", --changes FILE or --failures.'
        )
    if asked and failures:
        raise InputError("--failures takes no other changes. Leave out one or the other.")
    Files(csv, plot, plot_delays).check(1)
    settings = {"seed": seed} if engine == "packet" else {}
    reading = source.read(network)
    if failures:
        if plot or plot_delays:
            raise InputError("--failures draws nothing. Draw one of them: give it as a CHANGE.")
        _rank(output, reading, index, engine, settings, top, csv)
    else:
        with working(output, engine, **settings) as model:
            notes = output.told(reading, [model])
            answer = what_if(reading.scenario, asked, model)
            notes["warnings_after"] = output.doubts(answer.scenario_after, [model])
            notes["warnings_after"] += output.answered(answer.before, answer.after)
        output.document({**_network(reading, index), **notes, **_document(answer)})
        output.show(tables.totals(answer))
        if len(answer.classes) > 1:
            output.show(tables.classes(answer))
        output.show(tables.links(answer, top), tables.flows(answer, top))
        _write(output, answer, csv, plot, plot_delays)
    output.finish()


def _rank(
    output: Output,
    reading: Reading,
    index: int,
    engine: str,
    settings: dict[str, Any],
    top: int,
    csv: Path | None,
) -> None:
    warn_of_compiling(output, engine)
    model = wiring.engine(engine, **settings)
    notes = output.told(reading, [model])
    with progress(output.err, "Failing every line in turn") as tell:
        found = single_failures(reading.scenario, model, progress=tell)
    rows = [{**f._asdict(), "changes": [change_to_dict(c) for c in f.changes]} for f in found]
    output.document({**_network(reading, index), **notes, "engine": engine, "failures": rows})
    output.show(tables.failures(found, top))
    if csv:
        words = [
            {**row, "changes": "; ".join(c.describe() for c in f.changes)}
            for row, f in zip(rows, found, strict=True)
        ]
        output.wrote(sheets.write_rows(csv / "failures.csv", words))


def _network(reading: Reading, index: int) -> dict[str, Any]:
    where = {"source": reading.source, "format": reading.format, "index": index}
    return {"network": documents.network(reading.scenario, **where)}


def _document(answer: WhatIf) -> dict[str, Any]:
    return {
        "changes": [change_to_dict(change) for change in answer.changes],
        **documents.engine(answer.before, answer.after),
        "before": documents.answer(answer.scenario_before, answer.before),
        "after": documents.answer(answer.scenario_after, answer.after),
        "classes": answer.classes,
        "links": answer.links,
        "flows": answer.flows,
    }


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
