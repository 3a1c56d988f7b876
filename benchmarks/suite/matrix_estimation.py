"""matrix_estimation: demands estimated from link counters, against measured traffic matrices."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import (
    Figure,
    Options,
    Outcome,
    Skipped,
    at_least,
    at_most,
    cpu_seconds,
    say,
)
from nettwin.apps.demands import DemandEstimate, estimate_demands
from nettwin.apps.demands.equations import equations_of
from nettwin.errors import NettwinError
from nettwin.formats import read
from nettwin.formats.counters import Counters
from nettwin.formats.demands import read_demands
from nettwin.formats.format import DemandSeries
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

TITLE = "Traffic matrices estimated from link counters"
PROTOCOL = (
    "DIR holds NAME.npz (`time`, `node`, `demand_bps` [time, node, node]) and a network file NAME.*"
    " of the same nodes. Counters are made of the matrices and the network's routing: each link's, "
    "and what enters and leaves at each node. Tested are the last 3 days, or the last day of a "
    "file of less than 5; an earlier day is the 24 hours before, never updated. The estimate of an "
    "interval is given the counters of all tested intervals, and no matrix of them. Error: norm of "
    "the error over norm of the truth, over pairs of different nodes, mean over intervals. "
    "Coverage: the share of pairs and intervals within their interval of 90 %, mean over networks. "
    "Noisy: one earlier day, each counter with 1 % of noise (normal, independent), and 5 % of the "
    "links without a counter. Tomogravity is least squares around gravity, weighted as its authors "
    "do. 300 nodes: a Gabriel graph, 89,700 pairs, one interval, processor time. With --reference, "
    "the authors' own estimates of a network of as many nodes, on the same intervals."
)
DAY_S = 86400.0
TARGETS = {"abilene": (0.25, 0.14), "geant": (0.50, 0.09)}  # counters alone, one earlier day
NOISE, MISSING, SEED = 0.01, 0.05, 14
NODES = 300
Floats = NDArray[np.float64]


class Case(NamedTuple):
    """A network, the matrices that are tested, and those of the day before."""

    name: str
    scenario: Scenario
    times_s: Floats
    demand_bps: Floats
    earlier: DemandSeries


def arguments(parser: argparse.ArgumentParser) -> None:
    """Estimates of others."""
    parser.add_argument(
        "--reference", type=Path, metavar="FILE", help="npz: real_bps and estimates of it"
    )
    parser.add_argument("--nodes", type=int, default=NODES, help="nodes of the timed network")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of intervals tested of each network."""
    if options.data is None:
        raise Skipped("give a folder with NAME.npz and NAME.* with --data")
    cases = [case_of(path, options.limit) for path in sorted(options.data.glob("*.npz"))]
    if not cases:
        raise Skipped(f"{options.data} holds no NAME.npz")
    errors: dict[str, list[float]] = defaultdict(list)
    cover: dict[str, list[float]] = defaultdict(list)
    figures: list[Figure] = []
    for case in cases:
        for kind, counters, earlier, method in runs_of(case):
            found = estimate_demands(case.scenario, counters, method_name=method, earlier=earlier)
            value = error(found.demand_bps, case.demand_bps)
            errors[kind].append(value)
            cover[kind].append(covered(found, case.demand_bps))
            figures.append(_figure(kind, case.name, value))
            say(f"{kind}: {case.name}: {value:.3f}, {cover[kind][-1]:.1%} held")
    ratio = [a / b for a, b in zip(errors["counters alone"], errors["tomogravity"], strict=True)]
    figures += [
        at_most("worst: one earlier day", max(errors["one earlier day"]), 0.15),
        at_most("worst: counters alone over tomogravity", max(ratio), 0.9),
        _between("coverage: one earlier day", float(np.mean(cover["one earlier day"])), 0.87, 0.93),
        at_least("coverage: counters alone", float(np.mean(cover["counters alone"])), 0.85),
        Figure("worst: noisy", max(errors["noisy"])),
        Figure("coverage: noisy", float(np.mean(cover["noisy"]))),
    ]
    if options.extra.get("reference"):
        figures += compared(options.extra["reference"], cases)
    figures.append(timed(options.extra.get("nodes") or NODES))
    return Outcome(tuple(figures), tuple(_remark(case) for case in cases))


def runs_of(case: Case) -> list[tuple[str, Counters, DemandSeries | None, str]]:
    """What is estimated of a case: kind, counters, earlier day, method."""
    clean = counters_of(case.scenario, case.times_s, case.demand_bps)
    random = np.random.default_rng(SEED)
    noisy = disturbed(clean, random)
    return [
        ("gravity", clean, None, "gravity"),
        ("tomogravity", clean, None, "tomogravity"),
        ("entropy", clean, None, "entropy"),
        ("counters alone", clean, None, "bayes"),
        ("one earlier day", clean, case.earlier, "bayes"),
        ("kalman", clean, case.earlier, "kalman"),
        ("noisy", noisy, case.earlier, "bayes"),
        ("noisy, counters alone", noisy, None, "bayes"),
    ]


def case_of(path: Path, limit: int | None = None) -> Case:
    """The case of a file. Raises Skipped where its network or an earlier day is not there."""
    others = [p for p in sorted(path.parent.glob(f"{path.stem}.*")) if p.suffix != ".npz"]
    if len(others) != 1:
        raise Skipped(f"{path}: needs one network file {path.stem}.*, there are {len(others)}")
    try:
        scenario = read(str(others[0])).scenario
        series = read_demands(path, topology=scenario.topology)
    except NettwinError as reason:
        raise Skipped(str(reason)) from None
    times = series.times_s
    step = float(np.median(np.diff(times)))
    tested_s = (3 if times[-1] - times[0] + step >= 5 * DAY_S else 1) * DAY_S
    begin = times[-1] + step - tested_s
    tested = np.flatnonzero(times >= begin - step / 2)[:limit]
    before = (times < begin - step / 2) & (times >= begin - DAY_S - step / 2)
    if not before.any():
        raise Skipped(f"{path}: holds no day before the tested ones")
    earlier = DemandSeries(times[before], series.demand_bps[before], series.node_name)
    return Case(path.stem, scenario, times[tested], series.demand_bps[tested], earlier)


def counters_of(scenario: Scenario, times_s: Floats, demand_bps: Floats) -> Counters:
    """What links and nodes count of matrices under the network's routing."""
    links, nodes = scenario.topology.link_count, scenario.topology.node_count
    none = [np.full((len(times_s), k), np.nan) for k in (links, nodes, nodes)]
    equations = equations_of(scenario, Counters(times_s, *none))
    counted = equations.counted(equations.of_pairs(demand_bps))
    return Counters(times_s, *equations.parts(counted))


def disturbed(counters: Counters, random: np.random.Generator) -> Counters:
    """The same with noise, and without some of the links."""
    parts = [counters.link_bps, counters.entering_bps, counters.leaving_bps]
    link, entering, leaving = (p * (1 + NOISE * random.standard_normal(p.shape)) for p in parts)
    count = max(1, round(MISSING * link.shape[1]))
    link[:, random.choice(link.shape[1], count, replace=False)] = np.nan
    return Counters(counters.times_s, link, entering, leaving)


def error(found: Floats, truth: Floats) -> float:
    """Norm of the error over norm of the truth, mean over intervals that have traffic."""
    off = np.linalg.norm((found - truth).reshape(len(truth), -1), axis=1)
    size = np.linalg.norm(truth.reshape(len(truth), -1), axis=1)
    return float(np.mean(off[size > 0] / size[size > 0]))


def covered(found: DemandEstimate, truth: Floats) -> float:
    """The share of pairs and intervals whose demand is within its interval."""
    held = (truth >= found.low_bps * (1 - 1e-9)) & (truth <= found.high_bps * (1 + 1e-9) + 1.0)
    return float(held[:, ~np.eye(truth.shape[1], dtype=np.bool_)].mean())


def compared(path: Path, cases: list[Case]) -> list[Figure]:
    """Estimates that others made of some intervals, and ours of the same."""
    with np.load(path, allow_pickle=False) as held:
        arrays = {name: np.asarray(held[name], np.float64) for name in held.files}
    truth = arrays.pop("real_bps")
    for matrix in truth:
        np.fill_diagonal(matrix, 0.0)
    case = next((c for c in cases if c.scenario.topology.node_count == truth.shape[1]), None)
    if case is None:
        return []
    figures = []
    off = ~np.eye(truth.shape[1], dtype=np.bool_)
    for name, values in arrays.items():
        words = name.removesuffix("_bps").replace("_", " ")
        figures.append(Figure(f"reference: its {words}", error(values * off, truth)))
    counters = counters_of(case.scenario, np.arange(len(truth)) * 300.0, truth)
    for method in ("gravity", "tomogravity", "entropy", "bayes"):
        found = estimate_demands(case.scenario, counters, method_name=method)
        figures.append(Figure(f"reference: {method}", error(found.demand_bps, truth)))
    return figures


def timed(nodes: int) -> Figure:
    """How long a large network takes."""
    scenario = generate("gabriel", nodes=nodes, seed=3)
    random = np.random.default_rng(SEED)
    base = scenario.traffic.matrix(scenario.topology.node_count)
    demand = base * random.lognormal(0.0, 0.5, (1, *base.shape))
    counters = counters_of(scenario, np.zeros(1), demand)
    seconds = cpu_seconds(lambda: estimate_demands(scenario, counters))
    return at_most("300 nodes: seconds" if nodes == NODES else f"{nodes} nodes", seconds, 10.0, "s")


def _figure(kind: str, name: str, value: float) -> Figure:
    targets = TARGETS.get(name.casefold())
    kinds = ("counters alone", "one earlier day")
    if targets and kind in kinds:
        return at_most(f"{kind}: {name}", value, targets[kinds.index(kind)])
    return Figure(f"{kind}: {name}", value)


def _between(name: str, value: float, low: float, high: float) -> Figure:
    """A figure that should lie between two targets; the nearer one is told."""
    near, sense = (low, ">=") if value < (low + high) / 2 else (high, "<=")
    return Figure(name, value, "", near, bool(low <= value <= high), sense)


def _remark(case: Case) -> str:
    topology = case.scenario.topology
    return (
        f"{case.name}: {topology.node_count} nodes, {topology.link_count} links,"
        f" {len(case.times_s)} intervals tested, {len(case.earlier.times_s)} the day before."
    )
