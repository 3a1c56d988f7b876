"""repetita: the highest utilization that an optimizer reaches on public instances, by time."""

from __future__ import annotations

import argparse
import csv
import resource
import statistics
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, cpu_seconds, say
from nettwin import formats
from nettwin.change_plan import PROVEN
from nettwin.errors import MissingExtraError
from nettwin.intent import Intent, Lever
from nettwin.optimize.bounds.lower_bound import Effort, choice_bound, single_flow_bound
from nettwin.optimize.methods import OPTIMIZERS
from nettwin.optimize.optimize import optimize, warm_up
from nettwin.optimize.problem import Problem
from nettwin.optimize.solvers.linear.flow_bound import flow_bound
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem
from nettwin.optimize.stop import Clock, Seconds
from nettwin.scenario.scenario import Scenario

TITLE = "The highest link utilization that an optimizer reaches on REPETITA instances"
PROTOCOL = (
    "Each instance (a .graph and its first .demands, or each of them) is read and optimized in "
    "this process: processor seconds, all threads, from before reading to the plan, machine code "
    "made before on a network of eight nodes; up to two midpoints a flow. The figure is the median "
    "over seeds of the highest utilization of the plan's network, as its exact loads say, over the "
    "bound: what demand that may be split at will cannot undercut (multicommodity flow, proven by "
    "link lengths, found apart). Where an answer is above, it is compared with what midpoints "
    "reach, too: flows that may be split over several of them (proven by prices of links), and "
    "single flows that may not. Proven: within a ten-thousandth of these bounds, in shares of all "
    "runs; where an answer is unproven, its gap is told. Peers: the "
    "published solvers' results as measured on two cores and kept beside the "
    "data, where they are."
)
SOON, LATER = 1.01, 1.003  # targets at 1 s and at 5 s
MAX_GIB = 4.0  # of memory
BOUND_S, BOUND_GAP = 10.0, 2e-4
HEADLINE = (
    "Geant2012",
    "Janetbackbone",
    "Interoute",
    "Colt",
    "rf1221_real_hard",
    "synth50_opt_hard",
)
PEERS = {"SRLS": "SRLS", "defoCP": "DEFO", "TabuIGPWO": "tabu IGP weights"}


class Found(NamedTuple):
    """One instance at one limit of time."""

    name: str
    seconds: float
    bound: float
    value: float  # median over seeds
    spent_s: float  # the longest
    reach: float  # what midpoints cannot undercut; the bound where that was not looked at
    values: tuple[float, ...] = ()  # of the seeds
    proven: float = 0.0  # share of the seeds whose answers are proven to be the best

    @property
    def ratio(self) -> float:
        """The value over the bound."""
        return self.value / self.bound

    @property
    def gap(self) -> float:
        """How far the value is above what midpoints cannot undercut, relatively."""
        return max(self.value / self.reach - 1, 0.0)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which method, how long, which instances."""
    known = ", ".join(OPTIMIZERS)
    parser.add_argument("--method", default="auto", choices=list(OPTIMIZERS), help=known)
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 5.0], metavar="S")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each instance")
    parser.add_argument("--lever", default="segments", choices=["segments", "weights"])
    parser.add_argument(
        "--demands", default="first", choices=["first", "all"], help="which sets of a graph"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these instances alone")


def run(options: Options) -> Outcome:
    """Optimize every instance."""
    paths = instances(options)
    method = options.extra["method"]
    try:
        warm_up(method)
    except MissingExtraError as error:
        raise Skipped(str(error)) from None
    intent = Intent(levers=(Lever(options.extra["lever"]),))
    found = []
    for path in paths:
        bound = bound_of(formats.read(path).scenario)
        for seconds in options.extra["seconds"]:
            one = measured(path, intent, method, seconds, options.extra["seeds"], bound)
            if one.ratio > 1 + PROVEN and intent.lever("segments"):
                one = proved(one, reach_of(path, intent, bound))
            status = "proven" if one.proven == 1 else f"unproven, gap {one.gap:.5f}"
            say(f"{one.name}: {one.value:.4f} at {seconds:g} s, {one.ratio:.4f} x bound, {status}")
            found.append(one)
    return Outcome((*_figures(found, options), *_whole(paths)), _remarks(found, method))


def instances(options: Options) -> list[Path]:
    """The graph files below a folder that have demands. Raises Skipped where there are none."""
    if options.data is None:
        raise Skipped("give a folder of REPETITA instances with --data")
    found = sorted(
        path
        for path in options.data.rglob("*.graph")
        if list(path.parent.glob(f"{path.stem}*.demands"))
    )
    if only := options.extra.get("only"):
        found = [path for path in found if path.stem in only]
    if not found:
        raise Skipped(f"no instance in {options.data}: give another folder or other names")
    found = found[: options.limit]
    if options.extra.get("demands") == "all":
        return [d for path in found for d in sorted(path.parent.glob(f"{path.stem}.*demands"))]
    return found


def bound_of(scenario: Scenario) -> float:
    """What no routing undercuts."""
    demand = scenario.traffic.matrix(scenario.topology.node_count)
    problem = FlowProblem.of(scenario.topology, demand, drop_unreachable=True)
    return flow_bound(problem, BOUND_S, sweeps=100_000, gap=BOUND_GAP).value


@cache
def reach_of(path: Path, intent: Intent, bound: float) -> float:
    """What midpoints cannot undercut: even if flows are split over several of them, and where a
    single flow cannot be."""
    lever = intent.lever("segments")
    most = lever.midpoints if lever else 1
    problem = Problem(formats.read(path).scenario, intent)
    return max(
        choice_bound(problem, Effort(BOUND_S), most), single_flow_bound(problem, most), bound
    )


def proved(one: Found, reach: float) -> Found:
    """What a better bound proves of an instance: of its seeds, those whose answer is the best."""
    whole = sum(value <= reach * (1 + PROVEN) for value in one.values) / len(one.values)
    return one._replace(reach=reach, proven=whole)


def measured(
    path: Path, intent: Intent, method: str, seconds: float, seeds: int, bound: float
) -> Found:
    """One instance, read and optimized once a seed; Found over the seeds."""
    values, spent = [], []
    for seed in range(seeds):
        clock = Clock(time.process_time)
        problem = Problem(formats.read(path).scenario, intent)
        plan = optimize(problem, method, Seconds(seconds), seed, clock=clock)
        spent.append(clock.seconds)
        values.append(plan.after.objectives[0])
    middle = statistics.median(values)
    found = Found(path.stem, seconds, bound, middle, max(spent), bound, tuple(values))
    return proved(found, bound)


def _figures(found: list[Found], options: Options) -> list[Figure]:
    out = []
    midpoints = options.extra["lever"] == "segments"
    for seconds in options.extra["seconds"]:
        ratios = {one.name: one.ratio for one in found if one.seconds == seconds}
        target = SOON if seconds <= 1 else LATER
        worst = max(ratios, key=lambda name: ratios[name])
        label = f"{seconds:g} s: worst of {len(ratios)} instances ({worst}), over the bound"
        out.append(
            at_most(label, ratios[worst], target) if midpoints else Figure(label, ratios[worst])
        )
        middle = statistics.median(ratios.values())
        out.append(Figure(f"{seconds:g} s: median of instances, over the bound", middle))
        if midpoints:
            over = max(one.value / one.reach for one in found if one.seconds == seconds)
            out.append(Figure(f"{seconds:g} s: worst, over what midpoints reach", over))
            some = [one for one in found if one.seconds == seconds]
            sure = statistics.mean(one.proven for one in some)
            gap = max(one.gap for one in some)
            out.append(Figure(f"{seconds:g} s: proven to be the best", sure))
            out.append(Figure(f"{seconds:g} s: worst gap to what is proven", gap))
        good = sum(ratio <= target for ratio in ratios.values())
        out.append(Figure(f"{seconds:g} s: within {target:g} of the bound", good, "instances"))
    for one in found:
        if one.reach > one.bound:
            label = f"{one.name}, {one.seconds:g} s"
            out.append(Figure(f"{label}: over the bound", one.ratio))
            out.append(Figure(f"{label}: over what midpoints reach", one.value / one.reach))
        if one.proven < 1:
            out.append(Figure(f"{one.name}, {one.seconds:g} s: unproven, gap", one.gap))
    peers = _peers(options.data)
    for one in found:
        if one.name in HEADLINE or len(found) <= 12:
            label = f"{one.name}, {one.seconds:g} s"
            out.append(Figure(label, one.value))
            for solver, words in PEERS.items():
                known = peers.get((one.name, solver, one.seconds))
                if known is not None:
                    out.append(Figure(f"{label}: {words}", known))
    return out


def _peers(data: Path | None) -> dict[tuple[str, str, float], float]:
    """Published solvers' results that lie beside the data: (instance, solver, seconds) -> value."""
    assert data is not None
    for folder in (data, *data.resolve().parents[:2]):
        table = folder / "reference" / "repetita_solvers.csv"
        if table.exists():
            break
    else:
        return {}
    every: dict[tuple[str, str, float], list[float]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            first = not row["demands_file"].endswith((".0001.demands", ".0002.demands"))
            if row["limit_kind"] == "cpu" and row["mlu"] and first:
                key = (row["topology"], row["solver"], float(row["time_limit_s"]))
                every.setdefault(key, []).append(float(row["mlu"]))
    return {key: statistics.median(values) for key, values in every.items()}


def _whole(paths: list[Path]) -> list[Figure]:
    """What the run as a whole took: memory, and reading the largest instance."""
    largest = max(paths, key=lambda path: path.stat().st_size)
    spent = cpu_seconds(lambda: formats.read(largest))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # from KiB
    return [
        at_most("peak memory of the run", peak, MAX_GIB, "GiB"),
        Figure(f"reading the largest instance ({largest.stem})", spent, "s"),
    ]


def _remarks(found: list[Found], method: str) -> tuple[str, ...]:
    late = max(one.spent_s - one.seconds for one in found)
    return (
        f"Method {method}; the longest run took {late:.2f} s more than it was given,"
        " the plan's order and evidence included.",
    )
