"""Bounds: what no routing can undercut, and the proof that an intent cannot be met."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nettwin.intent import Expectation
from nettwin.intent.bounds import always_routed
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.problems.segment_routing_builder import segment_routing_problem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.linear.flow_bound import worst_bound
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem
from nettwin.optimize.solvers.linear.segment_flow import suits, widest_bound
from nettwin.optimize.solvers.linear.segment_lp import segment_lp
from nettwin.scenario.changes import apply_all
from nettwin.scenario.scenario import Scenario
from nettwin.units import percent

ROUTING = {"segments", "paths", "weights", "schedulers"}  # levers that leave demand and capacity
PROOF = 1e-6
MAX_PAIRS = 200_000  # states * nodes * nodes up to which one choice for all states is bounded


class Effort(NamedTuple):
    """How long a bound may take: seconds, or, where nothing may depend on the clock, operations."""

    seconds: float = math.inf
    work: float = math.inf

    @classmethod
    def of(cls, search: Search[Any], most_s: float) -> Effort:
        """The part of a search that is for its bound."""
        budget = search.params.budget
        if search.timed:
            return cls(min(budget.bound_share * search.seconds_left, most_s))
        return cls(work=budget.bound_work)

    def times(self, operations: float) -> int:
        """How often something may be done that takes so many operations, once at least."""
        return int(min(max(self.work / max(operations, 1.0), 1.0), 2000))


ANY = Effort()  # as long as it takes


def lower_bound(
    problem: Problem, effort: Effort = ANY, gap: float = 1e-4, anew_share: float = 0.3
) -> float | None:
    """What the first objective cannot fall below; None where nothing is known.

    Where midpoints are the only lever and failures are survived, most of the time is for what any
    one choice of them reaches, which is more than what routing anew after each failure would.
    """
    lever = problem.intent.lever("segments")
    if lever is None or not of_one_choice(problem):
        return anew_bound(problem, effort, gap)
    begin = time.perf_counter()
    found = anew_bound(problem, Effort(anew_share * effort.seconds, effort.work), gap)
    left = Effort(max(effort.seconds - (time.perf_counter() - begin), 0.0), effort.work)
    return found if found is None else max(found, choice_bound(problem, left, lever.midpoints))


def choice_bound(
    problem: Problem, effort: Effort = ANY, midpoints: int = 1, begin: Changes = ()
) -> float:
    """What the highest utilization over all states cannot fall below when up to so many midpoints
    of each flow are chosen once, even if flows could be split over several paths.

    The changes of a good answer to begin from make it much better on large networks.
    """
    weight = problem.intent.survive.minimize[0].weight if problem.intent.survive else 1.0
    segment_problem = segment_routing_problem(problem, problem.scenario, midpoints)
    taken = None
    if begin:
        after = apply_all(problem.scenario, begin)
        taken = segment_routing_problem(problem, after, midpoints).start
    segments = segment_problem.segments
    rounds = effort.times(segments.nodes * (segments.link.size + segments.nodes**2))
    seconds = effort.seconds
    found = segment_lp(segment_problem, midpoints, seconds, begin=taken, rounds=rounds)
    return weight * found.bound


def single_flow_bound(problem: Problem, midpoints: int) -> float:
    """What the highest utilization cannot fall below because no flow is split over several paths of
    up to so many midpoints; 0 where nothing is known (failures)."""
    segment_problem = segment_routing_problem(problem, problem.scenario, midpoints)
    return widest_bound(segment_problem, midpoints) if suits(segment_problem) else 0.0


def of_one_choice(problem: Problem) -> bool:
    """Whether `choice_bound` bounds the first objective, in good time: nothing else is asked, as
    answers that miss a limit have no higher bound for it."""
    intent = problem.intent
    pairs = (1 + len(problem.failures)) * problem.scenario.topology.node_count**2
    alone = not (intent.minimize or intent.expect or intent.avoid)
    return (
        alone
        and intent.survive is not None
        and not intent.survive.expect
        and len(intent.survive.minimize) == 1
        and intent.survive.minimize[0].measure == "offered_load"
        and intent.survive.minimize[0].reduce == "max"
        and intent.survive.minimize[0].failures == "worst"
        and [lever.kind for lever in intent.levers] == ["segments"]
        and pairs <= MAX_PAIRS
    )


def anew_bound(problem: Problem, effort: Effort = ANY, gap: float = 1e-4) -> float | None:
    """What the first objective cannot fall below if routing were chosen anew after each failure,
    flows split at will; None where nothing is known."""
    intent = problem.intent
    failing = not intent.minimize
    first = (
        intent.minimize[0]
        if intent.minimize
        else (intent.survive.minimize[:1] if intent.survive else ())
    )
    if len(first) != 1 or first[0].measure != "offered_load" or first[0].reduce != "max":
        return None
    if failing and first[0].failures != "worst":
        return None
    if not {lever.kind for lever in intent.levers} <= ROUTING:
        return None
    counted = first[0].select.select(problem.scenario, "link")
    share = np.where(counted, 1.0, np.inf)
    states = _failed(problem) if failing else [problem.scenario]
    if not states:
        return None
    each = [_flow_problem(problem, s, share) for s in states]
    found = worst_bound(each, effort.seconds, gap=gap, sweeps=_sweeps(each, effort))
    return first[0].weight * found.value


def proofs(problem: Problem, effort: Effort = ANY) -> list[str]:
    """Why limits on utilization cannot all be met by any routing; empty where nothing is proven."""
    intent = problem.intent
    if not {lever.kind for lever in intent.levers} <= ROUTING:
        return []
    found = []
    for limits, states, end in (
        (intent.expect, [problem.scenario], ""),
        (
            intent.survive.expect if intent.survive and problem.failures else (),
            _failed(problem),
            f" when {intent.survive.describe()}" if intent.survive else "",
        ),
    ):
        lines = [e for e in limits if _is_limit(e)]
        if not lines:
            continue
        share = np.full(problem.scenario.topology.link_count, np.inf)
        for e in lines:
            chosen = e.select.select(problem.scenario, "link")
            share[chosen] = np.minimum(share[chosen], max(e.limit, 1e-9))
        each = [_flow_problem(problem, s, share) for s in states]
        sweeps = _sweeps(each, effort)
        bound = worst_bound(each, effort.seconds / 2, gap=1e-3, sweeps=sweeps).value
        if bound > 1 + PROOF:
            words = "; ".join(e.describe() for e in lines)
            found.append(
                f"{words}{end}: no routing can keep this, even if demand could be split at will:"
                f" some link would carry at least {percent(bound)} of its limit. Raise the limit to"
                f" {percent(bound * max(e.limit for e in lines))}, add capacity or limit rates."
            )
    return found


def _sweeps(problems: list[FlowProblem], effort: Effort) -> int:
    """How many sweeps of each problem an effort is."""
    hops = math.log2(problems[0].links + 2)
    return effort.times(len(problems) * problems[0].nodes * problems[0].links * hops)


def _is_limit(e: Expectation) -> bool:
    return e.measure == "offered_load" and e.at_most is not None and not e.reduce


def _failed(problem: Problem) -> list[Scenario]:
    return [apply_all(problem.scenario, failing) for _, failing in problem.failures]


def _flow_problem(problem: Problem, state: Scenario, share: np.ndarray) -> FlowProblem:
    """The demand of a state that may be moved at will, and what stays where it is."""
    topology, traffic = state.topology, state.traffic
    free = problem.flows("segments") | problem.flows("paths")
    if problem.intent.lever("weights"):
        free = np.ones_like(free)
    moved, fixed = np.flatnonzero(free & always_routed(state, topology)), np.flatnonzero(~free)
    rest = replace(state, traffic=traffic.keep(fixed), routing=state.routing.keep(fixed))
    return FlowProblem.of(
        topology,
        traffic.keep(moved).matrix(topology.node_count),
        topology.link_capacity_bps * np.minimum(share, 1e30),
        rest.link_load_bps,
        drop_unreachable=True,
    )
