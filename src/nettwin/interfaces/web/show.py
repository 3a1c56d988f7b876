"""Show: numbers as people read them, three digits and a unit; what is not known is a dash."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from nettwin import units

NOTHING = "–"


def percent(share: float, digits: int = 0) -> str:
    """A share in percent."""
    return units.percent(share, digits) if math.isfinite(share) else NOTHING


def rate(bps: float) -> str:
    """A rate."""
    return units.rate(bps) if math.isfinite(bps) else NOTHING


def duration(seconds: float) -> str:
    """A duration."""
    return units.duration(seconds) if math.isfinite(seconds) else NOTHING


def between(low: str, high: str) -> str:
    """An interval, or nothing where its ends are not known or read alike."""
    return "" if NOTHING in (low, high) or low == high else f"{low} to {high}"


def clock(time_s: float) -> str:
    """A moment, UTC, to the second."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def age(seconds: float) -> str:
    """How long ago something was, roughly."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def count(number: int, noun: str, many: str = "") -> str:
    """A number of things."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
