"""Loop: the steps of the closed loop, one after another, each safe to be done again.

The state on disk says which step comes next. A step does its work, the state moves on, and only
then the next begins; so whoever kills the loop finds it where it was. What may be half done when a
step is done again (a plan on its way into the network) is settled by the network's journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from nettwin.apps.loop import checks
from nettwin.apps.loop.flapping import damped, flapping, watched
from nettwin.apps.loop.plans import Known, keep_fate, keep_plan, known_plan
from nettwin.apps.loop.state import Step, read_state, write_state
from nettwin.apps.planning import find_plan
from nettwin.errors import ApplyError, NetworkError
from nettwin.intent import Intent
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.observation import Observation, configuration
from nettwin.optimize.finishing.verification import tightened
from nettwin.optimize.problem import Problem
from nettwin.optimize.stop import Seconds, Stop
from nettwin.physical.network import Network
from nettwin.repository.audit import AuditLog
from nettwin.repository.repository import Repository
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.approval import POLICY, Approval, Approvals
from nettwin.workspace.policy import Policy
from nettwin.workspace.settings import LoopSettings

AUTHOR = "loop"
CLOCK_SLACK_S = 5.0
BETTER = 1e-9
Twin = Callable[[Scenario], Scenario]


class Told(NamedTuple):
    """One thing that the loop did or found, for people."""

    time_s: float  # of the network
    step: str
    words: str


@dataclass
class Parts:
    """What a loop works with.

    `corrected` makes the twin's scenario of the network's. `verifier` looks at every plan. `stop`
    ends a search, where the settings' seconds shall not. `wall` is this machine's time in seconds
    since 1970, `steady` a clock that nobody sets. `tell` hears what is done; `at_step` is called
    before each step.
    """

    network: Network
    intent: Intent
    model: NetworkModel | None
    verifier: NetworkModel | None
    repository: Repository
    audit: AuditLog
    approvals: Approvals
    state_file: Path
    settings: LoopSettings = field(default_factory=LoopSettings)
    policy: Policy = field(default_factory=Policy)
    corrected: Twin = lambda scenario: scenario
    stop: Stop | None = None
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    tell: Callable[[Told], None] = lambda told: None
    at_step: Callable[[str], None] = lambda step: None


class Loop:
    """The closed loop over one network. Make one, and call `cycle` as often as wanted."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.state = read_state(parts.state_file)
        self.seen: Observation | None = None
        self.predicted: Metrics | None = None
        self._clocks = parts.wall(), parts.steady()
        self._resume()

    def cycle(self) -> Observation:
        """Observe one interval, and do all steps that follow from it; gives what was observed last.

        A plan that waits for a person is looked at again in the next cycle. Raises NettwinError
        where the network cannot be observed, or the disk cannot be written: the state is then that
        of the last step that was done.
        """
        done: dict[str, Callable[[], Step]] = {
            "optimize": self._optimize,
            "verify": self._verify,
            "approve": self._approve,
            "pre-check": self._pre_check,
            "apply": self._apply,
            "post-check": self._post_check,
            "roll back": self._roll_back,
        }
        if self.state.step not in ("post-check", "roll back"):
            self.parts.at_step("observe")
            self._observe()
        while self.state.step != "observe":
            before = self.state.step
            self.parts.at_step(before)
            self._go(done[before]())
            if self.state.step == before:  # it waits
                break
        if (
            self.seen is None
        ):  # what a loop that died had left was taken back, and nothing looked at
            self.seen = self._look()
        return self.seen

    # the steps

    def _observe(self) -> None:
        """Observe, predict and judge; where the intent is missed, a plan is wanted next."""
        self.seen = self._look()
        self._clock_jump()
        waits = self.state.step != "observe"
        if contradictory := checks.contradictions(self.seen):
            self._say("observe", "the measurement contradicts itself", why=contradictory)
            if waits:
                return
            self._go("observe")
            return
        self._watch_links()
        scenario = self._twin(self.seen.scenario)
        model = self.parts.model
        self.predicted = model.predict([scenario])[0] if model else None
        reason, violation = self._reason(scenario)
        if waits:
            if not reason:
                self._dropped("the intent is met again")
            return
        if not reason:
            self._go("observe")
        elif self.seen.time_s < self.state.quiet_until_s:
            self._go("observe")  # said when it began
        else:
            self._say("judge", reason)
            self._go("optimize", reason=reason, violation=violation, plan="")

    def _reason(self, scenario: Scenario) -> tuple[str, float]:
        """Why the network must change, empty where it need not; and by how much it misses."""
        assert self.seen is not None
        intent = self.parts.intent
        surely = checks.measured(intent, self.seen, best=True)
        if not surely.met:
            missed = next(line for line in surely.lines if not line.met)
            return f"measured: {missed.text} is missed at {missed.worst}", surely.violation
        if poor := checks.untold(intent, self.seen):
            self._say("judge", "too little was measured to judge; nothing is changed", why=poor)
        # failures that must be survived are never measured: the twin tells them
        if intent.survive is not None or not poor:
            thought = Problem(scenario, intent, self.parts.model).before
            if not thought.met:
                missed = next(line for line in thought.lines if not line.met)
                if intent.survive is not None or not intent.predicted:
                    return (
                        f"predicted: {missed.text} is missed at {missed.worst}",
                        thought.violation,
                    )
        return "", 0.0

    def _optimize(self) -> Step:
        seen = self.seen or self._last_seen()
        settings, parts = self.parts.settings, self.parts
        problem = self._problem(seen)
        plan = find_plan(
            problem.scenario,
            problem.intent,
            parts.model,
            method=settings.method,
            stop=parts.stop or Seconds(max(settings.seconds, 0.05)),
            verifier=parts.verifier,
        )
        if not plan.changes or plan.after.violation >= plan.before.violation - BETTER:
            why = plan.reasons or ("no changes that the intent allows make it better",)
            return self._rest("optimize", "no plan was found", why)
        network = self._fingerprint(seen.scenario)
        id, plan = keep_plan(parts.repository, plan, seen.time_s, AUTHOR, network)
        changes = [change.describe() for change in plan.changes]
        self.state = self.state.with_(plan=id)
        self._say("optimize", f"plan {id}: {len(changes)} changes", plan=id, changes=changes)
        return "verify"

    def _verify(self) -> Step:
        """Hold what the verifier said of the plan against what it said of no change."""
        known, parts = self._known(), self.parts
        said = [e for e in known.plan.evidence if e.method == "simulated"]
        if parts.verifier is None:
            return "approve"
        for evidence in said:
            judgement = evidence.judgement
            if judgement.met:
                self._say("verify", f"{evidence.engine} finds the intent met", plan=known.id)
                return "approve"
            problem = self._problem(self.seen or self._last_seen())
            now = problem.judged_by(parts.verifier, ())
            if judgement.violation < now.violation - BETTER:
                words = f"{evidence.engine} finds it better than now, the intent still missed"
                self._say("verify", words, plan=known.id)
                return "approve"
        return self._refuse("verify", "the verifier does not find it better than now")

    def _approve(self) -> Step:
        """Find an approval of the plan, or give the policy's; without one the plan waits."""
        known, parts = self._known(), self.parts
        now = (self.seen or self._last_seen()).time_s
        if known.fate == "refused":
            return self._rest("approve", "the plan was refused", ())
        network = self._fingerprint(parts.network.configured())
        if known.network != network:
            return self._refuse("approve", "the network is not the one that it was made for")
        approval = self._approval(known)
        if approval is not None:
            self._say("approve", f"{approval.by} approved", plan=known.id, **_bound(approval))
            return "pre-check"
        refusals = parts.policy.refuses(known.plan, now, self.state.applied_s)
        if not refusals:
            wall = parts.wall()
            approval = Approval(
                plan=known.plan.digest,
                network=known.network,
                author=known.author,
                by=POLICY,
                at_s=wall,
                expires_s=wall + parts.settings.approval_s,
            )
            parts.approvals.keep(known.id, approval)
            self._say("approve", "the policy approves", plan=known.id, **_bound(approval))
            return "pre-check"
        if known.fate != "waits":
            keep_fate(parts.repository, known.id, now, "waits", "; ".join(refusals))
            self._say("approve", "waits for a person", plan=known.id, why=refusals)
        return "approve"

    def _approval(self, known: Known) -> Approval | None:
        """The newest approval of a plan that holds now."""
        for approval in reversed(self.parts.approvals.of(known.id)):
            if not self._faults(known, approval):
                return approval
        return None

    def _faults(self, known: Known, approval: Approval) -> list[str]:
        network = self._fingerprint(self.parts.network.configured())
        return approval.issues(plan=known.plan.digest, network=network, now_s=self.parts.wall())

    def _pre_check(self) -> Step:
        """Look once more before anything changes: at the approval, the network, and the demands."""
        known, parts = self._known(), self.parts
        given = parts.approvals.of(known.id)
        if not given:
            return "approve"
        if issues := self._faults(known, given[-1]):
            return self._refuse("pre-check", "; ".join(issues))
        problem = self._problem(self.seen or self._last_seen())
        after = problem.judged(known.plan.changes)
        if after.violation >= problem.before.violation - BETTER:
            return self._refuse("pre-check", "with the demands of now it makes nothing better")
        return "apply"

    def _apply(self) -> Step:
        known, parts = self._known(), self.parts
        try:
            receipt = parts.network.apply(
                known.plan, known.id, confirm_within_s=parts.settings.confirm_s or None
            )
        except ApplyError as error:
            keep_fate(parts.repository, known.id, self._now_s(), "failed", str(error))
            self._say("apply", str(error), plan=known.id)
            return self._resting() if error.undone else "roll back"
        if self._now_s() not in self.state.applied_s:
            self.state = self.state.with_(applied_s=(*self.state.applied_s, self._now_s()))
        keep_fate(parts.repository, known.id, self._now_s(), "applied")
        words = f"{len(receipt.changes)} changes are in the network"
        self._say("apply", words, plan=known.id)
        return "post-check"

    def _post_check(self) -> Step:
        """Measure what the plan did: keep it, or take it back."""
        known, parts = self._known(), self.parts
        self.seen = seen = self._look()
        self._watch_links()
        if contradictory := checks.contradictions(seen):
            self._calibrate("; ".join(contradictory))
            return self._undo_next("the measurement contradicts itself", contradictory)
        after = checks.measured(parts.intent, seen, best=True)
        scenario = self._twin(seen.scenario)
        worse: list[str] = []
        if parts.model is not None:
            self.predicted = parts.model.predict([scenario])[0]
            worse = checks.beyond(parts.intent, seen, self.predicted, parts.settings.tolerance)
        if worse:
            self._calibrate("; ".join(worse))
        if worse and not after.met:
            return self._undo_next("it is worse than predicted", worse)
        if after.violation > self.state.violation + BETTER:
            return self._undo_next("the intent is missed by more than before", ())
        try:
            receipt = parts.network.receipt(known.id)
            if receipt is None:
                raise NetworkError(f"the network knows nothing of the plan {known.id}")
            parts.network.confirm(receipt)
        except NetworkError as error:
            return self._undo_next(str(error), ())
        keep_fate(parts.repository, known.id, seen.time_s, "kept")
        words = "kept: the intent is met" if after.met else "kept: better, the intent still missed"
        self._say("keep", words, plan=known.id)
        quiet = seen.time_s if after.met else seen.time_s + parts.settings.cooldown_s
        self.state = self.state.with_(kept=self.state.kept + 1, quiet_until_s=quiet, plan="")
        return "observe"

    def _undo_next(self, reason: str, why: list[str] | tuple[str, ...]) -> Step:
        self._say("post-check", f"to be rolled back: {reason}", plan=self.state.plan, why=why)
        keep_fate(self.parts.repository, self.state.plan, self._now_s(), "to roll back", reason)
        return "roll back"

    def _roll_back(self) -> Step:
        """Take the plan out of the network; tried again in the next cycle where that fails."""
        known, parts = self._known(), self.parts
        receipt = parts.network.receipt(known.id)
        if receipt is not None:
            try:
                parts.network.undo(receipt)
            except NetworkError as error:
                self._say("roll back", f"not done yet: {error}", plan=known.id)
                return "roll back"
        why = known.why
        keep_fate(parts.repository, known.id, self._now_s(), "rolled back", why)
        self._say("roll back", "the network is as before the plan", plan=known.id)
        self.state = self.state.with_(rolled_back=self.state.rolled_back + 1)
        return self._resting()

    # what steps share

    def _look(self) -> Observation:
        """The next interval, kept before anything is made of it."""
        seen = self.parts.network.observe()
        self.parts.repository.observed(seen)
        return seen

    def _last_seen(self) -> Observation:
        return self.parts.repository.observation(float(self.parts.repository.times_s()[-1]))

    def _now_s(self) -> float:
        return self.seen.time_s if self.seen else float(self.parts.repository.times_s()[-1])

    def _twin(self, scenario: Scenario) -> Scenario:
        """What the twin takes the network for: corrected, and flapping links down."""
        links = flapping(self.state.changed, self.parts.settings.flaps)
        return damped(self.parts.corrected(scenario), links)

    def _problem(self, seen: Observation) -> Problem:
        """What is to be solved: where the network misses what the twin thinks is met, limits are
        stricter by as much as the twin is too hopeful."""
        problem = Problem(self._twin(seen.scenario), self.parts.intent, self.parts.model)
        real = checks.measured(self.parts.intent, seen, best=True)
        if not real.met and problem.before.met:
            self._calibrate("the twin thinks the intent met, and it is measured that it is not")
        return problem if real.met else tightened(problem, real, problem.before)

    def _fingerprint(self, scenario: Scenario) -> str:
        """The configuration, whatever flapping links are doing."""
        return configuration(
            damped(scenario, flapping(self.state.changed, self.parts.settings.flaps))
        )

    def _known(self) -> Known:
        return known_plan(self.parts.repository, self.state.plan)

    def _watch_links(self) -> None:
        assert self.seen is not None
        settings = self.parts.settings
        was = flapping(self.state.changed, settings.flaps)
        self.state, turned = watched(
            self.state, self.seen.scenario.topology, self.seen.time_s, settings.flap_window_s
        )
        if turned:
            self._say("observe", "; ".join(turned))
            if not set(_links_of(turned)) <= set(was):  # something new: worth another plan
                self.state = self.state.with_(quiet_until_s=0.0)
        for name in flapping(self.state.changed, settings.flaps):
            if name not in was:
                self._say("observe", f"link {name} flaps: it counts as down until it is quiet")

    def _calibrate(self, why: str) -> None:
        if not self.state.calibrate:
            self._say("post-check", "the twin should be calibrated", why=[why])
        self.state = self.state.with_(calibrate=why)

    def _dropped(self, why: str) -> None:
        """Let a plan that waits go."""
        keep_fate(self.parts.repository, self.state.plan, self._now_s(), "dropped", why)
        self._say("approve", f"dropped: {why}", plan=self.state.plan)
        self._go("observe", plan="")

    def _refuse(self, step: str, why: str) -> Step:
        """Let a plan go that must not be applied; another may be made at once."""
        keep_fate(self.parts.repository, self.state.plan, self._now_s(), "refused", why)
        self._say(step, f"not applied: {why}", plan=self.state.plan)
        return "observe"

    def _rest(self, step: str, words: str, why: tuple[str, ...]) -> Step:
        self._say(step, words, why=list(why))
        return self._resting()

    def _resting(self) -> Step:
        until = self._now_s() + self.parts.settings.cooldown_s
        self.state = self.state.with_(quiet_until_s=until)
        return "observe"

    def _clock_jump(self) -> None:
        """Say where this machine's clock was set; approvals of the future then do not hold."""
        wall, steady = self.parts.wall(), self.parts.steady()
        jump = (wall - self._clocks[0]) - (steady - self._clocks[1])
        self._clocks = wall, steady
        if abs(jump) > CLOCK_SLACK_S:
            self._say(
                "observe",
                f"this machine's clock jumped by {jump:+.0f} s; approvals hold by what it says now",
            )

    def _say(self, step: str, words: str, **details: Any) -> None:
        """Write into the audit log, and tell."""
        now = self.seen.time_s if self.seen else 0.0
        self.parts.audit.add(self.parts.wall(), step, AUTHOR, words=words, network_s=now, **details)
        why = details.get("why")
        told = f"{words}: {'; '.join(why)}" if why else words
        self.parts.tell(Told(now, step, told))

    def _go(self, step: Step, **changed: Any) -> None:
        """Move to a step; it is on the disk when this returns."""
        self.state = replace(self.state, step=step, clock_s=self.parts.wall(), **changed)
        write_state(self.parts.state_file, self.state)

    def _resume(self) -> None:
        """Settle what a loop that was killed has left: half-applied plans are taken back."""
        for receipt in self.parts.network.recover():
            words = "a process died while this was applied: it was taken back"
            self.parts.audit.add(
                self.parts.wall(), "recover", AUTHOR, words=words, plan=receipt.key
            )
            self.parts.tell(Told(0.0, "recover", f"{words} ({receipt.key})"))
            if self.state.plan == receipt.key and self.state.step == "apply":
                keep_fate(self.parts.repository, receipt.key, self._now_s(), "rolled back", words)
                self._go("observe", plan="")
        if self.state.step == "apply":
            done = self.parts.network.receipt(self.state.plan)
            if done is not None and done.stands:  # it died before it could say so
                self._go(self._apply())
        if self.state.step != "observe":
            self.parts.audit.add(
                self.parts.wall(), "resume", AUTHOR, words=f"goes on with {self.state.step}"
            )


def _bound(approval: Approval) -> dict[str, Any]:
    """What an approval binds, for the audit log."""
    return {"approval": approval.to_dict()}


def _links_of(sentences: list[str]) -> list[str]:
    return [words.removeprefix("link ").rpartition(" went ")[0] for words in sentences]
