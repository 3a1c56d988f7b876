"""loop: how long after a failure a plan that mends it is in the network."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.benchmark import Figure, Options, Outcome, at_most, say
from benchmarks.live import loop, nsfnet, workspace
from nettwin.apps.loop.loop import Loop
from nettwin.apps.loop.plans import known_plans
from nettwin.optimize.optimize import warm_up
from nettwin.physical.linux.emulation import slowed, slowness
from nettwin.physical.linux.needs import missing
from nettwin.physical.network import Event, Network
from nettwin.scenario.changes import FailLink, RestoreLink
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

TITLE = "The closed loop: from a failure to an applied plan"
PROTOCOL = (
    "A loop with theory as twin, a search of 1 s and a packet simulation that verifies. A line "
    "fails; the time is from the failure until the plan is in the network, observation, planning, "
    "verification and approval by the policy included (the wall time of this machine). Simulated: "
    "NSFNET with three classes at the evening's load; the interval observed takes as long as its "
    "packets are simulated. Linux: NSFNET (14 routers, intervals of 1 s) and a Gabriel graph (50 "
    "routers, intervals of 4 s) as routers of Linux and FRR, with as many packets as one machine "
    "carries; the three lines whose failure overloads most. Each figure is the median of the lines "
    "whose failure breaks the intent."
)
ANSWERED = "failure to applied"
SIMULATED_S = 5.0
LINES = ("Salt Lake City<->Ann Arbor", "Champaign<->Pittsburgh", "Boulder<->Houston")
EMULATED = (
    # name, kind, nodes, load of the busiest link, interval_s, the most seconds
    ("14 routers", "nsfnet", 14, 0.72, 1.0, 5.0),
    ("50 routers", "gabriel", 50, 0.65, 4.0, 15.0),
)
EVERY_CHANGE = {"most_changes": 500, "most_per_hour": 1000, "cooldown_s": 0, "flaps": 0}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which networks."""
    parser.add_argument("--networks", default="simulated,14 routers,50 routers")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of lines."""
    warm_up("auto")
    chosen = options.extra["networks"].split(",")
    figures: list[Figure] = []
    remarks = []
    if "simulated" in chosen:
        found = simulated(LINES[: options.limit])
        figures += told("simulated", found, SIMULATED_S)
    for name, kind, nodes, load, interval_s, most_s in EMULATED:
        if name not in chosen:
            continue
        if words := missing():
            remarks.append(f"{name}: skipped: {words}")
            continue
        plan = generate(kind, nodes=nodes, load=load, arrival="cbr")
        found = emulated(slowed(plan, slowness(plan)), interval_s, options.limit or len(LINES))
        figures += told(name, found, most_s)
    return Outcome(tuple(figures), tuple(remarks))


def told(name: str, found: Sequence[float], most_s: float) -> Iterator[Figure]:
    """The figures of one network."""
    yield at_most(f"{name}: {ANSWERED}", median(found) if found else float("inf"), most_s, "s")
    yield Figure(f"{name}: the slowest", max(found, default=float("nan")), "s")
    yield Figure(f"{name}: failures answered", len(found))


def simulated(lines: Sequence[str]) -> list[float]:
    """The seconds from the failure of each line until a plan is applied, where one is needed."""
    found = []
    for line in lines:
        with tempfile.TemporaryDirectory() as folder:
            start = "2026-01-05T19:00:00+00:00"
            place = workspace(Path(folder) / "twin", nsfnet(), start=start, most_changes=500)
            with place.network() as network:
                runs = loop(place, network)
                runs.cycle()
                found += answered(runs, network, line)
    return found


def emulated(plan: Scenario, interval_s: float, count: int) -> list[float]:
    """The same on routers of Linux, for the lines whose failure overloads most; after each the
    network is made as it was."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        place = workspace(
            Path(folder) / "twin",
            plan,
            "linux",
            interval_s=interval_s,
            grace_s=0.2,
            **EVERY_CHANGE,
        )
        with place.network() as network:
            runs = loop(place, network)
            runs.cycle()
            for line in worst_lines(plan)[:count]:
                found += answered(runs, network, line)
                for known in reversed(known_plans(place.repository)):
                    receipt = network.receipt(known.id)
                    if receipt is not None:
                        network.undo(receipt)
                network.inject(Event(RestoreLink(line)))
    return found


def answered(runs: Loop, network: Network, line: str) -> list[float]:
    """The seconds from the failure of a line until a plan is applied; empty where none is."""
    applied = [0.0]
    runs.parts.at_step = lambda step: (
        applied.append(time.perf_counter()) if step == "post-check" else None
    )
    before = runs.state.applied
    begin = time.perf_counter()
    network.inject(Event(FailLink(line)))
    runs.cycle()
    if runs.state.applied == before:
        say(f"{line}: no plan")
        return []
    say(f"{line}: {applied[-1] - begin:.2f} s")
    return [applied[-1] - begin]


def worst_lines(plan: Scenario) -> list[str]:
    """The lines (links in both directions) by how much their failure loads the busiest link, the
    worst first; none whose failure cuts flows off."""
    lines = sorted({"<->".join(sorted(name.split("->"))) for name in plan.topology.link_name})
    found = []
    for line in lines:
        after = FailLink(line).apply(plan)
        if not after.flow_status.any():
            found.append((float(after.link_offered_load.max()), line))
    return [line for _, line in sorted(found, reverse=True)]
