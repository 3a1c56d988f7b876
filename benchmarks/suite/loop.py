"""loop: how long after a failure a plan that mends it is in the network."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.benchmark import Figure, Options, Outcome, at_most, say
from benchmarks.live import loop, nsfnet, workspace
from nettwin.optimize.optimize import warm_up
from nettwin.physical.network import Event
from nettwin.scenario.changes import FailLink

TITLE = "The closed loop: from a failure to an applied plan"
PROTOCOL = (
    "NSFNET with three classes at the evening's load, a loop with theory as twin, a search of 1 s "
    "and a packet simulation that verifies. A line fails; the time is from the failure until the "
    "plan is in the network, observation, planning, verification and approval by the policy "
    "included (the wall time of this machine; the interval observed takes as long as its packets "
    "are simulated). The median of the lines whose failure breaks the intent."
)
SIMULATED = "simulated: failure to applied"
MOST_S = 5.0
LINES = ("Salt Lake City<->Ann Arbor", "Champaign<->Pittsburgh", "Boulder<->Houston")


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of lines."""
    warm_up("auto")
    found = []
    for line in LINES[: options.limit]:
        seconds = failure_to_applied(line)
        say(f"{line}: {seconds:.2f} s")
        if seconds >= 0:
            found.append(seconds)
    worst = max(found, default=float("nan"))
    return Outcome(
        (
            at_most(SIMULATED, median(found) if found else float("inf"), MOST_S, "s"),
            Figure("simulated: the slowest", worst, "s"),
            Figure("failures answered", len(found)),
        )
    )


def failure_to_applied(line: str) -> float:
    """The seconds from the failure of a line until a plan is applied; -1 where none is needed."""
    with tempfile.TemporaryDirectory() as folder:
        start = '"2026-01-05T19:00:00+00:00"'
        place = workspace(Path(folder) / "twin", nsfnet(), start=start, most_changes=500)
        with place.network() as network:
            runs = loop(place, network)
            runs.cycle()
            applied = [0.0]
            runs.parts.at_step = lambda step: (
                applied.append(time.perf_counter()) if step == "post-check" else None
            )
            before = runs.state.applied
            begin = time.perf_counter()
            network.inject(Event(FailLink(line)))
            runs.cycle()
            return applied[-1] - begin if runs.state.applied > before else -1.0
