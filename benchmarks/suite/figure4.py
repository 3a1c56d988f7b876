"""figure4: the gnn against routenet, rnn, mlp and theory on topologies that none was trained on."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, say
from benchmarks.cumulative import draw, write_curves
from nettwin.datasets.store import Sample, read_manifest, read_samples
from nettwin.engines.learned.catalog import DEFAULT, load
from nettwin.engines.learned.training.examples import Parts, parts_on_card, tests, topology_number
from nettwin.formats import read_all
from nettwin.interfaces.plots import check_drawable
from nettwin.interfaces.wiring import engine
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

TITLE = "Relative error of the mean delay on unseen topologies: gnn, routenet, rnn, mlp, theory"
PROTOCOL = (
    "After Figure 4 of Almasan et al. (Digital Twin Network: Opportunities and Challenges, 2022): "
    "the distribution over flows of |predicted - recorded| / recorded of the mean one-way delay. "
    "Own data: the test samples (as the gnn's card says) of the data sets of `--own`, without "
    "those whose topology occurs in any other sample of them. Public data: the simulations of a "
    "datanet folder, whose networks no model was trained on. All learned models were trained on "
    "the same samples of our own, and "
    "get the same inputs, the gnn theory besides. Flows that lost 99 % or more or whose recorded "
    "delays are cut off are left out; all others are pooled. Where an engine says that nothing "
    "arrives though something did, its error counts as 100 %. Means also by hops of the longest "
    "path and by the load of the busiest link on the path."
)
ENGINES = ("gnn", "theory", "routenet", "rnn", "mlp")
STARVED = 0.99
CENSORED_S = 20.0
UNDER = (0.01, 0.05, 0.10, 0.20)
HOPS = (1, 3, 6, 1000)  # bounds of the classes by the number of hops, the first included
LOADS = (0.0, 0.5, 0.9, 1e9)  # and by the load of the busiest link on the path
Floats = NDArray[np.float64]
Case = tuple[Scenario, Metrics]


class Measured(NamedTuple):
    """The flows of all simulations that can be compared."""

    error: dict[str, Floats]  # of each engine, relative, without sign; [flows]
    hops: Floats  # [flows] of the longest path
    load: Floats  # [flows] of the busiest link on the path


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
    if options.extra.get("picture"):
        check_drawable(options.extra["picture"])
    models = {name: engine(name) for name in ENGINES}
    every: dict[str, Measured] = {}
    remarks = []
    if options.extra.get("own"):
        samples, left_out = unseen(options.extra["own"], load(DEFAULT).card)
        cases = [(s.scenario, s.metrics) for s in samples][: options.limit]
        remarks.append(
            f"Own data: {len(cases)} test samples; {left_out} were left out because their"
            " topology occurs in the training data."
        )
        every["our own simulations"] = measured(models, cases)
    if options.data is not None:
        readings = (r for r in read_all(options.data) if r.metrics is not None)
        cases = [(r.scenario, r.metrics) for r in islice(readings, options.limit) if r.metrics]
        remarks.append(f"Public data: {len(cases)} simulations of {options.data.name}.")
        every[f"public simulations ({_name(options.data)})"] = measured(models, cases)
    if not every:
        raise Skipped("give our own data with --own, a datanet folder with --data, or both")
    curves = {data: found.error for data, found in every.items()}
    if options.extra.get("curves"):
        write_curves(options.extra["curves"], curves)
    if options.extra.get("picture"):
        draw(options.extra["picture"], curves)
    remarks += [f"{data}: {len(found.hops):,} flows compared." for data, found in every.items()]
    figures = [
        figure
        for data, found in every.items()
        for name in models
        for figure in figures_of(data, found, name)
    ]
    return Outcome(tuple(figures), tuple(remarks))


def _name(folder: Path) -> str:
    """The last names of a folder that has one of a data set above it."""
    parts = [part for part in folder.resolve().parts if part.startswith("gnnet")]
    return parts[-1] if parts else folder.name


def unseen(folders: Sequence[Path], card: Mapping[str, Any]) -> tuple[list[Sample], int]:
    """The samples of data sets that a model's card keeps for testing and whose topology occurs in
    no other sample, and how many others are kept for that."""
    test: list[Sample] = []
    seen: set[int] = set()
    for folder in folders:
        say(f"reading {folder.name}")
        parts: Parts = parts_on_card(card, str(read_manifest(folder).recipe.get("name", "")))
        for sample in read_samples(folder):
            if tests(sample, parts):
                test.append(sample)
            else:
                seen.add(topology_number(sample.scenario))
    kept = [sample for sample in test if topology_number(sample.scenario) not in seen]
    return kept, len(test) - len(kept)


def measured(models: dict[str, NetworkModel], cases: Sequence[Case]) -> Measured:
    """What each engine says of all simulations, held against what was recorded."""
    error: dict[str, list[Floats]] = {name: [] for name in models}
    hops, load = [], []
    for k, (scenario, recorded) in enumerate(cases):
        good = comparable(recorded)
        for name, model in models.items():
            said = model.predict([scenario])[0].flow["owd_mean_s"][good]
            off = np.abs(said / recorded.flow["owd_mean_s"][good] - 1)
            # nothing arrives, it says, though something did: as wrong as no delay at all
            error[name].append(np.where(np.isfinite(off), off, 1.0))
        paths = scenario.paths
        busiest, long = np.zeros(len(good)), np.zeros(len(good))
        np.maximum.at(busiest, paths.hop_flow, scenario.link_offered_load[paths.links])
        np.maximum.at(long, paths.path_flow, np.diff(paths.link_offset))
        hops.append(long[good])
        load.append(busiest[good])
        if k % 20 == 0:
            say(f"{k + 1} of {len(cases)} simulations")
    return Measured(
        {name: np.concatenate(parts) for name, parts in error.items()},
        np.concatenate(hops),
        np.concatenate(load),
    )


def comparable(recorded: Metrics) -> NDArray[np.bool_]:
    """Flows whose mean delay was recorded, whole, of more than a hundredth of their packets."""
    mean, loss = recorded.flow["owd_mean_s"], recorded.flow["loss_ratio"]
    p90 = recorded.flow.columns.get("owd_p90_s", np.zeros(len(mean)))
    with np.errstate(invalid="ignore"):
        good = (mean > 0) & ~(loss >= STARVED) & ~(p90 >= CENSORED_S * (1 - 1e-9))
    return np.asarray(good)


def figures_of(label: str, found: Measured, name: str) -> list[Figure]:
    """What is kept of the errors of an engine."""
    errors = found.error[name]
    label = f"{label}, {name}"
    groups = [
        *(("hops", found.hops, low, high) for low, high in pairwise(HOPS)),
        *(("load", found.load, low, high) for low, high in pairwise(LOADS)),
    ]
    means = [
        (f"{what} from {low:g}", errors[(values >= low) & (values < high)])
        for what, values, low, high in groups
    ]
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
        *(
            Figure(f"{label}: mean, {group}", float(some.mean()) * 100, "%")
            for group, some in means
            if len(some)
        ),
    ]
