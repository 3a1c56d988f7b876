"""Check: an intent held against a network before anything is searched: what each line selects, and
what contradicts what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nettwin.errors import InputError
from nettwin.intent.bounds import Ground
from nettwin.intent.contradictions import Avoided, contradictions
from nettwin.intent.diagnostics import (
    SHOWN,
    Asked,
    Diagnostic,
    Mask,
    Place,
    Selected,
    element_names,
)
from nettwin.intent.intent import Expectation, Intent, Objective
from nettwin.intent.measures import Kind
from nettwin.intent.selector import Selector
from nettwin.intent.survival import survival
from nettwin.intent.warnings import Moved, warnings
from nettwin.scenario.changes.singles import single_failures
from nettwin.scenario.scenario import Scenario

WORST_FIRST = ("issue", "contradiction", "warning")


@dataclass(frozen=True)
class Checked:
    """Every line with what it selects, and what was found, the worst first."""

    lines: tuple[Selected, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def sound(self) -> bool:
        """Whether every line fits the network and none is known to contradict another."""
        return all(finding.kind == "warning" for finding in self.diagnostics)


def check(intent: Intent, scenario: Scenario) -> Checked:
    """Hold an intent against a network; no model is asked and nothing is searched.

    What is called a contradiction is proven. What is not, may still be impossible.
    """
    return _Check(intent, scenario).checked()


class _Check:
    """One intent and one network."""

    def __init__(self, intent: Intent, scenario: Scenario) -> None:
        self.intent, self.scenario = intent, scenario
        self.lines: list[Selected] = []
        self.found: list[Diagnostic] = []
        self.asked: list[Asked] = []
        self.avoided: list[Avoided] = []
        self.levers: list[Moved] = []

    def checked(self) -> Checked:
        """All of it."""
        self._select()
        if not self.found:  # else nothing more is known of the lines that do not fit
            ground = Ground(self.intent, self.scenario, [(a.flows, a.links) for a in self.avoided])
            self._bound(ground)
            self.found += contradictions(self.intent, ground, self.asked, self.avoided)
            self.found += survival(self.intent, ground, self.asked)
        self.found += warnings(self.intent, self.scenario, self.asked, self.levers)
        self.found.sort(key=lambda finding: WORST_FIRST.index(finding.kind))
        return Checked(tuple(self.lines), tuple(self.found))

    def _select(self) -> None:
        for i, level in enumerate(self.intent.minimize):
            for j, objective in enumerate(level):
                self._ask(("minimize", i, j) if len(level) > 1 else ("minimize", i), objective)
        for i, expectation in enumerate(self.intent.expect):
            self._ask(("expect", i), expectation)
        self._failures()
        for i, avoid in enumerate(self.intent.avoid):
            place, text = ("avoid", i), avoid.describe()
            flows = self._mask(place, avoid.flows, "flow", text)
            links = self._mask(place, avoid.links, "link", text)
            if flows is not None and links is not None:
                self.avoided.append(Avoided(place, avoid, flows, links))
        for i, lever in enumerate(self.intent.levers):
            where = ("change", "with", i)
            mask = self._mask(where, lever.select, lever.of, f"change {lever.describe()}")
            if mask is not None:
                self.levers.append(Moved(where, lever, mask))

    def _failures(self) -> None:
        survive = self.intent.survive
        if not survive:
            return
        for i, expectation in enumerate(survive.expect):
            self._ask(("survive", "expect", i), expectation, failed=True)
        for i, objective in enumerate(survive.minimize):
            self._ask(("survive", "minimize", i), objective, failed=True)
        for kind in survive.kinds:
            if not single_failures(self.scenario.topology, kind):
                reason = f"{self.scenario.name} has no {kind} that could fail"
                self.found.append(
                    Diagnostic("issue", (("survive", "any"),), reason, "Leave it out.")
                )

    def _ask(self, place: Place, line: Objective | Expectation, *, failed: bool = False) -> None:
        text = line.describe() + (" after a failure" if failed else "")
        if isinstance(line, Objective):
            text = f"minimize {text}"
        if line.about.kind == "plan":
            self.asked.append(Asked(place, line, np.zeros(0, np.bool_), failed))
            self.lines.append(Selected(place, text, "plan", 1, ("the plan",), line.measure))
            return
        mask = self._mask(place, line.select, line.about.kind, text, line.measure)
        if mask is not None:
            self.asked.append(Asked(place, line, mask, failed))

    def _mask(
        self, place: Place, select: Selector, kind: Kind, text: str, measure: str = ""
    ) -> Mask | None:
        """What a line selects, noted; None where it selects nothing."""
        try:
            mask = select.select(self.scenario, kind)
        except InputError as error:
            reason, _, remedy = str(error).partition(". ")
            remedy = remedy or "Correct the name, or use a pattern with *."
            self.found.append(Diagnostic("issue", (place,), reason, remedy))
            return None
        chosen = np.flatnonzero(mask)
        names = element_names(self.scenario, kind)
        first = tuple(names[i] for i in chosen[:SHOWN].tolist())
        self.lines.append(Selected(place, text, kind, len(chosen), first, measure))
        return mask

    def _bound(self, ground: Ground) -> None:
        """What the values of lines cannot be better than."""
        bounds = {a.place: ground.bound(a.line, a.mask) for a in self.asked if not a.failed}
        self.lines = [line._replace(bound=bounds.get(line.place)) for line in self.lines]
