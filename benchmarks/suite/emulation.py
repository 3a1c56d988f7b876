"""emulation: packet simulation against routers of Linux that run the same scenario."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_least, at_most, say
from nettwin.interfaces.wiring import emulation, simulator
from nettwin.physical.linux.needs import missing
from nettwin.physical.linux.network import as_emulated
from nettwin.scenario.changes import FailLink
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

TITLE = "The emulation against the simulator"
PROTOCOL = (
    "NSFNET with links of 1 Mbit/s and flows between all pairs, run for --seconds on routers of "
    "Linux and FRR in namespaces of this machine (engine `emulation`), and simulated to 1 % "
    "(engine `packet`): at 60, 70 and 80 % of the busiest link, after a failure, and with three "
    "classes under strict priority. The correlation is that of the mean delays of all flows, the "
    "error the mean over flows of the relative difference. The noise floor is the error of the "
    "simulator against itself when it runs for as long as the routers did, with other seeds (mean "
    "of three). The worst case counts."
)
CAPACITY_BPS = 1e6
LOADS = (0.6, 0.7, 0.8)
SEEDS = (11, 12, 13)


def arguments(parser: argparse.ArgumentParser) -> None:
    """How long each case runs."""
    parser.add_argument("--seconds", type=float, default=60.0)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of cases."""
    if words := missing():
        raise Skipped(words)
    seconds = options.extra["seconds"]
    figures, correlations, ratios = [], [], []
    for name, plan in list(cases())[: options.limit]:
        scenario = as_emulated(plan)
        (measured,) = emulation(seconds=seconds).predict([plan])
        (exact,) = simulator(precision=0.01).predict([scenario])
        length_s = measured.provenance["measured_s"]
        floor = np.mean(
            [
                error(one.flow["owd_mean_s"], exact.flow["owd_mean_s"])
                for seed in SEEDS
                for one in simulator(seed=seed, precision=0.0, max_time_s=length_s).predict(
                    [scenario]
                )
            ]
        )
        mine, true = measured.flow["owd_mean_s"], exact.flow["owd_mean_s"]
        known = np.isfinite(mine) & np.isfinite(true)
        correlations.append(float(np.corrcoef(mine[known], true[known])[0, 1]))
        found = error(mine, true)
        ratios.append(found / float(floor))
        say(f"{name}: correlation {correlations[-1]:.4f}, error {found:.3f}, floor {floor:.3f}")
        figures += [
            Figure(f"{name}: correlation of mean delay", correlations[-1]),
            Figure(f"{name}: error of mean delay", found),
            Figure(f"{name}: noise floor", float(floor)),
        ]
    return Outcome(
        (
            at_least("correlation of mean delay", min(correlations), 0.98),
            at_most("error over noise floor", max(ratios), 2.0),
            *figures,
        ),
        (f"Each case ran for {seconds:g} s.",),
    )


def cases() -> Iterator[tuple[str, Scenario]]:
    """The scenarios, as they are planned."""
    for load in LOADS:
        yield f"load {load:g}", generate("nsfnet", load=load, capacity_bps=CAPACITY_BPS)
    whole = generate("nsfnet", load=0.6, capacity_bps=CAPACITY_BPS)
    failed = whole.topology.link_name[0].replace("->", "<->")
    yield "after a failure", FailLink(failed).apply(whole)
    yield (
        "priorities",
        generate("nsfnet", load=0.7, capacity_bps=CAPACITY_BPS, classes="three", scheduler="sp"),
    )


def error(mine: np.ndarray, true: np.ndarray) -> float:
    """The mean relative difference of what both know."""
    return float(np.nanmean(np.abs(mine / true - 1)))
