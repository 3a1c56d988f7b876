"""Quantity: the one declaration of a number that nettwin knows.

Name, unit, meaning, default and range stand here once; validation, JSON schemas, tables and the
documentation are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import Fault


@dataclass(frozen=True, slots=True)
class Quantity:
    """A named number: its unit, what it means, its default and the range it may have.

    `above` is an exclusive lower bound, `low` and `high` are inclusive; `optional` allows NaN
    (unknown).
    """

    name: str
    unit: str
    meaning: str
    default: float | None = None
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    optional: bool = False
    infinite: bool = False

    @property
    def allowed(self) -> str:
        """The range in words."""
        parts = []
        if self.above > -math.inf:
            parts.append(f"above {self.above:g}")
        if self.low > -math.inf:
            parts.append(f"at least {self.low:g}")
        if self.high < math.inf:
            parts.append(f"at most {self.high:g}")
        unit = f" {self.unit}" if self.unit else ""
        finite = "" if self.infinite else "finite"
        return "must be " + (" and ".join(parts) or finite or "a number") + unit

    def valid(self, values: NDArray[np.float64] | float) -> NDArray[np.bool_]:
        """Whether each value is in range; same shape as `values`."""
        x = np.asarray(values, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            good = (x >= self.low) & (x <= self.high) & (x > self.above)
        if not self.infinite:
            good &= np.isfinite(x)
        return good | np.isnan(x) if self.optional else good

    def faults(
        self, values: NDArray[np.float64], element: Callable[[int], str], remedy: str = ""
    ) -> list[Fault]:
        """A fault for each value out of range; `element(i)` names the i-th element."""
        bad = np.flatnonzero(~self.valid(values))
        cure = remedy or f"Give {self.name} ({self.meaning})."
        return [
            Fault(f"{self.name} of {element(int(i))}", f"{values[i]:g}", self.allowed, cure)
            for i in bad
        ]

    def check(self, value: float, element: str) -> list[Fault]:
        """The same for one number."""
        return self.faults(np.asarray([value], dtype=np.float64), lambda _: element)

    def schema(self) -> dict[str, object]:
        """The quantity as a JSON schema."""
        out: dict[str, object] = {"type": "number", "description": f"{self.meaning} [{self.unit}]"}
        if self.above > -math.inf:
            out["exclusiveMinimum"] = self.above
        if self.low > -math.inf:
            out["minimum"] = self.low
        if self.high < math.inf:
            out["maximum"] = self.high
        if self.default is not None and math.isfinite(self.default):
            out["default"] = self.default
        return out


def by_name(*quantities: Quantity) -> dict[str, Quantity]:
    """A table of quantities by name."""
    return {quantity.name: quantity for quantity in quantities}


def frozen(values: object, dtype: Any) -> NDArray[Any]:
    """A read-only contiguous copy of `values`; what frozen types keep inside."""
    array = np.array(values, dtype=dtype, order="C", copy=True)
    array.setflags(write=False)
    return array
