"""nettwin demo loop: a day of NSFNET under the closed loop, with three events."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from nettwin import units
from nettwin.errors import MissingExtraError
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.init import demo_network
from nettwin.interfaces.cli.loop import counted, line_of
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.plots import over_time
from nettwin.interfaces.tables import loop as tables
from nettwin.scenario.changes import Change, FailLink, ScaleTraffic, SetCapacity

if TYPE_CHECKING:
    from nettwin.apps.loop.loop import Told
    from nettwin.interfaces.tables.loop import Moment

HOUR_S = 3600.0
SETTINGS = {
    "interval_s = 60 ": "interval_s = 1800 ",
    "simulated_s = 1.0 ": "simulated_s = 1.5 ",
    '"2026-01-05T12:00:00+00:00"': '"2026-01-05T00:00:00+00:00"',
    "cooldown_s = 600 ": "cooldown_s = 5400 ",
    "flap_window_s = 600 ": "flap_window_s = 7200 ",
    "confirm_s = 600 ": "confirm_s = 7200 ",
}
INTENT = """\
# What is wanted of the network over the day.
intent: quick, and no link full
minimize: [changes, offered_load]
expect:
  - {measure: offered_load, at_most: 85 %}
  - {measure: delay, reduce: mean, at_most: 16 ms}
  - {measure: loss, reduce: mean, at_most: 0.5 %}
change:
  at_most: 20
  with: [segments]
"""


class Happening(NamedTuple):
    """An event of the day."""

    hour: float
    words: str
    change: Change
    told: bool = True


DAY = (
    Happening(
        7, "a link fails: Salt Lake City<->Ann Arbor", FailLink("Salt Lake City<->Ann Arbor")
    ),
    Happening(12, "load grows by 15 %", ScaleTraffic(1.15)),
    Happening(
        17,
        "a queue is misconfigured: a port of Houston is shaped to half, and does not say so",
        SetCapacity("Houston->College Park", 22.5e6),
        told=False,
    ),
)


def demo_loop(output: Output, folder: Path) -> None:
    """Run the day, tell what happens, and end with how many plans were applied, kept and rolled
    back."""
    from nettwin.physical.network import Event
    from nettwin.workspace.workspace import Workspace, begin

    begin_s = perf_counter()
    warn_of_compiling(output, "theory", "packet")
    place = begin(folder, demo_network(), INTENT, name="NSFNET", auto=True)
    path = folder / "nettwin.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in SETTINGS.items():
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    place = Workspace(folder)
    moments: list[Moment] = []
    coming = list(DAY)

    def tell(one: Told) -> None:
        output.out.print(line_of(one), soft_wrap=True)

    with place.writing("nettwin demo loop"), place.network() as network:
        runs = w.loop_of(place, network, tell)
        first_s: float | None = None
        while first_s is None or moments[-1].time_s - first_s < 23.4 * HOUR_S:
            hour = (moments[-1].time_s - first_s) / HOUR_S if first_s is not None else 0.0
            happened = ""
            while coming and hour >= coming[0].hour:
                one = coming.pop(0)
                network.inject(Event(one.change, one.told))
                happened = one.words
                stamp = w.moment(moments[-1].time_s)
                output.out.print(Text(f"{stamp}  {one.words}", "bold yellow"), soft_wrap=True)
            before = runs.state
            seen = runs.cycle()
            first_s = seen.time_s - seen.interval_s if first_s is None else first_s
            did = _did(before.applied, before.kept, runs.state.applied, runs.state.kept)
            moments.append(tables.moment_of(seen, runs.predicted, happened, did))
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


def _did(applied: int, kept: int, applied_now: int, kept_now: int) -> str:
    """What a cycle did to the network."""
    if kept_now > kept:
        return "plan kept"
    return "plan rolled back" if applied_now > applied else ""
