"""Optimize: from a problem to a plan. The whole, in the order in which it happens."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from nettwin.change_plan import ChangePlan, Evidence, Stage
from nettwin.intent import Expectation, Intent, Judgement, Lever, Survive
from nettwin.model import NetworkModel
from nettwin.optimize.bounds.lower_bound import lower_bound, of_one_choice, proofs
from nettwin.optimize.finishing.fewest_changes import trimmed
from nettwin.optimize.finishing.order import ordered
from nettwin.optimize.finishing.verification import tightened
from nettwin.optimize.methods import Method
from nettwin.optimize.methods import method as named
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.search import Search, Tell
from nettwin.optimize.stop import Clock, Gap, Seconds, Steps, Stop
from nettwin.scenario.generate import generate

DEFAULT_STOP = Seconds(5)
ROUNDS = 4  # of searching and verifying
ROUND_SHARE = 0.6  # of the time left, for each round but the last: the next learns from it
BOUND_SHARE, MOST_BOUND_S = 0.1, 0.5  # of the time, for the bound
MOST_CHOICE_S = 3.0  # where it is that of one choice for all failures
NEAR_ENOUGH = 1e-4  # gap to the bound at which a search ends
TRIM_SHARE = 0.15  # of the time, for leaving out what is not needed
# kept back for the end: so long, as long for each flow (but a share of the time: few are moved in
# little), and time to judge so often
ENDING_S, ENDING_FLOW_S, ENDING_SHARE, JUDGED_AT_THE_END = 0.02, 1e-5, 0.35, 3
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
) -> ChangePlan:
    """Search changes that meet the problem's intent; the plan with the best that was found.

    `stop` is about the search; a `verifier` (another NetworkModel, usually the simulator) then
    looks at its answer, which is not counted as searching. Where it finds an expectation missed
    that the model thought met, the search goes on with stricter limits in the time that was kept
    for it, and the answer that the verifier likes best is returned.
    Never worse than doing nothing. Same seed and same steps, same plan.
    """
    chosen = named(method)
    search: Search[Changes] = Search(stop, tell, clock, method)
    search.offer(problem.before.score, ())
    most_s = MOST_CHOICE_S if of_one_choice(problem) else MOST_BOUND_S
    for_bound_s = min(BOUND_SHARE * search.seconds_left, most_s)
    bound = lower_bound(problem, for_bound_s)
    if bound is not None:
        search.bounded(bound)
    reasons = [] if problem.before.met else proofs(problem, for_bound_s)
    best, stages = _searched(problem, chosen, search, seed, verifier)
    after = problem.after(best.changes)
    steps = ordered(problem.scenario, best.changes, after)
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
    )


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
    rounds = ROUNDS if verifier else 1
    for turn in range(rounds):
        begin = search.answer or ()
        missed = turn > 0 and search.score[0] > 0  # by the model: nothing to verify yet
        share = ROUND_SHARE if turn < rounds - 1 and not missed else 1.0
        end = search.clock.seconds + share * search.seconds_left
        part = search.part(method.name, Gap(NEAR_ENOUGH) | Seconds(end))
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
    ending_s = ENDING_S + JUDGED_AT_THE_END * (time.perf_counter() - begin)
    moved_s = ENDING_FLOW_S * problem.scenario.traffic.flow_count
    ending_s += min(moved_s, ENDING_SHARE * search.seconds_left)
    exact = {lever.kind for lever in problem.intent.levers} <= {"segments"}  # and few as they are
    share = 0.0 if exact and not problem.intent.predicted else TRIM_SHARE
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
