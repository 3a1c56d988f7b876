"""Plans by hand: added, verified, approved, applied and undone by people."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nettwin.apps.loop.plans import Known, keep_fate, keep_plan, known_plan
from nettwin.apps.replay import replayed
from nettwin.change_plan import ChangePlan
from nettwin.errors import ApplyError, InputError
from nettwin.model import NetworkModel
from nettwin.observation import Observation, configuration
from nettwin.optimize.problem import Problem
from nettwin.physical.journal import Receipt
from nettwin.physical.network import Network
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.approval import Approval
from nettwin.workspace.people import Person
from nettwin.workspace.workspace import Workspace

Clock = Callable[[], float]


class Verified(NamedTuple):
    """A plan judged again on the network as it was seen last, before and after."""

    known: Known
    plan: ChangePlan


def last_seen(workspace: Workspace) -> Observation:
    """What was observed last. Raises InputError where nothing was."""
    times = workspace.repository.times_s()
    if not len(times):
        raise InputError(
            "nothing was observed here yet: a plan needs a network that was seen. Run nettwin loop"
            " --cycles 1."
        )
    return workspace.repository.observation(float(times[-1]))


def add(workspace: Workspace, plan: ChangePlan, author: Person) -> Known:
    """Keep a plan that a person has made, for the network as it was seen last. Raises InputError
    where it does not fit, or the person is no operator."""
    author.need("operator", "add a plan")
    seen = last_seen(workspace)
    for change in plan.changes:
        change.apply(seen.scenario)
    network = configuration(seen.scenario)
    id, _ = keep_plan(workspace.repository, plan, seen.time_s, author.name, network)
    return known_plan(workspace.repository, id)


def verify(
    workspace: Workspace,
    id: str,
    model: NetworkModel,
    verifier: NetworkModel | None,
    corrected: Callable[[Scenario], Scenario] = lambda scenario: scenario,
) -> Verified:
    """Judge a plan again on the network as it was seen last, with the demands of then."""
    known = known_plan(workspace.repository, id)
    problem = Problem(corrected(last_seen(workspace).scenario), workspace.intent, model)
    return Verified(known, replayed(problem, known.plan, verifier, force=True))


def approve(workspace: Workspace, id: str, person: Person, now_s: float) -> Approval:
    """Approve a plan as a person. Raises InputError where they may not: they have not the role, or
    the plan is their own."""
    known = known_plan(workspace.repository, id)
    person.need("approver", f"approve the plan {known.id}")
    if person.name == known.author:
        raise InputError(
            f"the plan {known.id} is {person.name}'s own: it must be approved by somebody else."
            " Ask another approver."
        )
    approval = Approval(
        plan=known.plan.digest,
        network=known.network,
        author=known.author,
        by=person.name,
        at_s=now_s,
        expires_s=now_s + workspace.settings.loop.approval_s,
    )
    workspace.approvals.keep(known.id, approval)
    return approval


def apply(workspace: Workspace, network: Network, id: str, person: Person, now_s: float) -> Receipt:
    """Apply a plan that was approved, as a person. Raises ApplyError where no approval holds or the
    network does not take it: nothing is changed then."""
    known = known_plan(workspace.repository, id)
    person.need("operator or approver", f"apply the plan {known.id}")
    done = network.receipt(known.id)
    if done is None or not done.stands:
        _approved(workspace, known, configuration(network.configured()), now_s)
    seen = last_seen(workspace)
    try:
        receipt = network.apply(known.plan, known.id)
    except ApplyError as error:
        keep_fate(workspace.repository, known.id, seen.time_s, "failed", str(error))
        workspace.audit.add(now_s, "apply", person.name, words=str(error), plan=known.id)
        raise
    if done is None:
        keep_fate(workspace.repository, known.id, seen.time_s, "applied", f"by {person.name}")
        words = f"{len(receipt.changes)} changes are in the network"
        workspace.audit.add(now_s, "apply", person.name, words=words, plan=known.id)
    return receipt


def undo(workspace: Workspace, network: Network, id: str, person: Person, now_s: float) -> Receipt:
    """Take back a plan that stands, as a person. Raises InputError where it was never applied."""
    known = known_plan(workspace.repository, id)
    person.need("operator or approver", f"undo the plan {known.id}")
    receipt = network.receipt(known.id)
    if receipt is None:
        raise InputError(f"the plan {known.id} was never applied: there is nothing to undo.")
    undone = network.undo(receipt)
    time_s = last_seen(workspace).time_s
    keep_fate(workspace.repository, known.id, time_s, "rolled back", f"by {person.name}")
    words = "the network is as before the plan"
    workspace.audit.add(now_s, "undo", person.name, words=words, plan=known.id)
    return undone


def _approved(workspace: Workspace, known: Known, network: str, now_s: float) -> None:
    """Raise ApplyError where no approval of a plan holds."""
    given = workspace.approvals.of(known.id)
    if not given:
        raise ApplyError(
            f"nothing was applied: nobody has approved the plan {known.id}. Ask an approver:"
            f" nettwin plan approve {known.id}.",
            undone=True,
        )
    reasons = [a.issues(plan=known.plan.digest, network=network, now_s=now_s) for a in given]
    if all(reasons):
        raise ApplyError(
            f"nothing was applied: {'; '.join(reasons[-1])}. Make a plan for the network of now,"
            " or have it approved again.",
            undone=True,
        )
