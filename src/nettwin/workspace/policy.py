"""Policy: what may change without a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nettwin.change_plan import ChangePlan
from nettwin.errors import InputError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR_S, DAY_S, WEEK_S = 3600.0, 86400.0, 604800.0
FIRST_MONDAY_S = 4 * DAY_S
_WEEKLY = re.compile(r"([a-z]{3}) (\d\d?):(\d\d)")


@dataclass(frozen=True)
class Window:
    """A stretch of time: of every week, in seconds since Monday 00:00 UTC, or one in seconds since
    1970."""

    text: str
    begin_s: float
    end_s: float
    weekly: bool

    @classmethod
    def parse(cls, text: str) -> Window:
        """`Fri 18:00 - Mon 06:00`, or `2026-12-24 - 2026-12-27T06:00` (UTC). Raises InputError."""
        begin, dash, end = (part.strip() for part in text.partition(" - "))
        try:
            if not dash:
                raise ValueError
            ends = [_weekly(part) for part in (begin, end)]
            if None not in ends:
                return cls(text, ends[0] or 0.0, ends[1] or 0.0, True)
            once = [datetime.fromisoformat(part) for part in (begin, end)]
            at = [(t if t.tzinfo else t.replace(tzinfo=UTC)).timestamp() for t in once]
            if at[0] >= at[1]:
                raise ValueError
            return cls(text, at[0], at[1], False)
        except ValueError:
            raise InputError(
                f"the window {text!r} cannot be read: must be such as Fri 18:00 - Mon 06:00, or"
                " 2026-12-24 - 2026-12-27. Correct it."
            ) from None

    def holds(self, time_s: float) -> bool:
        """Whether a time is in it."""
        if not self.weekly:
            return self.begin_s <= time_s < self.end_s
        at = (time_s - FIRST_MONDAY_S) % WEEK_S
        if self.begin_s <= self.end_s:
            return self.begin_s <= at < self.end_s
        return at >= self.begin_s or at < self.end_s


def _weekly(text: str) -> float | None:
    match = _WEEKLY.fullmatch(text.lower())
    if not match or match[1] not in DAYS:
        return None
    hour, minute = int(match[2]), int(match[3])
    if hour > 24 or minute > 59:
        raise ValueError
    return DAYS.index(match[1]) * DAY_S + hour * HOUR_S + minute * 60


@dataclass(frozen=True)
class Policy:
    """What the loop may do by itself: plans of these kinds of change, of at most so many changes,
    so many an hour, outside of the windows of `freeze`. The times are the network's."""

    auto: bool = False
    kinds: tuple[str, ...] = ("set_path", "set_weight")
    most_changes: int = 20
    most_per_hour: int = 6
    freeze: tuple[Window, ...] = ()

    def refuses(self, plan: ChangePlan, time_s: float, applied_s: Sequence[float]) -> list[str]:
        """Why a person must approve a plan, one sentence each; `applied_s` is when plans were
        applied before."""
        if not self.auto:
            return ["the policy lets nothing change without a person"]
        found = []
        others = sorted({change.kind for change in plan.changes} - set(self.kinds))
        if others:
            found.append(f"the policy does not allow {', '.join(others)}")
        if len(plan.changes) > self.most_changes:
            found.append(
                f"the plan has {len(plan.changes)} changes, the policy allows {self.most_changes}"
            )
        lately = sum(time_s - HOUR_S < at <= time_s for at in applied_s)
        if lately >= self.most_per_hour:
            found.append(
                f"{lately} plans were applied in the last hour, the policy allows"
                f" {self.most_per_hour}"
            )
        found += [f"it is in the freeze window {w.text}" for w in self.freeze if w.holds(time_s)]
        return found
