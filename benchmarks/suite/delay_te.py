"""delay_te: delay limits that no routing by utilization keeps, met and verified by simulation."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from benchmarks.benchmark import Figure, Options, Outcome, at_least, say
from nettwin.intent import Expectation, Intent, Lever, Objective, Selector
from nettwin.interfaces import wiring
from nettwin.optimize.optimize import optimize, warm_up
from nettwin.optimize.problem import Problem
from nettwin.optimize.stop import Seconds
from nettwin.scenario.changes import SetScheduler, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

TITLE = "Delay limits that utilization alone does not keep"
PROTOCOL = (
    "Synthetic networks with three classes; the 99th percentile of the delay of every flow of "
    "voice shall stay under a limit, and the highest utilization be low. First the same optimizer "
    "looks at utilization alone, then at the intent with a model in the loop; the packet simulator "
    "says what either gives (the worst flow of voice). The limit lies between what the network has "
    "today and what its propagation allows; it was chosen once, for each network, before."
)
VOICE = Selector(traffic_class=("voice",))


class Case(NamedTuple):
    """A network, its limit, what may be changed."""

    name: str
    scenario: Scenario
    limit_s: float
    levers: tuple[str, ...]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which engine is in the loop, how long."""
    parser.add_argument("--engine", default="twin", help="theory, twin, gnn")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--packets", type=int, default=4_000_000, help="of each simulation")


def cases() -> list[Case]:
    """The networks."""
    wfq = generate("nsfnet", classes="three", scheduler="wfq", load=1.15, seed=3, buffer_packets=64)
    sp = generate("nsfnet", classes="three", scheduler="sp", load=1.3, seed=5, buffer_packets=64)
    last = [
        SetScheduler(name, {**sp.topology.schedulers[k].to_dict(), "class_queue": {"video": 0}})
        for name, k in zip(sp.topology.link_name, sp.topology.link_scheduler.tolist(), strict=True)
    ]
    return [
        Case("NSFNET, WFQ, over midpoints", wfq, 0.030, ("segments",)),
        Case("NSFNET, WFQ, midpoints and schedulers", wfq, 0.028, ("segments", "schedulers")),
        Case("NSFNET, SP, voice last", apply_all(sp, last), 0.030, ("segments", "schedulers")),
    ]


def run(options: Options) -> Outcome:
    """Optimize every network both ways."""
    engine, method = options.extra["engine"], options.extra["method"]
    seconds = options.extra["seconds"]
    warm_up(method)
    model = wiring.engine(engine)
    packets = options.extra["packets"]
    simulator = wiring.engine("packet", seed=1, max_packets=packets)
    figures, met = [], 0
    every = cases()[: options.limit]
    for case in every:
        intent = intent_of(case)
        problem = Problem(case.scenario, intent, model)
        loads = Problem(case.scenario, Intent(levers=(Lever("segments"),)))
        by_load = problem.judged_by(simulator, optimize(loads, method, Seconds(5)).changes)
        plan = optimize(problem, method, Seconds(seconds), verifier=simulator)
        simulated = plan.evidence[-1].judgement
        met += simulated.met
        say(f"{case.name}: {simulated.lines[0].value * 1e3:.2f} ms, {len(plan.changes)} changes")
        figures += [
            Figure(f"{case.name}: limit", case.limit_s * 1e3, "ms"),
            Figure("before, as predicted", problem.before.lines[0].value * 1e3, "ms"),
            Figure("utilization alone, simulated", by_load.lines[0].value * 1e3, "ms"),
            Figure("the plan, predicted", plan.after.lines[0].value * 1e3, "ms"),
            Figure("the plan, simulated", simulated.lines[0].value * 1e3, "ms"),
            Figure("the plan's highest utilization", plan.after.objectives[0] * 100, "%"),
            Figure("changes", len(plan.changes)),
        ]
    figures.insert(0, at_least("limits kept, as simulated", met, len(every), "networks"))
    return Outcome(tuple(figures), (f"{engine} in the loop, method {method}, {seconds:g} s each",))


def intent_of(case: Case) -> Intent:
    """Voice under its limit, then the highest utilization low."""
    return Intent(
        minimize=((Objective("offered_load"),),),
        expect=(Expectation("delay_p99", VOICE, at_most=case.limit_s),),
        levers=tuple(Lever(name) for name in case.levers),
    )
