"""contention: what a prediction costs where the cores are busy with something else."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.benchmark import Figure, Options, Outcome, at_most, cpu_seconds
from nettwin.interfaces.wiring import ENGINES, engine
from nettwin.model import NetworkModel
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.workers import usable_cores as cores

TITLE = "Predictions on busy cores"
PROTOCOL = (
    "The processor time of all threads of a process that predicts networks with `gnn`: Gabriel "
    "graphs of 50 and 100 nodes, three classes under WFQ, flows between all pairs, many of which "
    "split over equal paths. First alone, then beside as many processes as there are cores, each "
    "in an endless loop; the median of nine predictions, the worse of the two networks. Wall time "
    "grows there in any case; processor time grows where threads spin while they wait."
)
NODES = (50, 100)
TIMES = 9
MOST = 1.5
BUSY = "while True: pass"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The engine."""
    parser.add_argument("--engine", choices=tuple(ENGINES), default="gnn")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of networks."""
    name = options.extra["engine"]
    model = engine(name)
    figures, worst = [], 0.0
    for nodes in NODES[: options.limit]:
        scenario = network(nodes)
        alone = typical(model, scenario)
        with busy_cores():
            beside = typical(model, scenario)
        worst = max(worst, beside / alone)
        figures += [
            Figure(f"{nodes} nodes: processor time, alone", alone, "s"),
            Figure(f"{nodes} nodes: processor time, busy cores", beside, "s"),
        ]
    return Outcome(
        (at_most("predict: processor time", worst, MOST, "x"), *figures), (f"Engine {name}.",)
    )


def network(nodes: int) -> Scenario:
    """A network whose flows split."""
    return generate("gabriel", nodes=nodes, seed=3, load=0.6, classes="three", scheduler="wfq")


def typical(model: NetworkModel, scenario: Scenario) -> float:
    """The median processor time of a prediction, in seconds; one more before them."""
    model.predict([scenario])
    return median(cpu_seconds(lambda: model.predict([scenario])) for _ in range(TIMES))


@contextmanager
def busy_cores() -> Iterator[None]:
    """As many processes as there are cores, each of which keeps one busy."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(cores())]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()
