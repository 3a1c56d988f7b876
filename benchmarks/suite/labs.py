"""labs: whether every training lab is fair."""

from __future__ import annotations

import argparse

from benchmarks.benchmark import Figure, Options, Outcome, at_least, say
from nettwin.apps.labs import find_lab, lab_names
from nettwin.apps.labs.trial import Tried, trial
from nettwin.engines.packet import PacketSimulator

TITLE = "Training labs: solutions pass, doing nothing and plausible wrong solutions fail"
PROTOCOL = (
    "Every lab that nettwin brings, every variant, on simulated packets (400,000 at most, delays "
    "to 5 %), with traffic varied by seeds 1 to 3 where the lab says so. A solution is left after "
    "half of the time. Figures are shares over labs, variants and seeds."
)
SEEDS = (1, 2, 3)


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(options: Options) -> Outcome:
    """Try every lab; `--limit` is the number of labs."""
    names = lab_names()[: options.limit]
    found: list[Tried] = []
    for name in names:
        lab = find_lab(name)
        for seed in SEEDS:
            model = PacketSimulator(
                seed=seed, max_packets=400_000, precision=0.05, percentiles=True, jobs=1
            )
            tried = trial(lab, model, seed=seed)
            found += tried
            for one in tried:
                if not one.right:
                    where = f"{name}, seed {seed}, variant {one.variant + 1}"
                    say(f"{where}: {one.what}: {one.points:.0f}")
        say(f"{name}: tried")
    figures = [
        at_least("labs", float(len(names)), 10.0),
        at_least("solutions passed", _right(found, "solution"), 1.0),
        at_least("idle failed", _right(found, "idle"), 1.0),
        at_least("wrong solutions failed", _right(found, "wrong"), 1.0),
        Figure("points of solutions, least", min(t.points for t in found if t.kind == "solution")),
    ]
    return Outcome(tuple(figures), (f"{len(found)} ways to leave a network were tried.",))


def _right(found: list[Tried], kind: str) -> float:
    mine = [one.right for one in found if one.kind == kind]
    return sum(mine) / len(mine)
