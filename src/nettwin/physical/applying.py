"""Applying: a plan made on devices in its order, each step checked; all of it, or nothing.

Whatever the actuator, this is how a plan reaches a network. Every step is written to the journal
before it is made. Where one fails, those made are taken back in the reverse order. A process that
dies in between is made good by `recover`: changes set values, so that taking back what may not have
been made is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from nettwin.change_plan import ChangePlan
from nettwin.errors import ApplyError, NettwinError, NetworkError
from nettwin.observation import configuration
from nettwin.physical.actuator import Actuator
from nettwin.physical.devices import devices_of
from nettwin.physical.journal import Journal, Receipt
from nettwin.scenario.changes import Change
from nettwin.scenario.changes.undoing import undone
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology


class SteeredNetwork:
    """The part of a Network that is the same for all: plans applied by an actuator, with a journal.

    `now_s` is the network's time. A network inherits this and adds `observe`, `inject` and `close`.
    """

    def __init__(self, actuator: Actuator, folder: Path, now_s: Callable[[], float]) -> None:
        self.actuator, self.journal, self._now_s = actuator, Journal(folder), now_s

    def configured(self) -> Scenario:
        """What the devices have now."""
        return self.actuator.configured()

    def topology(self) -> Topology:
        """The nodes and links as the devices tell them now."""
        return self.configured().topology

    def apply(
        self, plan: ChangePlan, key: str = "", *, confirm_within_s: float | None = None
    ) -> Receipt:
        """See `Network.apply`. The key is the plan's digest where none is given."""
        key = key or plan.digest[:32]
        found = self.journal.find(key)
        if found is not None:
            return self._again(found, plan)
        before = self.configured()
        receipt = self._planned(plan, key, before, confirm_within_s)
        expected = before
        for step, change in enumerate(receipt.changes):
            receipt = self.journal.become(receipt, begun=step + 1)
            expected = change.apply(expected)
            try:
                self.actuator.make(change)
                self.actuator.settle()
                self._check(expected, f"after {change.describe()}", devices_of(change, expected))
            except (NettwinError, OSError) as error:
                raise self._failed(receipt, change, error) from error
        try:
            self._check(expected, "at the end")
        except (NettwinError, OSError) as error:
            raise self._failed(receipt, plan.changes[-1], error) from error
        return self.journal.become(receipt, state="applied")

    def receipt(self, key: str) -> Receipt | None:
        """See `Network.receipt`."""
        return self.journal.find(key)

    def confirm(self, receipt: Receipt) -> Receipt:
        """See `Network.confirm`."""
        now = self.journal.find(receipt.key)
        if now is None or not now.stands:
            raise NetworkError(
                f"{receipt.key} does not stand: it was undone when nobody had confirmed it in time."
                " Look at the network, and apply a new plan."
            )
        return self.journal.become(now, state="confirmed", confirm_by_s=None)

    def undo(self, receipt: Receipt) -> Receipt:
        """See `Network.undo`. Raises NetworkError where it cannot be undone; it can be tried
        again."""
        now = self.journal.find(receipt.key) or receipt
        if now.state == "undone":
            return now
        return self._take_back(now)

    def recover(self) -> list[Receipt]:
        """See `Network.recover`; gives what was taken back."""
        return [self._take_back(one) for one in self.journal.all() if one.unfinished]

    def expire(self) -> list[Receipt]:
        """Take back what nobody has confirmed in time; gives it."""
        now_s = self._now_s()
        late = [
            one
            for one in self.journal.all()
            if one.state == "applied" and one.confirm_by_s is not None and one.confirm_by_s <= now_s
        ]
        return [self._take_back(one) for one in reversed(late)]

    def drift(self) -> list[str]:
        """See `Network.drift`."""
        standing = [one for one in self.journal.all() if one.stands]
        now, seen = self.configured(), set()
        found = []
        for receipt in reversed(standing):
            for change in reversed(receipt.changes):
                target = (change.kind, str(next(iter(vars(change).values()))))
                if target in seen:
                    continue
                seen.add(target)
                if configuration(change.apply(now)) != configuration(now):
                    found.append(f"{change.describe()}: applied by {receipt.key}, no longer so")
        return found

    def _planned(
        self, plan: ChangePlan, key: str, before: Scenario, confirm_within_s: float | None
    ) -> Receipt:
        """The receipt of a plan that begins, on the disk. Raises ApplyError where it cannot."""
        refusals = [words for words in map(self.actuator.refuses, plan.changes) if words]
        if refusals:
            raise ApplyError(f"nothing was applied: {'; '.join(refusals)}", undone=True)
        back: list[tuple[Change, ...]] = []
        now = before
        for change in plan.changes:
            back.append(undone(now, [change]))
            now = change.apply(now)
        limit = None if confirm_within_s is None else self._now_s() + confirm_within_s
        return self.journal.write(
            Receipt(
                key=key,
                plan=plan.digest,
                network=configuration(before),
                changes=plan.changes,
                back=tuple(back),
                time_s=self._now_s(),
                confirm_by_s=limit,
            )
        )

    def _again(self, found: Receipt, plan: ChangePlan) -> Receipt:
        """What a second call with a key gives. Raises ApplyError where the first had failed."""
        if found.plan != plan.digest:
            raise ApplyError(
                f"nothing was applied: another plan was applied under the key {found.key}."
                " Give another key.",
                undone=True,
            )
        if found.unfinished:
            self._take_back(found)
            found = self.journal.find(found.key) or found
        if not found.stands:
            raise ApplyError(
                f"nothing was applied: the plan {found.key} was applied before and undone."
                " Make a new plan.",
                undone=True,
            )
        return found

    def _check(self, expected: Scenario, when: str, devices: Collection[str] = ()) -> None:
        """Raise NetworkError where the devices, or all of them, have not what they should."""
        if configuration(self.actuator.configured(devices)) != configuration(expected):
            raise NetworkError(f"{when} the network is not as it should be")

    def _failed(self, receipt: Receipt, change: Change, error: Exception) -> ApplyError:
        """Take back what was made; the error that says so."""
        made = receipt.begun - 1
        reason = str(error).rstrip(".")
        try:
            self._take_back(receipt)
        except (NettwinError, OSError) as second:
            return ApplyError(
                f"{change.describe()} failed: {reason}. Undoing the {made} changes before it failed"
                f" as well: {str(second).rstrip('.')}. The network is between the two; bring the"
                " device back, then start nettwin again, which undoes the rest.",
                undone=False,
            )
        return ApplyError(
            f"{change.describe()} failed: {reason}. The {made} changes before it were undone;"
            " the network is as before.",
            undone=True,
        )

    def _take_back(self, receipt: Receipt) -> Receipt:
        """Undo the steps that were begun, the last first."""
        receipt = self.journal.become(receipt, state="undoing")
        for change in back_of(receipt):
            self.actuator.make(change)
            self.actuator.settle()
        return self.journal.become(receipt, state="undone", begun=0)


def back_of(receipt: Receipt) -> Sequence[Change]:
    """The changes that take back what a receipt has begun, in their order."""
    steps = receipt.back[: receipt.begun]
    return [change for step in reversed(steps) for change in step]
