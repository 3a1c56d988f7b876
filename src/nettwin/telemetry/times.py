"""Times: as exports write them, in seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
AUTO = "auto"
LARGEST = 1e21  # of a number that is a time, in ns


def seconds_of(column: pd.Series, unit: str = AUTO, timezone: str = "UTC") -> NDArray[np.float64]:
    """Times as numbers in a unit (`auto`: by their size), or as text such as ISO 8601; text
    without a zone is of `timezone`. NaN for what cannot be read, and for an hour that a clock set
    back has twice. Raises InputError for an unknown zone."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(column):
        return _since_1970(column, timezone)
    if numbers.notna().sum() >= 0.5 * max(int(column.notna().sum()), 1):
        values = numbers.to_numpy(np.float64)
        values = np.where(np.abs(values) < LARGEST, values, np.nan)
        scale = UNITS.get(unit) or _by_size(values)
        return np.asarray(values * scale)
    return _since_1970(_parsed(column), timezone)


def _parsed(column: pd.Series) -> pd.Series:
    """Times from text, in one format where all have that; UTC where some have a zone."""
    import pandas as pd

    text = column.astype("str")
    zoned = text.str.contains(r"(?:[+-]\d\d:?\d\d|Z)$", regex=True)
    try:
        found: pd.Series = pd.to_datetime(
            text, format="ISO8601", errors="coerce", utc=bool(zoned.any())
        )
    except (ValueError, OverflowError):
        found = pd.to_datetime(text, errors="coerce", utc=bool(zoned.any()))
    return found


def _since_1970(times: pd.Series, timezone: str) -> NDArray[np.float64]:

    if times.dt.tz is None:
        try:
            times = times.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
        except (KeyError, ValueError, OSError):
            raise InputError(
                f"timezone is {timezone!r}: must be one such as Europe/Berlin. Correct it."
            ) from None
    # by numpy, as pandas goes no further than its nanoseconds, which end in 2262
    stamps = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    epoch = np.zeros(1, stamps.dtype)
    return np.asarray((stamps - epoch) / np.timedelta64(1, "s"), np.float64)


def _by_size(values: NDArray[np.float64]) -> float:
    """The unit of times since 1970, by how large they are."""
    finite = values[np.isfinite(values)]
    largest = float(np.median(finite)) if len(finite) else 0.0
    return next(
        (UNITS[u] for u, most in (("s", 1e11), ("ms", 1e14), ("us", 1e17)) if largest < most),
        UNITS["ns"],
    )
