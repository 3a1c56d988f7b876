"""nettwin predict: a network in; delay, loss and utilization out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated

from nettwin import units
from nettwin.apps.timeseries import predict_series, worst_intervals
from nettwin.errors import InputError
from nettwin.formats import Reading
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Answer, Files, deliver
from nettwin.interfaces.cli.engines import working_at
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.progress import progress
from nettwin.model import NetworkModel

DEMANDS = o.given(
    help="Traffic matrices over time (npz or CSV): predict them all, as a time series.",
    metavar="FILE",
)


@command(
    "nettwin predict network.yaml",
    "nettwin predict Geant2012.graphml --capacity 10G --load 70% --plot geant.svg",
    "nettwin predict network.yaml --json | jq '.answers[0].totals'",
    "nettwin predict *.yaml --csv results/",
    "nettwin predict live --server http://127.0.0.1:8080",
    "nettwin predict abilene.yaml --demands abilene_5min.npz --csv march/",
)
@grouped
def predict(
    networks: o.NetworksArg,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    demands: Annotated[Path | None, DEMANDS] = None,
    *,
    source: Source,
    server: o.ServerOption = None,
    token: o.ServerTokenOption = None,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    files: Files,
    strict: o.StrictOption = False,
) -> None:
    """Predict delay, loss and utilization, at once, by queueing theory."""
    output = Output("predict", json, strict)
    files.check(len(networks))
    if demands is not None and len(networks) != 1:
        raise InputError(f"--demands is of one network, not {len(networks)}. Name one.")
    answers = []
    settings = {} if model is None else {"model": model}
    with working_at(output, server, token, source, engine, **settings) as (answering, read):
        for reading in map(read, networks):
            if demands is not None:
                answers.append(_over_time(output, reading, demands, answering))
                continue
            notes = output.told(reading, [answering])
            start = perf_counter()
            metrics = answering.predict([reading.scenario])[0]
            answers.append(Answer(reading, notes, metrics, perf_counter() - start))
    deliver(output, answers, top, source.index, files)


def _over_time(output: Output, reading: Reading, demands: Path, model: NetworkModel) -> Answer:
    """The network at every time of a series; what is shown whole is its worst time."""
    from nettwin.formats.demands import read_demands, scenarios_over_time

    series = read_demands(demands, topology=reading.scenario.topology)
    start = perf_counter()
    with progress(output.err, "Predicting") as tell:
        moments = partial(scenarios_over_time, reading.scenario, series)
        intervals = predict_series(moments, series.times_s.tolist(), model, progress=tell)
    seconds = perf_counter() - start
    worst = intervals[worst_intervals(intervals)[0]]
    shown = replace(
        reading,
        scenario=worst.scenario,
        assumptions=reading.assumptions + series.assumptions,
        ignored=reading.ignored + series.ignored,
    )
    notes = output.told(shown, [model])
    output.say(
        f"{len(intervals)} times in {units.duration(seconds)}; shown whole is the worst,"
        f" {units.duration(worst.start_s)} after the first."
    )
    return Answer(shown, notes, worst.metrics, None, intervals)
