"""capacity: the cheapest upgrades of the topology zoo, against what people do."""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_least, at_most, say
from nettwin.apps.capacity.case import CapacityCase, Group, Growth
from nettwin.apps.capacity.upgrade import Upgrade, upgrade
from nettwin.apps.resilience.cases import Cases
from nettwin.formats import read
from nettwin.scenario.failure_loads import loads_under_failures

TITLE = "Capacity plans of the topology zoo over three years, all single link failures survived"
PROTOCOL = (
    "DIR is the folder of REPETITA; its zoo instances with their first demands. Three periods of a "
    "year, traffic grows by 30 % a year. Modules of 1, 4 and 10 times the most usual capacity of "
    "the network cost 1, 2.5 and 5; nothing else costs. Routing is the network's own (shortest "
    "paths with ECMP), before and after. No link may be offered more than its capacity with "
    "nothing failed or after any single link failure, in any year; flows that a failure leaves "
    "without a path are exempt. Hand rule: every year each link above 50 % with nothing failed is "
    "upgraded by the cheapest modules, then each link that a failure overloads. Greedy: the latter "
    "alone. Every plan is checked again by loads under failures of the network it ends with. "
    "Seconds are of the processor; gap and seconds are those of the worst instance of 40 to 60 "
    "nodes, and of a made one of exactly 50."
)
GROWTH, PERIODS = 0.3, 3
NEAR_50 = (40, 60)


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def case() -> CapacityCase:
    """What is planned for."""
    growth = Growth(GROWTH, GROWTH, GROWTH)
    return CapacityCase(periods=PERIODS, groups=(Group("all traffic", growth=growth),))


def run(options: Options) -> Outcome:
    """Plan every instance; `--limit` is how many."""
    folder = options.data / "zoo" if options.data else None
    if folder is None or not folder.is_dir():
        raise Skipped("give the folder of REPETITA with --data; it must hold zoo/")
    savings: list[float] = []
    greedy: list[float] = []
    gaps: list[float] = []
    seconds: list[float] = []
    failed = bought = 0
    paths = sorted(folder.glob("*.graph"))[: options.limit]
    for path in paths:
        scenario = read(str(path)).scenario
        begin = time.process_time()
        found = upgrade(scenario, case())
        took = time.process_time() - begin
        failed += not survives(found)
        if found.best.cost > 0:
            bought += 1
            savings.append(found.saving())
            greedy.append(found.saving("greedy"))
        if NEAR_50[0] <= scenario.topology.node_count <= NEAR_50[1]:
            gaps.append(found.best.gap)
            seconds.append(took)
        say(
            f"{path.stem}: {scenario.topology.node_count} nodes, cost {found.best.cost:g}, saving"
            f" {found.saving():.1%}, gap {found.best.gap:.2%}, {took:.2f} s"
        )
    made, took = fifty()
    gaps.append(made.best.gap)
    seconds.append(took)
    figures = [
        at_least("saving against hand rule", median(savings), 0.17),
        at_most("gap", max(gaps), 0.01),
        at_most("seconds", max(seconds), 300.0, "s"),
        at_most("plans that do not survive", float(failed), 0.0),
        Figure("saving against greedy", median(greedy)),
        Figure("saving against hand rule: least", min(savings)),
        Figure("saving against hand rule: most", max(savings)),
    ]
    remark = f"{len(paths)} instances, of which {bought} need anything."
    return Outcome(tuple(figures), (remark,))


def fifty() -> tuple[Upgrade, float]:
    """A made network of exactly 50 nodes, with a budget that binds and a cost of each visit, so
    that links hang together."""
    from dataclasses import replace

    from nettwin.scenario.generate import generate

    scenario = generate("gabriel", nodes=50, seed=16, load=0.9)
    free = upgrade(scenario, replace(case(), visit=0.3))
    budget = float(free.best.paid.max()) * 0.9
    begin = time.process_time()
    found = upgrade(scenario, replace(case(), visit=0.3, budget=(budget,) * PERIODS))
    say(f"50 nodes with budgets: fits {found.best.fits}, gap {found.best.gap:.2%}")
    return found, time.process_time() - begin


def survives(found: Upgrade) -> bool:
    """Whether every period's network survives every single link failure, looked at anew."""
    for period in range(found.case.periods):
        network = found.best.network(period)
        cases = Cases(network.topology, ("link",))
        after = loads_under_failures(network, [one.links for one in cases]).load_bps
        every = np.concatenate([after, network.link_load_bps[None]])
        if (every > network.topology.link_capacity_bps * (1 + 1e-9)).any():
            return False
    return True
