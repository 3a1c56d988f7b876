"""Search: the best answer so far, the bound, and whether to go on. What optimizers report to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from nettwin.change_plan import PolicyConfidence
from nettwin.optimize.params import SearchParams
from nettwin.optimize.stop import AnyOf, Clock, Seconds, Standing, Stop, cancelled

A = TypeVar("A")


class Progress(NamedTuple):
    """What is told to whoever watches."""

    stage: str
    standing: Standing
    of: str = ""  # what its values are, where they are not those of the first objective


Tell = Callable[[Progress], None]


class Search(Generic[A]):
    """A search for an answer of type A with the lowest score.

    Optimizers call `step` while they work, `offer` what they find and `bounded` what they prove,
    and end when `over`. A score is the violation of what must hold, then the objectives, compared
    in this order; a number stands for an answer without violation. An answer may be a function
    that makes it, so that what is soon surpassed costs nothing. `params` are the constants by which
    optimizers work.
    """

    def __init__(
        self,
        stop: Stop,
        tell: Tell | None = None,
        clock: Clock | None = None,
        stage: str = "",
        parent: Search[Any] | None = None,
        of: str = "",
        params: SearchParams | None = None,
    ) -> None:
        self.stage, self.of = stage, of
        inherited = parent.params if parent else None
        self.params: SearchParams = params or inherited or SearchParams()
        self.clock = clock or Clock()
        self.score: tuple[float, ...] = (math.inf,)
        self.bound = -math.inf
        self.steps = 0
        self.policy: PolicyConfidence | None = None
        self._answer: A | Callable[[], A] | None = None
        self._steps_at_best = 0
        self._stop, self._tell, self._parent = stop, tell, parent
        self._whole: Search[A] | None = None  # what this is a portion of: its bounds hold there

    def part(
        self, stage: str, stop: Stop | None = None, of: str = "", share: float = 1.0
    ) -> Search[Any]:
        """A search for something else that is a part of this one: on its clock, over when this one
        is, or a share of the time that is left; its steps count here too. `of` names its values
        where they are others than here."""
        rules = [stop] if stop else []
        if share < 1 and self.timed:
            rules.append(Seconds(self.clock.seconds + share * self.seconds_left))
        return Search(AnyOf(tuple(rules)), self._tell, self.clock, stage, self, of or self.of)

    def portion(self, share: float = 1.0, kept_s: float = 0.0) -> Search[A]:
        """A part that goes on from the best answer, by the same rules, for this share of the time
        that is left but for what is kept."""
        end = self.clock.seconds + share * max(self.seconds_left - kept_s, 0.0)
        rules = (self._stop, Seconds(end)) if self.timed else (self._stop,)
        found: Search[A] = self.part(self.stage, AnyOf(rules))
        found.bound, found.score, found._answer = self.bound, self.score, self._answer
        found._whole = self
        return found

    @property
    def value(self) -> float:
        """The first objective of the best answer; inf where none keeps what must hold."""
        return self.score[1] if self.score[0] <= 0 and len(self.score) > 1 else math.inf

    @property
    def standing(self) -> Standing:
        """Where the search stands now."""
        return Standing(self.clock.seconds, self.steps, self.value, self.bound, self._steps_at_best)

    @property
    def over(self) -> bool:
        """Whether to end now."""
        if self._parent is not None and self._parent.over:
            return True
        return self._stop.reached(self.standing)

    @property
    def cancelled(self) -> bool:
        """Whether somebody said by hand that it must end."""
        return cancelled(self._stop) or (self._parent is not None and self._parent.cancelled)

    @property
    def timed(self) -> bool:
        """Whether a rule ends it by time. Where none does, nothing may depend on how fast the
        machine is: same seed and same steps, same answer."""
        return math.isfinite(self.seconds_left)

    @property
    def seconds_left(self) -> float:
        """Until it must end; inf if no rule says."""
        mine = max(self._stop.deadline_s - self.clock.seconds, 0.0)
        return mine if self._parent is None else min(mine, self._parent.seconds_left)

    def step(self, count: int = 1) -> bool:
        """Count steps; True where the search should go on."""
        counted: Search[Any] | None = self
        while counted is not None:
            counted.steps, counted = counted.steps + count, counted._parent
        return not self.over

    def offer(self, score: float | tuple[float, ...], answer: A | Callable[[], A]) -> bool:
        """An answer and its score; True where it is the best so far."""
        found = score if isinstance(score, tuple) else (0.0, float(score))
        if not found < self.score:
            return False
        self.score, self._answer = found, answer
        self._steps_at_best = self.steps
        self._told()
        return True

    def settle(self, score: tuple[float, ...], answer: A) -> None:
        """Take an answer that is as good for the purpose, though its score is a little higher."""
        self.score, self._answer = score, answer

    def chosen_by(self, policy: PolicyConfidence) -> None:
        """A trained agent made the choices, and is this sure of them."""
        part: Search[Any] | None = self
        while part is not None:
            part.policy, part = policy, part._parent

    def bounded(self, bound: float) -> None:
        """No answer has a lower first objective than this; nor has any of what it is a portion
        of."""
        if bound > self.bound:
            self.bound = bound
            self._told()
        whole = self._whole
        while whole is not None:  # which need not tell again
            whole.bound, whole = max(whole.bound, bound), whole._whole

    @property
    def answer(self) -> A | None:
        """The best answer so far."""
        if callable(self._answer):
            self._answer = self._answer()
        return self._answer

    def _told(self) -> None:
        if not self._tell:
            return
        standing, whole = self.standing, self._parent
        while whole is not None and whole.of == self.of:  # a part may begin at what is worse
            best, bound = min(standing.best, whole.value), max(standing.bound, whole.bound)
            standing, whole = standing._replace(best=best, bound=bound), whole._parent
        self._tell(Progress(self.stage, standing, self.of))
