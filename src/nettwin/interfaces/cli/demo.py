"""nettwin demo: the main job, on a real network, in a few seconds."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.text import Text

from nettwin import units
from nettwin.apps.comparison import Comparison
from nettwin.apps.comparison import compare as compare_models
from nettwin.apps.resilience.resilience import Failure, resilience
from nettwin.apps.whatif import WhatIf, what_if
from nettwin.errors import InputError, MissingExtraError
from nettwin.formats import write
from nettwin.formats.change_plan import write_change_plan
from nettwin.formats.intent import write_intent
from nettwin.intent import Expectation, Intent, Selector
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import optimize, searches
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.demo_loop import demo_loop
from nettwin.interfaces.cli.engines import warn_of_compiling, working
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import app
from nettwin.interfaces.plots import delay_distribution, weathermap
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import agreement, answers, changes, failures
from nettwin.metrics import Metrics
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

LOAD = 0.75
TWIN = "gnn"
SHOWN = (TWIN, "theory", "packet")
WANTED = Intent(
    name="voice in time",
    expect=(Expectation("delay_p99", Selector(traffic_class=("voice",)), at_most=26e-3),),
)
OPTIONS = searches.SearchOptions(seconds=2.0, engine=TWIN)


WHICH = o.argument(
    metavar="[loop|history]",
    help="Nothing for the main job; loop: a day under the closed loop, with a failure, more"
    " load and a misconfigured queue; history: the two weeks that `nettwin serve --demo` begins"
    " with, simulated anew.",
)
FOLDER = typer.Option("--output", "-o", metavar="DIR", help="Where its files go.")


@app.command()
def demo(
    which: Annotated[str, WHICH] = "",
    folder: Annotated[Path, FOLDER] = Path("nettwin-demo"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 1,
    kind: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="KIND",
            help="What the day is shown on: simulated, or linux (routers of Linux; needs root).",
        ),
    ] = "simulated",
) -> None:
    """Show the main job on NSFNET: predict, simulate, fail the worst link, meet an intent, plot."""
    output = Output("demo")
    if which:
        if which == "loop":
            demo_loop(output, folder / "loop", kind)
        elif which == "history":
            _history(output, folder)
        else:
            raise InputError(f"there is no demo {which!r}: must be loop, history, or nothing.")
        return
    network = generate(
        "nsfnet", load=LOAD, classes="three", scheduler="wfq", arrival="poisson"
    ).with_(name="NSFNET")
    plan = folder / "nsfnet.yaml"
    write(network, plan, format="native")  # first, as it fails at once where the folder is no good
    _compile(output)
    start = perf_counter()
    _chapter(
        output,
        1,
        "The network as it is: the learned twin and theory beside a simulation of every packet",
    )
    comparison = _compare(output, network, seed)
    _chapter(output, 2, "Every link failed in turn, by the learned twin: which one hurts most?")
    ranked = _rank(output, network)
    _chapter(output, 3, f"The worst, {ranked[0].name}, looked at closely: simulated")
    answer = _fail(output, network, ranked[0], seed)
    pictures = _draw(output, folder, comparison, answer)
    _chapter(
        output,
        4,
        "Wanted: 99 % of every voice flow's packets in 26 ms, and the busiest link as empty as"
        " possible",
    )
    pictures += _optimize(output, folder, network, seed)
    _chapter(output, 5, "Now you")
    output.show(Text(f"All of this took {units.duration(perf_counter() - start)}.", "bright_black"))
    _next(output, plan, pictures, ranked[0])


def _history(output: Output, folder: Path) -> None:
    """Simulate the history that the live demo begins with."""
    from nettwin.interfaces.server.demo.history import write_history

    warn_of_compiling(output, "packet")
    with progress(output.err, "Simulating two weeks") as tell:
        count = write_history(folder, tell)
    output.show(Text(f"{count} intervals"))
    output.wrote(folder / "past")


def _compile(output: Output) -> None:
    """Compile, where this machine has not yet, before anything is timed."""
    if wiring.first_start(*SHOWN):
        warn_of_compiling(output, *SHOWN)
        small = generate("line", nodes=2, classes="three", scheduler="wfq")
        for name in SHOWN:
            wiring.engine(name).predict([small])
    searches.prepare(output, WANTED, OPTIONS)


def _compare(output: Output, network: Scenario, seed: int) -> Comparison:
    twin, theory = wiring.engine(TWIN), wiring.engine("theory")
    twin.predict([network])  # what is timed is the second answer: the first loads the model
    with working(output, "packet", seed=seed) as packet:
        comparison = compare_models(network, [twin, theory, packet])
    simulated, predicted = comparison.metrics[packet.name], comparison.metrics[twin.name]
    output.show(
        answers.heading(network, simulated, comparison.seconds[packet.name]),
        agreement.engines(comparison),
        agreement.errors_by_class(comparison),
        answers.links(network, predicted, 5),
        answers.flows(network, predicted, 5),
        _within(predicted, simulated),
    )
    return comparison


def _within(predicted: Metrics, simulated: Metrics) -> Text:
    """How many of the simulated mean delays lie in the intervals that were predicted."""
    name, flow = "owd_mean_s", predicted.flow
    inside = (flow.low[name] <= simulated.flow[name]) & (simulated.flow[name] <= flow.high[name])
    return Text(
        f"Of the {len(inside)} mean delays that were simulated, {inside.mean():.0%} lie in the"
        f" twin's intervals of {predicted.confidence:.0%}."
    )


def _rank(output: Output, network: Scenario) -> list[Failure]:
    with progress(output.err, "Failing every link in turn") as tell:
        found = resilience(network, wiring.engine(TWIN), progress=tell)
    output.show(failures.heading(found), failures.failures(found, 5), failures.links(found, 5))
    return list(found.failures)


def _fail(output: Output, network: Scenario, worst: Failure, seed: int) -> WhatIf:
    predicted = what_if(network, worst.changes, wiring.engine(TWIN))
    with working(output, "packet", seed=seed) as packet:
        answer = what_if(network, worst.changes, packet)
    output.show(
        changes.totals(answer),
        changes.classes(answer),
        changes.links(answer, 5),
        changes.flows(answer, 5),
        _verdict(predicted, answer),
    )
    return answer


def _verdict(predicted: WhatIf, simulated: WhatIf) -> Text:
    """Whether the simulation bears out what the twin said of the failure."""
    sides = [a.after.totals(a.scenario_after) for a in (predicted, simulated)]
    delay, loss = ([side[name] for side in sides] for name in ("owd_mean_s", "loss_ratio"))
    return Text(
        f"The twin had said a mean delay of {units.duration(delay[0])} and a loss of"
        f" {units.percent(loss[0], 2)}; the simulation says {units.duration(delay[1])} and"
        f" {units.percent(loss[1], 2)}."
    )


def _draw(output: Output, folder: Path, comparison: Comparison, answer: WhatIf) -> list[Path]:
    """The pictures; without the extra that draws them, a word on how to get it."""
    before, after, delays = (folder / name for name in ("before.svg", "after.svg", "delays.svg"))
    try:
        with progress(output.err, "Drawing") as tell:
            weathermap(answer.scenario_before, answer.before, before, title="NSFNET today")
            tell(0.4)
            weathermap(
                answer.scenario_after,
                answer.after,
                after,
                title=f"NSFNET if {answer.describe()}",
                highlight=answer.touched_links,
            )
            tell(0.8)
            every = {n: (comparison.scenario, m) for n, m in comparison.metrics.items()}
            delay_distribution(every, delays, title="NSFNET: delay of its flows")
    except MissingExtraError as error:
        output.note("No pictures", [str(error)], "yellow")
        return []
    return [before, after, delays]


def _optimize(output: Output, folder: Path, network: Scenario, seed: int) -> list[Path]:
    """Search and verify a plan; the intent, the plan and both maps as files."""
    options = replace(OPTIONS, seed=seed)
    model = searches.engine_of(WANTED, options)
    plan = searches.searched(output, network, WANTED, model, options)
    optimize.show(output, network, WANTED, plan, 5)
    write_intent(WANTED, folder / "voice.yaml")
    write_change_plan(plan, folder / "plan.yaml")
    maps = folder / "plan.svg"
    try:
        with progress(output.err, "Drawing"):
            optimize.draw(network, plan, maps)
    except MissingExtraError:
        return []  # told already
    return [maps]


def _next(output: Output, plan: Path, pictures: Sequence[Path], worst: Failure) -> None:
    meanings = (
        "the weathermap today",
        "after the failure",
        "delays of the flows, by each engine",
        "before and after the plan",
    )
    folder = plan.parent
    files = [
        *zip(pictures, meanings, strict=False),
        (plan, "the network: edit it, and ask again"),
        (folder / "voice.yaml", "what was wanted"),
        (folder / "plan.yaml", "the plan that was found"),
    ]
    lines = Text()
    for path, words in files:
        lines.append(f"  {path!s:<28}", "bold").append(f"{words}\n")
    lines.rstrip()
    output.show(lines)
    place, wanted, found = (
        shlex.quote(str(path)) for path in (plan, folder / "voice.yaml", folder / "plan.yaml")
    )
    output.commands(
        [
            f"nettwin predict {place} --engine {TWIN} --top 20",
            f"nettwin explain {place} --engine {TWIN}",
            f"nettwin whatif {place} fail_link {shlex.quote(worst.name)} scale_traffic 0.8",
            f"nettwin failures {place} --kinds link,node",
            f"nettwin simulate {place} --time 4s --interval 0.5s --convergence 0.2s"
            f" --event '1s fail_link \"{worst.name}\"'",
            f"nettwin optimize {place} --intent {wanted} --check {found}",
            f"nettwin whatif {place} --changes {found} --engine packet",
            "nettwin --help",
        ]
    )


def _chapter(output: Output, number: int, words: str) -> None:
    output.show(Text(f"{number}. {words}", "bold cyan"))
