"""nettwin explain: the causes of the delay and loss of a flow, a queue, a link or the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nettwin.apps.explanation.explanation import (
    Explanation,
    FlowExplanation,
    NetworkExplanation,
    PortExplanation,
    explain_flow,
    explain_network,
    explain_port,
)
from nettwin.apps.explanation.target import flows_between
from nettwin.apps.explanation.words import in_words
from nettwin.errors import InputError
from nettwin.interfaces import documents, wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Files
from nettwin.interfaces.cli.engines import AskedEngine, warn_of_compiling
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents import questions
from nettwin.interfaces.plots import cause_bars, delay_waterfall, weathermap
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import explanation as tables
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

HALF = 0.5


TO = o.argument(metavar="TO", help="With --flow FROM: the flow's target.")
FLOW = o.given(help="A flow by its name, or its ends.", metavar="NAME|FROM TO")
HALVE = typer.Option("--halve", help="Halve what may be the cause, instead of removing it.")
PLOT = o.written(
    "--plot",
    help="Draw where the delay arises, what causes it, or (the whole network) the queues"
    " that decide.",
)


@command(
    "nettwin explain network.yaml",
    "nettwin explain network.yaml --flow Madrid Paris --plot flow.svg",
    "nettwin explain network.yaml --flow 'Madrid->Paris/voice'",
    "nettwin explain network.yaml --link 'Madrid->Paris' --halve",
    "nettwin explain network.yaml --queue 'Madrid->Paris:2' --json",
)
@grouped
def explain(
    network: o.NetworkArg,
    to: Annotated[str | None, TO] = None,
    flow: Annotated[str | None, FLOW] = None,
    queue: Annotated[str | None, o.given(help="A queue.", metavar="NAME")] = None,
    link: Annotated[str | None, o.given(help="A link, all its queues.", metavar="NAME")] = None,
    halve: Annotated[bool, HALVE] = False,
    *,
    asked: AskedEngine,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    plot: Annotated[Path | None, PLOT] = None,
    strict: o.StrictOption = False,
) -> None:
    """Explain delay and loss: where they arise, which flows cause them, which queues decide."""
    output = Output("explain", json, strict)
    _check(flow, queue, link, to)
    Files(plot=plot).check(1)
    warn_of_compiling(output, asked.engine)
    answering = wiring.engine(asked.engine, **asked.settings)
    reading = source.read(network)
    notes = output.told(reading, [answering])
    found = _explain(output, reading.scenario, answering, (flow, to, queue, link), top, halve)
    notes["warnings"] += output.answered(found.metrics)
    output.note("Note", found.notes)
    about = {"network": documents.reading(reading, source.index)}
    content = questions.explanation(found)
    output.document({**about, **notes, **documents.engine(found.metrics), **content})
    output.show(tables.sentences(in_words(found)))
    _show(output, found, top)
    if plot:
        _draw(found, plot)
        output.wrote(plot)
    output.finish()


def _check(flow: str | None, queue: str | None, link: str | None, to: str | None) -> None:
    given = [
        f"--{n}" for n, v in (("flow", flow), ("queue", queue), ("link", link)) if v is not None
    ]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} cannot be explained at once. Give one of them.")
    if to is not None and flow is None:
        raise InputError(
            f'"{to}" is one word too many: only --flow FROM TO takes it. Leave it out.'
        )


def _explain(
    output: Output,
    scenario: Scenario,
    model: NetworkModel,
    asked: tuple[str | None, str | None, str | None, str | None],
    top: int,
    halve: bool,
) -> Explanation:
    flow, to, queue, link = asked
    factor = HALF if halve else 0.0
    with progress(output.err, "Explaining") as tell:
        if flow is not None:
            names = flows_between(scenario, flow, to) if to is not None else [flow]
            return explain_flow(scenario, model, names, top=top, factor=factor, progress=tell)
        if queue is not None or link is not None:
            return explain_port(
                scenario,
                model,
                queue=queue or "",
                link=link or "",
                top=top,
                factor=factor,
                progress=tell,
            )
        return explain_network(scenario, model, factor=factor, progress=tell)


def _show(output: Output, found: Explanation, top: int) -> None:
    match found:
        case FlowExplanation():
            if found.parts:
                output.show(tables.parts(found.parts, found.causes.delay_s))
            if found.worst is not None:
                output.show(tables.causes(found.worst, top))
            output.show(tables.causes(found.causes, top))
        case PortExplanation():
            output.show(tables.causes(found.causes, top))
        case NetworkExplanation():
            if found.critical is not None:
                output.show(tables.critical(found.critical, top))


def _draw(found: Explanation, plot: Path) -> None:
    match found:
        case FlowExplanation():
            if found.parts:
                delay_waterfall(
                    found.parts,
                    found.causes.delay_s,
                    plot,
                    title=f"Where the delay of {found.causes.target.name} is made",
                )
            else:
                cause_bars(found.causes, plot)
        case PortExplanation():
            cause_bars(found.causes, plot)
        case NetworkExplanation():
            links, which = {causes.target.name for causes in found.causes}, "that fare worst"
            if found.critical is not None and found.critical.queues:
                links, which = {queue.link for queue in found.critical.queues}, "that decide"
            title = f"{found.scenario.name}: ringed are the links {which}"
            weathermap(found.scenario, found.metrics, plot, title=title, highlight=links)
