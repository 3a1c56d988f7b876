"""Optimize: from a problem to a plan. The whole, in the order in which it happens."""

from __future__ import annotations

import math

from nettwin.intent import Judgement
from nettwin.model import NetworkModel
from nettwin.optimize.bounds import lower_bound, proofs
from nettwin.optimize.methods import method as named
from nettwin.optimize.order import ordered
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.search import Search, Tell
from nettwin.optimize.stop import Clock, Gap, Seconds, Stop
from nettwin.optimize.trimming import trimmed
from nettwin.optimize.verification import tightened
from nettwin.plan import Evidence, Plan, Stage
from nettwin.scenario.changes import apply_all

DEFAULT_STOP = Seconds(5)
ROUNDS = 4  # of searching and verifying
BOUND_SHARE, MOST_BOUND_S = 0.1, 0.5  # of the time, for the bound
NEAR_ENOUGH = 1e-4  # gap to the bound at which a search ends


def optimize(
    problem: Problem,
    method: str = "auto",
    stop: Stop = DEFAULT_STOP,
    seed: int = 0,
    *,
    verifier: NetworkModel | None = None,
    tell: Tell | None = None,
    clock: Clock | None = None,
) -> Plan:
    """Search changes that meet the problem's intent; the plan with the best that was found.

    `stop` is about the search; a `verifier` (another NetworkModel, usually the simulator) then
    looks at its answer. Where it finds an expectation missed that the model thought met, the
    search goes on with stricter limits, and the answer that the verifier likes best is returned.
    Never worse than doing nothing. Same seed and same steps, same plan.
    """
    chosen = named(method)
    search: Search[Changes] = Search(stop, tell, clock, method)
    search.offer(problem.before.score, ())
    limit = min(BOUND_SHARE * search.seconds_left, MOST_BOUND_S)
    bound = lower_bound(problem, limit)
    search.bounded(-math.inf if bound is None else bound)
    reasons = proofs(problem, limit) if not problem.before.met else []
    asked, stages, answers = problem, [], []
    for turn in range(ROUNDS if verifier else 1):
        part = search.part(method, Gap(NEAR_ENOUGH))
        part.bounded(search.bound)
        part.offer(asked.judge([search.answer or ()])[0].score, search.answer or ())
        chosen.search(asked, part, seed + turn)
        trimmed(asked, part)
        changes = part.answer or ()
        after = problem.judge([changes])[0]
        search.offer(after.score, changes)
        stages.append(Stage(part.stage, search.clock.seconds, after.violation, after.objectives))
        evidence = (_evidence(problem, verifier, changes),) if verifier else ()
        judged = evidence[0].judgement if evidence else after
        answers.append((judged.score, changes, after, evidence))
        if not evidence or evidence[0].judgement.met or not after.met or search.over:
            break
        asked = tightened(asked, evidence[0].judgement, asked.judge([changes])[0])
    _, changes, after, evidence = min(answers, key=lambda one: one[0])
    steps = ordered(problem.scenario, changes)
    if not after.met and not reasons:
        reasons = [f"nothing better was found by {method} in {search.clock.seconds:.1f} s"]
    return Plan(
        changes=steps.changes,
        before=problem.before,
        after=after,
        method=method,
        seed=seed,
        seconds=search.clock.seconds,
        bound=bound,
        evidence=(_own(problem, after), *evidence),
        stages=tuple(stages),
        warnings=steps.warnings,
        reasons=() if after.met else tuple(reasons),
        intent=problem.intent.name,
        network=problem.scenario.fingerprint(),
        cost=problem.cost(apply_all(problem.scenario, changes), len(changes)),
    )


def _evidence(problem: Problem, verifier: NetworkModel, changes: Changes) -> Evidence:
    return Evidence(verifier.name, "simulated", problem.judged_by(verifier, changes))


def _own(problem: Problem, after: Judgement) -> Evidence:
    if problem.model is None:
        return Evidence("loads", "exact", after)
    return Evidence(problem.model.name, "predicted", after)
