"""Search: the best answer so far, the bound, and whether to go on. What optimizers report to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from nettwin.optimize.stop import Clock, Standing, Stop

A = TypeVar("A")


class Progress(NamedTuple):
    """What is told to whoever watches."""

    stage: str
    standing: Standing


Tell = Callable[[Progress], None]


class Search(Generic[A]):
    """A search for an answer of type A with the lowest value.

    Optimizers call `step` while they work, `offer` what they find and `bounded` what they prove,
    and end when `over`. An answer may be a function that makes it, so that what is soon surpassed
    costs nothing.
    """

    def __init__(
        self, stop: Stop, tell: Tell | None = None, clock: Clock | None = None, stage: str = ""
    ) -> None:
        self.stage = stage
        self.clock = clock or Clock()
        self.value = math.inf
        self.bound = -math.inf
        self.steps = 0
        self._answer: A | Callable[[], A] | None = None
        self._steps_at_best = 0
        self._stop, self._tell = stop, tell

    @property
    def standing(self) -> Standing:
        """Where the search stands now."""
        return Standing(self.clock.seconds, self.steps, self.value, self.bound, self._steps_at_best)

    @property
    def over(self) -> bool:
        """Whether to end now."""
        return self._stop.reached(self.standing)

    @property
    def seconds_left(self) -> float:
        """Until it must end; inf if no rule says."""
        return max(self._stop.deadline_s - self.clock.seconds, 0.0)

    def step(self, count: int = 1) -> bool:
        """Count steps; True where the search should go on."""
        self.steps += count
        return not self.over

    def offer(self, value: float, answer: A | Callable[[], A]) -> bool:
        """An answer and its value; True where it is the best so far."""
        if not value < self.value:
            return False
        self.value, self._answer = value, answer
        self._steps_at_best = self.steps
        self._told()
        return True

    def bounded(self, bound: float) -> None:
        """No answer is lower than this."""
        if bound > self.bound:
            self.bound = bound
            self._told()

    @property
    def answer(self) -> A | None:
        """The best answer so far."""
        if callable(self._answer):
            self._answer = self._answer()
        return self._answer

    def _told(self) -> None:
        if self._tell:
            self._tell(Progress(self.stage, self.standing))
