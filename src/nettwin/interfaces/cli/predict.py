"""nettwin predict: a network in; delay, loss and utilization out."""

from __future__ import annotations

from time import perf_counter

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Answer, Files, deliver
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import app
from nettwin.interfaces.cli.sources import Source


@app.command(
    epilog=o.examples(
        "nettwin predict network.yaml",
        "nettwin predict Geant2012.graphml --capacity 10G --load 70% --plot geant.svg",
        "nettwin predict network.yaml --json | jq '.answers[0].totals'",
        "nettwin predict *.yaml --csv results/",
    )
)
def predict(
    networks: o.NetworksArg,
    engine: o.EngineOption = "theory",
    index: o.IndexOption = 0,
    format: o.FormatOption = None,
    capacity: o.CapacityOption = None,
    link_delay: o.LinkDelayOption = None,
    load: o.LoadOption = None,
    packet_size: o.PacketSizeOption = None,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    csv: o.CsvOption = None,
    plot: o.PlotOption = None,
    plot_delays: o.PlotDelaysOption = None,
    strict: o.StrictOption = False,
) -> None:
    """Predict delay, loss and utilization, at once, by queueing theory."""
    source = Source(format, index, capacity, link_delay, load, packet_size)
    output = Output("predict", json, strict)
    files = Files(csv, plot, plot_delays)
    files.check(len(networks))
    answers = []
    with working(output, engine) as model:
        for reading in source.read_each(networks):
            notes = output.told(reading, [model])
            start = perf_counter()
            metrics = model.predict([reading.scenario])[0]
            answers.append(Answer(reading, notes, metrics, perf_counter() - start))
    deliver(output, answers, top, index, files)
