"""Judging: the learned twin and theory against known truth: errors, coverage, widths and flags."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, at_least, at_most
from benchmarks.kinds import Judged
from benchmarks.known_truth import MIN_LOSS, Truth
from nettwin.engines.learned.catalog import load
from nettwin.engines.learned.engine import Learned
from nettwin.interfaces.wiring import engine
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario
from nettwin.workers import usable_cores

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
COVERED = {
    "mean": "owd_mean_s",
    "p50": "owd_p50_s",
    "p90": "owd_p90_s",
    "p99": "owd_p99_s",
    "loss": "loss_ratio",
}
LOWEST, HIGHEST = 0.87, 0.93  # of an interval of 90 %
LARGE = 0.2
Z = 1.645  # standard deviations of a normal variable that hold 90 %
KEPT = Path(".cache")


def arguments(parser: argparse.ArgumentParser, samples: int) -> None:
    """The options that both benchmarks have."""
    parser.add_argument(
        "--samples", type=int, default=samples, metavar="N", help=f"networks (default {samples})"
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep what was simulated here, and go on from it"
    )
    parser.add_argument("--model", default="gnn", help="a model's name or file (default gnn)")
    parser.add_argument(
        "--jobs", type=int, default=usable_cores(), metavar="N", help="processes that simulate"
    )


def samples_of(options: Options) -> int:
    """How many networks: `--samples`, at most `--limit`."""
    return min(int(options.extra["samples"]), options.limit or 10**9)


@dataclass
class Tally:
    """What is gathered of each scenario."""

    shares: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    flows: dict[str, list[Floats]] = field(default_factory=lambda: defaultdict(list))
    reasons: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    networks: list[Judged] = field(default_factory=list)

    def share(self, name: str, values: Floats | Bools, where: Bools) -> None:
        """The mean over some flows of a scenario; nothing where there are none."""
        if where.any():
            self.shares[name].append(float(np.asarray(values, np.float64)[where].mean()))

    def mean(self, name: str) -> float:
        """The mean over scenarios, each weighing alike; NaN where there are none."""
        return float(np.mean(self.shares[name])) if self.shares[name] else float("nan")

    def of_flows(self, name: str) -> Floats:
        """The values of all flows of all scenarios."""
        return np.concatenate(self.flows[name]) if self.flows[name] else np.zeros(0)


def judged(scenarios: Sequence[Scenario], truth: Sequence[Truth], model: str) -> Tally:
    """The model and theory against the truth of each scenario."""
    learned, theory = Learned(load(model)), engine("theory")
    tally = Tally()
    for scenario, known in zip(scenarios, truth, strict=True):
        said = learned.predict([scenario])[0]
        beside = theory.predict([scenario])[0]
        _judge(tally, known, said, beside)
        tally.networks.append(_network(scenario, known, said))
        for reason in said.provenance["unsupported"]:
            tally.reasons[_shortened(reason)] += 1
    return tally


def _network(scenario: Scenario, truth: Truth, said: Metrics) -> Judged:
    """A network as the picture of kinds has it; its name says kind and policy."""
    kind, _, policy = scenario.name.partition(", ")
    arrivals = {type(one).__name__ for one in scenario.traffic.arrivals}
    good, value = truth.known("owd_mean_s"), truth.of("owd_mean_s")
    point, low, high = (
        t["owd_mean_s"][good] for t in (said.flow.columns, said.flow.low, said.flow.high)
    )
    held = _held(value[good], point, low, high, truth.error_of("owd_mean_s")[good])
    labels = (policy, ", ".join(sorted(arrivals)))
    return Judged(kind, labels, np.abs(point / value[good] - 1), held)


def _shortened(reason: str) -> str:
    """The feature that a sentence of `unsupported` speaks of."""
    return reason.partition(": ")[2].partition(" is ")[0] or reason[:40]


def _judge(tally: Tally, truth: Truth, said: Metrics, beside: Metrics) -> None:
    good, mean = truth.known("owd_mean_s"), truth.of("owd_mean_s")
    assert said.flagged is not None
    flagged = np.asarray(said.flagged)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(said.flow["owd_mean_s"] / mean - 1)
        theory = np.abs(beside.flow["owd_mean_s"] / mean - 1)
    tally.share("gnn", error, good)
    tally.share("gnn, not flagged", error, good & ~flagged)
    tally.share("theory", theory, good)
    tally.share("flagged", flagged, good)
    tally.flows["gnn"].append(error[good])
    tally.flows["gnn, not flagged"].append(error[good & ~flagged])
    tally.flows["theory"].append(theory[good])
    large = good & (error > LARGE)
    tally.flows["large"].append(flagged[large].astype(np.float64))
    for name, quantity in COVERED.items():
        value, where = truth.of(quantity), truth.known(quantity)
        tally.share(f"known {name}", where, np.isfinite(value))
        if quantity == "loss_ratio":
            where &= value >= MIN_LOSS
        low, high = said.flow.low[quantity], said.flow.high[quantity]
        error = truth.error_of(quantity)
        with np.errstate(invalid="ignore", divide="ignore"):
            as_simulated = (value >= low) & (value <= high)
            held = _held(value, said.flow[quantity], low, high, error)
            width = high - low if quantity == "loss_ratio" else (high - low) / said.flow[quantity]
        tally.share(f"coverage {name}", held, where)
        tally.share(f"as simulated {name}", as_simulated, where)
        tally.flows[f"width {name}"].append(width[where])


def _held(value: Floats, point: Floats, low: Floats, high: Floats, error: Floats) -> Bools:
    """Whether a value, known to an absolute standard error, lies in an interval of 90 %: each side
    of the point widened by what the error adds to deviations of that size. [flows]"""
    noise = Z * error
    return np.asarray(
        (value >= point - np.hypot(point - low, noise))
        & (value <= point + np.hypot(high - point, noise))
    )


def figures(tally: Tally, *, most: float, median: bool, width: float) -> list[Figure]:
    """The figures with their targets; `most` error of the gnn, its median over flows or its mean
    over scenarios; and the largest median width of the mean delay's intervals."""
    errors = tally.of_flows("gnn")
    middle = float(np.median(errors)) if len(errors) else float("nan")
    found = [at_most("gnn: error", middle if median else tally.mean("gnn"), most)]
    if median:
        found.append(Figure("gnn: mean error", tally.mean("gnn")))
    else:
        found.append(at_most("theory: error", tally.mean("theory"), 0.12))
        found.append(Figure("gnn: median error", middle))
    beside = tally.of_flows("theory")
    found.append(Figure("theory: median error", float(np.median(beside)) if len(beside) else 0.0))
    if median:
        found.append(Figure("theory: mean error", tally.mean("theory")))
    found.append(Figure("gnn: error, not flagged", tally.mean("gnn, not flagged")))
    for name in COVERED:
        value = tally.mean(f"coverage {name}")
        met = bool(LOWEST <= value <= HIGHEST)
        found.append(Figure(f"coverage {name}", value, "", 0.9, met, "within 0.03 of"))
        title = f"coverage {name}, as simulated"
        found.append(Figure(title, tally.mean(f"as simulated {name}")))
    for name in COVERED:
        widths = tally.of_flows(f"width {name}")
        value = float(np.nanmedian(widths)) if len(widths) else float("nan")
        title = f"width {name}"
        found.append(at_most(title, value, width) if name == "mean" else Figure(title, value))
    found.append(at_most("flagged or out of range", tally.mean("flagged"), 0.15))
    large = tally.of_flows("large")
    held = float(large.mean()) if len(large) else 1.0
    found.append(at_least("flagged hold errors over 20 %", held, 0.95))
    return found


def remarks(tally: Tally, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """What a reader must know."""
    errors, large = tally.of_flows("gnn"), tally.of_flows("large")
    known = ", ".join(f"{name} {tally.mean(f'known {name}'):.1%}" for name in COVERED)
    flows = sum(s.traffic.flow_count for s in scenarios)
    reasons = sorted(tally.reasons.items(), key=lambda pair: -pair[1])[:5]
    out = ", ".join(f"{name} ({count})" for name, count in reasons) or "nothing"
    return (
        f"{len(scenarios)} networks, {flows} flows; {len(errors)} mean delays are judged, of which "
        f"{len(large)} are off by more than 20 %.",
        f"Known to 1 %, and judged: {known}.",
        f"Most often out of range: {out}.",
    )
