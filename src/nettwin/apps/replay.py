"""Replay: a plan made earlier, judged again on a network as it is now."""

from __future__ import annotations

from dataclasses import replace

from nettwin.change_plan import ChangePlan, Evidence
from nettwin.errors import InputError
from nettwin.model import NetworkModel
from nettwin.optimize.problem import Problem
from nettwin.scenario.changes import apply_all

SHOWN = 12  # digits of a fingerprint


def replayed(
    problem: Problem, plan: ChangePlan, verifier: NetworkModel | None = None, *, force: bool = False
) -> ChangePlan:
    """The plan with what its changes do to the problem's network, as its model and a verifier say.

    Raises InputError where the plan was made for another network and `force` is not given, and
    what a change raises that does not fit.
    """
    mine = problem.scenario.fingerprint()
    foreign = plan.network != mine
    if foreign and not force:
        raise InputError(
            f"the plan was made for another network (fingerprint {plan.network[:SHOWN] or 'none'},"
            f" this one has {mine[:SHOWN]}). Give that network, with what had happened to it"
            " by then (--after), or --force to judge it on this one."
        )
    after = problem.judge([plan.changes])[0]
    own = ("loads", "exact") if problem.model is None else (problem.model.name, "predicted")
    evidence = [Evidence(*own, after)]
    if verifier is not None:
        seen = problem.judged_by(verifier, plan.changes)
        evidence.append(Evidence(verifier.name, "simulated", seen))
    cost = problem.cost(apply_all(problem.scenario, plan.changes), len(plan.changes))
    same = not foreign and plan.after.names == after.names
    return replace(
        plan,
        before=problem.before,
        after=after,
        bound=plan.bound if same else None,
        evidence=tuple(evidence),
        warnings=() if foreign else plan.warnings,
        reasons=(),
        intent=problem.intent.name,
        network=mine,
        cost=cost,
    )
