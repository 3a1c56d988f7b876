"""calibration_live: how much less a twin is off once it was corrected by what was measured."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_least, at_most, say
from nettwin.apps.calibration.corrections import Corrections
from nettwin.apps.calibration.estimate import calibrate
from nettwin.apps.calibration.trend import errors
from nettwin.interfaces.wiring import engine
from nettwin.observation import Observation
from nettwin.physical.simulated.network import Simulated, SimulatedNetwork
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

TITLE = "A twin corrected by what was measured"
PROTOCOL = (
    "Simulated networks that hide errors of up to 5 % in capacity, overhead, base delay, demand "
    "and burstiness, of several shapes, speeds and schedulers. The twin (theory) is corrected from "
    "16 hourly observations, and judged on the 8 that follow: the mean relative error of mean "
    "delays, over flows by their packets, in excess of what a perfect twin would show. That floor "
    "is measured: the same hours run again with other packets; the mean difference of the two over "
    "the square root of two. Interval coverage: how many of the hidden capacities and base "
    "delays lie in their 95 % intervals."
)
RATIO = "excess error after over before"
LEARN, JUDGE = 16, 8
NETWORKS = (
    ("nsfnet", {"load": 0.85, "classes": "three", "scheduler": "sp"}),
    ("nsfnet", {"load": 0.85}),
    ("gabriel", {"nodes": 12, "load": 0.8, "capacity_bps": 30e6, "seed": 3}),
    ("ring", {"nodes": 6, "load": 0.8, "capacity_bps": 2e6}),
    ("waxman", {"nodes": 10, "load": 0.9, "classes": "three", "scheduler": "wfq", "seed": 2}),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of networks."""
    ratios, covered, figures = [], [], []
    for number, (kind, settings) in enumerate(NETWORKS[: options.limit]):
        ratio, inside = measured(generate(kind, **settings), number + 1)
        say(f"{kind} {settings}: {ratio:.3f}, {inside:.1%} covered")
        ratios.append(ratio)
        covered.append(inside)
        figures.append(Figure(f"{number + 1} {kind}: {RATIO}", ratio))
    return Outcome(
        (
            at_most(RATIO, fmean(ratios), 0.5),
            at_most("the worst network", max(ratios), 0.5),
            at_least("hidden values within their intervals", fmean(covered), 0.9),
            *figures,
        )
    )


def measured(plan: Scenario, seed: int) -> tuple[float, float]:
    """The excess error after over before, and the share of hidden values within their intervals."""
    model = engine("theory")
    seen, again = observed(plan, seed, 0), observed(plan, seed, 1)
    found = calibrate(seen[:LEARN], model).corrections
    judged = seen[LEARN:]
    floor = fmean(noise(one, other) for one, other in zip(judged, again[LEARN:], strict=True))
    before, after = (
        fmean(one.error for one in errors(judged, model, known)) - floor
        for known in (Corrections(), found)
    )
    hidden = SimulatedNetwork(plan, Path(tempfile.mkdtemp()), settings(seed)).hidden
    inside = []
    for kind, truth in (("capacity", hidden.capacity), ("delay", hidden.delay)):
        for name, value in zip(plan.topology.link_name, truth.tolist(), strict=True):
            low, high = found.bounds[f"{kind}/{name}"]
            inside.append(low <= value <= high)
    return max(after, 0.0) / before, float(np.mean(inside))


def settings(seed: int) -> Simulated:
    """Hours, of which 4 s are simulated."""
    return Simulated(interval_s=3600.0, simulated_s=4.0, seed=seed)


def observed(plan: Scenario, seed: int, run: int) -> list[Observation]:
    """The hours of a network; another `run` has the same hidden values and loads and other
    packets."""
    with tempfile.TemporaryDirectory() as folder:
        network = SimulatedNetwork(plan, Path(folder), settings(seed))
        network._packets.seed += 1000 * run
        return [network.observe() for _ in range(LEARN + JUDGE)]


def noise(one: Observation, other: Observation) -> float:
    """The error that a perfect twin would show, from two measurements of the same."""
    a, b = one.metrics.flow["owd_mean_s"], other.metrics.flow["owd_mean_s"]
    known = np.isfinite(a) & np.isfinite(b) & (a > 0)
    weight = one.scenario.traffic.flow_packet_rate_pps[known]
    return float(np.average(np.abs(a - b)[known] / a[known], weights=weight) / np.sqrt(2))
