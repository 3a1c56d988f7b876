"""nettwin compare: engines against one another, or against what was measured."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from nettwin import units
from nettwin.apps.comparison import Comparison, free_name
from nettwin.apps.comparison import compare as compare_models
from nettwin.errors import InputError
from nettwin.interfaces import documents, sheets
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Files
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.plots import delay_distribution
from nettwin.interfaces.tables import agreement as tables

ENGINES = typer.Option(help="Engines, joined by commas.", autocompletion=o.complete_engines)
MODEL = o.given(
    help="A learned model as well (see nettwin models). May be repeated.", metavar="NAME|FILE"
)
CSV = o.written(
    "--csv",
    help="Write each engine's flows.csv, links.csv and queues.csv into DIR/ENGINE.",
    metavar="DIR",
)


@command(
    "nettwin compare network.yaml",
    "nettwin compare network.yaml --engines theory,packet --precision 1%",
    "nettwin compare network.yaml --model mine.safetensors --model gnn",
    "nettwin compare gnnet2022/50 --index 3  # against the delays recorded there",
)
@grouped
def compare(
    network: o.NetworkArg,
    engines: Annotated[str, ENGINES] = "theory,packet",
    model: Annotated[list[str] | None, MODEL] = None,
    seed: o.SeedOption = 1,
    precision: Annotated[str, typer.Option(help="Precision asked of a simulation.")] = "2%",
    *,
    source: Source,
    json: o.JsonOption = False,
    csv: Annotated[Path | None, CSV] = None,
    plot_delays: o.PlotDelaysOption = None,
    strict: o.StrictOption = False,
) -> None:
    """Compare engines with one another, or with what the source measured."""
    output = Output("compare", json, strict)
    Files(csv, plot_delays=plot_delays).check(1)
    names = list(dict.fromkeys(name.strip() for name in engines.split(",") if name.strip()))
    own: dict[str, dict[str, Any]] = {"packet": {"seed": seed, "precision": units.share(precision)}}
    with ExitStack() as stack:
        asked = {n: stack.enter_context(working(output, n, **own.get(n, {}))) for n in names}
        for name in model or ():
            label = free_name(Path(name).stem, asked)
            asked[label] = stack.enter_context(working(output, "gnn", model=name))
        reading = source.read(network)
        if len(asked) + (reading.metrics is not None) < 2:
            raise InputError(
                f"--engines is {engines!r}, and {network} measured nothing: there must be two to"
                " compare. Name two engines, such as theory,packet."
            )
        notes = output.told(reading, list(asked.values()))
        comparison = compare_models(reading.scenario, asked, measured=reading.metrics)
        notes["warnings"] += [
            warning
            for metrics in comparison.metrics.values()
            for warning in output.answered(metrics)
        ]
    about = {"network": documents.reading(reading, source.index), **notes}
    output.document({**about, **_document(comparison)})
    output.show(tables.engines(comparison), tables.errors(comparison))
    if len(reading.scenario.traffic.class_name) > 1:
        output.show(tables.errors_by_class(comparison))
    _write(output, comparison, csv, plot_delays)
    output.finish()


def _document(comparison: Comparison) -> dict[str, Any]:
    return {
        "reference": comparison.reference,
        "answers": [
            {
                "name": name,
                **documents.answer(comparison.scenario, metrics, comparison.seconds.get(name)),
            }
            for name, metrics in comparison.metrics.items()
        ],
        "agreement": comparison.agreement(),
        "agreement_by_class": comparison.agreement_by_class(),
    }


def _write(
    output: Output, comparison: Comparison, csv: Path | None, plot_delays: Path | None
) -> None:
    for name, metrics in comparison.metrics.items() if csv else ():
        assert csv is not None
        for path in sheets.write_answer(csv / name, comparison.scenario, metrics):
            output.wrote(path)
    if plot_delays:
        every = {n: (comparison.scenario, m) for n, m in comparison.metrics.items()}
        delay_distribution(every, plot_delays)
        output.wrote(plot_delays)
