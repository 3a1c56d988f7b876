"""repetita_growth: how an optimizer fares as instances grow, up to the largest public size."""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, say
from benchmarks.growth import Axes, Row, by_size, size_arguments
from benchmarks.suite.repetita import bound_of
from nettwin.errors import MissingExtraError
from nettwin.intent import Intent
from nettwin.optimize.methods import OPTIMIZERS
from nettwin.optimize.optimize import optimize, warm_up
from nettwin.optimize.problem import Problem
from nettwin.optimize.search import Progress
from nettwin.optimize.stop import Clock, Seconds
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Traffic

TITLE = "How an optimizer fares as synthetic instances grow, up to 315 nodes and 96,057 demands"
PROTOCOL = (
    "Networks after the largest public instances: nodes scattered over a plane, joined as in a "
    "Gabriel graph and then the nearest that are not yet, until there are 3.1 lines a node; "
    "capacities of 2.5 to 400 Gbit/s as hop-count routing would need, give or take 30 %, weights "
    "inverse to them; gravity demand between nearly all pairs, scaled so that the bound "
    "(multicommodity flow) is 0.9. Each size in a process of "
    "its own, seconds of the processor from the scenario in memory to the plan, its order and "
    "evidence included; machine code made before on a network of eight nodes. Gap: the highest "
    "utilization over the bound, at each limit of time. Two midpoints a flow may not reach it, so "
    "that an answer is called good within 2 % of the best that was found at any limit."
)
SIZES = (40, 80, 160, 315)
LINES_A_NODE, KEPT = 972 / 315, 96_057 / (315 * 314)
LEVEL, GOOD = 0.9, 1.02
SEED = 11  # not that of the instances by which local search was set
STEPS_BPS = (2.5e9, 10e9, 40e9, 100e9, 400e9)
LATE_S, MAX_GIB = 0.2, 4.0
AXES = Axes("nodes", "nodes", "x")
DRAWING = Path("docs/benchmark_repetita_growth.svg")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which method, how long; and what every growth takes."""
    parser.add_argument("--method", default="auto", choices=list(OPTIMIZERS))
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 5.0, 30.0], metavar="S")
    size_arguments(parser, DRAWING)


def run(options: Options) -> Outcome:
    """Every size, each in its own process."""
    method, limits = options.extra["method"], options.extra["seconds"]
    command = ["repetita_growth", "--method", method, "--seconds", *map(str, limits)]
    colors = ("#c44", "#48a", "#4a4", "#a4a", "#888")
    series = [
        (f"ratio_{s:g}", f"{s:g} s, over the bound", color)
        for s, color in zip(limits, colors, strict=False)
    ]
    rows = by_size(
        command, SIZES, series, lambda size: measured(size, method, limits), options, AXES
    )
    if not rows:
        raise Skipped("no size was measured")
    figures = []
    for row in rows:
        name = f"{row['nodes']:g} nodes, {row['links']:g} links, {row['demands']:g} demands"
        for s in limits:
            figures.append(Figure(f"{name}: {s:g} s, over the bound", row[f"ratio_{s:g}"]))
        figures += [
            Figure(f"{name}: before, over the bound", row["ratio_before"]),
            Figure(f"{name}: first answer within 2 % of the best", row["first_s"], "s"),
            at_most(f"{name}: longest over its time", row["late_s"], LATE_S, "s"),
            at_most(f"{name}: peak memory", row["peak_gib"], MAX_GIB, "GiB"),
        ]
    return Outcome(tuple(figures), (f"Method {method}, one seed.",))


def instance(nodes: int, seed: int = SEED) -> Scenario:
    """A synthetic instance of a size; see PROTOCOL."""
    scenario = generate("gabriel", nodes=nodes, seed=seed, load=1.0)
    random = np.random.default_rng(seed)
    old = scenario.topology
    names = old.node_name
    place = np.stack([old.node_latitude_deg, old.node_longitude_deg], axis=1)
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    low = old.link_source < old.link_target
    pairs = list(zip(old.link_source[low].tolist(), old.link_target[low].tolist(), strict=True))
    known, missing = set(pairs), round(LINES_A_NODE * nodes) - len(pairs)
    for pair in zip(*np.unravel_index(np.argsort(apart, axis=None), apart.shape), strict=True):
        a, b = int(pair[0]), int(pair[1])
        if a < b and (a, b) not in known and missing > 0:
            pairs.append((a, b))
            missing -= 1
    lines = [Link(names[a], names[b], STEPS_BPS[-1]) for a, b in pairs]
    topology = Topology.build([Node(name) for name in names], lines, duplex=True)
    kept = np.sort(
        random.permutation(scenario.traffic.flow_count)[: round(KEPT * nodes * (nodes - 1))]
    )
    made = replace(scenario, topology=topology, traffic=scenario.traffic.keep(kept))
    made = made.with_(topology=provisioned(made, random))
    return _scaled(made, LEVEL / bound_of(made))


def provisioned(scenario: Scenario, random: np.random.Generator) -> Topology:
    """A topology whose lines have the least capacity that suits them on paths of the fewest hops,
    give or take, and weights inverse to it."""
    topology = scenario.topology
    ends = topology.link_source, topology.link_target
    line = {pair: e for e, pair in enumerate(zip(*(end.tolist() for end in ends), strict=True))}
    back = np.array([line[b, a] for a, b in line])
    load = scenario.link_load_bps * random.lognormal(0.0, 0.3, topology.link_count)
    wanted = np.maximum(load, load[back])
    wanted *= STEPS_BPS[-2] / np.median(wanted)
    step = np.minimum(np.searchsorted(STEPS_BPS, wanted), len(STEPS_BPS) - 1)
    capacity = np.array(STEPS_BPS)[step]
    return topology.with_arrays(link_capacity_bps=capacity, link_weight=STEPS_BPS[-1] / capacity)


def _scaled(scenario: Scenario, factor: float) -> Scenario:
    traffic: Traffic = scenario.traffic
    rate = traffic.flow_rate_bps * factor
    return scenario.with_(traffic=replace(traffic, flow_rate_bps=rate))


def measured(size: int, method: str, limits: list[float]) -> Row:
    """One size: what is reached at each limit, when first, how late, and the memory."""
    try:
        warm_up(method)
    except MissingExtraError as error:
        raise Skipped(str(error)) from None
    scenario = instance(size)
    bound = bound_of(scenario)
    row: Row = {
        "nodes": size,
        "links": scenario.topology.link_count,
        "demands": scenario.traffic.flow_count,
        "ratio_before": float(scenario.link_offered_load.max()) / bound,
        "late_s": 0.0,
    }
    told: list[tuple[float, float]] = []
    for seconds in limits:
        fresh = replace(scenario)  # nothing is kept of what was found before
        clock = Clock(time.process_time)

        def tell(progress: Progress, clock: Clock = clock) -> None:
            told.append((clock.seconds, progress.standing.best))

        plan = optimize(Problem(fresh, Intent()), method, Seconds(seconds), tell=tell, clock=clock)
        spent = clock.seconds
        row[f"ratio_{seconds:g}"] = plan.after.objectives[0] / bound
        row["late_s"] = max(row["late_s"], spent - seconds)
        row[f"moved_{seconds:g}"] = len(plan.changes)
        say(f"{size} nodes, {seconds:g} s: {row[f'ratio_{seconds:g}']:.4f}, {spent:.2f} s")
    good = GOOD * min(best for _, best in told)
    row["first_s"] = min(spent for spent, best in told if best <= good)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row["peak_gib"] = peak / 2**20  # from KiB
    return row
