"""Stop: when a search ends. Rules are small and combine with `|`.

    Seconds(5) | Gap(0.003) | NoProgress(2000)

A rule is asked often, so it is cheap; every rule also ends a search that was cancelled.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from nettwin.errors import InputError


class Standing(NamedTuple):
    """Where a search stands. Values are those of the first objective, lower is better."""

    seconds: float
    steps: int  # what the method counts: moves tried, rounds, columns
    best: float  # inf before the first answer that keeps every constraint
    bound: float  # no answer is lower; -inf where none is known
    steps_at_best: int

    @property
    def gap(self) -> float:
        """How far the best is above the bound, relatively; inf where either is unknown."""
        if not math.isfinite(self.best) or not math.isfinite(self.bound):
            return math.inf
        return max(self.best - self.bound, 0.0) / max(abs(self.bound), 1e-12)


class Stop(Protocol):
    """A rule; it may be asked by several searches one after another."""

    def reached(self, standing: Standing) -> bool:
        """Whether to end now."""

    @property
    def deadline_s(self) -> float:
        """Seconds after which it surely ends; inf if that is not known."""


class _Rule:
    deadline_s: float = math.inf

    def __or__(self, other: Stop) -> AnyOf:
        return AnyOf((self, other))  # type: ignore[arg-type]


@dataclass(frozen=True)
class AnyOf(_Rule):
    """Ends where one of its rules does."""

    rules: tuple[Stop, ...]

    def reached(self, standing: Standing) -> bool:
        return any(rule.reached(standing) for rule in self.rules)

    @property
    def deadline_s(self) -> float:  # type: ignore[override]
        return min((rule.deadline_s for rule in self.rules), default=math.inf)


@dataclass(frozen=True)
class Seconds(_Rule):
    """Ends after so many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            raise InputError(f"the seconds to search are {self.seconds}: must be 0 or more.")

    def reached(self, standing: Standing) -> bool:
        return standing.seconds >= self.seconds

    @property
    def deadline_s(self) -> float:  # type: ignore[override]
        return self.seconds


@dataclass(frozen=True)
class Steps(_Rule):
    """Ends after so many steps: the same on every machine."""

    steps: int

    def reached(self, standing: Standing) -> bool:
        return standing.steps >= self.steps


@dataclass(frozen=True)
class Target(_Rule):
    """Ends where the best is good enough."""

    value: float

    def reached(self, standing: Standing) -> bool:
        return standing.best <= self.value


@dataclass(frozen=True)
class Gap(_Rule):
    """Ends where the best is within this share of the bound."""

    gap: float

    def reached(self, standing: Standing) -> bool:
        return standing.gap <= self.gap


@dataclass(frozen=True)
class NoProgress(_Rule):
    """Ends where so many steps brought nothing better."""

    steps: int

    def reached(self, standing: Standing) -> bool:
        return standing.steps - standing.steps_at_best >= self.steps


@dataclass(frozen=True)
class Cancel(_Rule):
    """Ends when it is told to, from any thread."""

    _event: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """End the search at its next look."""
        self._event.set()

    def reached(self, standing: Standing) -> bool:
        return self._event.is_set()


def cancelled(stop: Stop) -> bool:
    """Whether a rule, or one that it is made of, was cancelled by hand."""
    if isinstance(stop, AnyOf):
        return any(cancelled(rule) for rule in stop.rules)
    return isinstance(stop, Cancel) and stop._event.is_set()


class Clock:
    """Seconds since it was made; `now` may be another clock (processor time in benchmarks)."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._begin = now()

    @property
    def seconds(self) -> float:
        """Seconds since it was made, without those in which it was held."""
        return self._now() - self._begin

    @contextmanager
    def held(self) -> Iterator[None]:
        """It stands still meanwhile: what is done there is no search."""
        at = self._now()
        try:
            yield
        finally:
            self._begin += self._now() - at
