"""nettwin watch: a time of a network against its twin; incidents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.text import Text

from nettwin import units
from nettwin.apps.anomalies import watch as watched_time
from nettwin.apps.anomalies import watched_of
from nettwin.apps.anomalies.fabric import find
from nettwin.apps.history import Past, past_of_files, past_of_repository
from nettwin.errors import InputError
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.data.group import SinceOption, UntilOption, moment_of
from nettwin.interfaces.cli.engines import working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.history.predict import DEMANDS, MEASURED, NETWORK
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents import anomalies as documents
from nettwin.interfaces.operating import corrected
from nettwin.interfaces.plots import check_drawable
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import anomalies as tables

RECORDING = o.given(
    "--recording", metavar="DIR", help="A recording of Cisco telemetry instead: ports are watched."
)
FALSE = o.given("--false-alarms", help="How many false alarms a day may be.")
USUAL = o.given(
    "--usual", metavar="TIME", help="How long the first part is that tells what is usual: 3d."
)
PLOT = o.written("--plot", help="Draw how odd the network was over time, and the incidents.")


@dataclass(frozen=True)
class Asked:
    """Which time is to be watched: the texts of options (see `groups`)."""

    workspace: w.WorkspaceOption = w.HERE
    network: Annotated[str | None, NETWORK] = None
    demands: Annotated[Path | None, DEMANDS] = None
    measured: Annotated[Path | None, MEASURED] = None
    recording: Annotated[Path | None, RECORDING] = None
    since: SinceOption = None
    until: UntilOption = None


@command(
    "nettwin watch --workspace twin --since 7d --usual 2d --plot watch.svg",
    "nettwin watch --network network.yaml --demands week.npz --measured counters.csv",
    "nettwin watch --recording recordings/blackhole --json",
)
@grouped
def watch(
    asked: Asked,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    false_alarms: Annotated[float, FALSE] = 1.0,
    usual: Annotated[str | None, USUAL] = None,
    *,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    plot: Annotated[Path | None, PLOT] = None,
    strict: o.StrictOption = False,
) -> None:
    """Watch a time of the network against its twin: what is odd of flows and links, with as many
    false alarms as asked, grouped into incidents with place and kind."""
    output = Output("watch", json, strict)
    if plot:
        check_drawable(plot)
    if asked.recording is not None:
        _recording(output, asked.recording)
        return
    past = _past(output, asked, source)
    settings = {} if model is None else {"model": model}
    with (
        working(output, engine, **settings) as answering,
        progress(output.err, "Predicting") as tell,
    ):
        output.warn_of(next(past.scenarios()), [answering])
        known = watched_of(past, answering, tell)
    count = len(known.times_s) // 3
    if usual is not None:
        count = round(_span_s(usual) / known.interval_s)
    found = watched_time(known, count, false_a_day=false_alarms)
    output.note("Note", [*past.notes, *([found.unsure] if found.unsure else [])])
    output.document({"engine": engine, **documents.incidents(found)})
    output.show(tables.incidents(found, top))
    output.show(Text(" ".join(documents.words(found))))
    if found.troubles and asked.network is None:
        last = max(found.troubles, key=lambda one: one.nats)
        output.show(Text("Why? Ask for the causes of the clearest:"))
        if not json:
            place = asked.workspace
            at = units.moment(last.detected_s).replace(" ", "T")
            output.commands([f"nettwin troubleshoot --workspace {place} --at {at}"])
    if plot:
        from nettwin.interfaces.plots.watching import watching

        watching(found, plot)
        output.wrote(plot)
    output.finish()


def _recording(output: Output, folder: Path) -> None:
    from nettwin.telemetry.mdt import read_recording

    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give the folder of a recording.")
    found = find(read_recording(folder))
    output.document(documents.recorded(found))
    output.show(tables.recorded(found))
    output.finish()


def _span_s(text: str) -> float:
    """A span of time as people write it: 3d, 12h, 900s."""
    if text.endswith("d"):
        return units.time_s(text[:-1] + "h") * 24
    return units.time_s(text)


def _past(output: Output, asked: Asked, source: Source) -> Past:
    if asked.network is None:
        if asked.demands or asked.measured:
            raise InputError("--demands and --measured are of a network: give --network FILE.")
        place = w.opened(asked.workspace)
        times = [None if t is None else moment_of(t, 0.0) for t in (asked.since, asked.until)]
        return past_of_repository(place.repository, *times, corrected=corrected(place))
    if asked.demands is None:
        raise InputError("--network needs the matrices: give --demands FILE.")
    from nettwin.formats.counters import read_counters
    from nettwin.formats.demands import read_demands

    reading = source.read(asked.network)
    topology = reading.scenario.topology
    series = read_demands(asked.demands, topology=topology)
    counters = None if asked.measured is None else read_counters(asked.measured, topology)
    output.told(reading)
    return past_of_files(reading.scenario, series, counters)
