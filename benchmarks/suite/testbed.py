"""testbed: mean delays measured in a laboratory of real routers, learned fold by fold."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, say
from benchmarks.burst_trains import waiting_s
from nettwin.engines.learned.testbed.forward import delays
from nettwin.engines.learned.testbed.inputs import BurstInputs, inputs_of, latency_s
from nettwin.formats.format import Reading

TITLE = "The learned twin against measurements of real routers and switches"
PROTOCOL = (
    "A folder of testbed recordings NAME_K.npz: K is the fold, NAME the family of traffic. Each "
    "fold in turn is predicted by a network that was trained on all families of the other folds, "
    "from its beginning, with the same settings and seed. MAPE: mean absolute percentage error of "
    "a flow's mean delay, pooled over the flows of a family or of all; a load class is the highest "
    "load on the path. Peers in the same run: `per hop`, the delay linear in the ports of the path "
    "and the packet size, least relative squares over all flows of the training folds; `theory`, "
    "the queueing theory of this package on the scenario as read (bursts of 0.25 s on average, as "
    "none are recorded; no device latency), on every 8th scenario; `first guess`, the network "
    "before training: fitted latency, and waiting in proportion to what the peak rate exceeds. "
    "Settings of the training were chosen on fold 0, so judge by the others; buffers and the duty "
    "of the bursts, a handful of physical constants, were found on all folds. "
    "Neither the time over which packets were counted nor anything else measured enters: packet "
    "counts tell that time (it is 5 s and about the longest delay), so rates alone are read. "
    "With `--twin` every measured delay is replaced by fitted latency and what one run of burst "
    "trains as fluids (benchmarks/burst_trains.py) waits, periods, duties and phases of the "
    "bursts drawn at random and told to nobody: what this network errs then comes of "
    "bursts alone (and of what it learned imperfectly); devices are exactly as supposed."
)
TARGET_PERCENT = 12.0
THEORY_EVERY = 8
LOADS = (0.0, 0.4, 0.6, 0.8, 1.0, np.inf)
DELAYS_MS = (0.0, 0.2, 1.0, 5.0, 20.0, 60.0, np.inf)
_FILE = re.compile(r"(?P<family>.+)_(?P<fold>\d+)\.npz")
Floats = NDArray[np.float64]


def arguments(parser: argparse.ArgumentParser) -> None:
    """How long to train, and which folds to report."""
    parser.add_argument("--epochs", type=int, default=12, help="passes over the training folds")
    parser.add_argument("--folds", type=int, default=0, help="folds to report; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument(
        "--twin",
        action="store_true",
        help="put simulated delays in place of the measured ones: what hidden bursts alone leave",
    )


@dataclass(frozen=True)
class Measured:
    """A recorded scenario, ready for all that predict it; arrays are [flows]."""

    family: str
    fold: int
    inputs: BurstInputs
    delay_s: Floats
    bursty: NDArray[np.bool_]
    load: Floats
    theory_s: Floats | None


@dataclass(frozen=True)
class Predicted:
    """A recorded scenario and what the methods say of it."""

    measured: Measured
    by: dict[str, Floats]  # method: [flows]


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of scenarios of each file."""
    if options.data is None:
        raise Skipped("give a folder of testbed recordings with --data")
    try:
        import torch
    except ImportError:
        raise Skipped("training needs PyTorch: pip install 'nettwin[train]'") from None
    torch.set_num_threads(1)
    begin = time.perf_counter()
    measured = recordings(options.data, options.limit)
    folds = sorted({m.fold for m in measured})
    if len(folds) < 2:
        raise Skipped(f"{options.data} holds fewer than two folds: give files NAME_0, NAME_1...")
    say(f"{len(measured)} scenarios read in {time.perf_counter() - begin:.0f} s")
    if options.extra["twin"]:
        measured = simulated(measured)
    predicted: list[Predicted] = []
    seconds: list[float] = []
    for fold in folds[: options.extra.get("folds") or None]:
        begin = time.perf_counter()
        predicted += crossed(measured, fold, options.extra["epochs"], options.extra["seed"])
        seconds.append(time.perf_counter() - begin)
        here = [p for p in predicted if p.measured.fold == fold]
        say(f"fold {fold}: {_mape(here, 'learned'):.2f} % in {seconds[-1]:.0f} s")
    judged = not options.extra["twin"]
    kind = "measured" if judged else "simulated"
    remarks = (
        f"{len(predicted)} scenarios of {kind} delays predicted; trained "
        f"{options.extra['epochs']} epochs a fold, seed {options.extra['seed']}, "
        f"{float(np.mean(seconds)):.0f} s a fold.",
    )
    return Outcome(tuple(figures_of(predicted, judged=judged)), remarks)


def recordings(folder: Path, limit: int | None) -> list[Measured]:
    """Every recorded scenario of a folder's files, the first `limit` of each."""
    from nettwin.formats import read_all

    out: list[Measured] = []
    for file in sorted(folder.glob("*.npz")):
        named = _FILE.fullmatch(file.name)
        if named:
            readings = islice(read_all(file, format="testbed"), limit)
            for number, reading in enumerate(readings):
                theory = number % THEORY_EVERY == 0
                out.append(_measured(reading, named["family"], int(named["fold"]), theory))
    return out


def _measured(reading: Reading, family: str, fold: int, theory: bool) -> Measured:
    scenario = reading.scenario
    assert reading.metrics is not None
    load = np.zeros(scenario.traffic.flow_count)
    paths = scenario.paths
    np.maximum.at(load, paths.hop_flow, scenario.link_offered_load[paths.links])
    kinds = np.array([arrival.kind for arrival in scenario.traffic.arrivals])
    said = None
    if theory:
        from nettwin.engines.theory import Theory

        said = Theory().predict([scenario])[0].flow["owd_mean_s"]
    return Measured(
        family,
        fold,
        inputs_of(scenario),
        reading.metrics.flow["owd_mean_s"],
        kinds[scenario.traffic.flow_arrival] == "onoff",
        load,
        said,
    )


def crossed(measured: Sequence[Measured], fold: int, epochs: int, seed: int) -> list[Predicted]:
    """The scenarios of a fold, predicted by what the others teach."""
    from nettwin.engines.learned.training.testbed import (
        Settings,
        relative_least_squares,
        train_testbed,
    )

    others = [m for m in measured if m.fold != fold]
    inputs, delay = [m.inputs for m in others], [m.delay_s for m in others]
    weights = train_testbed(inputs, delay, Settings(epochs=epochs, seed=seed))
    untrained = train_testbed(inputs, delay, Settings(epochs=0, seed=seed))
    terms = np.concatenate([i.latency for i in inputs])
    by_hop = relative_least_squares(terms, np.concatenate(delay))
    out = []
    for m in measured:
        if m.fold == fold:
            by = {
                "learned": delays(m.inputs, weights)[0].astype(np.float64),
                "first guess": delays(m.inputs, untrained)[0].astype(np.float64),
                "per hop": m.inputs.latency @ by_hop,
            }
            if m.theory_s is not None:
                by["theory"] = m.theory_s
            out.append(Predicted(m, by))
    return out


def simulated(measured: Sequence[Measured]) -> list[Measured]:
    """The same with delays of simulated burst trains: another in each scenario, the same again."""
    from nettwin.engines.learned.training.testbed import fitted_latency

    latency = fitted_latency([m.inputs for m in measured], [m.delay_s for m in measured])
    return [
        replace(m, delay_s=latency_s(m.inputs, latency) + waiting_s(m.inputs, seed))
        for seed, m in enumerate(measured)
    ]


def figures_of(predicted: Sequence[Predicted], *, judged: bool) -> list[Figure]:
    """All errors: the whole, by fold, family, kind of flow, load, measured delay, and of peers."""

    def whole(name: str, value: float) -> Figure:
        return at_most(name, value, TARGET_PERCENT, "%") if judged else Figure(name, value, "%")

    figures = [whole("MAPE, pooled", _mape(predicted, "learned"))]
    families = sorted({p.measured.family for p in predicted})
    folds = sorted({p.measured.fold for p in predicted})
    for family in families:
        own = [p for p in predicted if p.measured.family == family]
        figures.append(whole(f"MAPE, {family}", _mape(own, "learned")))
    error = _errors(predicted, "learned")
    figures += [
        Figure("absolute percentage error, median", float(np.median(error)) * 100, "%"),
        Figure("bias (mean signed error)", float(_signed(predicted, "learned").mean()) * 100, "%"),
    ]
    for fold in folds:
        for family in families:
            own = [p for p in predicted if (p.measured.family, p.measured.fold) == (family, fold)]
            if own:
                figures.append(Figure(f"MAPE, {family} fold {fold}", _mape(own, "learned"), "%"))
    figures += _groups(predicted, error)
    for peer in ("first guess", "per hop", "theory"):
        told = [p for p in predicted if peer in p.by]
        if told:
            figures.append(Figure(f"MAPE of {peer}, pooled", _mape(told, peer), "%"))
    figures.append(Figure("flows", float(len(error))))
    return figures


def _groups(predicted: Sequence[Predicted], error: Floats) -> list[Figure]:
    load = np.concatenate([p.measured.load for p in predicted])
    delay_ms = np.concatenate([p.measured.delay_s for p in predicted]) * 1e3
    bursty = np.concatenate([p.measured.bursty for p in predicted])
    groups = [("bursty flows", bursty), ("flows of constant rate", ~bursty)]
    for name, bounds, values in (
        ("load {:g} to {:g}", LOADS, load),
        ("measured {:g} to {:g} ms", DELAYS_MS, delay_ms),
    ):
        for low, high in pairwise(bounds):
            groups.append((name.format(low, high), (values >= low) & (values < high)))
    return [
        Figure(
            f"MAPE, {label} ({group.mean():.0%} of flows)", float(error[group].mean()) * 100, "%"
        )
        for label, group in groups
        if group.any()
    ]


def _signed(predicted: Sequence[Predicted], method: str) -> Floats:
    return np.concatenate([p.by[method] / p.measured.delay_s - 1 for p in predicted])


def _errors(predicted: Sequence[Predicted], method: str) -> Floats:
    error = np.abs(_signed(predicted, method))
    known: Floats = error[np.isfinite(error)]
    return known


def _mape(predicted: Sequence[Predicted], method: str) -> float:
    return float(_errors(predicted, method).mean()) * 100
