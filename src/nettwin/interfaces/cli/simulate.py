"""nettwin simulate: every packet of a network, or of several at once, also through events."""

from __future__ import annotations

from time import perf_counter
from typing import Annotated

import typer

from nettwin import units
from nettwin.errors import InputError
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Answer, Files, deliver
from nettwin.interfaces.cli.changes import timed_changes
from nettwin.interfaces.cli.engines import warn_of_compiling, working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import STOPPED, command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.progress import progress

LENGTH = "How long"


PRECISION = typer.Option(
    help="Stop when 95 % of the flows know their mean delay and loss, and 95 % of the links"
    " their utilization, to this (half the 95 % confidence interval).",
    rich_help_panel=LENGTH,
)
PERCENTILES = typer.Option(
    "--percentiles",
    help="The precision counts for p50, p90 and p99 of delay as well.",
    rich_help_panel=LENGTH,
)
MAX_PACKETS = typer.Option(
    min=1,
    help="Stop after so many packets.",
    show_default="200 a flow, at least 2,000,000",
    rich_help_panel=LENGTH,
)
TIME = o.given(help="Simulate exactly so long, such as 10s, whatever the precision.", panel=LENGTH)
INTERVAL = o.given(help="With --time: metrics of every interval as well, such as 1s.", panel=LENGTH)
EVENT = o.given(
    help="With --time: a change during the run (nettwin whatif --list shows them).",
    metavar='"TIME CHANGE"',
    panel=LENGTH,
)
CONVERGENCE = typer.Option(
    help="Routers use their old paths so long after an event.", rich_help_panel=LENGTH
)
JOBS = typer.Option(
    "--jobs", "-j", min=1, help="Processes for several networks.", show_default="one a core"
)


@command(
    "nettwin simulate network.yaml --precision 1%",
    "nettwin simulate monday.yaml tuesday.yaml wednesday.yaml --jobs 2 --csv week/",
    "nettwin simulate network.yaml --time 10s --interval 1s"
    " --event '3s fail_link A<->B' --event '7s restore_link A<->B'",
)
@grouped
def simulate(
    networks: o.NetworksArg,
    seed: o.SeedOption = 1,
    precision: Annotated[str, PRECISION] = "2%",
    percentiles: Annotated[bool, PERCENTILES] = False,
    max_packets: Annotated[int | None, MAX_PACKETS] = None,
    time: Annotated[str | None, TIME] = None,
    interval: Annotated[str | None, INTERVAL] = None,
    event: Annotated[list[str] | None, EVENT] = None,
    convergence: Annotated[str, CONVERGENCE] = "0s",
    jobs: Annotated[int | None, JOBS] = None,
    *,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    files: Files,
    strict: o.StrictOption = False,
) -> None:
    """Simulate every packet, with confidence intervals, events and time series."""
    output = Output("simulate", json, strict)
    files.check(len(networks))
    if time is None and (event or interval is not None):
        raise InputError("--event and --interval need --time, the time to simulate. Add it.")
    settings = {
        "seed": seed,
        "precision": units.share(precision),
        "percentiles": percentiles,
        "keep_interrupted": True,
        "max_packets": max_packets,
        "jobs": jobs,
    }
    warn_of_compiling(output, "packet")
    model = wiring.simulator(**settings)
    readings = list(source.read_each(networks))
    notes = [output.told(reading, [model]) for reading in readings]
    if time is not None:
        until_s, step_s = units.time_s(time), None if interval is None else units.time_s(interval)
        moments, settled_s = timed_changes(event or ()), units.time_s(convergence)
        events = [
            wiring.timeline(reading.scenario, moments, convergence_s=settled_s)
            for reading in readings
        ]
        answers = []
        for reading, note, due in zip(readings, notes, events, strict=True):
            start = perf_counter()
            with progress(output.err, "Simulating") as tell:
                run = model.run(
                    reading.scenario, until_s=until_s, events=due, interval_s=step_s, progress=tell
                )
            seconds = perf_counter() - start
            answers.append(Answer(reading, note, run.metrics, seconds, run.intervals))
    else:
        if len(readings) > 1:
            output.say(f"Simulating {len(readings)} networks ...")
        start = perf_counter()
        with working(output, model.name, **settings) as alone:
            found = alone.predict([reading.scenario for reading in readings])
        several = len(readings) > 1
        spent = None if several else perf_counter() - start
        answers = [
            Answer(reading, note, metrics, spent)
            for reading, note, metrics in zip(readings, notes, found, strict=True)
        ]
    deliver(output, answers, top, source.index, files)
    if any(answer.metrics.provenance.get("stopped_by") == "Ctrl-C" for answer in answers):
        raise typer.Exit(STOPPED)
