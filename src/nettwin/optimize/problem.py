"""Problem: a scenario, what is wanted of it and who predicts; how candidates are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.intent import LEVER_OF, Intent, Judgement, State, judge
from nettwin.model import NetworkModel, settled
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.scenario.changes import Change, apply_all
from nettwin.scenario.changes.singles import Single, single_failures
from nettwin.scenario.scenario import Scenario

Changes = tuple[Change, ...]
AT_ONCE = 64  # scenarios given to a model together


class Problem:
    """Find Changes to `scenario` that meet `intent`, as `model` sees it.

    A problem that is about loads alone needs no model. Raises InputError where the intent needs
    one and none is given, or selects nothing in this network.
    """

    def __init__(
        self, scenario: Scenario, intent: Intent, model: NetworkModel | None = None
    ) -> None:
        if intent.predicted and model is None:
            raise InputError(
                f"the intent {intent.name} asks for delays or losses and no model predicts them:"
                " give an engine."
            )
        self.scenario, self.intent = scenario, intent
        self._asked = model if intent.predicted else None
        for lever in intent.levers:  # what selects nothing is told at once
            lever.select.select(scenario, LEVER_OF[lever.kind])
        self._last: tuple[Changes, Scenario, Judgement] | None = None

    @cached_property
    def model(self) -> NetworkModel | None:
        """The one engine that judges every candidate: of a model with several the one that supports
        the scenario and, where they are predicted, its failures."""
        if self._asked is None:
            return None
        failing = self.failures if self.intent.predicted_after_failures else []
        after = (apply_all(self.scenario, changes) for _, changes in failing)
        return settled(self._asked, [self.scenario, *after])

    @cached_property
    def plain_segments(self) -> SegmentFlows:
        """Where traffic goes between any two nodes as long as nothing has changed."""
        return SegmentFlows.of([self.scenario.topology], self.scenario.routing)

    @cached_property
    def before(self) -> Judgement:
        """The judgement of the scenario as it is."""
        return self.judge([()])[0]

    @cached_property
    def failures(self) -> list[Single]:
        """The failures that the intent wants survived: name and changes."""
        survive = self.intent.survive
        kinds = survive.kinds if survive else ()
        return [one for kind in kinds for one in single_failures(self.scenario.topology, kind)]

    def judge(self, candidates: Sequence[Changes]) -> list[Judgement]:
        """The judgement of the scenario after each candidate's changes."""
        found: list[Judgement] = []
        each = 1 + len(self.failures)
        some = max(AT_ONCE // each, 1)
        for start in range(0, len(candidates), some):
            part = candidates[start : start + some]
            scenarios = [apply_all(self.scenario, changes) for changes in part]
            states = self.states(scenarios, self.model)
            for changes, after, (now, *failed) in zip(part, scenarios, states, strict=True):
                found.append(
                    judge(
                        self.intent,
                        now,
                        failed,
                        changes=len(changes),
                        cost=self.cost(after, len(changes)),
                    )
                )
        if len(candidates) == 1:
            self._last = candidates[0], scenarios[0], found[0]
        return found

    def judged(self, changes: Changes) -> Judgement:
        """The judgement of one candidate; the one that was judged last is not judged again."""
        last = self._last
        return last[2] if last and last[0] is changes else self.judge([changes])[0]

    def after(self, changes: Changes) -> Scenario:
        """The scenario after changes; of the candidate that was judged last it is at hand."""
        last = self._last
        return last[1] if last and last[0] is changes else apply_all(self.scenario, changes)

    def states(
        self, scenarios: Sequence[Scenario], model: NetworkModel | None
    ) -> list[list[State]]:
        """Each scenario and its failures, with what a model says of them, if one is given; of
        failures only where the intent asks for what it must predict."""
        names = ["", *(name for name, _ in self.failures)]
        every = [
            apply_all(scenario, failing)
            for scenario in scenarios
            for failing in ((), *(failing for _, failing in self.failures))
        ]
        metrics: list[Any] = [None] * len(every)
        asked = range(0, len(every), 1 if self.intent.predicted_after_failures else len(names))
        if model is not None:
            for start in range(0, len(asked), AT_ONCE):
                part = asked[start : start + AT_ONCE]
                found = model.predict([every[i] for i in part])
                for i, one in zip(part, found, strict=True):
                    metrics[i] = one
        states = [
            State(scenario, found, names[i % len(names)])
            for i, (scenario, found) in enumerate(zip(every, metrics, strict=True))
        ]
        return [states[i : i + len(names)] for i in range(0, len(states), len(names))]

    def state(self, changes: Changes) -> State:
        """The network after changes, nothing failed, as the problem's model sees it."""
        after = apply_all(self.scenario, changes)
        return State(after, self.model.predict([after])[0] if self.model else None)

    def judged_by(self, model: NetworkModel, changes: Changes) -> Judgement:
        """The judgement after changes as another model sees it."""
        after = apply_all(self.scenario, changes)
        ((now, *failed),) = self.states([after], model)
        return judge(
            self.intent, now, failed, changes=len(changes), cost=self.cost(after, len(changes))
        )

    def cost(self, after: Scenario, changes: int) -> float:
        """What the changes that lead to a scenario cost, by the intent's prices."""
        prices = self.intent.prices
        old, new = (s.topology.link_capacity_bps for s in (self.scenario, after))
        added = float(np.maximum(new - old, 0.0).sum()) if len(old) == len(new) else 0.0
        return prices.capacity_gbps * added / 1e9 + prices.change * changes

    def flows(self, lever: str) -> NDArray[np.bool_]:
        """Which flows a lever may touch. [flows]"""
        found = self.intent.lever(lever)
        if found is None:
            return np.zeros(self.scenario.traffic.flow_count, np.bool_)
        return found.select.select(self.scenario, "flow")

    def links(self, lever: str) -> NDArray[np.bool_]:
        """Which links a lever may touch. [links]"""
        found = self.intent.lever(lever)
        if found is None:
            return np.zeros(self.scenario.topology.link_count, np.bool_)
        return found.select.select(self.scenario, "link")


def target_of(change: Change) -> tuple[str, str]:
    """What a change sets: a later change with the same target takes its place."""
    fields: Mapping[str, Any] = vars(change)
    return change.kind, str(next(iter(fields.values()), ""))


def merged(changes: Sequence[Change], more: Sequence[Change]) -> Changes:
    """Changes followed by more; of those with one target only the last is kept."""
    out = {target_of(change): change for change in changes}
    for change in more:
        out.pop(target_of(change), None)
        out[target_of(change)] = change
    return tuple(out.values())
