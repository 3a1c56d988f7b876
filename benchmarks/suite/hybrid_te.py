"""hybrid_te: what a solver's answers teach an agent, and what each stage of hybrid adds."""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, cpu_seconds, say
from benchmarks.suite.repetita import bound_of, instances, measured
from nettwin import formats
from nettwin.intent import Intent
from nettwin.optimize.optimize import warm_up
from nettwin.optimize.problem import Problem
from nettwin.optimize.problems.segment_routing_builder import segment_routing_problem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.reinforcement import agent
from nettwin.optimize.solvers.reinforcement.training.recipe import (
    AgentRecipe,
    Data,
    Imitation,
    Practice,
)
from nettwin.optimize.stop import AnyOf, Steps

if TYPE_CHECKING:
    from benchmarks.learning import Learned

TITLE = "Agents taught by solvers, and refined by local search"
PROTOCOL = (
    "Learning: three small trainings of the agent of midpoints with the same network, synthetic "
    "networks (10 to 30 nodes), seeds and number of iterations: practice (PPO) alone; imitation of "
    "linear programming's answers to the training networks, then PPO; imitation of prices of "
    "links, then PPO. Told is how far the agent ends over the reference (the best of three "
    "teachers by prices), as the mean logarithm: for the curves on networks kept apart, the best "
    "so far; at the end on networks that nothing was chosen by. Processor seconds of training, "
    "those of the solver included, those of validating not. Stages: every instance of a folder "
    "(none was trained on) by the shipped agent's first episode alone, by `hybrid` and by "
    "`local_search` in one second of processor time (read as in `repetita`, one seed), over the "
    "multicommodity bound."
)
SECONDS = 1.0
NEAR = 0.01  # over the reference: learned
SEEDS = (1, 2)
ITERATIONS, TAUGHT = 60, 20  # of a training, and of those by a teacher
ALONE, BY_LINEAR, BY_PRICES = "PPO alone", "linear programming, then PPO", "prices, then PPO"
TEACHERS = {ALONE: None, BY_LINEAR: "linear", BY_PRICES: "prices"}
STAGES = ("the agent's first episode", "hybrid, 1 s", "local_search, 1 s")
PICTURE = Path(__file__).parents[2] / "docs" / "benchmark_hybrid_te.svg"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The picture, by its usual place."""
    where = f"draw the curves of learning here; the results page shows docs/{PICTURE.name}"
    parser.add_argument("--picture", type=Path, metavar="SVG", help=where)


def run(options: Options) -> Outcome:
    """Train, then optimize every instance."""
    if find_spec("torch") is None:
        raise Skipped("training needs the extra train: pip install 'nettwin[train]'")
    from benchmarks.learning import chart, learned

    paths = instances(options)
    learned(_recipe("machine code", "linear", 0, short=True))
    found = {
        name: [learned(_recipe(name, teacher, seed)) for seed in SEEDS]
        for name, teacher in TEACHERS.items()
    }
    if options.extra.get("picture"):
        options.extra["picture"].write_text(chart(found), encoding="utf-8")
    return Outcome((*_of_learning(found), *_of_stages(paths)))


def _recipe(name: str, teacher: str | None, seed: int, short: bool = False) -> AgentRecipe:
    taught = (1 if short else TAUGHT) if teacher else 0
    imitation = Imitation(iterations=taught, sharp=50.0)
    return AgentRecipe(
        name="curve",
        task="midpoints",
        title=f"{name}, seed {seed}",
        seed=seed,
        episodes=16,
        horizon=96,
        ahead=150,
        validate_every=4,
        data=Data(instances=40, validation=24, test=24, least_nodes=10, most_nodes=30, seed=21),
        imitation=replace(imitation, teacher=teacher) if teacher else imitation,
        practice=Practice(iterations=1 if short else ITERATIONS - taught, entropy=0.0),
    )


def _of_learning(found: dict[str, list[Learned]]) -> list[Figure]:
    from benchmarks.learning import percent

    near = math.log1p(NEAR)
    until = {
        name: statistics.mean(one.until(near) for one in several) for name, several in found.items()
    }
    figures = []
    for name, several in found.items():
        begun = name if name == ALONE else f"imitation of {name}"
        test = percent(statistics.mean(one.test for one in several))
        end = percent(statistics.mean(one.end for one in several))
        figures += [
            Figure(f"{begun}: until within {NEAR:.0%} of the reference", until[name], "s"),
            Figure(f"{begun}: over the reference at the end, validation", end, "%"),
            Figure(f"{begun}: over the reference at the end, test networks", test, "%"),
            Figure(f"{begun}: processor time, all", _mean_s(several), "s"),
        ]
    for name in (BY_LINEAR, BY_PRICES):
        ratio = until[name] / until[ALONE] if math.isfinite(until[name]) else math.inf
        label = f"imitation of {name}: time until within {NEAR:.0%}, of PPO's alone"
        figures.append(at_most(label, ratio, 1.0, "x"))
    return figures


def _mean_s(several: list[Learned]) -> float:
    return statistics.mean(one.points[-1][0] for one in several)


def _of_stages(paths: list[Path]) -> list[Figure]:
    for method in ("hybrid", "local_search"):
        warm_up(method)
    over: dict[str, dict[str, float]] = {stage: {} for stage in STAGES}
    spent = []
    for path in paths:
        scenario = formats.read(path).scenario
        bound = bound_of(scenario)
        segment_problem = segment_routing_problem(Problem(scenario, Intent()), scenario)
        agent(segment_problem, Search(Steps(1)))  # machine code
        first: Search[object] = Search(AnyOf(()))
        spent.append(cpu_seconds(lambda at=segment_problem, by=first: agent(at, by, episodes=1)))
        hybrid = measured(path, Intent(), "hybrid", SECONDS, 1, bound).value
        alone = measured(path, Intent(), "local_search", SECONDS, 1, bound).value
        for stage, value in zip(STAGES, (first.value, hybrid, alone), strict=True):
            over[stage][path.stem] = value / bound
        say(f"{path.stem}: {', '.join(f'{over[stage][path.stem]:.4f}' for stage in STAGES)}")
    figures = []
    for stage, ratios in over.items():
        worst = max(ratios, key=lambda name: ratios[name])
        median = statistics.median(ratios.values())
        figures += [
            Figure(f"{stage}: median of {len(ratios)} instances, over the bound", median),
            Figure(f"{stage}: mean, over the bound", statistics.mean(ratios.values())),
            Figure(f"{stage}: worst ({worst}), over the bound", ratios[worst]),
        ]
    agents, hybrid, alone = (over[stage] for stage in STAGES)
    better = sum(hybrid[name] < agents[name] * (1 - 1e-4) for name in agents)
    ahead = sum(hybrid[name] < alone[name] * (1 - 1e-4) for name in alone)
    behind = sum(hybrid[name] > alone[name] * (1 + 1e-4) for name in alone)
    return [
        *figures,
        Figure("the agent's first episode: processor time, median", statistics.median(spent), "s"),
        Figure("the agent's first episode: processor time, longest", max(spent), "s"),
        Figure("hybrid better than the agent's first episode", better, "instances"),
        Figure("hybrid better than local_search", ahead, "instances"),
        Figure("hybrid worse than local_search", behind, "instances"),
    ]
