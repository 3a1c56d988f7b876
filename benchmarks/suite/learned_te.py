"""learned_te: the trained agent alone on networks not trained on, and what a decision costs."""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, cpu_seconds, say
from benchmarks.growth import Axes, by_size, chart, size_arguments
from benchmarks.suite.repetita import bound_of, instances, measured, proved, reach_of
from nettwin import formats
from nettwin.change_plan import PROVEN
from nettwin.errors import NettwinError
from nettwin.intent import Intent
from nettwin.optimize.optimize import warm_up
from nettwin.optimize.problem import Problem
from nettwin.optimize.problems.segment_routing_builder import segment_routing_problem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.reinforcement import agent
from nettwin.optimize.stop import Steps
from nettwin.scenario.generate import generate

TITLE = "The trained agent of midpoints alone"
PROTOCOL = (
    "The shipped agent, no local search behind it, optimizes every instance of a folder (read as "
    "in `repetita`, one second of processor time, one seed). It was trained on synthetic networks "
    "of 10 to 40 nodes alone (split `made up`); the instances (split `public`, Topology Zoo, "
    "Rocketfuel, DEFO) are real or others' networks of which none was trained on. Proven: within a "
    "ten-thousandth of what midpoints cannot undercut (see `repetita`). Cost of a "
    "decision: random planar networks (Gabriel), all pairs, processor time of 200 decisions."
)
METHOD, SECONDS = "reinforcement", 1.0
TARGET = 1.05
SIZES = (20, 40, 80, 160, 320)
DECISIONS = 200
PICTURE = Path(__file__).parents[2] / "docs" / "benchmark_learned_te.svg"
SERIES = (("decision_s", "a decision", "#1b6ca8"),)
AXES = Axes("nodes", "nodes", "s")


def arguments(parser: argparse.ArgumentParser) -> None:
    """One size alone, and the picture."""
    size_arguments(parser, PICTURE)


def run(options: Options) -> Outcome:
    """Optimize every instance; then one size after another."""
    picture = options.extra.pop("picture", None)
    rows = by_size(["learned_te"], SIZES, SERIES, measure, options)
    if picture:
        picture.write_text(chart(rows, SERIES, AXES), encoding="utf-8")
    options.extra["only"] = None
    try:
        warm_up(METHOD)
    except NettwinError as error:
        raise Skipped(str(error)) from None
    ratios, late, every = {}, 0.0, []
    for path in instances(options):
        bound = bound_of(formats.read(path).scenario)
        one = measured(path, Intent(), METHOD, SECONDS, 1, bound)
        if one.ratio > 1 + PROVEN:
            one = proved(one, reach_of(path, Intent(), bound))
        every.append(one)
        ratios[one.name] = one.value / bound
        late = max(late, one.spent_s)
        status = "proven" if one.proven else f"unproven, gap {one.gap:.5f}"
        say(f"{one.name}: {ratios[one.name]:.4f}, {status}")
    worst = max(ratios, key=lambda name: ratios[name])
    figures = [
        at_most(f"median of {len(ratios)} instances, over the bound", _median(ratios), TARGET),
        Figure(f"worst ({worst}), over the bound", ratios[worst]),
        Figure("within 1.05 of the bound", sum(r <= TARGET for r in ratios.values()), "instances"),
        Figure("proven to be the best", statistics.mean(one.proven for one in every)),
        Figure("worst gap to what is proven", max(one.gap for one in every)),
        *(Figure(f"{one.name}: unproven, gap", one.gap) for one in every if not one.proven),
        Figure("longest run, plan and evidence included", late, "s"),
    ]
    for row in rows:
        label = f"{row['nodes']:g} nodes, {row['links']:g} links: a decision"
        figures.append(Figure(label, row["decision_s"] * 1e6, "us"))
    if len(rows) > 1:
        first, last = (row["decision_s"] / row["links"] for row in (rows[0], rows[-1]))
        figures.append(
            Figure("a decision and link, largest network over smallest", last / first, "x")
        )
    return Outcome(tuple(figures))


def measure(nodes: int) -> dict[str, float]:
    """What a decision costs in a network of a size."""
    scenario = generate("gabriel", nodes=nodes, load=1.5, seed=1)
    segment_problem = segment_routing_problem(Problem(scenario, Intent()), scenario)
    agent(segment_problem, Search(Steps(5)))  # machine code
    search = Search(Steps(DECISIONS))
    seconds = cpu_seconds(lambda: agent(segment_problem, search))
    first = cpu_seconds(lambda: agent(segment_problem, Search(Steps(1))))
    links = float(scenario.topology.link_count)
    return {
        "nodes": float(nodes),
        "links": links,
        "decision_s": max(seconds - first, 0.0) / max(search.steps - 1, 1),
    }


def _median(ratios: dict[str, float]) -> float:
    return statistics.median(ratios.values())
