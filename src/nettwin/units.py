"""Units as people write and read them: `10G`, `45 Mbit/s`, `20ms`, `64kB`; SI inside."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from nettwin.errors import InputError

PREFIX = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
TIMES = {
    "": 1.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "ns": 1e-9,
    "min": 60.0,
    "h": 3600.0,
}
EXAMPLES = {
    "rate": "10G, 45M or 2.5e9",
    "time": "20ms, 3s or 0.5",
    "size": "1500B, 64kB or 12000bit",
    "share": "60% or 0.6",
}
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")
_RATE = re.compile(r"([kKMGT]?)(?:bit/s|bps|b/s|bit)?$")
_SIZE = re.compile(r"([kKMG]?)(B|bytes?|bits?|b)?$")


def rate_bps(text: str) -> float:
    """A rate such as `10G`, `45Mbit/s` or `2.5e9` in bit/s; InputError on anything else."""
    number, unit = _split(text, "rate")
    match = _RATE.match(unit)
    if not match:
        raise _no_unit("rate", text, "bit/s with k, M, G or T")
    return number * PREFIX[match[1]]


def time_s(text: str) -> float:
    """A time such as `20ms`, `3 s` or `0.5` in seconds; InputError on anything else."""
    number, unit = _split(text, "time")
    if unit not in TIMES:
        raise _no_unit("time", text, f"one of {', '.join(filter(None, TIMES))}")
    return number * TIMES[unit]


def size_bits(text: str) -> float:
    """A size such as `1500B`, `64kB` or `12000bit` in bits (a bare number is bytes)."""
    number, unit = _split(text, "size")
    match = _SIZE.match(unit)
    if not match:
        raise _no_unit("size", text, "B or bit with k, M or G")
    per = 1.0 if (match[2] or "B").startswith("b") and match[2] not in ("byte", "bytes") else 8.0
    return number * PREFIX[match[1]] * per


def share(text: str) -> float:
    """A share such as `60%` or `0.6`; InputError on anything else."""
    number, unit = _split(text, "share")
    if unit not in ("", "%"):
        raise InputError(f"invalid share {text!r}. Write {EXAMPLES['share']}.")
    return number / 100 if unit else number


def moment_s(text: str, example: str = "2026-01-05T12:00:00+00:00") -> float:
    """A date and time (UTC where it tells no zone) in seconds since 1970; InputError on anything
    else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"invalid time {text!r}: must be such as {example}. Correct it.") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def moment(time_s: float) -> str:
    """A time in seconds since 1970 for people, UTC."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _split(text: str, noun: str) -> tuple[float, str]:
    match = _NUMBER.match(text)
    if not match or not math.isfinite(float(match[1])):
        raise InputError(
            f"invalid {noun} {text!r}: it must begin with a number. Write {EXAMPLES[noun]}."
        )
    return float(match[1]), match[2]


def _no_unit(noun: str, text: str, units: str) -> InputError:
    return InputError(f"invalid {noun} {text!r}: its unit must be {units}. Write {EXAMPLES[noun]}.")


def rate(bps: float) -> str:
    """A rate for people: `45.0 Mbit/s`."""
    if not math.isfinite(bps):
        return "-"
    for prefix in ("T", "G", "M", "k"):
        value = bps / PREFIX[prefix]
        if abs(value) >= 0.9995:
            plain = 999.5 <= abs(value) < 1e9  # in words, not as 1.23e+03
            return f"{value:{'.0f' if plain else '.3g'}} {prefix}bit/s"
    return f"{bps:.3g} bit/s"


def duration(seconds: float) -> str:
    """A time for people, four digits at most: `23.41 ms`."""
    if not math.isfinite(seconds):
        return "-"
    size = abs(seconds)
    if size >= 7200:
        return f"{_digits(seconds / 3600)} h"
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if size >= 0.9995 * scale:
            return f"{_digits(seconds / scale)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns" if size else "0 ms"


def size(bits: float) -> str:
    """A size for people, in bytes: `1500 B`, `64.0 kB`."""
    if not math.isfinite(bits):
        return "no limit" if bits > 0 else "-"
    amount = bits / 8
    for prefix in ("G", "M", "k"):
        if abs(amount) >= PREFIX[prefix] * 9.9995:
            return f"{amount / PREFIX[prefix]:.1f} {prefix}B"
    return f"{amount:.0f} B" if amount == 0 or abs(amount) >= 10 else f"{amount:.2g} B"


def percent(part: float, digits: int = 1) -> str:
    """A share for people: `81.3 %`; what is not nothing never reads as 0."""
    if not math.isfinite(part):
        return "-"
    least = 10.0**-digits
    if 0 < abs(part) * 100 < least / 2:
        return f"<{least:.{digits}f} %"
    return f"{part * 100:.{digits}f} %"


def change(before: float, after: float) -> str:
    """A signed change in percent of what it was; `new` where nothing was before."""
    if not (math.isfinite(before) and math.isfinite(after)):
        return "-"
    if before == 0:
        return "" if after == 0 else "new"
    return f"{(after - before) / before * 100:+.1f} %"


def finite_or_none(value: float) -> float | None:
    """The value for JSON, which has no infinity: None where it is not finite."""
    return float(value) if math.isfinite(value) else None


def count(number: int | float) -> str:
    """A count with thousands set apart."""
    return f"{number:,.0f}"


def _digits(value: float) -> str:
    size = abs(value)
    return f"{value:.{2 if size < 100 else 1 if size < 1000 else 0}f}"
