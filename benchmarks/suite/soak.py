"""soak: a day of the network's time with fifty random events."""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_most, say
from benchmarks.live import loop, nsfnet, workspace
from nettwin.optimize.stop import Steps
from nettwin.physical.network import Event
from nettwin.scenario.changes import (
    Change,
    FailLink,
    RestoreLink,
    ScaleTraffic,
    SetBuffer,
)

TITLE = "A day with fifty events"
PROTOCOL = (
    "NSFNET under a day's load, a loop that observes every 5 minutes of the network's time, and 50 "
    "events drawn at random: lines that fail and come back, load that grows and falls, buffers "
    "that are not as told. Memory growth: the process's resident memory at the end over that after "
    "a third of the day, less 1. Leftovers: receipts that are not finished, threads, files that "
    "are not whole, and entries of the audit log that do not fit."
)
INTERVAL_S, DAY_S, EVENTS = 300.0, 86400.0, 50
PAGE = resource.getpagesize()


def arguments(parser: argparse.ArgumentParser) -> None:
    """The seed of the events."""
    parser.add_argument("--seed", type=int, default=1)


def run(options: Options) -> Outcome:
    """Run; `--limit` is the number of intervals."""
    intervals = options.limit or int(DAY_S / INTERVAL_S)
    random = np.random.default_rng(options.extra["seed"])
    when = sorted(random.integers(1, intervals, EVENTS).tolist())
    begin, threads = time.perf_counter(), threading.active_count()
    with tempfile.TemporaryDirectory() as folder:
        place = workspace(
            Path(folder) / "twin",
            nsfnet(0.7),
            interval_s=INTERVAL_S,
            simulated_s=0.5,
            most_changes=500,
            cooldown_s=1800,
            confirm_s=3600,
        )
        with place.writing("soak"), place.network() as network:
            runs = loop(place, network, verify=False, stop=Steps(2000))
            down: list[str] = []
            middle = 0
            for number in range(intervals):
                for _ in range(when.count(number)):
                    change = drawn(random, place.plan.topology.link_name, down)
                    network.inject(Event(change, told=not isinstance(change, SetBuffer)))
                runs.cycle()
                if number == intervals // 3:
                    middle = resident_bytes()
                if (number + 1) % 24 == 0:
                    say(f"{number + 1} intervals, {runs.state.applied} plans, {resident_bytes()}")
            growth = resident_bytes() / middle - 1
            left = sum(one.unfinished for one in network.journal.all())
        left += max(threading.active_count() - threads, 0)
        left += len(place.repository.store.damaged()) + len(place.audit.issues())
        state = runs.state
    return Outcome(
        (
            at_most("memory growth", growth, 0.05),
            at_most("leftovers", left, 0),
            Figure("events", EVENTS),
            Figure("intervals", intervals),
            Figure("plans applied", state.applied),
            Figure("plans kept", state.kept),
            Figure("plans rolled back", state.rolled_back),
            Figure("time", (time.perf_counter() - begin) / 60, "min"),
        )
    )


def drawn(random: np.random.Generator, links: tuple[str, ...], down: list[str]) -> Change:
    """A random event; at most two lines are down at once, which are restored in their turn."""
    kind = random.random()
    if kind < 0.6:
        if down and (len(down) == 2 or random.random() < 0.5):
            return RestoreLink(down.pop(0))
        line = str(random.choice(links)).replace("->", "<->")
        one, _, other = line.partition("<->")
        if line in down or f"{other}<->{one}" in down:
            return RestoreLink(line)
        down.append(line)
        return FailLink(line)
    if kind < 0.85:
        return ScaleTraffic(float(random.choice([0.9, 1 / 0.9])))
    return SetBuffer(str(random.choice(links)), buffer_packets=float(random.choice([16.0, 64.0])))


def resident_bytes() -> int:
    """The resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
