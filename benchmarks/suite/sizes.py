"""sizes: the error of the learned twin by the size of the network."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_most, say
from benchmarks.growth import Axes, Row, chart
from benchmarks.noise import MEAN_OF_NORMAL, independent_error
from benchmarks.suite.gnnet import compare
from nettwin.datasets.generation import make_sample
from nettwin.datasets.inspection import label_noise
from nettwin.datasets.recipe import Recipe, read_recipe, shipped_recipe
from nettwin.datasets.store import Sample
from nettwin.formats import read_all
from nettwin.formats.format import Reading
from nettwin.interfaces.wiring import engine, labeler
from nettwin.metrics import Metrics, Table
from nettwin.model import NetworkModel

TITLE = "Error of the mean delay by the size of the network"
PROTOCOL = (
    "Own networks of 10 to 50 nodes that no model was trained on: of the recipe `common`, drawn "
    "with another seed, as synthetic topologies alone (Gabriel, geometric, Waxman, Barabasi) with "
    "capacities dimensioned to the traffic and nothing broken; at each size as many networks "
    "at each of six loads of the busiest link, 0.5 to 1.3 (48 of 10 nodes, which differ most and "
    "cost least, 24 of 20, 18 of 30, 12 each of 40 and 50). Each is simulated twice, "
    "with 20,000 packet-hops for each pair of nodes, so that the flows of all sizes are about as "
    "well known; the label is the mean of both. Noise: the mean relative error that a perfect "
    "model would show on such labels, from the difference of the two. With `--data`, the "
    "recordings of a datanet folder by size too; of their noise only a lower bound is known, as if "
    "packets were independent. Error: MAPE of the mean delay over a simulation's flows (starved "
    "and censored ones left out, as in `gnnet`), then the mean over simulations, with its standard "
    "error. Largest over smallest: of the means of all sizes. The gnn's error over theory's tells "
    "how far the networks of a size are harder for both."
)
ENGINES = ("gnn", "theory")
SIZES = {10: 8, 20: 4, 30: 3, 40: 2, 50: 2}  # nodes, and networks at each load
LOADS = (0.5, 0.7, 0.85, 1.0, 1.15, 1.3)
SEED = 977_301
HOPS_A_PAIR = 20_000
FLAT = 1.5
MADE_UP = {"gabriel": 3, "geometric": 2, "waxman": 2, "barabasi-albert": 2}
OWN, PUBLIC = "own", "recorded"
SERIES = (
    ("own gnn", "gnn, own networks", "#c0392b"),
    ("own theory", "theory, own networks", "#1b6ca8"),
    ("own noise", "noise of the labels, own networks", "#888888"),
    ("recorded gnn", "gnn, recordings", "#e67e22"),
    ("recorded theory", "theory, recordings", "#5dade2"),
)
AXES = Axes("nodes", "nodes", "%", legend=(400, 48))
PICTURE = Path(__file__).parents[2] / "docs" / "benchmark_sizes.svg"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The picture, by its usual place."""
    where = f"draw the errors here; the results page shows docs/{PICTURE.name}"
    parser.add_argument("--picture", type=Path, metavar="SVG", help=where)


class Errors(NamedTuple):
    """Of one simulation, in percent: of each engine, and of a perfect model."""

    engines: Mapping[str, float]
    noise: float


@dataclass(frozen=True)
class Size:
    """The simulations of one size, of our own or recorded."""

    kind: str
    nodes: int
    simulations: Sequence[Errors]

    def of(self, name: str) -> list[float]:
        """What is known of an engine (or of `noise`), a number a simulation."""
        each = [s.noise if name == "noise" else s.engines[name] for s in self.simulations]
        return [value for value in each if np.isfinite(value)]

    def mean(self, name: str) -> float:
        """The mean over simulations; NaN where nothing is known."""
        return float(np.mean(self.of(name))) if self.of(name) else float("nan")

    def error(self, name: str) -> float:
        """The standard error of that mean; NaN of one simulation."""
        known = self.of(name)
        return float(np.std(known, ddof=1) / np.sqrt(len(known))) if len(known) > 1 else np.nan


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of own sizes, and of recorded simulations."""
    models = {name: engine(name) for name in ENGINES}
    sizes = [own(nodes, rounds, models) for nodes, rounds in islice(SIZES.items(), options.limit)]
    if options.data is not None:
        sizes += recorded(options.data, options.limit, models)
    if options.extra.get("picture"):
        drawing = chart(rows_of(sizes), SERIES, AXES)
        options.extra["picture"].write_text(drawing, encoding="utf-8")
    figures = [figure for size in sizes for figure in _figures(size)]
    counts = ", ".join(f"{len(s.simulations)} of {s.nodes} nodes ({s.kind})" for s in sizes)
    return Outcome((*flatness(sizes), *figures), (f"Simulations: {counts}.",))


def own(nodes: int, rounds: int, models: Mapping[str, NetworkModel]) -> Size:
    """Fresh networks of a size, simulated twice each."""
    found = []
    for number in range(rounds * len(LOADS)):
        recipe = recipe_of(nodes, LOADS[number % len(LOADS)])
        found.append(errors_of_sample(make_sample(recipe, number, labeler), models))
    size = Size(OWN, nodes, found)
    say(f"{nodes} nodes: {size.mean('gnn'):.2f} %, noise {size.mean('noise'):.2f} %")
    return size


def recipe_of(nodes: int, load: float) -> Recipe:
    """What networks of a size and a load of the busiest link are drawn from."""
    common = read_recipe(shipped_recipe("common"))
    return replace(
        common,
        name=f"{nodes}-nodes",
        seed=SEED + nodes,
        packet_hops=float(HOPS_A_PAIR * nodes**2),
        second_seeds=1.0,
        topology={"nodes": [nodes, nodes], "kinds": MADE_UP},
        links={**common.links, "capacities": {"dimensioned": 1}},
        traffic={**common.traffic, "load": load},
        impairments={"kinds": {"none": 1}},
    )


def errors_of_sample(sample: Sample, models: Mapping[str, NetworkModel]) -> Errors:
    """The errors against the mean of a sample's two simulations, of half the variance of one."""
    noise = label_noise(sample) / np.sqrt(2) * 100
    reading = Reading(sample.scenario, "drawn", sample.scenario.name, metrics=label(sample))
    return Errors(_engines(reading, models), float(noise))


def label(sample: Sample) -> Metrics:
    """The mean of a sample's two simulations, of what errors are measured by."""
    one, two = sample.metrics, sample.second
    assert two is not None
    columns = {
        name: (one.flow[name] + two.flow[name]) / 2
        for name in ("owd_mean_s", "owd_p90_s", "loss_ratio")
    }
    return Metrics(Table(columns), Table({}), Table({}), "simulated", one.engine)


def recorded(data: Path, limit: int | None, models: Mapping[str, NetworkModel]) -> Iterator[Size]:
    """The recordings of a folder by size."""
    found: dict[int, list[Errors]] = defaultdict(list)
    readings = (r for r in read_all(data) if r.metrics is not None)
    for count, reading in enumerate(islice(readings, limit), start=1):
        assert reading.metrics is not None
        least = independent_error(reading.scenario, reading.metrics) * MEAN_OF_NORMAL * 100
        known = least[np.isfinite(least) & (reading.metrics.flow["loss_ratio"] < 0.99)]
        errors = Errors(_engines(reading, models), float(known.mean()) if len(known) else np.nan)
        found[reading.scenario.topology.node_count].append(errors)
        if count % 20 == 0:
            say(f"{count} recordings")
    return (Size(PUBLIC, nodes, errors) for nodes, errors in sorted(found.items()))


def _engines(reading: Reading, models: Mapping[str, NetworkModel]) -> dict[str, float]:
    return {
        name: compare(reading, model.predict([reading.scenario])[0], 0.0).mape
        for name, model in models.items()
    }


def flatness(sizes: Sequence[Size]) -> list[Figure]:
    """The largest error of any size over the smallest: all of them against the target, each kind
    and each engine besides."""
    figures = []
    for name in ENGINES:
        for kinds in ((OWN, PUBLIC), (OWN,), (PUBLIC,)):
            chosen = [s for s in sizes if s.kind in kinds]
            if len(chosen) < 2 or (len(kinds) == 2 and {s.kind for s in chosen} != set(kinds)):
                continue
            means = [s.mean(name) for s in chosen]
            span = f"{min(s.nodes for s in chosen)} to {max(s.nodes for s in chosen)} nodes"
            title = f"{name}, {' and '.join(kinds)}, {span}: largest over smallest"
            factor = max(means) / min(means)
            judged = name == "gnn" and len(kinds) == len({s.kind for s in sizes})
            figures.append(
                at_most(title, factor, FLAT, "x") if judged else Figure(title, factor, "x")
            )
    return figures


def _figures(size: Size) -> list[Figure]:
    title = f"{size.kind}, {size.nodes} nodes"
    figures = []
    for name in ENGINES:
        figures.append(Figure(f"{title}: {name}", size.mean(name), "%"))
        figures.append(Figure(f"{title}: {name}, standard error", size.error(name), "%"))
    figures.append(Figure(f"{title}: gnn over theory", size.mean("gnn") / size.mean("theory"), "x"))
    noise = "noise of the labels" if size.kind == OWN else "noise of the recordings, at least"
    return [*figures, Figure(f"{title}: {noise}", size.mean("noise"), "%")]


def rows_of(sizes: Sequence[Size]) -> list[Row]:
    """A row a size, with a column for each kind and engine."""
    rows: dict[int, Row] = {}
    for size in sizes:
        row = rows.setdefault(size.nodes, {"nodes": size.nodes})
        row |= {f"{size.kind} {name}": size.mean(name) for name in (*ENGINES, "noise")}
    return [rows[nodes] for nodes in sorted(rows)]
