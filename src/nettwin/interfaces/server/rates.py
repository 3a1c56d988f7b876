"""Rates: how often a person may ask, and an address may fail."""

from __future__ import annotations

import time
from typing import Literal

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from nettwin.interfaces.server.limits import Limits
from nettwin.interfaces.server.problems import ProblemError

What = Literal["requests", "jobs", "logins", "refusals"]


class Rates:
    """The rates of a server's limits, counted in memory."""

    def __init__(self, limits: Limits) -> None:
        self._items: dict[str, RateLimitItem] = {
            "requests": parse(limits.requests),
            "jobs": parse(limits.jobs),
            "logins": parse(limits.logins),
            "refusals": parse(limits.refusals),
        }
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def may(self, what: What, who: str) -> bool:
        """Count one more; whether it is within the rate."""
        return self._limiter.hit(self._items[what], what, who)

    def hit(self, what: What, who: str) -> None:
        """Count one more. Raises ProblemError where it is too many."""
        if not self.may(what, who):
            raise self._too_many(what, who)

    def test(self, what: What, who: str) -> None:
        """Raise ProblemError where one more would be too many."""
        if not self._limiter.test(self._items[what], what, who):
            raise self._too_many(what, who)

    def _too_many(self, what: What, who: str) -> ProblemError:
        item = self._items[what]
        stats = self._limiter.get_window_stats(item, what, who)
        wait = max(1, round(stats.reset_time - time.time()))
        detail = f"too many {what}: {item} are allowed"
        return ProblemError(
            429, "rate", detail, f"Try again in {wait} s.", headers={"retry-after": str(wait)}
        )
