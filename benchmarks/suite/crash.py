"""crash: a loop that is killed at random moments loses nothing and leaves nothing half done."""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Figure, Options, Outcome, at_most, say
from benchmarks.live import loop, workspace
from nettwin.observation import configuration
from nettwin.optimize.stop import Steps
from nettwin.physical.network import Event
from nettwin.scenario.changes import FailLink, RestoreLink, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.workspace import Workspace

TITLE = "Killed at random moments"
PROTOCOL = (
    "A loop over a simulated ring of 6 nodes, whose line fails and comes back in turn, so that "
    "plans are made, applied and kept all the time, in a process of its own that says which "
    "observations were acknowledged. It is killed with SIGKILL 200 times, in turn at a random "
    "moment, and at one soon after a plan has begun to be applied. "
    "After each kill another process opens the workspace: every acknowledged observation must be "
    "there, and the network must have each applied plan whole or not at all."
)
KILLS = 200
LINE = "N1<->N2"
LONGEST_S, APPLYING_S = 1.5, 0.1  # after the first acknowledgement; after an apply has begun
APPLYING = "applying"
WORKER = """\
from pathlib import Path
import sys
from benchmarks.suite.crash import work
work(Path(sys.argv[1]))
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The seed of the moments."""
    parser.add_argument("--seed", type=int, default=1)


def run(options: Options) -> Outcome:
    """Kill; `--limit` is how often."""
    kills = options.limit or KILLS
    chance = random.Random(options.extra["seed"])
    lost, half, in_apply = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        place = workspace(
            Path(folder) / "twin",
            ring(),
            interval_s=60,
            simulated_s=0.02,
            most_changes=500,
            most_per_hour=100000,
            cooldown_s=0,
            flaps=0,
        )
        acknowledged: set[str] = set()
        for number in range(kills):
            if number % 2:
                acknowledged |= killed(place.folder, chance.uniform(0, APPLYING_S), APPLYING)
            else:
                acknowledged |= killed(place.folder, chance.uniform(0, LONGEST_S))
            again = Workspace(place.folder)
            have = {f"{at:.6f}" for at in again.repository.times_s().tolist()}
            lost = max(lost, len(acknowledged - have))
            with again.writing("crash"), again.network() as network:
                in_apply += any(one.unfinished for one in network.journal.all())
                network.recover()
                half += half_applied(network)
            issues = [*again.repository.store.damaged(), *again.audit.issues()]
            if issues:
                lost += 1
                say(f"kill {number + 1}: {issues[0]}")
            if (number + 1) % 20 == 0:
                say(f"{number + 1} kills, {len(acknowledged)} kept, {lost} lost, {half} half")
    return Outcome(
        (
            Figure("kills", kills),
            at_most("acknowledged rows lost", lost, 0),
            at_most("half-applied plans", half, 0),
            Figure("observations acknowledged", len(acknowledged)),
            Figure("kills while a plan was applied", in_apply),
        )
    )


def ring() -> Scenario:
    """A ring with a chord, in which a failure overloads a link that a plan relieves."""
    return generate("ladder", nodes=6, load=0.85, capacity_bps=10e6)


def killed(folder: Path, after_s: float, word: str = "") -> set[str]:
    """Let a loop work, kill it so long after its first line, or the first that is a word; what it
    acknowledged."""
    words = [sys.executable, "-c", WORKER, str(folder)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    while word and lines[-1] and lines[-1].strip() != word:
        lines.append(child.stdout.readline())
    time.sleep(after_s)
    os.kill(child.pid, signal.SIGKILL)
    lines += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    return {line.strip() for line in lines if line.endswith("\n")} - {APPLYING}


def half_applied(network: Any) -> int:
    """How many plans the network has a part of: it must have what its plans that stand make of it,
    and what happened."""
    lines = (FailLink, RestoreLink)
    events = [e.change for e in network.happened if isinstance(e.change, lines)]
    expected = apply_all(network.plan, events)
    for receipt in network.journal.all():
        if receipt.stands:
            expected = apply_all(expected, receipt.changes)
    return int(configuration(expected) != configuration(network.configured()))


def work(folder: Path) -> None:
    """What is killed: a loop, and a line that goes down and up."""
    place = Workspace(folder)
    with place.writing("crash"), place.network() as network:
        runs = loop(place, network, verify=False, stop=Steps(300))
        runs.parts.at_step = lambda step: print(APPLYING, flush=True) if step == "apply" else None
        down = False
        while True:
            seen = runs.cycle()
            for at in place.repository.times_s().tolist()[-3:]:
                if at <= seen.time_s:
                    print(f"{at:.6f}", flush=True)
            network.inject(Event(RestoreLink(LINE) if down else FailLink(LINE)))
            down = not down
