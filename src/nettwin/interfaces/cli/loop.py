"""nettwin loop: the closed loop over the network of a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from nettwin import units
from nettwin.errors import InputError
from nettwin.interfaces import operating
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.searching import stoppable
from nettwin.scenario.changes import parse_change

if TYPE_CHECKING:
    from nettwin.apps.loop.loop import Told
    from nettwin.observation import Observation
    from nettwin.physical.network import Event

HIDDEN = "hidden"
EVENT = (
    "--event is TIME CHANGE, such as '5min fail_link A<->B', or 'TIME hidden CHANGE' for what the\
 network does not tell"
)


@dataclass(frozen=True)
class Timed:
    """An event, so many seconds of the network's time after the loop began."""

    at_s: float
    event: Event


CYCLES = typer.Option(min=1, help="End after so many observations.", show_default="until Ctrl-C")
LOOP_EVENT = o.given(
    "--event",
    metavar="'TIME CHANGE'",
    help="Let something happen to a network that allows it, so long after the start: '2min"
    " fail_link A<->B'; 'hidden' before the change: the network does not tell of it.",
)


@command(
    "nettwin loop --workspace twin --cycles 10",
    "nettwin loop --workspace twin --cycles 10 --event '2min fail_link A<->B'",
)
def loop(
    workspace: w.WorkspaceOption = w.HERE,
    cycles: Annotated[int | None, CYCLES] = None,
    event: Annotated[list[str] | None, LOOP_EVENT] = None,
    json: o.JsonOption = False,
) -> None:
    """Keep a network as its intent wants it: observe, predict, judge, optimize, verify, approve,
    apply, measure, and keep or roll back."""
    output = Output("loop", json)
    events = sorted((timed(text) for text in event or ()), key=lambda one: one.at_s)
    place = w.opened(workspace)
    for one in events:
        one.event.change.apply(place.plan)  # a name that is not there is told at once
    settings = place.settings.loop
    warn_of_compiling(
        output, *{settings.engine, settings.verify} - {operating.NONE, operating.EMULATION}
    )
    told: list[Told] = []

    def tell(one: Told) -> None:
        told.append(one)
        if not json:
            output.out.print(line_of(one), soft_wrap=True)

    running = True

    def stop() -> None:
        nonlocal running
        running = False
        output.say("Ending after this step; Ctrl-C again ends at once.")

    with place.writing("nettwin loop"), place.network() as network, stoppable(stop):
        runs = operating.loop_of(place, network, tell)
        begin_s: float | None = None
        done = 0
        while running and (cycles is None or done < cycles):
            if begin_s is not None:
                last_s = runs.seen.time_s if runs.seen else begin_s
                while events and last_s - begin_s >= events[0].at_s:
                    network.inject(events.pop(0).event)
            seen = runs.cycle()
            done += 1
            begin_s = seen.time_s - seen.interval_s if begin_s is None else begin_s
            if not json:
                output.out.print(_measured(seen), soft_wrap=True)
    state = runs.state
    output.document(
        {
            "cycles": done,
            "step": state.step,
            "applied": state.applied,
            "kept": state.kept,
            "rolled_back": state.rolled_back,
            "told": [one._asdict() for one in told],
        }
    )
    output.show(Text(counted(state.applied, state.kept, state.rolled_back), "bold"))


def counted(applied: int, kept: int, rolled_back: int) -> str:
    """How many plans were applied, and what became of them."""
    noun = "plan" if applied == 1 else "plans"
    return f"{applied} {noun} applied, {kept} kept, {rolled_back} rolled back"


def timed(text: str) -> Timed:
    """An event as it is written on the command line. Raises InputError."""
    from nettwin.physical.network import Event

    time, _, rest = text.strip().partition(" ")
    told = True
    if rest.strip().startswith(HIDDEN + " "):
        told, rest = False, rest.strip().removeprefix(HIDDEN)
    if not rest.strip():
        raise InputError(f"{EVENT}. {text!r} is none.")
    return Timed(units.time_s(time), Event(parse_change(rest.strip()), told))


def line_of(told: Told) -> Text:
    """What a loop told, in a line."""
    time = f"{w.moment(told.time_s)}  " if told.time_s else ""
    return Text.assemble((time, "bright_black"), (f"{told.step:<11}", "bold cyan"), told.words)


def _measured(seen: Observation) -> Text:
    totals = seen.metrics.totals(seen.scenario)
    words = (
        f"offered {units.rate(totals['offered_bps'])}, busiest link"
        f" {units.percent(totals['utilization_max'])}, delay"
        f" {units.duration(totals['owd_mean_s'])}, loss {units.percent(totals['loss_ratio'], 2)}"
    )
    return Text.assemble(
        (f"{w.moment(seen.time_s)}  ", "bright_black"), (f"{'observe':<11}", "cyan"), words
    )
