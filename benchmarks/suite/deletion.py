"""deletion: what an explanation names is taken away; a simulation says whether that was right."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_least, say
from nettwin.apps.explanation.causes import (
    Causes,
    find_causes,
    offered_shares,
    rank_correlation,
    without,
)
from nettwin.apps.explanation.target import Target, queue_target
from nettwin.datasets.drawing import draw_scenario
from nettwin.datasets.recipe import Recipe, read_recipe, shipped_recipe
from nettwin.engines.packet import PacketSimulator
from nettwin.interfaces.wiring import ENGINES, engine
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

TITLE = "Explanations: deletion test"
PROTOCOL = (
    "Networks of 5 to 24 nodes are drawn from the recipe `general` with a seed of their own, "
    "synthetic topologies only, so that no model was trained on them. In each, one queue is drawn "
    "among those whose port is offered 50 to 130 % of its capacity by at least three flows. The "
    "explanation of its delay (its loss from 1 % on) names flows; those with the largest effect, "
    "as many as hold 15 % of the port's load, at most five, are removed, and the change of the "
    "queue's delay or loss that the model says is compared with that of the packet simulator, the "
    "mean of two seeds with and without the flows. Agreement: the same sign, and a size within a "
    "factor 2. Where the two seeds differ by more than the change itself the referee cannot tell, "
    "and the case is counted apart. As a control as many of the port's other flows, drawn by "
    "chance, are removed. Rank agreement: Spearman's correlation of gradient and counterfactual "
    "over 20 flows of a port that are drawn by chance, one removed at a time (ports with at least "
    "five flows)."
)
CASES = 60
SEED = 20_777
NODES = (5, 24)
BUSY = (0.5, 1.3)
MIN_FLOWS = 3
NAMED_LOAD = 0.15  # of the port's load that the named flows hold
MAX_NAMED = 5
PACKET_HOPS = 4e6  # of one simulation
SEEDS = (1, 2)
RANKED = 20  # flows of a port whose ranks are compared
TARGET = 90.0
Measure = Callable[[Metrics], float]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which engine explains, which networks are drawn, how long the referee simulates."""
    parser.add_argument("--engine", choices=tuple(ENGINES), default="theory")
    parser.add_argument("--model", help="a model's name or file (learned engines)")
    parser.add_argument("--packet-hops", type=float, default=PACKET_HOPS)
    parser.add_argument("--seed", type=int, default=SEED, help="another one draws other networks")


@dataclass(frozen=True)
class Case:
    """One queue: what was said to go with the named flows, and what went, by seed."""

    measure: str
    now: float  # of the measure, as the model says
    said: float
    seen_now: float  # of the measure, as the referee says
    seen: tuple[float, ...]
    by_chance: tuple[float, ...]  # what went with random flows
    ranks: float

    @property
    def went(self) -> float:
        """What the referee says: the mean over seeds."""
        return float(np.mean(self.seen))

    @property
    def decided(self) -> bool:
        """Whether the referee can tell."""
        return abs(self.went) > np.ptp(self.seen)

    @property
    def agrees(self) -> bool:
        """The same sign, and a size within a factor 2."""
        return self.went != 0 and 0.5 <= self.said / self.went <= 2.0

    @property
    def agrees_in_part(self) -> bool:
        """The same of the changes as parts of what was."""
        if not self.went or not self.now or not self.seen_now:
            return False
        return 0.5 <= self.said / self.now / (self.went / self.seen_now) <= 2.0


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of queues."""
    extra = options.extra
    model = engine(extra["engine"], **({"model": extra["model"]} if extra.get("model") else {}))
    cases = []
    recipe = own_recipe(extra.get("seed", SEED))
    for number, scenario, target in islice(queues(recipe), options.limit or CASES):
        case = examine(number, scenario, target, model, extra["packet_hops"], recipe.seed)
        cases.append(case)
        verdict = ("agrees" if case.agrees else "differs") if case.decided else "undecided"
        say(
            f"{len(cases)} {scenario.name} {target.name}: {case.measure} {case.now:.4g},"
            f" said {case.said:.3g}, seen {case.went:.3g}, by chance"
            f" {np.mean(case.by_chance):.3g}: {verdict}"
        )
    if not cases:
        raise Skipped("no queue was busy")
    return Outcome(tuple(figures_of(cases)), (f"Explained by {model.name}.",))


def own_recipe(seed: int = SEED) -> Recipe:
    """The recipe `general` with another seed, smaller networks and no real ones."""
    recipe = read_recipe(shipped_recipe("general"))
    kinds = {name: w for name, w in recipe.topology["kinds"].items() if name != "real"}
    topology = {**recipe.topology, "kinds": kinds, "nodes": list(NODES)}
    return replace(recipe, seed=seed, topology=topology)


def queues(recipe: Recipe) -> Iterator[tuple[int, Scenario, Target]]:
    """One busy queue of each network that has any."""
    for number in range(10_000):
        scenario = draw_scenario(recipe, number, {})
        names = busy_queues(scenario)
        if names:
            random = np.random.default_rng([recipe.seed, number])
            yield number, scenario, queue_target(scenario, names[int(random.integers(len(names)))])


def busy_queues(scenario: Scenario) -> list[str]:
    """The queues that flows cross, at ports of BUSY load and MIN_FLOWS flows."""
    links, paths = scenario.topology.queues.link, scenario.paths
    load = np.bincount(
        paths.links,
        (paths.share * scenario.traffic.flow_rate_bps[paths.path_flow])[paths.hop_path],
        scenario.topology.link_count,
    ) / np.asarray(scenario.topology.link_capacity_bps)
    pairs = np.unique(np.stack([paths.links, paths.hop_flow]), axis=1)
    flows = np.bincount(pairs[0], minlength=scenario.topology.link_count)
    good = (load >= BUSY[0]) & (load <= BUSY[1]) & (flows >= MIN_FLOWS)
    return [scenario.queue_names[q] for q in np.unique(scenario.hop_queue) if good[links[q]]]


def examine(
    number: int,
    scenario: Scenario,
    target: Target,
    model: NetworkModel,
    packet_hops: float,
    seed: int = SEED,
) -> Case:
    """Explain one queue, take the named flows away, and ask the referee."""
    random = np.random.default_rng([seed, number, 1])
    before = model.predict([scenario])[0]
    causes = find_causes(scenario, model, target, top=MAX_NAMED, before=before)
    share = offered_shares(scenario, target)
    named = named_flows(scenario, causes, share)
    crossing = np.flatnonzero(share)
    others = np.setdiff1d(crossing, named)
    chance = random.choice(others, min(len(named), len(others)), replace=False)
    cases = [scenario, without(scenario, named), without(scenario, chance)]

    def of(metrics: Metrics) -> float:
        return target.loss(metrics) if causes.measure == "loss" else target.delay_s(metrics)

    said = of(before) - of(model.predict([cases[1]])[0])
    seen, by_chance, seen_now = [], [], []
    for run_seed in SEEDS:
        referee = PacketSimulator(
            seed=run_seed, precision=0.0, max_packets=_packets(scenario, packet_hops), jobs=1
        )
        with_all, fewer, random_fewer = (of(m) for m in referee.predict(cases))
        seen_now.append(with_all)
        seen.append(with_all - fewer)
        by_chance.append(with_all - random_fewer)
    now = causes.loss if causes.measure == "loss" else causes.delay_s
    ranks = rank_agreement(scenario, model, causes, of, before, random.permutation(crossing))
    was = float(np.mean(seen_now))
    return Case(causes.measure, now, said, was, tuple(seen), tuple(by_chance), ranks)


def named_flows(scenario: Scenario, causes: Causes, share: NDArray[np.float64]) -> NDArray[np.intp]:
    """The flows with the largest effect, as many as hold NAMED_LOAD of the port's load."""
    named: list[int] = []
    for cause in causes.of("flow")[:MAX_NAMED]:
        named.append(scenario.flow(cause.name))
        if share[named].sum() >= NAMED_LOAD:
            break
    return np.array(named, np.intp)


def rank_agreement(
    scenario: Scenario,
    model: NetworkModel,
    causes: Causes,
    of: Measure,
    before: Metrics,
    flows: NDArray[np.intp],
) -> float:
    """How alike gradient and counterfactual rank flows of a port; NaN for fewer than five."""
    tried = flows[:RANKED]
    if len(tried) < 5:
        return float("nan")
    after = model.predict([without(scenario, np.array([f])) for f in tried])
    effect = np.array([of(before) - of(metrics) for metrics in after])
    return rank_correlation(causes.gradient[tried], effect)


def figures_of(cases: list[Case]) -> list[Figure]:
    """What the cases say together."""
    decided = [case for case in cases if case.decided]
    agree = np.array([case.agrees for case in decided])
    in_part = np.array([case.agrees_in_part for case in decided])
    sign = np.array([case.said * case.went > 0 for case in decided])
    sizes = np.array([case.said / case.went for case in decided])[sign]
    more = np.array([case.went > np.mean(case.by_chance) for case in decided])
    chance = np.array([np.mean(c.by_chance) / c.went for c in decided if c.went > 0])
    ranks = np.array([case.ranks for case in cases])
    figures = [
        at_least("removed as said: sign, and size within 2x", _percent(agree), TARGET, "%"),
        Figure("the same of the change in percent", _percent(in_part), "%"),
        Figure("the same sign", _percent(sign), "%"),
        Figure("said over seen, median", float(np.median(sizes)) if len(sizes) else np.nan),
        Figure(
            "size off by, median",
            float(np.median(np.abs(np.log(sizes)))) * 100 if len(sizes) else np.nan,
            "% (ln)",
        ),
    ]
    for measure in ("delay", "loss"):
        mine = np.array([case.agrees for case in decided if case.measure == measure])
        figures.append(Figure(f"removed as said, {measure}", _percent(mine), "%"))
        figures.append(Figure(f"queues, {measure}", float(len(mine))))
    return [
        *figures,
        Figure("more than with random flows", _percent(more), "%"),
        Figure("random flows' effect over named flows', median", _median(chance)),
        Figure("rank agreement of gradient and counterfactual, median", _median(ranks)),
        Figure("the same, lower quartile", _median(ranks, 25)),
        Figure("queues", float(len(cases))),
        Figure("queues that the referee cannot decide", float(len(cases) - len(decided))),
    ]


def _packets(scenario: Scenario, packet_hops: float) -> int:
    """The packets whose hops are so many."""
    paths, rate = scenario.paths, scenario.traffic.flow_packet_rate_pps
    hops = paths.share * np.diff(paths.link_offset) * rate[paths.path_flow]
    return max(int(packet_hops / max(float(hops.sum() / rate.sum()), 0.5)), 1000)


def _percent(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) * 100 if len(values) else float("nan")


def _median(values: NDArray[np.float64], percentile: float = 50) -> float:
    known = values[np.isfinite(values)]
    return float(np.percentile(known, percentile)) if len(known) else float("nan")
