"""Trial: whether a lab is fair: its solution passes, doing nothing fails, and so do the plausible
wrong solutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nettwin.apps.labs.grading import Grade, grade
from nettwin.apps.labs.lab import Lab
from nettwin.apps.labs.practice import Practice
from nettwin.errors import ChangeError
from nettwin.model import NetworkModel
from nettwin.scenario.changes import Change

Progress = Callable[[float], None]
SLOW = 0.5  # part of the time that a tried solution is given


class Tried(NamedTuple):
    """One way to leave a lab's network, and whether that went as it must."""

    variant: int
    what: str  # solution, nothing, or why a wrong one must fail
    kind: str  # solution, idle, wrong
    passed: bool
    points: float
    missed: tuple[str, ...]  # goals

    @property
    def right(self) -> bool:
        """Whether it passes where it must, and fails where it must."""
        return self.passed == (self.kind == "solution")


def trial(
    lab: Lab, model: NetworkModel, *, seed: int = 0, progress: Progress | None = None
) -> list[Tried]:
    """Leave the network of each variant as its solution does, as it was, and as each wrong solution
    does."""
    found: list[Tried] = []
    for number, variant in enumerate(lab.variants):
        practice = Practice(lab, number, model, seed)
        ways: list[tuple[str, str, tuple[Change, ...]]] = [
            ("solution", "the model solution", variant.solution),
            ("idle", "nothing is done", ()),
            *(("wrong", wrong.why, wrong.changes) for wrong in variant.wrong),
        ]
        for kind, what, changes in ways:
            found.append(_tried(practice, number, kind, what, changes))
            if progress:
                progress(
                    (number + len(found) / (len(ways) * len(lab.variants))) / len(lab.variants)
                )
    return found


def _tried(
    practice: Practice, number: int, kind: str, what: str, changes: tuple[Change, ...]
) -> Tried:
    try:
        seen = practice.seen(changes) if changes else practice.before
    except ChangeError as error:  # of a kind that learners may not use
        return Tried(number, what, kind, False, 0.0, (str(error),))
    marks: Grade = grade(practice, seen, SLOW * practice.lab.minutes * 60)
    missed = tuple(line.text for line in seen.judgement.lines if not line.met)
    return Tried(number, what, kind, marks.passed, marks.points, missed)
