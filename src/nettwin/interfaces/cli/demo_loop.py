"""nettwin demo loop: a day of NSFNET under the closed loop, with three events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from nettwin import units
from nettwin.errors import InputError, MissingExtraError
from nettwin.interfaces import operating
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.init import demo_network
from nettwin.interfaces.cli.loop import counted, line_of
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.plots import over_time
from nettwin.interfaces.tables import loop as tables
from nettwin.scenario.changes import Change, FailLink, ScaleTraffic, SetBuffer, SetCapacity

if TYPE_CHECKING:
    from nettwin.apps.loop.loop import Loop, Told
    from nettwin.interfaces.tables.loop import Moment
    from nettwin.physical.network import Network

HOUR_S, HOURS = 3600.0, 24.0
START = "2026-01-05T00:00:00+00:00"
INTENT = """\
# What is wanted of the network over the day.
intent: quick, and no link full
minimize: [changes, offered_load]
expect:
  - {{measure: offered_load, at_most: 85 %}}
  - {{measure: delay, reduce: mean, at_most: {delay}}}
  - {{measure: loss, reduce: mean, at_most: 0.5 %}}
change:
  at_most: 20
  with: [segments]
"""
LINK, PORT = "Salt Lake City<->Ann Arbor", "Houston->College Park"


class Happening(NamedTuple):
    """An event of the day."""

    hour: float
    words: str
    change: Change
    told: bool = True


FAILS = Happening(7, f"a link fails: {LINK}", FailLink(LINK))
GROWS = Happening(12, "load grows by 15 %", ScaleTraffic(1.15))


@dataclass(frozen=True)
class Stage:
    """The day on a kind of network.

    An observation stands for `step_h` hours. `delay` is the mean that is wanted. Where the network
    has no load curve of its own (`curved`), the demo lets its load follow one.
    """

    capacity_bps: float | None
    step_h: float
    delay: str
    misconfigured: Happening
    curved: bool
    settings: Mapping[str, object] = field(default_factory=dict)


STAGES = {
    "simulated": Stage(
        capacity_bps=None,
        step_h=0.5,
        delay="16 ms",
        misconfigured=Happening(
            17,
            "a queue is misconfigured: a port of Houston is shaped to half, and does not say so",
            SetCapacity(PORT, 22.5e6),
            told=False,
        ),
        curved=True,
        settings={
            "interval_s": 1800,
            "simulated_s": 1.5,
            "start": START,
            "cooldown_s": 5400,
            "flap_window_s": 7200,
            "confirm_s": 7200,
        },
    ),
    "linux": Stage(
        capacity_bps=1e6,
        step_h=1.0,
        delay="36 ms",
        misconfigured=Happening(
            17,
            "a queue is misconfigured: the buffers of a port of Houston hold one packet each",
            SetBuffer(PORT, buffer_packets=1),
            told=False,
        ),
        curved=False,
        settings={
            "interval_s": 6,
            "cooldown_s": 10,
            "flap_window_s": 24,
            "confirm_s": 300,
            "seconds": 2.0,
        },
    ),
}


def demo_loop(output: Output, folder: Path, kind: str = "simulated") -> None:
    """Run the day on a kind of network, tell what happens, and end with how many plans were
    applied, kept and rolled back. Raises InputError for a kind that has no day, NetworkError where
    this machine lacks something for it."""
    from nettwin.workspace.workspace import begin

    if kind not in STAGES:
        raise InputError(f"the demo does not run on {kind}: must be one of {', '.join(STAGES)}.")
    stage = STAGES[kind]
    begin_s = perf_counter()
    warn_of_compiling(output, "theory", "packet")
    place = begin(
        folder,
        demo_network(stage.capacity_bps),
        INTENT.format(delay=stage.delay),
        name="NSFNET",
        kind=kind,
        auto=True,
        settings=stage.settings,
    )

    def tell(one: Told) -> None:
        output.out.print(line_of(one), soft_wrap=True)

    with place.writing("nettwin demo loop"), place.network() as network:
        runs = operating.loop_of(place, network, tell)
        moments = list(_day(output, stage, network, runs))
    output.show(Text())
    output.show(tables.over_day(moments, w.moment))
    picture = folder / "day.svg"
    try:
        over_time(moments, picture, title="NSFNET: a day under the closed loop")
        output.wrote(picture)
    except MissingExtraError as error:
        output.note("No picture", [str(error)], "yellow")
    output.wrote(folder)
    spent = units.duration(perf_counter() - begin_s)
    output.show(Text(f"All of this took {spent}. nettwin history -w {folder} tells it again."))
    state = runs.state
    output.show(Text(counted(state.applied, state.kept, state.rolled_back), "bold"))


def _day(output: Output, stage: Stage, network: Network, runs: Loop) -> Iterator[Moment]:
    """Every cycle of the day, at the hours for which it stands."""
    from nettwin.physical.network import Event
    from nettwin.physical.simulated.load import DailyCurve

    midnight_s = w.time_of(START)
    curve = DailyCurve(1, wander=0.0)
    seen = runs.parts.repository.times_s
    coming = [FAILS, GROWS, stage.misconfigured]
    hour, load = 0.0, 1.0
    while hour < HOURS:
        if not stage.curved:
            now = float(curve.factor(midnight_s + (hour + stage.step_h / 2) * HOUR_S)[0])
            network.inject(Event(ScaleTraffic(now / load)))
            load = now
        happened = ""
        while coming and hour >= coming[0].hour:
            one = coming.pop(0)
            network.inject(Event(one.change, one.told))
            happened = one.words
            output.out.print(Text(f"{_clock(hour)}  {one.words}", "bold yellow"), soft_wrap=True)
        before = runs.state
        observed = runs.cycle()
        did = _did(before.applied, before.kept, runs.state.applied, runs.state.kept)
        hour = len(seen()) * stage.step_h  # a plan takes an observation more
        made = tables.moment_of(observed, runs.predicted, happened, did)
        yield made._replace(time_s=midnight_s + hour * HOUR_S)


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{int(hour * 60 % 60):02d}"


def _did(applied: int, kept: int, applied_now: int, kept_now: int) -> str:
    """What a cycle did to the network."""
    if kept_now > kept:
        return "plan kept"
    return "plan rolled back" if applied_now > applied else ""
