"""figure4: the gnn against routenet, rnn, mlp and theory on topologies that none was trained on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, say
from benchmarks.cumulative import draw, write_curves
from nettwin.datasets.store import Sample, read_samples
from nettwin.engines.learned.training.examples import USUAL, topology_number
from nettwin.formats import read_all
from nettwin.interfaces.wiring import engine
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

TITLE = "Relative error of the mean delay on unseen topologies: gnn, routenet, rnn, mlp, theory"
PROTOCOL = (
    "After Figure 4 of Almasan et al. (Digital Twin Network: Opportunities and Challenges, 2022): "
    "the distribution over flows of |predicted - recorded| / recorded of the mean one-way delay. "
    "Own data: the test samples (every fifth) of the first data set of `--own`, without those "
    "whose nodes and links occur in any other sample of the data sets of `--own` (real networks "
    "are drawn again and again). Public data: the simulations of a datanet folder, whose networks "
    "no model was trained on. All learned models were trained on the same samples of our own, and "
    "get the same inputs, the gnn theory besides. Flows that lost 99 % or more or whose recorded "
    "delays are cut off are left out; all others are pooled. Where an engine says that nothing "
    "arrives though something did, its error counts as 100 %."
)
ENGINES = ("gnn", "theory", "routenet", "rnn", "mlp")
STARVED = 0.99
CENSORED_S = 20.0
UNDER = (0.01, 0.05, 0.10, 0.20)
Floats = NDArray[np.float64]
Case = tuple[Scenario, Metrics]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Our own data sets, and where curves and picture go."""
    parser.add_argument(
        "--own", type=Path, action="append", metavar="DIR", help="data sets that were trained on"
    )
    parser.add_argument("--curves", type=Path, metavar="CSV", help="write the curves here")
    where = "draw the curves here; the page on learned models shows docs/figure4.png"
    parser.add_argument("--picture", type=Path, metavar="PNG", help=where)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of simulations of each kind of data."""
    models = {name: engine(name) for name in ENGINES}
    curves: dict[str, dict[str, Floats]] = {}
    remarks = []
    if options.extra.get("own"):
        samples, left_out = unseen(options.extra["own"])
        cases = [(s.scenario, s.metrics) for s in samples][: options.limit]
        remarks.append(
            f"Own data: {len(cases)} test samples; {left_out} were left out because their"
            " topology occurs in the training data."
        )
        curves["our own simulations"] = errors_of(models, cases)
    if options.data is not None:
        readings = (r for r in read_all(options.data) if r.metrics is not None)
        cases = [(r.scenario, r.metrics) for r in islice(readings, options.limit) if r.metrics]
        remarks.append(f"Public data: {len(cases)} simulations of {options.data.name}.")
        curves[f"public simulations ({_name(options.data)})"] = errors_of(models, cases)
    if not curves:
        raise Skipped("give our own data with --own, a datanet folder with --data, or both")
    if options.extra.get("curves"):
        write_curves(options.extra["curves"], curves)
    if options.extra.get("picture"):
        draw(options.extra["picture"], curves)
    figures = [
        figure
        for data, by_engine in curves.items()
        for name, errors in by_engine.items()
        for figure in figures_of(f"{data}, {name}", errors)
    ]
    return Outcome(tuple(figures), tuple(remarks))


def _name(folder: Path) -> str:
    """The last names of a folder that has one of a data set above it."""
    parts = [part for part in folder.resolve().parts if part.startswith("gnnet")]
    return parts[-1] if parts else folder.name


def unseen(folders: Sequence[Path]) -> tuple[list[Sample], int]:
    """The test samples of the first data set whose topology occurs nowhere else, and how many
    others there are."""
    test: list[Sample] = []
    seen: set[int] = set()
    for folder in folders:
        say(f"reading {folder.name}")
        for sample in read_samples(folder):
            if folder == folders[0] and USUAL.of(sample.number) == "test":
                test.append(sample)
            else:
                seen.add(topology_number(sample.scenario))
    kept = [sample for sample in test if topology_number(sample.scenario) not in seen]
    return kept, len(test) - len(kept)


def errors_of(models: dict[str, NetworkModel], cases: Sequence[Case]) -> dict[str, Floats]:
    """|Relative error| of the mean delay of each engine, all flows together. [flows]"""
    found: dict[str, list[Floats]] = {name: [] for name in models}
    for k, case in enumerate(cases):
        for name, errors in zip(models, _errors(models, *case), strict=True):
            found[name].append(errors)
        if k % 20 == 0:
            say(f"{k + 1} of {len(cases)} simulations")
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _errors(
    models: dict[str, NetworkModel], scenario: Scenario, recorded: Metrics
) -> Iterator[Floats]:
    mean, loss = recorded.flow["owd_mean_s"], recorded.flow["loss_ratio"]
    p90 = recorded.flow.columns.get("owd_p90_s", np.zeros(len(mean)))
    with np.errstate(invalid="ignore", divide="ignore"):
        good = (mean > 0) & ~(loss >= STARVED) & ~(p90 >= CENSORED_S * (1 - 1e-9))
        for model in models.values():
            said = model.predict([scenario])[0].flow["owd_mean_s"]
            # nothing arrives, it says, though something did: as wrong as no delay at all
            error = np.where(np.isfinite(said), np.abs(said / mean - 1), 1.0)
            yield error[good]


def figures_of(label: str, errors: Floats) -> list[Figure]:
    """What is kept of a distribution."""
    p50, p90, p99 = np.quantile(errors, (0.5, 0.9, 0.99)) * 100
    return [
        Figure(f"{label}: median", float(p50), "%"),
        Figure(f"{label}: mean", float(errors.mean()) * 100, "%"),
        Figure(f"{label}: p90", float(p90), "%"),
        Figure(f"{label}: p99", float(p99), "%"),
        *(
            Figure(f"{label}: flows under {bound:.0%}", float((errors < bound).mean()) * 100, "%")
            for bound in UNDER
        ),
        Figure(f"{label}: flows", float(len(errors))),
    ]
