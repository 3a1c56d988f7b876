"""sweep: how fast every failure of a network is predicted."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, at_most
from nettwin.engines.theory.engine import Theory
from nettwin.interfaces.wiring import engine
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel, by_one_engine
from nettwin.scenario.changes import apply_all
from nettwin.scenario.changes.singles import duplex_links, single_failures
from nettwin.scenario.failure_loads import loads_under_failures
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

T = TypeVar("T")
TITLE = "Sweeps over failures"
PROTOCOL = (
    "Gabriel graphs of seed 3 at 60 % load, flows between all pairs over all equal paths. `100 "
    "nodes`: three classes under WFQ, 29,700 flows; `300 nodes`: one class, 89,700 flows. Every "
    "failure of a link, both directions at once: the changed scenario, its paths and its complete "
    "metrics, 16 failures a call, wall time, compiled code; the network itself is known before. "
    "`pairs`: 160 nodes, one class; the first 300 links, each two of them together (44,850 pairs): "
    "the load of every link under every pair, and the delays by `twin` under the 100 pairs with "
    "the largest load. `difference from full`: of delays, percentiles, losses and utilization of "
    "a sweep from those of each failure alone, routed and solved from nothing, both iterated to "
    "1e-8; the largest, relative (of losses: absolute), with `theory` and `gnn`, at 60 and 130 %."
)
AT_ONCE = 16
TARGETS_S = {("100 nodes", "twin"): 10.0, ("100 nodes", "theory"): 4.0, ("300 nodes", "twin"): 90.0}
PAIR_LINKS, PAIR_NODES, WORST, PAIRS_AT_ONCE = 300, 160, 100, 2000
MAX_PAIRS_S, MAX_DIFFERENCE = 300.0, 1e-6
PARTS = ("100 nodes", "300 nodes", "pairs", "difference")
COMPARED = (
    *(("flow", name) for name in ("owd_mean_s", "owd_p50_s", "owd_p99_s", "loss_ratio")),
    ("link", "utilization"),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Some parts alone."""
    parser.add_argument("--part", action="append", choices=PARTS, help="one part (may be repeated)")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of failures of each sweep."""
    parts = options.extra.get("part") or PARTS
    figures: list[Figure] = []
    remarks: list[str] = []
    for (network, name), target in TARGETS_S.items():
        if network in parts:
            base = of_size(network)
            seconds, count = sweep(base, engine(name), options.limit)
            total = len(single_failures(base.topology, "link"))
            if count < total:
                remarks.append(f"{network}: {count} of {total} failures, taken for all of them.")
            seconds, count = seconds * total / count, total
            figures += [
                at_most(f"{network}: {name}", seconds, target, "s"),
                Figure(f"{network}: {name}, each failure", seconds / count, "s"),
            ]
    if "pairs" in parts:
        figures.append(at_most("pairs", pairs(options.limit), MAX_PAIRS_S, "s"))
    if "difference" in parts:
        worst = max(
            difference(model, load, options.limit or 12)
            for load in (0.6, 1.3)
            for model in (Theory(tolerance=1e-8, rounds=300), engine("gnn"))
        )
        figures.append(at_most("difference from full", worst, MAX_DIFFERENCE))
    return Outcome(tuple(figures), tuple(remarks))


def of_size(network: str) -> Scenario:
    """The network of a figure."""
    if network == "100 nodes":
        return generate("gabriel", nodes=100, seed=3, load=0.6, classes="three", scheduler="wfq")
    return generate("gabriel", nodes=300, seed=3, load=0.6)


def sweep(base: Scenario, model: NetworkModel, limit: int | None) -> tuple[float, int]:
    """How many seconds all failures take, and how many they are."""
    failures = single_failures(base.topology, "link")[:limit]
    model.predict([base])

    def ask(one: NetworkModel) -> float:
        begin = time.perf_counter()
        for some in _parts(failures, AT_ONCE):
            scenarios = [apply_all(base, changes) for _, changes in some]
            for scenario, metrics in zip(scenarios, one.predict(scenarios), strict=True):
                metrics.totals(scenario)
        return time.perf_counter() - begin

    return by_one_engine(model, ask), len(failures)


def pairs(limit: int | None) -> float:
    """How many seconds all pairs of failures take."""
    base = generate("gabriel", nodes=PAIR_NODES, seed=3, load=0.6)
    topology, model = base.topology, engine("twin")
    links = [np.array(both) for _, both in duplex_links(topology)[:PAIR_LINKS]]
    model.predict([base])
    loads_under_failures(base, links[:1])
    begin = time.perf_counter()
    two = list(islice(combinations(range(len(links)), 2), limit))
    worst = np.zeros(0)
    for some in _parts(two, PAIRS_AT_ONCE):
        found = loads_under_failures(base, [np.concatenate([links[a], links[b]]) for a, b in some])
        worst = np.append(worst, (found.load_bps / topology.link_capacity_bps).max(axis=1))
    chosen = np.argsort(-worst, kind="stable")[:WORST].tolist()
    scenarios = [_without(base, links[two[k][0]], links[two[k][1]]) for k in chosen]
    by_one_engine(model, lambda one: [one.predict(some) for some in _parts(scenarios, AT_ONCE)])
    return time.perf_counter() - begin


def difference(model: NetworkModel, load: float, count: int) -> float:
    """How far a sweep is off predictions of each failure alone."""
    base = generate("gabriel", nodes=40, seed=3, load=load, classes="three", scheduler="wfq")
    failures = single_failures(base.topology, "link")
    failures = failures[:: max(len(failures) // count, 1)]
    model.predict([base])
    scenarios = [apply_all(base, changes) for _, changes in failures]
    worst = 0.0
    for scenario, found in zip(scenarios, model.predict([base, *scenarios])[1:], strict=True):
        alone = Scenario(scenario.topology, scenario.traffic, scenario.routing)
        worst = max(worst, _off(found, model.predict([alone])[0]))
    return worst


def _off(a: Metrics, b: Metrics) -> float:
    worst = 0.0
    for table, name in COMPARED:
        x, y = getattr(a, table)[name], getattr(b, table)[name]
        if not np.array_equal(np.isnan(x), np.isnan(y)):
            return float("inf")
        off = np.abs(x - y)
        if name != "loss_ratio":
            off = off / np.maximum(np.abs(y), 1e-12)
        worst = max(worst, float(np.nanmax(off, initial=0.0)))
    return worst


def _without(base: Scenario, *links: NDArray[np.intp]) -> Scenario:
    up = base.topology.link_up.copy()
    up[np.concatenate(links)] = False
    return base.with_(topology=base.topology.with_arrays(link_up=up))


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
