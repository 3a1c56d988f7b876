"""inference: how fast learned models predict, and how that grows with the network."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_most, cpu_seconds
from benchmarks.growth import by_size, size_arguments
from benchmarks.networks import network, random_edges
from nettwin.formats import Reading, read_all, write
from nettwin.interfaces.wiring import ENGINES, engine
from nettwin.model import NetworkModel
from nettwin.scenario.arrivals import OnOff
from nettwin.scenario.generate import generate
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.scenario import Scenario

TITLE = "Speed of prediction"
PROTOCOL = (
    "Random networks (1.6 edges a node, degree over 3; flows between all pairs, 1,000,000 of them "
    "drawn at 1,000 nodes, on single shortest paths; peak utilization 0.8; three classes under "
    "WFQ; Poisson flows, and on-off flows apart), each size in a process of its own. From the "
    "scenario in memory to its metrics, theory and features and networks included: the best of "
    "five, wall time, compiled code, paths found before (finding them is a figure of its own); "
    "peak memory of the whole process. What-if: 200 variants of the network of 50 nodes, each "
    "with one link's weight doubled, its paths found and its metrics predicted. First prediction: "
    "`nettwin predict --engine twin` of NSFNET where no machine code is kept yet. With `--data`, "
    "a datanet folder: what a recorded simulation takes to read, and to predict (median of three)."
)
SIZES = (50, 100, 300, 1000)
MAX_FLOWS = 1_000_000
TARGETS_S = {50: 0.006, 100: 0.040, 300: 0.09, 1000: 5.0}
TARGETS_ONOFF_S = {50: 0.015, 100: 0.040, 300: 0.3}
MAX_VARIANTS_S, MAX_FIRST_S, MAX_HELP_S = 0.5, 45.0, 0.5
TARGETS_MIB = {300: 600.0, 1000: 4096.0}
VARIANTS = 200
READ = 4  # recorded simulations, the first not counted
MAX_GROWTH = 1.3  # of the cost of a flow-hop from the smallest to the largest network
SERIES = (
    ("paths_s", "finding all paths", "#1b6ca8"),
    ("poisson_s", "prediction, Poisson", "#c0392b"),
    ("onoff_s", "prediction, on-off", "#2e8b57"),
)
PICTURE = Path(__file__).parents[2] / "docs" / "benchmark_inference.svg"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The engine; one size alone, and the picture."""
    parser.add_argument("--engine", choices=tuple(ENGINES), default="gnn")
    size_arguments(parser, PICTURE)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of sizes, `--data` the simulations to read."""
    name = options.extra["engine"]
    command = ["inference", "--engine", name]
    rows = by_size(command, SIZES, SERIES, lambda nodes: measure(nodes, name), options)
    figures = [figure for row in rows for figure in _figures(row)]
    costs = [row["poisson_ns"] for row in rows]
    if len(costs) > 1:
        growth = max(costs) / min(costs)
        figures.append(at_most("cost a flow-hop, largest over smallest", growth, MAX_GROWTH, "x"))
    if options.limit is None:
        figures.append(at_most("first prediction after installing", first_s(), MAX_FIRST_S, "s"))
        figures.append(at_most("nettwin --help", help_s(), MAX_HELP_S, "s"))
    if options.data is not None:
        figures += _reading(options.data, name)
    return Outcome(tuple(figures), (f"Engine {name}.",))


def first_s() -> float:
    """Wall seconds of `nettwin predict --engine twin` where no machine code is kept yet."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.yaml"
        write(generate("nsfnet", classes="three", scheduler="wfq"), file)
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "code")}
        return _command("predict", str(file), "--engine", "twin", environment=environment)


def help_s() -> float:
    """Wall seconds of `nettwin --help`, the median of seven."""
    return median(_command("--help") for _ in range(7))


def _command(*words: str, environment: Mapping[str, str] | None = None) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "nettwin", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - begin


def _reading(data: Path, name: str) -> list[Figure]:
    """How long a recorded simulation takes to read, beside its prediction."""
    model, readings = engine(name), iter(read_all(data))
    seconds = [_read_and_predict(readings, model) for _ in range(READ)]
    reading, predicting = (float(np.median(each[1:])) for each in zip(*seconds, strict=True))
    return [
        Figure("recorded simulation: reading, processor time", reading, "s"),
        Figure("recorded simulation: prediction, processor time", predicting, "s"),
        at_most("recorded simulation: reading over prediction", reading / predicting, 1.0, "x"),
    ]


def _read_and_predict(readings: Iterator[Reading], model: NetworkModel) -> tuple[float, float]:
    found: list[Scenario] = []
    read_s = cpu_seconds(lambda: found.append(next(readings).scenario))
    return read_s, cpu_seconds(lambda: model.predict(found))


def measure(nodes: int, name: str) -> dict[str, float]:
    """The figures of one size."""
    model = engine(name)
    row: dict[str, float] = {"nodes": nodes}
    poisson = scenario(nodes)
    row["flows"] = poisson.traffic.flow_count
    row["paths_s"] = best(
        lambda: resolve(poisson.routing, poisson.topology, poisson.traffic), 2 if nodes > 300 else 3
    )
    row["flow_hops"] = len(poisson.paths.links)
    row["poisson_s"] = best(lambda: model.predict([poisson]), 5)
    row["poisson_ns"] = row["poisson_s"] / row["flow_hops"] * 1e9
    row["memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if nodes <= 300:
        arrivals = (OnOff(0.02, 0.03),)
        bursty = poisson.with_(traffic=poisson.traffic.with_arrays(arrivals=arrivals))
        row["onoff_s"] = best(lambda: model.predict([bursty]), 5)
    if nodes == SIZES[0]:
        row["variants_s"] = best(lambda: model.predict(variants(poisson)), 2)
    return row


def scenario(nodes: int) -> Scenario:
    """The network of a size, its flows at most so many."""
    whole = network(random_edges(nodes), "wfq")
    if whole.traffic.flow_count > MAX_FLOWS:
        kept = np.random.default_rng(1).permutation(whole.traffic.flow_count)[:MAX_FLOWS]
        whole = whole.with_(traffic=whole.traffic.keep(np.sort(kept)))
    return whole


def variants(base: Scenario) -> list[Scenario]:
    """The network with one link's weight doubled, link after link."""
    out = []
    for k in range(VARIANTS):
        weight = base.topology.link_weight.copy()
        weight[k % len(weight)] *= 2 + k // len(weight)
        out.append(base.with_(topology=base.topology.with_arrays(link_weight=weight)))
    return out


def best(work: Callable[[], object], times: int) -> float:
    """The shortest wall time of some runs, in seconds; one more before them."""
    work()
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def _figures(row: dict[str, float]) -> list[Figure]:
    nodes = int(row["nodes"])
    n = f"{nodes} nodes"
    figures = [
        Figure(f"{n}: flows", row["flows"]),
        Figure(f"{n}: flow-hops", row["flow_hops"]),
        Figure(f"{n}: finding all paths", row["paths_s"], "s"),
        at_most(f"{n}: prediction", row["poisson_s"], TARGETS_S[nodes], "s"),
        Figure(f"{n}: prediction, a flow-hop", row["poisson_ns"], "ns"),
    ]
    if "onoff_s" in row:
        figures.append(
            at_most(f"{n}: prediction, on-off flows", row["onoff_s"], TARGETS_ONOFF_S[nodes], "s")
        )
    name = f"{n}: peak memory"
    if nodes in TARGETS_MIB:
        figures.append(at_most(name, row["memory_mib"], TARGETS_MIB[nodes], "MiB"))
    else:
        figures.append(Figure(name, row["memory_mib"], "MiB"))
    if "variants_s" in row:
        label = f"{n}: {VARIANTS} what-if variants"
        figures.append(at_most(label, row["variants_s"], MAX_VARIANTS_S, "s"))
    return figures
