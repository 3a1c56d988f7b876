"""Optimize: from a problem to a plan. The whole, in the order in which it happens."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from nettwin.change_plan import ChangePlan, Evidence, Stage
from nettwin.intent import Expectation, Intent, Judgement, Lever, Survive
from nettwin.model import NetworkModel
from nettwin.optimize.bounds.lower_bound import Effort, lower_bound, of_one_choice, proofs
from nettwin.optimize.finishing.fewest_changes import trimmed
from nettwin.optimize.finishing.order import ordered
from nettwin.optimize.finishing.verification import tightened
from nettwin.optimize.methods import Method
from nettwin.optimize.methods import method as named
from nettwin.optimize.params import SearchParams
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.search import Search, Tell
from nettwin.optimize.stop import Clock, Gap, Seconds, Steps, Stop
from nettwin.scenario.generate import generate

DEFAULT_STOP = Seconds(5)
NEAR_ENOUGH = 1e-4  # gap to the bound at which a search ends
JUDGED_AT_THE_END = 3  # times, for which time is kept
WARMING = {"linear": 8, "constraint": 2}  # steps that meet all machine code; others: 100


class _Answer(NamedTuple):
    changes: Changes
    after: Judgement
    evidence: tuple[Evidence, ...]

    @property
    def score(self) -> tuple[float, ...]:
        """What a verifier says comes before what the model says."""
        return self.evidence[0].judgement.score if self.evidence else self.after.score


def optimize(
    problem: Problem,
    method: str = "auto",
    stop: Stop = DEFAULT_STOP,
    seed: int = 0,
    *,
    verifier: NetworkModel | None = None,
    tell: Tell | None = None,
    clock: Clock | None = None,
    params: SearchParams | None = None,
) -> ChangePlan:
    """Search changes that meet the problem's intent; the plan with the best that was found.

    `stop` is about the search; a `verifier` (another NetworkModel, usually the simulator) then
    looks at its answer, which is not counted as searching. Where it finds an expectation missed
    that the model thought met, the search goes on with stricter limits in the time that was kept
    for it, and the answer that the verifier likes best is returned.
    Never worse than doing nothing. Where no rule of `stop` is about time, same seed, same plan.
    `params` are the constants of the search.
    """
    chosen = named(method)
    search: Search[Changes] = Search(stop, tell, clock, method, params=params)
    search.offer(problem.before.score, ())
    reasons = _bounded(problem, search)
    best, stages = _searched(problem, chosen, search, seed, verifier)
    after = problem.after(best.changes)
    steps = ordered(problem.scenario, best.changes, after, problem.plain_segments)
    if not best.after.met and not reasons:
        reasons = [_unmet(method, search, problem.before, best.after)]
    return ChangePlan(
        changes=steps.changes,
        before=problem.before,
        after=best.after,
        method=method,
        seed=seed,
        seconds=search.clock.seconds,
        bound=search.bound if search.bound > -math.inf else None,
        evidence=(_own(problem, best.after), *best.evidence),
        stages=stages,
        warnings=steps.warnings,
        reasons=() if best.after.met else tuple(reasons),
        intent=problem.intent.name,
        network=problem.scenario.fingerprint(),
        cost=problem.cost(after, len(best.changes)),
        policy=search.policy,
    )


def _bounded(problem: Problem, search: Search[Changes]) -> list[str]:
    """Tell a search its bound; why the intent cannot be met, where that is proven."""
    budget = search.params.budget
    one_choice = of_one_choice(problem)
    effort = Effort.of(search, budget.most_choice_bound_s if one_choice else budget.most_bound_s)
    bound = lower_bound(problem, effort, anew_share=budget.anew_bound_share)
    if bound is not None:
        search.bounded(bound)
    return [] if problem.before.met else proofs(problem, effort)


def warm_up(method: str = "auto", intent: Intent | None = None) -> None:
    """Load or make the machine code that a method needs (for an intent alone, if one is given), on
    a small network whose bound is not reached at once: the first search of a program then has all
    of its time."""
    tiny = generate("gabriel", nodes=8, load=1.5, seed=1)
    survives = (None, Survive(("node",), (Expectation("offered_load", at_most=0.1),)))
    for name in ("local_search", "linear") if method == "auto" else (method,):
        stop = Steps(WARMING.get(name, 100))
        for lever in ("segments", "weights"):
            for survive in survives:
                wanted = intent is None or (
                    intent.lever(lever) is not None and bool(intent.survive) == bool(survive)
                )
                if wanted:
                    optimize(
                        Problem(tiny, Intent(levers=(Lever(lever),), survive=survive)), name, stop
                    )


def _searched(
    problem: Problem,
    method: Method,
    search: Search[Changes],
    seed: int,
    verifier: NetworkModel | None,
) -> tuple[_Answer, tuple[Stage, ...]]:
    """Search, let the verifier look, and search on with what was learned."""
    asked, stages, answers = problem, [], []
    budget = search.params.budget
    rounds = budget.rounds if verifier else 1
    for turn in range(rounds):
        begin = search.answer or ()
        missed = turn > 0 and search.score[0] > 0  # by the model: nothing to verify yet
        share = budget.round_share if turn < rounds - 1 and not missed else 1.0
        part = search.part(method.name, Gap(NEAR_ENOUGH), share=share)
        part.bounded(search.bound)
        part.offer(search.score if asked is problem else asked.judge([begin])[0].score, begin)
        _improved(asked, method, part, seed + turn)
        changes = part.answer or ()
        after = problem.judged(changes)
        search.offer(after.score, changes)
        if asked is problem:
            search.bounded(part.bound)
        stages.append(Stage(part.stage, search.clock.seconds, after.violation, after.objectives))
        if not after.met and not search.over and turn < rounds - 1:
            continue
        with search.clock.held():
            evidence = (_verified(problem, verifier, changes),) if verifier else ()
        answers.append(_Answer(changes, after, evidence))
        if not evidence or evidence[0].judgement.met or search.over:
            break
        asked = tightened(asked, evidence[0].judgement, asked.judge([changes])[0])
    return min(answers, key=lambda one: one.score), tuple(stages)


def _improved(problem: Problem, method: Method, search: Search[Changes], seed: int) -> None:
    """Let a method search, then leave out what is not needed; ends in time to judge the answer."""
    begin = time.perf_counter()
    problem.judge([search.answer or ()])
    budget = search.params.budget
    ending_s = budget.ending_s + JUDGED_AT_THE_END * (time.perf_counter() - begin)
    moved_s = budget.ending_flow_s * problem.scenario.traffic.flow_count
    ending_s += min(moved_s, budget.ending_share * search.seconds_left)
    exact = {lever.kind for lever in problem.intent.levers} <= {"segments"}  # and few as they are
    share = 0.0 if exact and not problem.intent.predicted else budget.trim_share
    first = search.portion(1 - share, ending_s)
    method.search(problem, first, seed)
    search.offer(first.score, first.answer or ())
    search.stage = first.stage
    trimmed(problem, search, ending_s)


def _unmet(method: str, search: Search[Changes], before: Judgement, after: Judgement) -> str:
    """Why an intent is not met where nothing proves that it cannot be: what the search came to."""
    spent = f"{search.clock.seconds:.1f} s"
    end = f"was stopped after {spent}" if search.cancelled else f"ended after {spent}"
    if after.violation < before.violation:
        done = f"the violation fell from {before.violation:.3g} to {after.violation:.3g}"
    else:
        done = f"no changes with less than the violation of {before.violation:.3g} were found"
    return f"{method} {end}: {done}; a longer search or other levers may do more"


def _verified(problem: Problem, verifier: NetworkModel, changes: Changes) -> Evidence:
    return Evidence(verifier.name, "simulated", problem.judged_by(verifier, changes))


def _own(problem: Problem, after: Judgement) -> Evidence:
    if problem.model is None:
        return Evidence("loads", "exact", after)
    return Evidence(problem.model.name, "predicted", after)
